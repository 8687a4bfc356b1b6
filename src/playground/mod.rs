//! The local Slack workspace: a page for people, and the part of Slack's Web API that a bot uses. It is also the Slack of
//! every scenario test. It talks to a bot as Slack does, over HTTP with signed requests, and knows nothing else about it.
//! Never here: anything about batches or commands. Whatever the page shows came through Slack's own interface.

mod actions;
mod api;
mod claim;
mod events;
mod input;
mod inspect;
mod journal;
mod knobs;
mod message;
mod page;
mod people;
mod plain;
mod records;
mod regions;
mod respond;
mod stream;
mod submit;
mod workspace;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::client::legacy::{Client, connect::HttpConnector};
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use tokio::sync::{broadcast, watch};

pub use actions::{Act, Place};
pub use claim::{Claim, ClaimError};
pub use events::{ACK_TIMEOUT, Ack, Outcome};
pub use knobs::{Fault, Knob, Knobs};
pub use message::{Author, Message, View};
pub use people::{App, Channel, Member, MemberKind, Team, Workspace};
pub use records::{Call, Notice};
pub use regions::{FileKind, RegionFile, RegionPanel, RegionSwitch, RegionView, RegionsView};

use journal::Journal;
use records::Change;
use workspace::{KEPT, State, forget_oldest};

/// What time it is. The playground asks nobody else.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Takes a file that somebody dropped on the page. The answer, good or bad, is shown to them.
pub type OnUpload = Arc<dyn Fn(&str, Bytes) -> Result<String, String> + Send + Sync>;

/// A line of the composer's autocomplete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hint {
    /// What is typed after the command, for example `start-batch`.
    pub text: String,
    /// The arguments, for example `JOB [FILE]`.
    pub usage: String,
    pub summary: String,
}

/// Everything a playground is made of.
#[derive(Clone)]
pub struct PlaygroundConfig {
    /// The bot's `/slack/events`; can be set later with [`Playground::set_bot_url`].
    pub bot_url: String,
    pub signing_secret: SecretString,
    pub bot_token: SecretString,
    /// The slash command, with its slash.
    pub command: String,
    pub clock: Clock,
    pub workspace: Workspace,
    pub hints: Vec<Hint>,
    /// Whole lines that a newcomer can click on.
    pub examples: Vec<String>,
    pub ack_timeout: Duration,
    /// The file that messages are kept in over a restart.
    pub journal: Option<PathBuf>,
    /// The folder that uploaded files are kept in over a restart.
    pub files_dir: Option<PathBuf>,
    pub on_upload: Option<OnUpload>,
    /// The regions, where there is more than one: the page then has a panel for them.
    pub regions: Option<Arc<dyn RegionPanel>>,
    /// The largest file the page takes, in bytes.
    pub upload_limit: usize,
}

impl PlaygroundConfig {
    /// The sample workspace, no journal, no uploads.
    pub fn new(bot_url: &str, signing_secret: SecretString, bot_token: SecretString, clock: Clock) -> Self {
        Self {
            bot_url: bot_url.to_owned(),
            signing_secret,
            bot_token,
            command: "/my-slack-bot".to_owned(),
            clock,
            workspace: Workspace::default(),
            hints: Vec::new(),
            examples: Vec::new(),
            ack_timeout: ACK_TIMEOUT,
            journal: None,
            files_dir: None,
            on_upload: None,
            regions: None,
            upload_limit: 64 << 20,
        }
    }
}

/// The local workspace. Clones share it.
#[derive(Clone)]
pub struct Playground {
    inner: Arc<Inner>,
}

struct Inner {
    config: PlaygroundConfig,
    state: Mutex<State>,
    changes: broadcast::Sender<Arc<Change>>,
    /// Becomes true once: streams and delayed answers end.
    closed: watch::Sender<bool>,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Playground {
    /// Opens the workspace; with a journal, the messages of the last time are there again.
    ///
    /// # Errors
    /// When the journal cannot be read or written.
    pub fn new(config: PlaygroundConfig) -> std::io::Result<Self> {
        let seed = config.signing_secret.expose_secret().as_bytes().to_vec();
        let mut state = State::new(config.workspace.clone(), seed, (config.clock)());
        state.bot_url.clone_from(&config.bot_url);
        if let Some(path) = &config.journal {
            let (journal, messages) = Journal::open(path)?;
            for user in messages.values().filter_map(|m| m.channel.strip_prefix('D')) {
                state.open_direct(&format!("U{user}"));
            }
            state.messages = messages;
            state.journal = Some(journal);
        }
        let http = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let (changes, _) = broadcast::channel(1024);
        Ok(Self {
            inner: Arc::new(Inner {
                config,
                state: Mutex::new(state),
                changes,
                closed: watch::Sender::new(false),
                http,
            }),
        })
    }

    /// The page, the Web API and the response URLs. Serve it on a loopback address only.
    pub fn router(&self) -> axum::Router {
        page::router(self)
    }

    /// Where this playground can be reached, without a slash at the end; response URLs and links are made of it.
    pub fn set_base_url(&self, url: &str) {
        self.with(|state| url.trim_end_matches('/').clone_into(&mut state.base_url));
    }

    /// The bot's `/slack/events`.
    pub fn set_bot_url(&self, url: &str) {
        self.with(|state| url.clone_into(&mut state.bot_url));
    }

    /// The URL a bot uses in place of `https://slack.com/api`.
    pub fn api_url(&self) -> String {
        self.with(|state| format!("{}/api", state.base_url))
    }

    /// Ends the pages' streams and all delayed answers, so that a server can drain.
    pub fn shut_down(&self) {
        self.inner.closed.send_replace(true);
    }

    /// Waits, but not past [`shut_down`](Self::shut_down).
    async fn pause(&self, delay: Duration) {
        let mut closed = self.inner.closed.subscribe();
        let until_closed = async { _ = closed.wait_for(|closed| *closed).await };
        _ = tokio::time::timeout(delay, until_closed).await;
    }

    fn config(&self) -> &PlaygroundConfig {
        &self.inner.config
    }

    fn http(&self) -> &Client<HttpConnector, Full<Bytes>> {
        &self.inner.http
    }

    fn now(&self) -> Timestamp {
        (self.inner.config.clock)()
    }

    /// Works on the state under its lock, then tells the pages what changed.
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        state.now = self.now();
        let result = work(&mut state);
        forget_oldest(&mut state.log, KEPT);
        // Sent under the lock, so that pages get changes in the order they were made. Nobody listening is fine.
        for change in std::mem::take(&mut state.changes) {
            _ = self.inner.changes.send(Arc::new(change));
        }
        result
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
