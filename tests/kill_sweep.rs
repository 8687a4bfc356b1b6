//! The real binary is killed again and again at random moments (`kill -9`) and started again at once on the same data, while people
//! give commands. At the end: one run for each command that was taken, one message with its end, totals exact, outputs whole.

use crate::cli::switchman;
use crate::harness::bot::SECRET;
use crate::harness::dice::Dice;
use crate::harness::process::Served;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchman::app::open_store;
use switchman::batch::sample::{Settings, Totals};
use switchman::config::starter::Starter;
use switchman::config::{Config, FILE_NAME};
use switchman::domain::run::{Run, RunState};
use switchman::playground::{Ack, Author, Channel, Outcome, Playground, PlaygroundConfig};
use switchman::ports::RunQuery;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const KILLS: u32 = 210;
const SEED: u64 = 0x5eed_2026;
/// Slack takes about one edit a second for each channel: in several the end comes sooner.
const CHANNELS: u64 = 16;
const TOKEN: &str = "xoxb-playground";
/// At most this long until everything has ended after the last kill.
const END_WITHIN: Duration = Duration::from_mins(2);

/// A command and what Slack was told.
struct Asked {
    file: String,
    channel: String,
    ack: JoinHandle<Ack>,
}

struct World {
    dir: TempDir,
    slack: Playground,
    server: JoinHandle<()>,
    totals: Totals,
    input: Vec<u8>,
    files: u32,
}

impl Drop for World {
    fn drop(&mut self) {
        self.slack.shut_down();
        self.server.abort();
    }
}

fn channel(n: u64) -> String {
    format!("C0BATCH{n:02}")
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sample = Settings { rows: 600, bad_percent: 2.0, missing_percent: 0.5, seed: 3 };
        let (_, totals) =
            Starter { sample, max_rows_per_second: Some(3_000), ..Starter::small() }.write(dir.path()).unwrap();
        let file = dir.path().join(FILE_NAME);
        let mut text = std::fs::read_to_string(&file).unwrap();
        text = text.replace("127.0.0.1:3000", "127.0.0.1:0").replace("chunk = \"1 MiB\"", "chunk = \"4 KiB\"");
        for n in 0..CHANNELS {
            writeln!(text, "\n[[channel]]\nid = \"{}\"", channel(n)).unwrap();
        }
        std::fs::write(&file, text).unwrap();
        let input = std::fs::read(dir.path().join("input/sales.csv")).unwrap();
        std::fs::remove_file(dir.path().join("input/sales.csv")).unwrap();
        #[expect(clippy::disallowed_methods, reason = "the binary checks signatures against the real clock")]
        let clock = Arc::new(jiff::Timestamp::now);
        let slack = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), clock)).unwrap();
        for n in 0..CHANNELS {
            slack.add_channel(Channel::public(&channel(n), &format!("batch-{n}"), "", true));
        }
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
        let router = slack.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { dir, slack, server, totals, input, files: 0 }
    }

    fn start(&self) -> Served {
        Served::start(self.dir.path(), &self.slack.api_url(), SECRET, TOKEN)
    }

    async fn ready(&self, bot: &mut Served) {
        let base = bot.ready().await;
        self.slack.set_bot_url(&format!("{base}/slack/events"));
    }

    /// The operator starts a batch on a new file; the same content each time.
    fn ask(&mut self, dice: &mut Dice) -> Asked {
        self.files += 1;
        let (file, place) = (format!("day-{:03}.csv", self.files), channel(dice.within(0, CHANNELS)));
        std::fs::write(self.dir.path().join("input").join(&file), &self.input).unwrap();
        let (slack, channel, text) =
            (self.slack.clone(), place.clone(), format!("/my-slack-bot start-batch sales {file}"));
        let ack = tokio::spawn(async move { slack.type_command("U0OPERATOR", &channel, &text).await });
        Asked { file, channel: place, ack }
    }

    /// Waits until nothing is left, or says what is.
    async fn ended(&self) -> Vec<Run> {
        let config = Config::load(&self.dir.path().join(FILE_NAME)).unwrap();
        let (store, bus) = open_store(&config).await.unwrap();
        let look = async {
            loop {
                let open = store.runs(RunQuery::Open, 1_000).await.unwrap().len();
                let (messages, effects) = (bus.depth().await.unwrap(), store.outbox_depth().await.unwrap());
                if (open, messages, effects.0) == (0, 0, 0) {
                    assert_eq!((effects.1, bus.dead(100).await.unwrap().len()), (0, 0), "given up");
                    return store.runs(RunQuery::All, 1_000).await.unwrap();
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        match tokio::time::timeout(END_WITHIN, look).await {
            Ok(runs) => runs,
            Err(_) => {
                let open = store.runs(RunQuery::Open, 1_000).await.unwrap();
                let left = (bus.depth().await.unwrap(), store.outbox_depth().await.unwrap());
                let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
                panic!("not ended: {left:?} {open:?}\n{}", &log[log.len().saturating_sub(4_000)..]);
            }
        }
    }

    fn output(&self, run: &Run) -> Vec<u8> {
        let name = run.input.name.as_str().replace(".csv", &format!(".{}.csv", run.id));
        std::fs::read(self.dir.path().join("output").join(name)).unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_kills_lose_nothing_and_do_nothing_twice() {
    println!("kill sweep: seed {SEED:#x}");
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut world = World::new().await;
    let mut dice = Dice(SEED);
    let reference = undisturbed(&mut world, &mut dice).await;
    let mut asked = Vec::new();
    for _ in 0..KILLS {
        let mut bot = world.start();
        if dice.within(0, 8) == 0 {
            tokio::time::sleep(Duration::from_millis(dice.within(1, 60))).await;
            *counts.entry("kills while it started").or_default() += 1;
            bot.kill();
            continue;
        }
        world.ready(&mut bot).await;
        let commands = dice.within(0, 3);
        asked.extend((0..commands).map(|_| world.ask(&mut dice)));
        // One in four comes while the command itself is taken.
        let soon = dice.within(0, 4) == 0;
        tokio::time::sleep(Duration::from_micros(dice.within(0, if soon { 8_000 } else { 400_000 }))).await;
        bot.kill();
        let kind = if commands > 0 { "kills after a command" } else { "kills while it recovered or worked" };
        *counts.entry(kind).or_default() += 1;
    }
    let mut bot = world.start();
    world.ready(&mut bot).await;
    let runs = world.ended().await;
    assert_eq!(bot.stop().await, Some(0), "SIGTERM drains");
    for asked in asked {
        check(&world, asked, &runs, &reference, &mut counts).await;
    }
    trail(world.dir.path(), &runs, &mut counts);
    let looked = world.slack.calls_of("conversations.history").len() as u64;
    counts.insert("posts that were looked for first", looked);
    for (what, count) in &counts {
        println!("{count:>6}  {what}");
    }
    let kills: u64 = counts.iter().filter(|(what, _)| what.starts_with("kills")).map(|(_, n)| n).sum();
    assert_eq!(kills, u64::from(KILLS));
    assert!(counts["interrupted runs taken up again"] > 0, "kills hit running batches");
}

/// The output of a run that nothing disturbed.
async fn undisturbed(world: &mut World, dice: &mut Dice) -> Vec<u8> {
    let mut bot = world.start();
    world.ready(&mut bot).await;
    let asked = world.ask(dice);
    assert!(asked.ack.await.unwrap().is_ok());
    let runs = world.ended().await;
    assert_eq!(bot.stop().await, Some(0));
    assert_eq!(runs.len(), 1);
    let output = world.output(&runs[0]);
    let rows = String::from_utf8_lossy(&output).lines().count() as u64;
    assert_eq!(rows, world.totals.accepted + 1, "a header and each accepted row");
    output
}

/// What must hold of one command.
async fn check(world: &World, asked: Asked, runs: &[Run], reference: &[u8], counts: &mut BTreeMap<&'static str, u64>) {
    let taken = asked.ack.await.unwrap().outcome == Outcome::Acknowledged;
    let own: Vec<&Run> = runs.iter().filter(|run| run.input.name.as_str() == asked.file).collect();
    let kind = match (taken, own.len()) {
        (true, _) => "commands taken",
        (false, 0) => "commands not taken, nothing done",
        (false, _) => "commands taken, their acknowledgement lost",
    };
    *counts.entry(kind).or_default() += 1;
    assert!(own.len() == 1 || (!taken && own.is_empty()), "{}: {} runs, taken: {taken}", asked.file, own.len());
    let Some(run) = own.first() else { return };
    assert_eq!((run.attempts.len(), run.current().state), (1, RunState::Succeeded), "{}", run.id);
    let progress = &run.current().progress;
    assert_eq!((progress.accepted, progress.rejected), (world.totals.accepted, world.totals.rejected), "{}", run.id);
    assert!(world.output(run) == reference, "{}: the output is what an undisturbed run writes", run.id);
    let messages = world.slack.messages(&asked.channel);
    let about =
        |m: &&switchman::playground::Message| m.author == Author::App && world.slack.read(m).contains(run.id.as_str());
    let (cards, replies): (Vec<_>, Vec<_>) = messages.iter().filter(about).partition(|m| m.thread_ts.is_none());
    let texts: Vec<String> = cards.iter().map(|m| world.slack.read(m)).collect();
    assert_eq!(texts.len(), 1, "one message for {}: {texts:?}", run.id);
    assert!(texts[0].contains("finished") && !texts[0].contains("[Cancel]"), "{}", texts[0]);
    assert!(!replies.is_empty(), "the rejected rows of {} are attached", run.id);
    *counts.entry("runs, each with one final message").or_default() += 1;
    *counts.entry("attachments repeated").or_default() += replies.len() as u64 - 1;
}

/// The audit trail holds, and names each end once.
fn trail(dir: &Path, runs: &[Run], counts: &mut BTreeMap<&'static str, u64>) {
    let verified = switchman(dir, &["audit", "verify"]);
    assert_eq!(verified.code, 0, "{}", verified.err);
    let trail = switchman(dir, &["audit", "export"]).out;
    let of = |action: &str| {
        let records = trail.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        records.filter(|record| record["action"] == action).count()
    };
    assert_eq!((of("start-batch"), of("end")), (runs.len(), runs.len()), "each run begins once and ends once");
    counts.insert("interrupted runs taken up again", of("resume") as u64);
}
