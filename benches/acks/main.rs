//! How fast commands are acknowledged, by Switchman and by others, and what Switchman costs at rest.
//! `cargo bench --bench acks [-- RUNS]`: prints the tables of the README; the last one is made at 10,000 and at RUNS stored runs
//! (1,000,000 unless told). Needs Linux, and node with npm for the comparison with Bolt.

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error has to stop there")]

mod growth;
mod inside;
mod load;
mod receivers;
mod requests;
mod slack;

use load::Figures;
use receivers::Receiver;
use slack::Slack;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Rounds in turn; the one in the middle counts.
const ROUNDS: usize = 3;
/// Starts that are timed.
const STARTS: usize = 10;
/// Sent before a round is timed.
const WARM: u64 = 2_000;
/// Sent in a round: some seconds of work for each.
const MANY: u64 = 40_000;
const FEW: u64 = 10_000;
/// How long a receiver is left alone before its memory is looked at.
const REST: Duration = Duration::from_secs(1);

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some(receivers::FLOOR) => return inside::floor(),
        Some(receivers::DOOR) => return inside::door(Path::new(&arguments[2])),
        _ => {}
    }
    let runs = arguments.iter().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000);
    let mut bench = Bench { slack: Slack::start(), bolt: receivers::install_bolt(), next: 0, sent: 0 };
    if bench.bolt.is_none() {
        println!("Bolt could not be installed (node and npm are needed), so it is left out.\n");
    }
    bench.acks();
    bench.rest();
    growth::run(&mut bench, runs);
    println!(
        "{} commands were sent to Switchman and acknowledged; all were stored, and those waited for were answered, {} of them twice.",
        bench.sent,
        bench.slack.repeated()
    );
}

/// What all parts share.
pub(crate) struct Bench {
    pub(crate) slack: Slack,
    bolt: Option<PathBuf>,
    /// The number of the next request: none is ever sent twice.
    next: u64,
    /// What Switchman acknowledged.
    sent: u64,
}

impl Bench {
    fn requests(&mut self, count: u64) -> Vec<Vec<u8>> {
        self.next += count;
        requests::make(self.next - count, count, self.slack.address)
    }

    fn load(&mut self, receiver: &Receiver, count: u64) -> Figures {
        let requests = self.requests(WARM);
        load::run(receiver.address, requests);
        let requests = self.requests(count);
        load::run(receiver.address, requests)
    }

    /// Loads a Switchman, and counts afterwards what it has stored.
    pub(crate) fn load_switchman(&mut self, receiver: &Receiver, folder: &Path, count: u64) -> Figures {
        let before = stored(folder);
        let figures = self.load(receiver, count);
        assert_eq!(stored(folder) - before, WARM + count, "everything that was acknowledged is stored");
        self.sent += WARM + count;
        figures
    }

    fn acks(&mut self) {
        let mut all: [Vec<Figures>; 4] = Default::default();
        for _ in 0..ROUNDS {
            all[0].push(self.load(&Receiver::floor(), MANY));
            if let Some(bolt) = Receiver::bolt(self.bolt.as_deref()) {
                all[1].push(self.load(&bolt, FEW));
            }
            let folder = fresh();
            let switchman = Receiver::switchman(folder.path(), self.slack.address);
            all[2].push(self.load_switchman(&switchman, folder.path(), MANY));
            drop(switchman);
            let folder = fresh();
            let door = Receiver::door(folder.path(), self.slack.address);
            all[3].push(self.load_switchman(&door, folder.path(), MANY));
        }
        let [floor, bolt, switchman, door] = all.map(middle);
        println!(
            "| receiver, {} connections | before it answers 200 | acks/s | of bare axum | × Bolt | p50 ms | p99 ms |",
            load::CONNECTIONS
        );
        println!("|---|---|--:|--:|--:|--:|--:|");
        let row = |name: &str, does: &str, figures: Option<Figures>| {
            let Some(Figures { per_second, p50, p99 }) = figures else { return };
            let ratio = |other: Option<Figures>| other.map_or(f64::NAN, |other| per_second / other.per_second);
            let (of_floor, of_bolt) = (ratio(floor), ratio(bolt));
            let (p50, p99) = (ms(p50), ms(p99));
            println!("| {name} | {does} | {per_second:.0} | {of_floor:.2} | {of_bolt:.1} | {p50:.2} | {p99:.2} |");
        };
        row("bare axum 0.8", "verifies the signature", floor);
        row("Bolt for JavaScript 5", "verifies the signature", bolt);
        let does = "verifies, authorises, stores the command with an fsync";
        row("**`switchman serve`**, handling and answering commands meanwhile", does, switchman);
        row("its front door alone", does, door);
    }

    fn rest(&mut self) {
        let (mut ready, mut idle, mut others) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..STARTS {
            let folder = fresh();
            let switchman = Receiver::switchman(folder.path(), self.slack.address);
            ready.push(ms(switchman.started));
            pause(REST);
            idle.push(switchman.memory("VmRSS"));
            drop(switchman);
            if let Some(bolt) = Receiver::bolt(self.bolt.as_deref()) {
                let started = ms(bolt.started);
                pause(REST);
                others.push((started, bolt.memory("VmRSS")));
            }
        }
        println!("\n| middle of {STARTS} starts | start to ready, ms | memory at rest, MiB |\n|---|--:|--:|");
        println!("| **`switchman serve`**, ready when `/readyz` says so | {:.0} | {:.1} |", mid(ready), mid(idle));
        if !others.is_empty() {
            let (started, memory): (Vec<_>, Vec<_>) = others.into_iter().unzip();
            println!("| Bolt for JavaScript 5, ready when it listens | {:.0} | {:.1} |", mid(started), mid(memory));
        }
    }
}

/// A folder as `switchman init` makes it.
pub(crate) fn fresh() -> TempDir {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    receivers::init(folder.path());
    folder
}

/// The database of a folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("var").join("switchman.db")
}

/// How many commands are on the bus of a folder, handled ones included: they are kept for some minutes.
fn stored(folder: &Path) -> u64 {
    let connection = rusqlite::Connection::open(database(folder)).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let count: i64 =
        connection.query_row("SELECT count(*) FROM bus WHERE key GLOB 'req-*'", [], |row| row.get(0)).unwrap();
    u64::try_from(count).unwrap()
}

/// Waits until `done`, asked now and then.
pub(crate) fn wait_until(mut done: impl FnMut() -> bool) -> Duration {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_mins(10), "what was acknowledged is not answered after ten minutes");
        pause(Duration::from_millis(20));
    }
    start.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has nothing else to do meanwhile")]
fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// The round in the middle, by speed.
pub(crate) fn middle(mut all: Vec<Figures>) -> Option<Figures> {
    all.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    all.get(all.len() / 2).copied()
}

/// The value in the middle.
pub(crate) fn mid(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

pub(crate) fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
