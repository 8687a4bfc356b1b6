//! A whole bot in the test's own process: the real core on a folder of its own, the playground as its Slack, a clock that the test
//! turns, and a processor that the test steps by hand. Never here: a wait for time to pass; what is awaited is the engine's own news.

use super::clock::ManualClock;
use super::scene;
use metrics_exporter_prometheus::PrometheusBuilder;
use secrecy::SecretString;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use switchman::app::App;
use switchman::batch::sample::{Settings, Totals};
use switchman::config::starter::Starter;
use switchman::config::{Config, FILE_NAME, SlackAccess};
use switchman::domain::audit::{AuditRecord, Verifier};
use switchman::domain::run::Run;
use switchman::embedded::regions::LocalRegions;
use switchman::playground::{Ack, Act, Author, Message, Playground, PlaygroundConfig, View};
use switchman::ports::{Clock, ExecutionState, OPEN_MOVES, PortError, RunQuery};
use switchman::processor::{Ctx, Processor, Step};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

pub(crate) const CHANNEL: &str = "C0BATCH";
pub(crate) const OPERATOR: &str = "U0OPERATOR";
const VIEWER: &str = "U0VIEWER";
const APPROVER: &str = "U0APPROVER1";
const APPROVER2: &str = "U0APPROVER2";
const STRANGER: &str = "U0STRANGER";
pub(crate) const SECRET: &str = "the-signing-secret-of-the-tests";
pub(crate) const TOKEN: &str = "xoxb-playground";

/// How far the clock goes on while a batch is under way, and how long the bus is asked for news of it meanwhile.
const TURN: Duration = Duration::from_millis(300);
const NEWS_WITHIN: Duration = Duration::from_millis(20);
/// After so many turns something hangs.
const TURNS: u32 = 3_000;

/// What stands between the core and its ports.
pub(crate) type Wrap = Arc<dyn Fn(Ctx) -> Ctx + Send + Sync>;

/// What a bot is made of.
pub(crate) struct Setup {
    pub(crate) rows: u64,
    pub(crate) bad_percent: f64,
    pub(crate) missing_percent: f64,
    pub(crate) chunk: &'static str,
    /// Rows per second, where a batch has to last.
    pub(crate) brake: Option<u32>,
    /// Signing secrets of the bot; Slack signs with [`SECRET`].
    pub(crate) secrets: Vec<&'static str>,
    pub(crate) wrap: Option<Wrap>,
    /// More of the configuration.
    pub(crate) more: &'static str,
    /// The job starts when a file arrives.
    pub(crate) on_arrival: bool,
    /// Where that is reported.
    pub(crate) arrival_channel: Option<&'static str>,
    /// Two of them, east and west; west copies what is done in east after two seconds.
    pub(crate) regions: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            rows: 2_000,
            bad_percent: 1.0,
            missing_percent: 0.5,
            chunk: "32 KiB",
            brake: None,
            secrets: vec![SECRET],
            wrap: None,
            more: "",
            on_arrival: false,
            arrival_channel: None,
            regions: false,
        }
    }
}

impl Setup {
    /// A batch that would take hours.
    pub(crate) fn endless() -> Self {
        Self { brake: Some(1), ..Self::default() }
    }
}

/// A bot and its Slack.
pub(crate) struct Bot {
    pub(crate) slack: Playground,
    pub(crate) clock: ManualClock,
    /// What a run over the input must come to.
    pub(crate) totals: Totals,
    dir: TempDir,
    life: Option<Life>,
    /// A further process on the same folder.
    second: Option<Life>,
    secrets: Vec<SecretString>,
    wrap: Option<Wrap>,
    slack_server: JoinHandle<()>,
}

/// One process of the bot: from a start to its end or to a crash.
struct Life {
    /// Taken out when it ends.
    runtime: Option<Runtime>,
    app: Arc<App>,
    /// The ports without anything in between.
    plain: Ctx,
    base: String,
}

impl Drop for Life {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.slack.shut_down();
        self.slack_server.abort();
    }
}

impl Bot {
    pub(crate) async fn new() -> Self {
        Self::with(Setup::default()).await
    }

    pub(crate) async fn with(setup: Setup) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sample = Settings {
            rows: setup.rows,
            bad_percent: setup.bad_percent,
            missing_percent: setup.missing_percent,
            seed: 7,
        };
        let starter = Starter { sample, max_rows_per_second: setup.brake, regions: setup.regions, ..Starter::small() };
        let (_, totals) = starter.write(dir.path()).unwrap();
        let file = dir.path().join(FILE_NAME);
        let text = std::fs::read_to_string(&file).unwrap();
        let text = text.replace("chunk = \"1 MiB\"", &format!("chunk = \"{}\"", setup.chunk));
        let text = if setup.on_arrival { text.replace("#on_arrival", "on_arrival") } else { text };
        let text = match setup.arrival_channel {
            Some(channel) => {
                text.replace("#arrival_channel = \"C0BATCH\"", &format!("arrival_channel = \"{channel}\""))
            }
            None => text,
        };
        std::fs::write(&file, format!("{text}\n{}", setup.more)).unwrap();
        let clock = ManualClock::new();
        let (slack, slack_server) = slack(&clock).await;
        let secrets = setup.secrets.into_iter().map(SecretString::from).collect();
        let mut bot =
            Self { slack, clock, totals, dir, life: None, second: None, secrets, wrap: setup.wrap, slack_server };
        bot.start();
        bot
    }

    /// Starts the bot's process on its folder.
    pub(crate) fn start(&mut self) {
        let life = Life::start(self.dir.path(), &self.slack.api_url(), &self.secrets, &self.clock, self.wrap.as_ref());
        self.slack.set_bot_url(&format!("{}/slack/events", life.base));
        self.life = Some(life);
    }

    /// Ends the bot's process without a word of warning. What it was doing is broken off where it waits.
    pub(crate) async fn crash(&mut self) {
        let mut life = self.life.take().expect("the bot runs");
        let runtime = life.runtime.take().expect("the bot runs");
        // Threads cannot be broken off from outside: a batch under way is asked to, and leaves what a process that died would leave.
        let app = life.app.clone();
        runtime.spawn(async move { app.break_off().await }).await.unwrap();
        drop(life);
        tokio::task::spawn_blocking(move || runtime.shutdown_timeout(Duration::from_secs(20))).await.unwrap();
    }

    /// Starts a further process on the same folder; Slack talks to the first.
    pub(crate) fn start_second(&mut self) {
        self.second = Some(Life::start(self.dir.path(), &self.slack.api_url(), &self.secrets, &self.clock, None));
    }

    pub(crate) async fn restart(&mut self) {
        self.crash().await;
        self.start();
    }

    /// What stands between the core and its ports from the next start on.
    pub(crate) fn put_between(&mut self, wrap: Wrap) {
        self.wrap = Some(wrap);
    }

    /// From now on nothing stands between the core and its ports (from the next start on).
    pub(crate) fn unwrap_ports(&mut self) {
        self.wrap = None;
    }

    fn life(&self) -> &Life {
        self.life.as_ref().expect("the bot runs")
    }

    /// The ports as they are, for looking.
    pub(crate) fn ports(&self) -> &Ctx {
        &self.life().plain
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The bot's own address.
    pub(crate) fn base(&self) -> &str {
        &self.life().base
    }

    pub(crate) fn operator(&self) -> Person<'_> {
        self.person(OPERATOR)
    }

    pub(crate) fn viewer(&self) -> Person<'_> {
        self.person(VIEWER)
    }

    pub(crate) fn approver(&self) -> Person<'_> {
        self.person(APPROVER)
    }

    pub(crate) fn approver2(&self) -> Person<'_> {
        self.person(APPROVER2)
    }

    pub(crate) fn stranger(&self) -> Person<'_> {
        self.person(STRANGER)
    }

    pub(crate) fn person<'a>(&'a self, id: &'a str) -> Person<'a> {
        Person { bot: self, id }
    }

    /// Runs something in the bot's process.
    async fn within<T, F>(&self, work: impl FnOnce(Arc<Processor>) -> F) -> T
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let life = self.life();
        life.spawn(work(life.app.processor().clone())).await
    }

    /// One piece of work, if one can be done now.
    pub(crate) async fn step(&self) -> Result<Step, PortError> {
        if let Some(second) = &self.second {
            let processor = second.app.processor().clone();
            second.spawn(async move { processor.step().await }).await?;
        }
        self.within(|processor| async move { processor.step().await }).await
    }

    /// Every process looks for new files once.
    pub(crate) async fn looks_for_files(&self) {
        for life in self.life.iter().chain(&self.second) {
            let arrivals = life.app.arrivals().clone();
            life.spawn(async move { arrivals.look().await }).await;
        }
    }

    /// Looks at the files until those that rest now are taken for complete.
    pub(crate) async fn looks_for_files_at_rest(&self) {
        self.looks_for_files().await;
        self.clock.advance(Duration::from_secs(3));
        self.looks_for_files().await;
    }

    /// Everything that can be done without the clock going on. A port that fails ends it early.
    pub(crate) async fn drain(&self) -> u32 {
        let mut done = 0;
        while let Ok(Step::Did) = self.step().await {
            done += 1;
        }
        done
    }

    /// The regions with their switches.
    pub(crate) fn regions(&self) -> &LocalRegions {
        self.life().app.regions()
    }

    /// One step of the replication.
    pub(crate) async fn replicate(&self) -> u64 {
        let (life, regions) = (self.life(), self.regions().clone());
        let runtime = life.runtime.as_ref().expect("the bot runs");
        runtime.spawn(async move { regions.replicate_once().await }).await.unwrap().unwrap()
    }

    /// Waits for news of the engine, for as long as one turn of the clock stands for.
    pub(crate) async fn listen(&self) {
        let _ = self.within(|processor| async move { processor.consume(NEWS_WITHIN).await }).await;
    }

    /// Works until nothing is left: no message, no effect, no run that has not ended.
    pub(crate) async fn settle(&self) {
        self.work_until("nothing is left", |left| *left == Left::default()).await;
    }

    /// Works until no move and no run is under way. What waits for a region that is cut off may go on waiting.
    pub(crate) async fn until_moved(&self) {
        self.work_until("nothing moves or runs", |left| (left.moves, left.open, left.messages) == (0, 0, 0)).await;
    }

    /// Works until the test has seen what it wants to see.
    pub(crate) async fn until(&self, what: &str, seen: impl Fn(&Self) -> bool) {
        self.work_until(what, |_| seen(self)).await;
    }

    async fn work_until(&self, what: &str, enough: impl Fn(&Left) -> bool) {
        let mut idle = 0_u32;
        let mut left = Left::default();
        for _ in 0..TURNS {
            let did = self.drain().await;
            self.replicate().await;
            left = self.left().await;
            if enough(&left) {
                return;
            }
            idle = if did > 0 || left.working { 0 } else { idle + 1 };
            // Where only time is waited for, it passes faster and faster.
            self.clock.advance(TURN * 2_u32.pow((idle / 8).min(5)));
            if left.working {
                self.listen().await;
            }
        }
        panic!("never came: {what}; left: {left:?}\n{}", self.slack.transcript());
    }

    async fn left(&self) -> Left {
        let ports = self.ports();
        let open = ports.store.runs(RunQuery::Open, 100).await.unwrap();
        let mut working = false;
        for run in &open {
            // A region that is cut off does not say.
            let said = ports.regions.of(run.current()).unwrap().engine.describe(&run.key()).await;
            working |= said.is_ok_and(|e| matches!(e.state, ExecutionState::Queued | ExecutionState::Running));
        }
        Left {
            messages: ports.bus.depth().await.unwrap(),
            effects: ports.store.outbox_depth().await.unwrap().0,
            open: open.len(),
            moves: ports.store.records(OPEN_MOVES, 100).await.unwrap().len(),
            working,
        }
    }

    /// Ends the test: the bot is restarted, and nothing is left over, nothing is said again, and the audit trail holds.
    pub(crate) async fn finish(mut self) {
        self.settle().await;
        let said = self.posted();
        self.unwrap_ports();
        self.restart().await;
        self.settle().await;
        assert_eq!(self.posted(), said, "a restart says nothing again\n{}", self.slack.transcript());
        let ports = self.ports();
        assert_eq!(ports.bus.dead(100).await.unwrap().len(), 0, "dead letters");
        assert_eq!(ports.store.given_up(100).await.unwrap(), [], "effects that were given up");
        assert_eq!(ports.store.outbox_depth().await.unwrap(), (0, 0), "effects that wait");
        self.audit().await;
        let refused = self.slack.notices();
        assert!(refused.is_empty(), "Slack would have refused: {refused:?}");
    }

    /// How often the bot posted anything.
    fn posted(&self) -> usize {
        let calls = self.slack.calls();
        calls
            .iter()
            .filter(|c| ["chat.postMessage", "chat.postEphemeral", "response_url"].contains(&c.method.as_str()))
            .count()
    }

    /// The audit trail, verified.
    pub(crate) async fn audit(&self) -> Vec<AuditRecord> {
        let store = &self.ports().store;
        let mut verifier = Verifier::new(store.audit_head().await.unwrap());
        let records = store.audit(0, 10_000).await.unwrap();
        for record in &records {
            verifier.next(record).unwrap();
        }
        assert_eq!(verifier.finish().unwrap(), records.len() as u64);
        records
    }

    /// All runs, the newest first.
    pub(crate) async fn runs(&self) -> Vec<Run> {
        self.ports().store.runs(RunQuery::All, 100).await.unwrap()
    }

    /// The one run there is.
    pub(crate) async fn run(&self) -> Run {
        let mut runs = self.runs().await;
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.remove(0)
    }

    /// The run that a message is about.
    pub(crate) async fn run_of(&self, card: &Message) -> Run {
        let text = self.slack.read(card);
        self.runs().await.into_iter().find(|run| text.contains(run.id.as_str())).expect("the message is about a run")
    }

    /// Everything that a request could have changed, in numbers.
    pub(crate) async fn counts(&self) -> Counts {
        let ports = self.ports();
        Counts {
            messages: ports.bus.depth().await.unwrap(),
            effects: ports.store.outbox_depth().await.unwrap(),
            runs: self.runs().await.len(),
            audit: ports.store.audit_head().await.unwrap().seq,
            calls: self.slack.calls().len(),
        }
    }

    /// The bot's messages in the channel, replies in threads left out, the oldest first.
    pub(crate) fn cards(&self) -> Vec<Message> {
        let own = |m: &Message| m.author == Author::App && m.thread_ts.is_none();
        self.slack.messages(CHANNEL).into_iter().filter(own).collect()
    }

    /// The newest of them.
    pub(crate) fn card(&self) -> Message {
        self.cards().pop().expect("the bot said something in the channel")
    }

    /// What the newest of them says now.
    pub(crate) fn card_text(&self) -> String {
        self.slack.read(&self.card())
    }

    /// Replies in threads.
    pub(crate) fn replies(&self) -> Vec<Message> {
        self.slack.messages(CHANNEL).into_iter().filter(|m| m.thread_ts.is_some()).collect()
    }

    /// What stands in the channel now: each message of the bot with the replies in its thread.
    pub(crate) fn channel(&self) -> String {
        let replies = self.replies();
        let with_thread = |card: Message| {
            let own = replies.iter().filter(|reply| reply.thread_ts.as_ref() == Some(&card.ts));
            own.fold(self.slack.read(&card), |text, reply| format!("{text}\n  > {}", self.slack.read(reply)))
        };
        scene::steady(&self.cards().into_iter().map(with_thread).collect::<Vec<_>>().join("\n\n"))
    }

    /// What happened so far, as a chat reads, with what differs from one test run to the next taken out.
    pub(crate) fn scene(&self) -> String {
        scene::of(&self.slack.transcript())
    }
}

/// What is still to be done.
#[derive(Debug, Default, PartialEq, Eq)]
struct Left {
    messages: u64,
    effects: u64,
    open: usize,
    /// Moves to another region.
    moves: usize,
    /// The engine is at it: its news will come.
    working: bool,
}

/// See [`Bot::counts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) messages: u64,
    pub(crate) effects: (u64, u64),
    pub(crate) runs: usize,
    pub(crate) audit: u64,
    pub(crate) calls: usize,
}

/// Somebody in the workspace.
#[derive(Clone, Copy)]
pub(crate) struct Person<'a> {
    bot: &'a Bot,
    id: &'a str,
}

impl Person<'_> {
    /// Types a command into the bot's channel, without the slash command itself.
    pub(crate) async fn types(&self, text: &str) -> Ack {
        self.types_in(CHANNEL, text).await
    }

    pub(crate) async fn types_in(&self, channel: &str, text: &str) -> Ack {
        self.bot.slack.type_command(self.id, channel, &format!("/my-slack-bot {text}")).await
    }

    /// Types a command and everything that follows from it happens.
    pub(crate) async fn says(&self, text: &str) {
        let ack = self.types(text).await;
        assert!(ack.is_ok(), "{ack:?}");
        self.bot.settle().await;
    }

    /// Clicks a button of the newest message.
    pub(crate) async fn clicks(&self, action: &str) -> Ack {
        self.clicks_on(&self.bot.card(), action).await
    }

    pub(crate) async fn clicks_on(&self, message: &Message, action: &str) -> Ack {
        self.bot.slack.click(self.id, &message.ts, action).await
    }

    pub(crate) async fn acts(&self, act: &Act) -> Ack {
        self.bot.slack.act(self.id, act).await
    }

    /// Sends the modal on top.
    pub(crate) async fn submits(&self, values: serde_json::Value) -> Ack {
        let id = self.modal().expect("a modal is open").id;
        self.bot.slack.submit(self.id, &id, &values).await
    }

    /// The modal on top.
    pub(crate) fn modal(&self) -> Option<View> {
        self.bot.slack.views(self.id).pop()
    }

    /// What the modal on top says.
    pub(crate) fn reads_modal(&self) -> String {
        self.modal().map(|view| self.bot.slack.read_view(&view)).unwrap_or_default()
    }

    /// What was said to this person alone, in the channel.
    pub(crate) fn told(&self) -> Vec<String> {
        self.bot.slack.ephemerals(self.id).iter().map(|m| self.bot.slack.read(m)).collect()
    }

    /// The last of it.
    pub(crate) fn told_last(&self) -> String {
        self.told().pop().unwrap_or_default()
    }

    /// The direct messages from the bot, replies in threads left out.
    pub(crate) fn direct(&self) -> Vec<String> {
        let all = self.bot.slack.direct_messages(self.id);
        all.iter().filter(|m| m.thread_ts.is_none()).map(|m| self.bot.slack.read(m)).collect()
    }
}

impl Life {
    /// Runs something in this process.
    async fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> T {
        let runtime = self.runtime.as_ref().expect("the bot runs");
        runtime.spawn(work).await.expect("the bot's process does not panic")
    }

    fn start(dir: &Path, api_url: &str, secrets: &[SecretString], clock: &ManualClock, wrap: Option<&Wrap>) -> Self {
        let config = Config::load(&dir.join(FILE_NAME)).unwrap_or_else(|mistakes| panic!("{mistakes}"));
        let access = SlackAccess {
            signing_secrets: secrets.to_vec(),
            bot_token: TOKEN.into(),
            app_token: None,
            api_url: api_url.to_owned(),
            seal_keys: Vec::new(),
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let plain: Arc<OnceLock<Ctx>> = Arc::default();
        let (kept, wrap) = (plain.clone(), wrap.cloned());
        let between = move |ctx: Ctx| {
            let _ = kept.set(ctx.clone());
            wrap.map_or(ctx.clone(), |wrap| wrap(ctx))
        };
        let app = {
            let _within = runtime.enter();
            let metrics = PrometheusBuilder::new().build_recorder().handle();
            let app = App::build_with(&config, &access, &base, Arc::new(clock.clone()), metrics, between).unwrap();
            let (listener, router) = (tokio::net::TcpListener::from_std(listener).unwrap(), app.router());
            runtime.spawn(async move { axum::serve(listener, router).await });
            app
        };
        let plain = plain.get().expect("the ports were shown").clone();
        Self { runtime: Some(runtime), app: Arc::new(app), plain, base }
    }
}

/// The workspace, on a port of its own, with the test's clock.
pub(crate) async fn slack(clock: &ManualClock) -> (Playground, JoinHandle<()>) {
    let hand = clock.clone();
    let now = Arc::new(move || hand.now());
    let slack = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), now)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
    let router = slack.router();
    (slack, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}
