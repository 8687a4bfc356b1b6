//! `switchman playground`, as far as the command line goes.

use super::switchman;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A playground that runs; killed when it is dropped.
pub(crate) struct Playground {
    child: Child,
}

impl Playground {
    /// Starts one on the folder `data` in `dir`, on a free port.
    pub(crate) fn start(dir: &Path) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_switchman"))
            .args(["playground", "--port", "0", "--data", "data"])
            .current_dir(dir)
            .env_clear()
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// Where it answers, once it does. Can be asked once.
    pub(crate) fn address(&mut self) -> String {
        let mut line = String::new();
        BufReader::new(self.child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        line.trim().strip_prefix("playground: ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
    }
}

impl Drop for Playground {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_data_folder_has_one_playground_even_after_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut first = Playground::start(dir.path());
    let address = first.address();
    let ran = switchman(dir.path(), &["playground", "--port", "0", "--data", "data"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains(&format!("data is used by a playground already, at {address}; ")), "{}", ran.err);
    drop(first);
    let mut next = Playground::start(dir.path());
    assert!(next.address().starts_with("http://127.0.0.1:"));
}
