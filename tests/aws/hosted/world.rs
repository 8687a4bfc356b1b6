//! An account with all that the template deploys, a workspace, and a configuration that names both.

use crate::emulator::Account;
use crate::process::Served;
use aws_sdk_ssm::types::ParameterType;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchman::aws::{DynamoDirectory, DynamoStore};
use switchman::config::starter::Starter;
use switchman::config::{Config, FILE_NAME};
use switchman::domain::id::{ChannelId, UserId};
use switchman::domain::problem::Problem;
use switchman::domain::reply::Reply;
use switchman::embedded::SystemClock;
use switchman::playground::{Ack, Playground, PlaygroundConfig};
use switchman::ports::{Clock, Commit, Effect, OutboxWrite, Person, Priority, Store};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(super) const CHANNEL: &str = "C0BATCH";
pub(super) const OPERATOR: &str = "U0OPERATOR";
const SIGNING: &str = "the-signing-secret-of-the-tests";
const TOKEN: &str = "xoxb-playground";
/// Whoever waits longer than this waits for something that never comes.
pub(super) const PATIENCE: Duration = Duration::from_secs(25);

pub(super) struct World {
    pub(super) account: Account,
    pub(super) slack: Playground,
    pub(super) dir: TempDir,
    server: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.slack.shut_down();
        self.server.abort();
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let account = Account::furnished().await.in_real_time();
        let dir = tempfile::tempdir().unwrap();
        Starter::small().write(dir.path()).unwrap();
        let file = dir.path().join(FILE_NAME);
        let local = Config::load(&file).unwrap();
        std::fs::write(&file, on_aws(&account, &std::fs::read_to_string(&file).unwrap())).unwrap();
        let world_clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let people = DynamoDirectory::new(&account.config, &account.make_people().await, &world_clock);
        for (team, user, listed) in local.listing() {
            people.put(&team, &user, &listed).await.unwrap();
        }
        account.make_active().await;
        account.make_signals().await;
        account.make_bucket().await;
        account.put_folder(dir.path(), "config").await;
        let parameter = aws_sdk_ssm::Client::new(&account.config).put_parameter().name("/switchman/permitted-channels");
        parameter.value(CHANNEL).r#type(ParameterType::StringList).send().await.unwrap();
        let (slack, server) = slack().await;
        let world = Self { account, slack, dir, server };
        world.secret(SIGNING).await;
        world
    }

    /// Puts the secrets where the bot looks for them.
    pub(super) async fn secret(&self, signing: &str) {
        let json = serde_json::json!({ "SLACK_SIGNING_SECRET": signing, "SLACK_BOT_TOKEN": TOKEN }).to_string();
        let secrets = aws_sdk_secretsmanager::Client::new(&self.account.config);
        secrets.create_secret().name("switchman/slack").secret_string(json).send().await.unwrap();
    }

    /// What a process needs to reach both.
    pub(super) fn environment(&self) -> Vec<(String, String)> {
        let mut all = self.account.environment();
        all.push(("SLACK_API_URL".into(), self.slack.api_url()));
        all.push(("SWITCHMAN_LOG".into(), "info".into()));
        all
    }

    /// A replica, that answers. Slack talks to the last that was started.
    pub(super) async fn serve(&self) -> Served {
        let place = format!("s3://{}/config/{FILE_NAME}", self.account.bucket());
        let mut served = Served::start_with(self.dir.path(), &["serve", "--config", &place], &self.environment());
        self.slack.set_bot_url(&format!("{}/slack/events", served.ready().await));
        served
    }

    pub(super) async fn types(&self, text: &str) -> Ack {
        self.slack.type_command(OPERATOR, CHANNEL, &format!("/my-slack-bot {text}")).await
    }

    /// Waits until somebody reads this, alone or in the channel.
    pub(super) async fn reads(&self, part: &str) -> String {
        let said = self.slack.wait_for(PATIENCE, |slack| {
            let all = slack.ephemerals(OPERATOR).into_iter().chain(slack.messages(CHANNEL));
            all.map(|message| slack.read(&message)).find(|text| text.contains(part))
        });
        said.await.unwrap_or_else(|| panic!("{part:?} never came\n{}\n{}", self.slack.transcript(), self.log()))
    }

    /// The record, as one more process sees it.
    pub(super) fn store(&self) -> Arc<dyn Store> {
        Arc::new(DynamoStore::new(&self.account.config, crate::emulator::TABLE, Arc::new(SystemClock)))
    }

    /// Has something said to the operator after a while; it names `name`.
    pub(super) async fn whisper(&self, store: &dyn Store, name: &str, after: Duration) {
        let (user, channel) = (UserId::parse(OPERATOR).unwrap(), ChannelId::parse(CHANNEL).unwrap());
        let to = Person { user, channel, response_url: None };
        let reply = Reply::refused(Problem::GivenUp { request: name.to_owned() });
        let effect = Effect::Whisper { to, reply: Box::new(reply) };
        let write =
            OutboxWrite { key: effect.key(name), effect, priority: Priority::First, due: SystemClock.now() + after };
        store.commit(Commit { outbox: vec![write], ..Commit::default() }).await.unwrap();
    }

    pub(super) fn log(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }
}

/// The starter's jobs, with the names of what the account has in place of folders and lists.
fn on_aws(account: &Account, text: &str) -> String {
    let jobs = text.find("\n[[job]]\n").unwrap();
    format!("[server]\nlisten = \"127.0.0.1:0\"\n{}\n{}", account.backend(), &text[jobs..])
}

async fn slack() -> (Playground, JoinHandle<()>) {
    let now = Arc::new(|| SystemClock.now());
    let slack = Playground::new(PlaygroundConfig::new("", SIGNING.into(), TOKEN.into(), now)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
    let router = slack.router();
    (slack, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

impl Account {
    /// Puts every file of a folder into the bucket, as `aws s3 sync` does.
    pub(super) async fn put_folder(&self, folder: &Path, prefix: &str) {
        let mut folders = vec![(folder.to_owned(), prefix.to_owned())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let key = format!("{prefix}/{}", path.file_name().unwrap().to_str().unwrap());
                if path.is_dir() {
                    folders.push((path, key));
                } else {
                    self.put_object(&key, std::fs::read(path).unwrap()).await;
                }
            }
        }
    }
}
