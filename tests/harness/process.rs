//! The real binary as a bot, to be killed without warning.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// `switchman serve`; killed at the latest when it is dropped.
pub(crate) struct Served {
    child: Child,
    log: PathBuf,
}

impl Served {
    /// Starts it on the configuration in `dir`, with `api_url` as its Slack. Its log goes to `log` in that folder.
    pub(crate) fn start(dir: &Path, api_url: &str, secret: &str, token: &str) -> Self {
        let slack = [("SLACK_API_URL", api_url), ("SLACK_SIGNING_SECRET", secret), ("SLACK_BOT_TOKEN", token)];
        let environment = slack.into_iter().chain([("SWITCHMAN_LOG", "warn")]);
        let environment: Vec<_> = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self::start_with(dir, &["serve", "--config", "switchman.toml"], &environment)
    }

    /// Starts it with these arguments and this environment, and nothing else in it.
    pub(crate) fn start_with(dir: &Path, args: &[&str], environment: &[(String, String)]) -> Self {
        let path = dir.join("log");
        let log = File::options().create(true).append(true).open(&path).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_switchman"))
            .args(args)
            .current_dir(dir)
            .env_clear()
            .envs(environment.iter().map(|(name, value)| (name, value)))
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { child, log: path }
    }

    /// The address it answers on, once it does.
    pub(crate) async fn ready(&mut self) -> String {
        let out = self.child.stdout.take().expect("asked for once");
        let first = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(out).read_line(&mut line).map(|_| line)
        });
        let line = first.await.unwrap().unwrap();
        line.trim().strip_prefix("serve: ").unwrap_or_else(|| panic!("it said {line:?}; {}", self.logged())).to_owned()
    }

    fn logged(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
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
