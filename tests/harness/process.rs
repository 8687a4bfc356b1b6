//! The real binary as a bot, to be killed without warning.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `switchman serve`; killed at the latest when it is dropped.
pub(crate) struct Served {
    child: Child,
}

impl Served {
    /// Starts it on the configuration in `dir`, with `api_url` as its Slack. Its log goes to `log` in that folder.
    pub(crate) fn start(dir: &Path, api_url: &str, secret: &str, token: &str) -> Self {
        let log = File::options().create(true).append(true).open(dir.join("log")).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_switchman"))
            .args(["serve", "--config", "switchman.toml"])
            .current_dir(dir)
            .env_clear()
            .envs([("SLACK_API_URL", api_url), ("SLACK_SIGNING_SECRET", secret), ("SLACK_BOT_TOKEN", token)])
            .env("SWITCHMAN_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// The address it answers on, once it does.
    pub(crate) async fn ready(&mut self) -> String {
        let out = self.child.stdout.take().expect("asked for once");
        let first = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        let line = first.await.unwrap().unwrap();
        line.trim().strip_prefix("serve: ").unwrap_or_else(|| panic!("it said {line:?}")).to_owned()
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; its exit code.
    pub(crate) async fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        tokio::task::spawn_blocking(move || self.child.wait().unwrap().code()).await.unwrap()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
