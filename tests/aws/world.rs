//! The whole of it as `infra/template.yaml` deploys it: two regions of the emulator with the real program in every function, and the
//! playground as Slack. What the emulator does not do, and who does it here instead:
//!
//! - S3 does not replicate (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>): [`World::replicate`] copies what the
//!   bucket's rule would copy.
//! - EventBridge Scheduler runs nothing
//!   (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html>): [`World::tick`] is the minute that has passed.
//!
//! See `deploy.py` for what it does otherwise when it deploys.

use crate::emulator::{Account, endpoint};
use crate::harness::http;
use crate::proxy::Proxy;
use aws_config::SdkConfig;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchman::aws::DynamoDirectory;
use switchman::batch::sample::Settings;
use switchman::config::starter::Starter;
use switchman::domain::actor::{Listed, Role};
use switchman::domain::id::{TeamId, UserId};
use switchman::embedded::SystemClock;
use switchman::playground::{Ack, Author, Message, Playground, PlaygroundConfig};
use switchman::ports::Clock;
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const CHANNEL: &str = "C0BATCH";
pub(crate) const OPERATOR: &str = "U0OPERATOR";
pub(crate) const APPROVERS: [&str; 2] = ["U0APPROVER1", "U0APPROVER2"];
const SECRET: &str = "the-signing-secret-of-the-story";
const TOKEN: &str = "xoxb-playground";
pub(crate) const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];
const ROLES: [&str; 5] = ["front-door", "commands", "signals", "tick", "batch"];
/// Rows of each input.
const ROWS: u64 = 2_000;
/// What should have happened by then.
const WITHIN: Duration = Duration::from_secs(90);

/// What was deployed into one region.
pub(crate) struct Stack {
    pub(crate) config: SdkConfig,
    region: &'static str,
    outputs: BTreeMap<String, String>,
}

pub(crate) struct World {
    pub(crate) slack: Playground,
    /// The first is where work belongs.
    pub(crate) stacks: Vec<Stack>,
    /// The way of each role's functions to AWS.
    pub(crate) roads: BTreeMap<&'static str, Proxy>,
    pub(crate) dir: TempDir,
    account: String,
    server: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.slack.shut_down();
        self.server.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "the deployed program checks signatures against the real clock")]
pub(crate) fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

impl Stack {
    pub(crate) fn output(&self, name: &str) -> &str {
        self.outputs.get(name).unwrap_or_else(|| panic!("the stack in {} has no output {name}", self.region))
    }

    pub(crate) fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config).force_path_style(true).build();
        aws_sdk_s3::Client::from_conf(config)
    }

    pub(crate) async fn put(&self, key: &str, content: Vec<u8>) {
        let call = self.s3().put_object().bucket(self.output("Bucket")).key(key);
        call.body(content.into()).send().await.unwrap();
    }

    pub(crate) async fn get(&self, key: &str) -> Option<Vec<u8>> {
        let answer = self.s3().get_object().bucket(self.output("Bucket")).key(key).send().await.ok()?;
        Some(answer.body.collect().await.unwrap().to_vec())
    }

    /// Every key under `prefix`.
    pub(crate) async fn keys(&self, prefix: &str) -> Vec<String> {
        let bucket = self.output("Bucket");
        let mut pages = self.s3().list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
        let mut found = Vec::new();
        while let Some(page) = pages.next().await {
            let objects = page.unwrap().contents.unwrap_or_default();
            found.extend(objects.into_iter().filter_map(|object| object.key));
        }
        found
    }
}

impl World {
    /// Deploys both regions and puts there what somebody who follows the README puts there. `more` is added to the configuration.
    pub(crate) async fn deployed(more: &str) -> Self {
        let slack = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), Arc::new(now))).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
        let router = slack.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut roads = BTreeMap::new();
        for role in ROLES {
            roads.insert(role, Proxy::start().await);
        }
        let account = Account::without_clock(&endpoint()).await;
        let dir = tempfile::tempdir().unwrap();
        let outputs = deploy(&account.id, &slack.api_url(), &roads, dir.path()).await;
        let stacks = REGIONS.into_iter().zip(outputs).map(|(region, outputs)| Stack {
            config: account.in_region(region),
            region,
            outputs,
        });
        let world = Self { stacks: stacks.collect(), slack, roads, dir, account: account.id, server };
        world.furnish(more).await;
        world.answer_in(0);
        world
    }

    /// Slack sends what people do to this region from now on.
    pub(crate) fn answer_in(&self, region: usize) {
        self.slack.set_bot_url(self.stacks[region].output("SlackRequestUrl"));
    }

    /// The secret, the people, and in each bucket the configuration with everything that the job names.
    async fn furnish(&self, more: &str) {
        let made = self.dir.path().join("made");
        let sample = Settings { rows: ROWS, bad_percent: 1.0, missing_percent: 0.5, seed: 7 };
        Starter { sample, ..Starter::small() }.write(&made).unwrap();
        let regions: String = self.stacks.iter().map(|stack| format!("\n{}", stack.output("Region"))).collect();
        for stack in &self.stacks {
            let text = format!("{}{regions}{}{more}", stack.output("Backend"), job(&made));
            stack.put("config/switchman.toml", text.into_bytes()).await;
            for name in ["sales.schema.json", "financials.csv", "financials.schema.json"] {
                let content = fs::read(made.join("jobs/sales").join(name)).unwrap();
                stack.put(&format!("config/jobs/sales/{name}"), content).await;
            }
        }
        let secret = format!("{{\"SLACK_SIGNING_SECRET\":\"{SECRET}\",\"SLACK_BOT_TOKEN\":\"{TOKEN}\"}}");
        let first = &self.stacks[0];
        let secrets = aws_sdk_secretsmanager::Client::new(&first.config);
        secrets.put_secret_value().secret_id(first.output("SecretName")).secret_string(secret).send().await.unwrap();
        let people = DynamoDirectory::new(&first.config, "authorized-users", &(Arc::new(SystemClock) as Arc<dyn Clock>));
        let team = TeamId::parse("T0LOCAL").unwrap();
        for (user, role) in [(OPERATOR, "operator"), (APPROVERS[0], "approver"), (APPROVERS[1], "approver")] {
            let listed = Listed { name: user[2..].to_lowercase(), roles: vec![Role(role.to_owned())] };
            people.put(&team, &UserId::parse(user).unwrap(), &listed).await.unwrap();
        }
    }

    /// The minute has passed in a region.
    pub(crate) async fn tick(&self, region: usize) {
        let stack = &self.stacks[region];
        let url = format!("{}/2015-03-31/functions/switchman-tick/invocations", endpoint());
        let credential = format!("{}/20260101/{}/lambda/aws4_request", self.account, stack.region);
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let (status, body) = http::post(&url, &[("authorization", &signed)], "{}").await;
        assert_eq!(status, 200, "{body}");
        assert!(!body.contains("errorMessage"), "{body}");
    }

    /// What S3 would have copied from one region's bucket to the other's by now.
    pub(crate) async fn replicate(&self, from: usize, to: usize) {
        let (from, to) = (&self.stacks[from], &self.stacks[to]);
        for prefix in ["input/", "runs/", "heartbeat"] {
            for key in from.keys(prefix).await {
                let content = from.get(&key).await.unwrap();
                to.put(&key, content).await;
            }
        }
    }
}

impl World {
    /// Somebody types a command; Slack was answered in time and without an error.
    pub(crate) async fn types(&self, who: &str, text: &str) {
        let ack = self.slack.type_command(who, CHANNEL, &format!("/my-slack-bot {text}")).await;
        assert!(ack.is_ok(), "{text}: {ack:?}");
    }

    pub(crate) async fn clicks(&self, who: &str, message: &Message, action: &str) -> Ack {
        self.slack.click(who, &message.ts, action).await
    }

    /// The bot's messages in the channel, the oldest first.
    pub(crate) fn cards(&self) -> Vec<Message> {
        let own = |m: &Message| m.author == Author::App && m.thread_ts.is_none();
        self.slack.messages(CHANNEL).into_iter().filter(own).collect()
    }

    /// The newest card that says all of this, as soon as there is one.
    pub(crate) async fn card(&self, says: &[&str]) -> Message {
        let find = |slack: &Playground| {
            let own = |m: &Message| m.author == Author::App && m.thread_ts.is_none();
            let all = slack.messages(CHANNEL).into_iter().filter(own);
            all.filter(|card| says.iter().all(|text| slack.read(card).contains(text))).last()
        };
        match self.slack.wait_for(WITHIN, find).await {
            Some(card) => card,
            None => panic!("no card says {says:?}:\n{}", self.slack.transcript()),
        }
    }

    /// What was told to somebody alone, as soon as it says this.
    pub(crate) async fn told(&self, who: &str, says: &str) -> String {
        let find = |slack: &Playground| {
            slack.ephemerals(who).iter().map(|m| slack.read(m)).find(|text| text.contains(says))
        };
        match self.slack.wait_for(WITHIN, find).await {
            Some(text) => text,
            None => panic!("{who} was not told {says:?}:\n{}", self.slack.transcript()),
        }
    }
}

/// The sales job of the starter, as it stands in a bucket.
fn job(made: &Path) -> String {
    let text = fs::read_to_string(made.join("switchman.toml")).unwrap();
    let (from, to) = (text.find("[[job]]").unwrap(), text.find("# Who may do what").unwrap());
    let without = |line: &&str| !["input =", "output =", "max_rows"].iter().any(|key| line.starts_with(key));
    let lines: Vec<&str> = text[from..to].lines().filter(without).collect();
    lines.join("\n").replace("chunk = \"1 MiB\"", "chunk = \"32 KiB\"") + "\n"
}
