//! The whole of it as `infra/template.yaml` deploys it: two regions of the emulator with the real program in every function, and the
//! playground as Slack. What the emulator does not do, and who does it here instead:
//!
//! - S3 does not replicate (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication.html>): [`World::replicate`] copies what the
//!   bucket's rule would copy.
//! - EventBridge Scheduler runs nothing
//!   (<https://docs.aws.amazon.com/scheduler/latest/UserGuide/what-is-scheduler.html>): [`World::tick`] is the minute that has passed.
//!
//! See `deploy.py` for what it does otherwise when it deploys.

use super::road::{Asked, Road};
use super::workflow::{self, WORKFLOW};
use crate::contract::audit::verify;
use crate::emulator::{Account, endpoint, settings};
use crate::http;
use crate::proxy::{Fault, pass_on, way};
use aws_config::{Region, SdkConfig};
use axum::http::HeaderName;
use http_body_util::BodyExt;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;
use switchman::aws::{DynamoDirectory, DynamoStore};
use switchman::batch::sample::Settings;
use switchman::batch::{self, Control, Task};
use switchman::config::Config;
use switchman::config::starter::Starter;
use switchman::domain::actor::{Listed, Role};
use switchman::domain::id::{TeamId, UserId};
use switchman::domain::run::Run;
use switchman::embedded::SystemClock;
use switchman::playground::{Ack, Author, Message, Playground, PlaygroundConfig};
use switchman::ports::{Clock, RunQuery, Store};
use tempfile::TempDir;
use tokio::task::JoinHandle;

pub(crate) const CHANNEL: &str = "C0BATCH";
pub(crate) const OPERATOR: &str = "U0OPERATOR";
pub(crate) const APPROVERS: [&str; 2] = ["U0APPROVER1", "U0APPROVER2"];
const SECRET: &str = "the-signing-secret-of-the-story";
const TOKEN: &str = "xoxb-playground";
const ROLES: [&str; 5] = ["front-door", "commands", "signals", "tick", "batch"];
/// Rows of each input.
const ROWS: u64 = 2_000;
/// What should have happened by then: a lead that nobody renews runs out after 150 s.
const WITHIN: Duration = Duration::from_mins(5);
/// How often a minute passes.
const MINUTE: Duration = Duration::from_secs(4);

/// What was deployed into one region.
pub(crate) struct Stack {
    pub(crate) config: SdkConfig,
    pub(crate) region: String,
    outputs: BTreeMap<String, String>,
    /// Where Slack reaches it.
    door: String,
    gate: JoinHandle<()>,
}

/// What `deploy.py` says of a region.
#[derive(Deserialize)]
struct Made {
    region: String,
    front_door: String,
    headers: BTreeMap<String, String>,
    outputs: BTreeMap<String, String>,
}

impl Drop for Stack {
    fn drop(&mut self) {
        self.gate.abort();
    }
}

pub(crate) struct World {
    pub(crate) slack: Playground,
    /// The first is where work belongs.
    pub(crate) stacks: Vec<Stack>,
    /// The way of each role's functions to AWS.
    pub(crate) roads: BTreeMap<&'static str, Road>,
    pub(crate) dir: TempDir,
    account: Account,
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
    /// Deploys both regions and puts there what somebody who follows the README puts there.
    pub(crate) async fn deployed() -> Self {
        let slack = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), Arc::new(now))).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
        let router = slack.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let mut roads = BTreeMap::new();
        for role in ROLES {
            roads.insert(role, Road::open().await);
        }
        let account = Account::at(&endpoint()).await.in_real_time();
        let dir = tempfile::tempdir().unwrap();
        let made = dir.path().join("made");
        let sample = Settings { rows: ROWS, bad_percent: 1.0, missing_percent: 0.5, seed: 7 };
        Starter { sample, ..Starter::small() }.write(&made).unwrap();
        let machine = format!("arn:aws:states:eu-central-1:{}:stateMachine:{WORKFLOW}", account.id);
        configuration(&made, &dir.path().join("config"), &workflow::job(&machine));
        let slack_api = slack.api_url();
        let deployed = deploy(&account.id, [&slack_api, &machine], &roads, &dir.path().join("config")).await;
        let mut stacks = Vec::new();
        for made in deployed {
            let (door, gate) = gate(&made).await;
            let config = account.config.to_builder().region(Region::new(made.region.clone())).build();
            stacks.push(Stack { config, region: made.region, outputs: made.outputs, door, gate });
        }
        let world = Self { slack, stacks, roads, dir, account, server };
        world.furnish().await;
        world.answer_in(0);
        world
    }

    /// What `switchman check --online` says of the configuration in a region's bucket.
    pub(crate) async fn checked(&self, region: usize) -> String {
        let text = self.stacks[region].get("config/switchman.toml").await.unwrap();
        let folder = self.dir.path().join("config");
        fs::write(folder.join("checked.toml"), text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchman"));
        command.args(["check", "--online", "--config"]).arg(folder.join("checked.toml")).env_clear();
        command.envs(self.account.environment()).env("SLACK_API_URL", self.slack.api_url());
        let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Slack sends what people do to this region from now on.
    pub(crate) fn answer_in(&self, region: usize) {
        self.slack.set_bot_url(&format!("{}/slack/events", self.stacks[region].door));
    }

    /// The secret and the people.
    async fn furnish(&self) {
        let secret = format!("{{\"SLACK_SIGNING_SECRET\":\"{SECRET}\",\"SLACK_BOT_TOKEN\":\"{TOKEN}\"}}");
        let first = &self.stacks[0];
        let secrets = aws_sdk_secretsmanager::Client::new(&first.config);
        secrets.put_secret_value().secret_id(first.output("SecretName")).secret_string(secret).send().await.unwrap();
        let people =
            DynamoDirectory::new(&first.config, "authorized-users", &(Arc::new(SystemClock) as Arc<dyn Clock>));
        let team = TeamId::parse("T0LOCAL").unwrap();
        for (user, role) in [(OPERATOR, "operator"), (APPROVERS[0], "approver"), (APPROVERS[1], "approver")] {
            let listed = Listed { name: user[2..].to_lowercase(), roles: vec![Role(role.to_owned())] };
            people.put(&team, &UserId::parse(user).unwrap(), &listed).await.unwrap();
        }
    }

    /// What the schedule would call.
    async fn tick(&self, region: usize) {
        let stack = &self.stacks[region];
        let url = format!("{}/2015-03-31/functions/switchman-tick/invocations", endpoint());
        let credential = format!("{}/20260101/{}/lambda/aws4_request", self.account.id, stack.region);
        let signed = format!("AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0");
        let (status, body) = http::post(&url, &[("authorization", &signed)], "{}").await;
        assert_eq!(status, 200, "{body}");
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

    /// The newest card that says all of this, as soon as there is one.
    pub(crate) async fn card(&self, says: &[&str]) -> Message {
        let find = |slack: &Playground| {
            self.cards().into_iter().rfind(|card| says.iter().all(|text| slack.read(card).contains(text)))
        };
        self.seen(&format!("a card that says {says:?}"), find).await
    }

    /// The bot's messages in the channel, replies in threads left out.
    pub(crate) fn cards(&self) -> Vec<Message> {
        let own = |m: &Message| m.author == Author::App && m.thread_ts.is_none();
        self.slack.messages(CHANNEL).into_iter().filter(own).collect()
    }

    /// Waits for a reply in the thread of a card.
    pub(crate) async fn reply(&self, card: &Message, says: &str) {
        let find = |slack: &Playground| {
            let replies = slack.messages(CHANNEL).into_iter().filter(|m| m.thread_ts.as_ref() == Some(&card.ts));
            replies.map(|m| slack.read(&m)).find(|text| text.contains(says))
        };
        self.seen(&format!("the reply {says:?}"), find).await;
    }

    /// What was told to somebody alone, as soon as it says this.
    pub(crate) async fn told(&self, who: &str, says: &str) -> String {
        let find =
            |slack: &Playground| slack.ephemerals(who).iter().map(|m| slack.read(m)).find(|text| text.contains(says));
        self.seen(&format!("{says:?} to {who}"), find).await
    }

    /// What `find` finds in Slack, as soon as it does. Meanwhile the minutes pass in both regions.
    async fn seen<T>(&self, what: &str, mut find: impl FnMut(&Playground) -> Option<T>) -> T {
        let end = tokio::time::Instant::now() + WITHIN;
        while tokio::time::Instant::now() < end {
            if let Some(found) = self.slack.wait_for(MINUTE, &mut find).await {
                return found;
            }
            self.minute().await;
        }
        panic!("never seen: {what}\n{}", self.slack.transcript())
    }

    /// A minute passes in both regions; one that is cut off does nothing in it.
    async fn minute(&self) {
        tokio::join!(self.tick(0), self.tick(1));
    }
}

impl World {
    /// The record as a region sees it.
    pub(crate) fn store(&self, region: usize) -> DynamoStore {
        DynamoStore::new(&self.stacks[region].config, "switchman", Arc::new(SystemClock))
    }

    /// The run that was asked for last.
    pub(crate) async fn newest_run(&self, region: usize) -> Run {
        self.store(region).runs(RunQuery::All, 1).await.unwrap().pop().expect("there is a run")
    }

    /// The run on this input.
    pub(crate) async fn run_of(&self, region: usize, input: &str) -> Run {
        let runs = self.store(region).runs(RunQuery::All, 20).await.unwrap();
        runs.into_iter().find(|run| run.input.name.as_str() == input).expect("there is such a run")
    }

    /// What the functions call a region.
    pub(crate) fn name(&self, region: usize) -> &str {
        &self.stacks[region].region
    }

    /// Puts one more file of the same content there.
    pub(crate) async fn put_input(&self, region: usize, name: &str) {
        let content = fs::read(self.dir.path().join("made/input/sales.csv")).unwrap();
        self.stacks[region].put(&format!("input/sales/{name}"), content).await;
    }

    /// The result of the newest attempt.
    pub(crate) async fn output(&self, region: usize, run: &Run) -> Vec<u8> {
        let key = format!("runs/{}/output.csv", run.key());
        self.stacks[region].get(&key).await.unwrap_or_else(|| panic!("there is no {key}"))
    }

    /// What a run on this machine makes of the same file, with the lookup as it is now.
    pub(crate) fn undisturbed(&self) -> Vec<u8> {
        let config = Config::load(&self.dir.path().join("made/switchman.toml")).unwrap();
        let (job, dir) = (config.jobs[0].load().unwrap(), tempfile::tempdir().unwrap());
        let input = self.dir.path().join("made/input/sales.csv");
        let task = Task { job: &job, input: &input, dir: dir.path(), redo: None };
        let summary = batch::execute(&task, &Control::default()).unwrap();
        fs::read(dir.path().join(summary.output)).unwrap()
    }

    /// Gives every row that lacked one an entry in the lookup, here and in both regions. How many there were.
    pub(crate) async fn mend_lookup(&self) -> u64 {
        let run = self.newest_run(0).await;
        let rejects = self.stacks[0].get(&format!("runs/{}/rejects.csv", run.key())).await.unwrap();
        let rejects = String::from_utf8(rejects).unwrap();
        let missing = rejects.lines().filter(|line| line.split(',').nth(2) == Some("missing-lookup"));
        let keys: Vec<&str> = missing.filter_map(|line| line.split(',').nth(3)).collect();
        let file = self.dir.path().join("made/jobs/sales/financials.csv");
        let mut text = fs::read_to_string(&file).unwrap();
        let values = text.lines().nth(1).unwrap().split_once(',').unwrap().1.to_owned();
        for key in &keys {
            writeln!(text, "{key},{values}").unwrap();
        }
        fs::write(&file, &text).unwrap();
        for stack in &self.stacks {
            stack.put("config/jobs/sales/financials.csv", text.clone().into_bytes()).await;
        }
        keys.len() as u64
    }

    /// The id of the request whose card says all of this.
    pub(crate) async fn request(&self, says: &[&str]) -> String {
        let card = self.card(says).await;
        let text = self.slack.read(&card);
        let from = text.find("q-").unwrap_or_else(|| panic!("no request in {text}"));
        text[from..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
    }

    /// No function reaches anything of a region any more.
    pub(crate) fn cut_off(&self, region: usize) {
        let lost = self.name(region).to_owned();
        for road in self.roads.values() {
            let lost = lost.clone();
            let weather = move |_, asked: &Asked| (asked.region == lost).then_some(Fault::Refused(503, "Unavailable"));
            road.weather(Some(Arc::new(weather)));
        }
    }

    /// Works until nothing is left to be done: no open run, no envelope, no effect. Then the trail is whole.
    pub(crate) async fn settled(&self, region: usize) {
        let store = self.store(region);
        let end = tokio::time::Instant::now() + WITHIN;
        loop {
            let left = (store.runs(RunQuery::Open, 10).await.unwrap().len(), store.outbox_depth().await.unwrap());
            if left == (0, (0, 0)) {
                break;
            }
            assert!(tokio::time::Instant::now() < end, "never settled: {left:?}\n{}", self.slack.transcript());
            self.minute().await;
        }
        assert_eq!(store.given_up(10).await.unwrap(), []);
        verify(&store).await.unwrap();
    }

    /// `kill -9` for every process of a role's functions: the emulator runs them on this machine. How many there were.
    pub(crate) fn kill(&self, role: &str) -> usize {
        let [role, account] = [format!("SWITCHMAN_ROLE={role}"), format!("AWS_ACCESS_KEY_ID={}", self.account.id)];
        let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let ours = processes.filter(|id| {
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            let has = |wanted: &str| environment.split(|byte| *byte == 0).any(|pair| pair == wanted.as_bytes());
            has(&role) && has(&account)
        });
        ours.filter(|id| Command::new("kill").args(["-9", id]).status().unwrap().success()).count()
    }

    /// How many executions of the state machine of batches there ever were.
    pub(crate) async fn executions(&self, region: usize) -> usize {
        let stack = &self.stacks[region];
        let call = aws_sdk_sfn::Client::new(&stack.config).list_executions();
        call.state_machine_arn(stack.output("StateMachineArn")).send().await.unwrap().executions.len()
    }

    /// Takes everything down again.
    pub(crate) async fn torn_down(self) {
        python(&["down", "--endpoint", &endpoint(), "--account", &self.account.id]).await;
    }

    /// Notes which permissions the functions of each role have used, for the check of the template.
    pub(crate) fn remember_calls(&self, story: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/aws-calls");
        fs::create_dir_all(&folder).unwrap();
        let lines = self.roads.iter().flat_map(|(role, road)| {
            road.operations().into_iter().map(move |operation| format!("{role} {operation}\n"))
        });
        fs::write(folder.join(format!("{story}.txt")), lines.collect::<String>()).unwrap();
    }
}

/// Slack's way to the front door of a region. The emulator tells regions apart by a header that no request of Slack has.
async fn gate(made: &Made) -> (String, JoinHandle<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (base, headers) = (made.front_door.clone(), made.headers.clone());
    let way = way();
    let pass = move |request: axum::extract::Request| {
        let (base, headers, way) = (base.clone(), headers.clone(), way.clone());
        async move {
            let (mut parts, body) = request.into_parts();
            parts.uri = format!("{base}{}", parts.uri.path()).parse().unwrap();
            for (name, value) in headers {
                parts.headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
            }
            let body = body.collect().await.unwrap().to_bytes();
            pass_on(&way, parts, body).await
        }
    };
    let router = axum::Router::new().fallback(pass);
    (url, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

/// Has `deploy.py` deploy both regions, in an account of the emulator that nobody else uses.
async fn deploy(
    account: &str,
    [slack, machine]: [&str; 2],
    roads: &BTreeMap<&'static str, Road>,
    config: &Path,
) -> Vec<Made> {
    let (endpoint, config) = (endpoint(), config.to_str().unwrap());
    let mut words = vec!["up", "--endpoint", &endpoint, "--account", account, "--slack-api", slack, "--config", config];
    words.extend(["--program", env!("CARGO_BIN_EXE_switchman"), "--machine", machine]);
    let roads: Vec<String> = roads.iter().map(|(role, road)| format!("--road={role}={}", road.url)).collect();
    words.extend(roads.iter().map(String::as_str));
    let said = python(&words).await;
    let mut made: BTreeMap<String, Made> = serde_json::from_slice(&said).unwrap();
    ["primary", "standby"].map(|name| made.remove(name).unwrap()).into()
}

/// What `deploy.py` says.
async fn python(words: &[&str]) -> Vec<u8> {
    let mut command = Command::new(settings("SWITCHMAN_DEPLOY_PYTHON"));
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/aws/deploy.py")).args(words);
    let done = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    done.stdout
}

/// The sales job of the starter as it is put into a bucket, and more.
fn configuration(made: &Path, folder: &Path, more: &str) {
    let text = fs::read_to_string(made.join("switchman.toml")).unwrap();
    let (from, to) = (text.find("\n[[job]]\n").unwrap(), text.find("# Who may do what").unwrap());
    let kept = |line: &&str| !["input =", "output =", "max_rows"].iter().any(|key| line.starts_with(key));
    let job: Vec<&str> = text[from..to].lines().filter(kept).collect();
    let job = job.join("\n").replace("chunk = \"1 MiB\"", "chunk = \"32 KiB\"");
    fs::create_dir_all(folder.join("jobs/sales")).unwrap();
    fs::write(folder.join("switchman.toml"), format!("{job}\n{more}\n")).unwrap();
    for name in ["sales.schema.json", "financials.csv", "financials.schema.json"] {
        fs::copy(made.join("jobs/sales").join(name), folder.join("jobs/sales").join(name)).unwrap();
    }
}
