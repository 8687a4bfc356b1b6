//! Whether a long record makes commands slower: the same load with few and with many stored runs.

use crate::load::{self, Figures};
use crate::receivers::Receiver;
use crate::{Bench, ROUNDS, WARM, database, fresh, mid, middle, ms, wait_until};
use jiff::Timestamp;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use switchman::domain::actor::Actor;
use switchman::domain::command::Scope;
use switchman::domain::id::{ChannelId, EnvelopeId, FileName, JobName, RunId, TeamId, UserId};
use switchman::domain::run::{Attempt, Input, Run, RunState};
use switchman::embedded::{Sqlite, SystemClock};
use switchman::ports::{Clock, Commit, RunWrite, Store};

const FEW: u64 = 10_000;
/// Commands of a round; all of them are waited for.
const COMMANDS: u64 = 4_000;
/// Runs written in one commit.
const BATCH: u64 = 1_000;

pub(crate) fn run(bench: &mut Bench, many: u64) {
    let folders = [FEW, many].map(|runs| {
        let folder = fresh();
        fill(&database(folder.path()), runs);
        folder
    });
    let mut acks: [Vec<Figures>; 2] = Default::default();
    let mut steps: [Vec<f64>; 2] = Default::default();
    for _ in 0..ROUNDS {
        for (n, folder) in folders.iter().enumerate() {
            let switchman = Receiver::switchman(folder.path(), bench.slack.address);
            let first = bench.next;
            let start = Instant::now();
            acks[n].push(bench.load_switchman(&switchman, folder.path(), COMMANDS));
            let all = usize::try_from(WARM + COMMANDS).unwrap();
            wait_until(|| bench.slack.answered(first) == all);
            steps[n].push(load::rate(all, start.elapsed()));
        }
    }
    println!(
        "\n| stored runs | acks/s | p50 ms | p99 ms | commands handled and answered per second |\n|--:|--:|--:|--:|--:|"
    );
    let [few_acks, many_acks] = acks.map(|all| middle(all).unwrap());
    let [few_steps, many_steps] = steps.map(mid);
    for (runs, acks, steps) in [(FEW, few_acks, few_steps), (many, many_acks, many_steps)] {
        let Figures { per_second, p50, p99 } = acks;
        println!("| {runs} | {per_second:.0} | {:.2} | {:.2} | {steps:.0} |", ms(p50), ms(p99));
    }
    println!(
        "| time per ack and per command, ratio | {:.2} | {:.2} | {:.2} | {:.2} |\n",
        few_acks.per_second / many_acks.per_second,
        ms(many_acks.p50) / ms(few_acks.p50),
        ms(many_acks.p99) / ms(few_acks.p99),
        few_steps / many_steps
    );
}

fn fill(database: &Path, runs: u64) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let sqlite = Sqlite::open(database, Arc::new(SystemClock)).unwrap();
    let now = SystemClock.now();
    for start in (0..runs).step_by(usize::try_from(BATCH).unwrap()) {
        let runs = (start..(start + BATCH).min(runs)).map(|n| RunWrite { run: ended(n, now), expected: 0 }).collect();
        runtime.block_on(sqlite.commit(Commit { runs, ..Commit::default() })).unwrap();
    }
}

/// A run that has ended.
fn ended(n: u64, at: Timestamp) -> Run {
    let actor = Actor {
        team: TeamId::parse("T0LOCAL").unwrap(),
        user: UserId::parse("U0OPERATOR").unwrap(),
        name: "Operator".into(),
    };
    let mut attempt = Attempt::asked(1, Scope::All, actor, at);
    attempt.state = RunState::Succeeded;
    Run {
        id: RunId::derive(&EnvelopeId::parse(format!("bench-{n}")).unwrap(), 8),
        job: JobName::parse("sales").unwrap(),
        input: Input {
            name: FileName::parse("sales.csv").unwrap(),
            key: format!("sales/{}", n % 1000),
            bytes: 1,
            fingerprint: "f".into(),
            parameters: None,
        },
        channel: ChannelId::parse("C0BATCH").unwrap(),
        created_at: at,
        attempts: vec![attempt],
        version: 0,
    }
}
