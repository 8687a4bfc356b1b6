//! The real binary, as people and scripts run it: what it prints where, and its exit codes. Never the real Slack.

mod batch;
mod check;
mod init;
mod manifest;
mod playground;
mod policy;
mod records;
mod usage;
mod vote;

use std::path::Path;
use std::process::Command;

/// How a run of the binary ended.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs the binary in `dir` with nothing in its environment.
pub(crate) fn switchman(dir: &Path, args: &[&str]) -> Ran {
    switchman_with(dir, args, &[])
}

/// The same, with these in its environment.
pub(crate) fn switchman_with(dir: &Path, args: &[&str], environment: &[(&str, &str)]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_switchman"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A folder with what `switchman init` writes.
pub(crate) fn initialised() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let ran = switchman(dir.path(), &["init"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    dir
}
