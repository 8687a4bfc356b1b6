//! The receivers, each a process of its own: started, asked, looked at, stopped.

use crate::load;
use crate::requests::SECRET;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The argument with which this program is the floor instead of the benchmark.
pub(crate) const FLOOR: &str = "--floor";
/// The argument with which it is Switchman's front door alone, for the configuration that follows.
pub(crate) const DOOR: &str = "--door";

/// A running receiver; it is killed when it is dropped.
pub(crate) struct Receiver {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start until it is ready.
    pub(crate) started: Duration,
}

impl Receiver {
    /// A bare axum handler.
    pub(crate) fn floor() -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).arg(FLOOR), None)
    }

    /// Bolt for JavaScript, ready when it listens. `None` where it cannot be installed.
    pub(crate) fn bolt(folder: Option<&Path>) -> Option<Self> {
        let mut command = Command::new("node");
        command.arg("server.js").current_dir(folder?).env("NODE_ENV", "production");
        Some(Self::start(&mut command, None))
    }

    /// `switchman serve` on a fresh or a filled folder, ready when `/readyz` says so.
    pub(crate) fn switchman(folder: &Path, slack: SocketAddr) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchman"));
        command.arg("serve").arg("--config").arg(folder.join("switchman.toml"));
        Self::start(with_slack(&mut command, slack), Some(folder))
    }

    /// The same front door, store and bus without the workers.
    pub(crate) fn door(folder: &Path, slack: SocketAddr) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(DOOR).arg(folder.join("switchman.toml"));
        Self::start(with_slack(&mut command, slack), None)
    }

    /// Starts it and waits until it is ready. `folder`: where its log goes; a receiver with one has a `/readyz`.
    fn start(command: &mut Command, folder: Option<&Path>) -> Self {
        let log = folder.map_or_else(Stdio::inherit, |f| File::create(f.join("log")).unwrap().into());
        let start = Instant::now();
        command.env("SLACK_SIGNING_SECRET", SECRET).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().rsplit('/').next().unwrap().parse();
        let address = address.unwrap_or_else(|_| panic!("not an address: {line:?}; is its log in {folder:?}?"));
        if folder.is_some() {
            wait_for(|| async { load::get(address, "/readyz").await == Some(200) });
        }
        Self { child, address, started: start.elapsed() }
    }

    /// A field of `/proc/PID/status`, in MiB: `VmRSS` now, `VmHWM` at its highest.
    pub(crate) fn memory(&self, field: &str) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(field)).unwrap();
        line.trim_matches([':', '\t', ' ', 'k', 'B']).parse::<f64>().unwrap() / 1024.0
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Looks every millisecond, for a minute.
fn wait_for<F: Future<Output = bool>>(mut good: impl FnMut() -> F) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let start = Instant::now();
        while !good().await {
            assert!(start.elapsed() < Duration::from_mins(1), "not ready within a minute");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
}

fn with_slack(command: &mut Command, slack: SocketAddr) -> &mut Command {
    command
        .env("SLACK_BOT_TOKEN", "xoxb-1-1-bench")
        .env("SLACK_API_URL", format!("http://{slack}/api"))
        .env_remove("SLACK_APP_TOKEN")
        .env_remove("SWITCHMAN_LOG")
}

/// Fills a folder as users do, on a free port.
pub(crate) fn init(folder: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_switchman")).arg("init").arg(folder).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let file = folder.join("switchman.toml");
    let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:3000", "127.0.0.1:0");
    fs::write(file, text).unwrap();
}

/// Installs Bolt as the lock file says, unless it is there. `None`: there is no node, or no registry.
pub(crate) fn install_bolt() -> Option<PathBuf> {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/bolt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bolt");
    fs::create_dir_all(&folder).unwrap();
    let installed = folder.join("installed.json");
    let lock = fs::read(from.join("package-lock.json")).unwrap();
    for name in ["package.json", "package-lock.json", "server.js"] {
        fs::copy(from.join(name), folder.join(name)).unwrap();
    }
    if fs::read(&installed).ok().as_ref() != Some(&lock) {
        let done = Command::new("npm").args(["ci", "--ignore-scripts", "--omit=dev"]).current_dir(&folder).output();
        done.ok().filter(|done| done.status.success())?;
        fs::write(installed, lock).unwrap();
    }
    Some(folder)
}
