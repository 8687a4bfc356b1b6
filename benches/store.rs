//! How fast the embedded store and bus are, and whether that stays so as the record grows.
//! `cargo bench --bench store [-- RUNS]`: the last tables are made at 10,000 and at RUNS stored runs (100,000 unless told).

#![expect(clippy::print_stdout, reason = "the tables are what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that meets an error has to stop there")]

use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use switchman::domain::actor::Actor;
use switchman::domain::audit::AuditDraft;
use switchman::domain::command::Scope;
use switchman::domain::envelope::{Envelope, Event};
use switchman::domain::id::{ChannelId, EnvelopeId, FileName, JobName, RunId, TeamId, UserId};
use switchman::domain::run::{Attempt, AttemptKey, Input, Run, RunState};
use switchman::embedded::{Sqlite, SystemClock};
use switchman::ports::{
    Bus, Clock, Commit, Deadline, Effect, OutboxWrite, Priority, RunQuery, RunWrite, Store, Subject,
};
use tokio::runtime::Runtime;

const ROUNDS: u64 = 3;

fn main() {
    let most = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000);
    let runtime = Runtime::new().unwrap();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    println!(
        "{:<48} {:>10} {:>8} {:>8}",
        "answered after fsync; middle of three rounds", "per second", "p50 ms", "p99 ms"
    );
    for clients in [1, 32, 64] {
        let count = if clients == 1 { 5_000 } else { 60_000 };
        let figures = rounds(|round| {
            let sqlite = open(&folder.path().join(format!("publish-{clients}-{round}")));
            runtime.block_on(measure(clients, count, move |n| publish(sqlite.clone(), n)))
        });
        row(&format!("publish, {clients} clients"), &figures);
    }
    let figures = rounds(|round| {
        let sqlite = open(&folder.path().join(format!("commit-{round}")));
        runtime.block_on(measure(32, 20_000, move |n| commit(sqlite.clone(), n)))
    });
    row("commit, 32 clients", &figures);
    let figures = rounds(|round| {
        let sqlite = open(&folder.path().join(format!("take-{round}")));
        runtime.block_on(async {
            measure(64, 20_000, |n| publish(sqlite.clone(), n)).await;
            measure(8, 20_000 / 16, |_| take_and_ack(sqlite.clone())).await
        })
    });
    row("take 16 and acknowledge each, 8 clients", &figures);
    let sqlite = open(&folder.path().join("growth"));
    let mut stored = 0;
    for runs in [10_000, most] {
        runtime.block_on(fill(&sqlite, stored, runs));
        stored = runs;
        println!("\nwith {runs} stored runs");
        growth(&runtime, &sqlite, runs);
    }
}

fn growth(runtime: &Runtime, sqlite: &Sqlite, runs: u64) {
    // Names that neither the fill nor another round uses.
    let name = |round: u64, n: u64| 100_000_000 + (runs * 10 + round) * 100_000 + n;
    let figures = rounds(|round| {
        let sqlite = sqlite.clone();
        runtime.block_on(measure(32, 30_000, move |n| publish(sqlite.clone(), name(round, n))))
    });
    row("publish, 32 clients", &figures);
    let figures = rounds(|round| {
        let sqlite = sqlite.clone();
        runtime.block_on(measure(32, 10_000, move |n| commit(sqlite.clone(), name(round, n))))
    });
    row("commit, 32 clients", &figures);
    let figures = rounds(|round| {
        let sqlite = sqlite.clone();
        runtime.block_on(measure(1, 1_000, move |n| commit(sqlite.clone(), name(round + 5, n))))
    });
    row("commit, 1 client", &figures);
    let figures = rounds(|_| runtime.block_on(measure(1, 2_000, |n| read_one(sqlite.clone(), n * 7919 % runs))));
    row("read one run, 1 client", &figures);
    for (name, query) in [("open", RunQuery::Open), ("channel", RunQuery::Channel(channel())), ("all", RunQuery::All)] {
        let figures = rounds(|_| runtime.block_on(measure(1, 1_000, |_| list(sqlite.clone(), query.clone()))));
        row(&format!("list 10 runs ({name}), 1 client"), &figures);
    }
}

struct Figures {
    per_second: f64,
    p50: Duration,
    p99: Duration,
}

/// The round in the middle, by speed.
fn rounds(round: impl FnMut(u64) -> Figures) -> Figures {
    let mut all: Vec<_> = (0..ROUNDS).map(round).collect();
    all.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    all.swap_remove(all.len() / 2)
}

fn row(what: &str, figures: &Figures) {
    let ms = |duration: Duration| duration.as_secs_f64() * 1000.0;
    println!("{what:<48} {:>10.0} {:>8.2} {:>8.2}", figures.per_second, ms(figures.p50), ms(figures.p99));
}

/// Does `work` for each number below `count`, spread over `clients` that each wait for their answer.
async fn measure<F>(clients: u64, count: u64, work: impl Fn(u64) -> F) -> Figures
where
    F: Future<Output = ()> + Send + 'static,
{
    let share = count / clients;
    let works: Vec<Vec<F>> =
        (0..clients).map(|client| (0..share).map(|n| work(client * share + n)).collect()).collect();
    let start = Instant::now();
    let clients: Vec<_> = works.into_iter().map(|works| tokio::spawn(one_by_one(works))).collect();
    let mut times = Vec::new();
    for client in clients {
        times.extend(client.await.unwrap());
    }
    let all = start.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    Figures { per_second: f64::from(u32::try_from(times.len()).unwrap()) / all, p50: at(50), p99: at(99) }
}

async fn one_by_one(works: Vec<impl Future<Output = ()>>) -> Vec<Duration> {
    let mut times = Vec::with_capacity(works.len());
    for work in works {
        let start = Instant::now();
        work.await;
        times.push(start.elapsed());
    }
    times
}

fn open(folder: &Path) -> Sqlite {
    Sqlite::open(&folder.join("switchman.db"), Arc::new(SystemClock)).unwrap()
}

fn id(text: String) -> EnvelopeId {
    EnvelopeId::parse(text).unwrap()
}

fn channel() -> ChannelId {
    ChannelId::parse("C0BATCH").unwrap()
}

fn run_id(n: u64) -> RunId {
    RunId::derive(&id(format!("bench-{n}")), 8)
}

/// Nearly all runs of a long record have ended; one in a thousand is open.
fn run(n: u64, at: Timestamp) -> Run {
    let actor = Actor {
        team: TeamId::parse("T0LOCAL").unwrap(),
        user: UserId::parse("U0OPERATOR").unwrap(),
        name: "Operator".into(),
    };
    let mut attempt = Attempt::asked(1, Scope::All, actor, at);
    attempt.state = if n.is_multiple_of(1000) { RunState::Running } else { RunState::Succeeded };
    Run {
        id: run_id(n),
        job: JobName::parse("sales").unwrap(),
        input: Input {
            name: FileName::parse("sales.csv").unwrap(),
            key: format!("sales/{}", n % 1000),
            bytes: 1,
            fingerprint: "f".into(),
            parameters: None,
        },
        channel: channel(),
        created_at: at,
        attempts: vec![attempt],
        version: 0,
    }
}

async fn publish(sqlite: Sqlite, n: u64) {
    let event = Event::Look { key: AttemptKey { run: run_id(n), attempt: 1 } };
    let key = id(format!("slash-{:016x}-{n}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
    sqlite.publish(Envelope { id: key.clone(), key, issued_at: SystemClock.now(), event }).await.unwrap();
}

async fn take_and_ack(sqlite: Sqlite) {
    for delivery in sqlite.take(16, Duration::from_mins(1), Duration::ZERO).await.unwrap() {
        sqlite.ack(&delivery).await.unwrap();
    }
}

/// What a start of a run writes.
async fn commit(sqlite: Sqlite, n: u64) {
    let now = SystemClock.now();
    let key = AttemptKey { run: run_id(n), attempt: 1 };
    let effect = Effect::Show { key: key.clone() };
    let audit = AuditDraft {
        at: now,
        actor: None,
        bot: "switchman".into(),
        action: "start-batch".into(),
        subject: key.to_string(),
        why: "rule".into(),
        result: "done".into(),
    };
    let commit = Commit {
        claim: Some(id(format!("cmd-{n}"))),
        runs: vec![RunWrite { run: run(n, now), expected: 0 }],
        outbox: vec![OutboxWrite { key: effect.key(""), effect, priority: Priority::First, due: now }],
        deadlines: vec![Deadline { key: format!("look:{key}"), due: now, subject: Subject::Attempt(key) }],
        audit: vec![audit],
        ..Commit::default()
    };
    sqlite.commit(commit).await.unwrap();
}

async fn read_one(sqlite: Sqlite, n: u64) {
    assert!(sqlite.run(&run_id(n)).await.unwrap().is_some());
}

async fn list(sqlite: Sqlite, query: RunQuery) {
    assert!(!sqlite.runs(query, 10).await.unwrap().is_empty());
}

async fn fill(sqlite: &Sqlite, from: u64, to: u64) {
    let now = SystemClock.now();
    for start in (from..to).step_by(1000) {
        let runs = (start..(start + 1000).min(to)).map(|n| RunWrite { run: run(n, now), expected: 0 }).collect();
        sqlite.commit(Commit { runs, ..Commit::default() }).await.unwrap();
    }
}
