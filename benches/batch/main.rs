//! How fast a batch is, beside others that do the same work, and whether that and its memory stay so as the file grows.
//! `cargo bench --bench batch [-- ROWS]`: prints the tables of the README; the last one ends at ROWS rows (10,000,000 unless told).
//!
//! Every engine makes the same two files, output and rejects, byte for byte, and waits until they are on the disk; if they differ, the
//! benchmark fails. Needs Linux, and Python 3 for the comparison (it installs the engines into `target/bench-venv`).

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error has to stop there")]

mod data;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Rounds in turn; the one in the middle counts.
const ROUNDS: usize = 5;
/// Rows of the comparison.
const ROWS: u64 = 558_000;
/// Rows of the last table.
const SIZES: [u64; 4] = [10_000, 100_000, 1_000_000, 10_000_000];
/// Files that are larger are only read once: it takes long, and a disk is not quicker the second time.
const ONCE: u64 = 5_000_000;

const SCRIPTS: [(&str, &str); 3] = [
    ("Polars, lazy and streaming", "polars_lazy.py"),
    ("DuckDB", "duckdb_sql.py"),
    ("Python csv, a process for each core", "python_csv.py"),
];

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(SIZES[3]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("batch");
    data::prepare(&folder);
    let bench = Bench { scripts: Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/batch"), folder };
    bench.compare(python().as_deref());
    bench.grow(most);
}

/// Installs the other engines; `None` where that is not possible.
fn python() -> Option<PathBuf> {
    let venv = Path::new(env!("CARGO_TARGET_TMPDIR")).parent()?.join("bench-venv");
    let python = venv.join("bin/python");
    let run = |program: &Path, arguments: &[&OsStr]| {
        Command::new(program).args(arguments).stdout(Stdio::null()).status().is_ok_and(|status| status.success())
    };
    let wanted = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/batch/requirements.txt");
    let made = python.is_file() || run(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), venv.as_ref()]);
    let install = ["-m", "pip", "install", "--quiet", "--requirement"].map(OsStr::new);
    (made && run(&python, &[&install[..], &[wanted.as_ref()]].concat())).then_some(python)
}

/// What one round took.
#[derive(Debug, Clone, Copy)]
struct Took {
    wall: f64,
    cpu: f64,
    /// MiB.
    peak: f64,
}

struct Bench {
    scripts: PathBuf,
    folder: PathBuf,
}

impl Bench {
    fn compare(&self, python: Option<&Path>) {
        let input = data::input(&self.folder, ROWS);
        let own = self.folder.join("out");
        let others: Vec<_> = if python.is_some() { SCRIPTS.to_vec() } else { Vec::new() };
        let mut took = vec![Vec::new(); 2 + others.len()];
        for _ in 0..ROUNDS {
            took[0].push(self.copy(&input));
            took[1].push(self.switchman(&input));
            for (index, (_, script)) in others.iter().enumerate() {
                let out = self.folder.join(script);
                let _ = fs::remove_dir_all(&out);
                let command = [python.unwrap(), &self.scripts.join(script), &self.folder, &input, &out];
                let mut round = self.measure(&command.map(Path::as_os_str));
                round.wall = fs::read_to_string(out.join("seconds")).unwrap().parse().unwrap();
                same(&own, &out);
                took[2 + index].push(round);
            }
        }
        let names =
            ["`cp`, then `sync`: the floor", "**`switchman batch`**"].into_iter().chain(others.iter().map(|o| o.0));
        let middles: Vec<_> = took.into_iter().map(middle).collect();
        let bytes = input.metadata().unwrap().len() / 1_000_000;
        println!(
            "| {ROWS} rows × 15 columns, {bytes} MB | seconds | CPU seconds | × `switchman batch` | peak MiB |\n|---|--:|--:|--:|--:|"
        );
        for (name, took) in names.zip(&middles) {
            let Took { wall, cpu, peak } = took;
            println!("| {name} | {wall:.2} | {cpu:.2} | {:.2} | {peak:.0} |", wall / middles[1].wall);
        }
        if python.is_none() {
            println!(
                "\nThe other engines could not be installed (Python 3 and PyPI are needed), so they are left out."
            );
        }
    }

    fn grow(&self, most: u64) {
        println!("\n| rows | MB | seconds | rows/s | MB/s | peak MiB |\n|--:|--:|--:|--:|--:|--:|");
        let out = self.folder.join("out");
        for rows in SIZES.into_iter().filter(|rows| *rows <= most) {
            let input = data::input(&self.folder, rows);
            let rounds = if rows > ONCE { 1 } else { ROUNDS };
            let took = middle((0..rounds).map(|_| self.switchman(&input)).collect());
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let (count, megabytes) = (rows as f64, input.metadata().unwrap().len() as f64 / 1e6);
            println!(
                "| {rows} | {megabytes:.0} | {:.2} | {:.0} | {:.0} | {:.1} |",
                took.wall,
                count / took.wall,
                megabytes / took.wall,
                took.peak
            );
            if rows > ONCE {
                fs::remove_file(input).unwrap();
                fs::remove_dir_all(&out).unwrap();
            }
        }
    }

    /// What no engine can be faster than: the input copied and on the disk.
    fn copy(&self, input: &Path) -> Took {
        let copy = self.folder.join("copy");
        let _ = fs::remove_file(&copy);
        let script = "cp \"$0\" \"$1\" && sync \"$1\"";
        self.measure(&["sh".as_ref(), "-c".as_ref(), script.as_ref(), input.as_os_str(), copy.as_os_str()])
    }

    fn switchman(&self, input: &Path) -> Took {
        let out = self.folder.join("out");
        let _ = fs::remove_dir_all(&out);
        let (program, config) = (Path::new(env!("CARGO_BIN_EXE_switchman")), self.folder.join("switchman.toml"));
        let words = [program.as_os_str(), "batch".as_ref(), "bench".as_ref(), input.as_ref(), "--json".as_ref()];
        self.measure(&[&words[..], &["--config".as_ref(), config.as_ref(), "--out".as_ref(), out.as_ref()]].concat())
    }

    /// Runs a command when the disk is at rest.
    fn measure(&self, command: &[&OsStr]) -> Took {
        assert!(Command::new("sync").status().unwrap().success());
        let measure = self.scripts.join("measure.py");
        let output = Command::new("python3").arg(measure).args(command).stderr(Stdio::inherit()).output().unwrap();
        assert!(output.status.success(), "{command:?} failed");
        let took: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let number = |key: &str| took[key].as_f64().unwrap();
        Took { wall: number("wall"), cpu: number("cpu"), peak: number("peak") }
    }
}

/// The round with the time in the middle.
fn middle(mut rounds: Vec<Took>) -> Took {
    rounds.sort_by(|a, b| a.wall.total_cmp(&b.wall));
    rounds[rounds.len() / 2]
}

/// Both folders must hold the same output and the same rejects.
fn same(own: &Path, other: &Path) {
    for name in ["output.csv", "rejects.csv"] {
        let equal = fs::read(own.join(name)).unwrap() == fs::read(other.join(name)).unwrap();
        assert!(equal, "{} and {} hold another {name}", own.display(), other.display());
    }
}
