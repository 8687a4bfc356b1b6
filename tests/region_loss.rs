//! A region is lost at a random moment while twenty files are in every state that a file can be in. Whatever the moment: every file is
//! accounted for by name, finished once or lost with the reason; results are the same bytes as without the loss; and the old region,
//! back alive with its old epoch, publishes nothing.

use crate::harness::bot::{Bot, Setup};
use crate::harness::dice::Dice;
use crate::harness::moves::{EAST, WEST};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use switchman::domain::failover::{FailOver, FailOverState, FileOutcome, FileReport, FileState, Treatment};
use switchman::domain::run::{Run, RunState};
use switchman::ports::ExecutionState;
use tokio::task::JoinSet;

const POINTS: u64 = 50;
const FILES: u64 = 20;
const SIDE_BY_SIDE: u64 = 4;

/// What was seen at one point.
#[derive(Default)]
struct Seen {
    states: BTreeMap<&'static str, u64>,
    outcomes: BTreeMap<&'static str, u64>,
    recovery: Duration,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_every_file_is_accounted_for_wherever_the_region_is_lost() {
    let mut all = Seen::default();
    let mut next = 0;
    while next < POINTS {
        let mut batch = JoinSet::new();
        for seed in next..(next + SIDE_BY_SIDE).min(POINTS) {
            batch.spawn(point(seed));
        }
        next += SIDE_BY_SIDE;
        for seen in batch.join_all().await {
            for (state, times) in seen.states {
                *all.states.entry(state).or_default() += times;
            }
            for (outcome, times) in seen.outcomes {
                *all.outcomes.entry(outcome).or_default() += times;
            }
            all.recovery = all.recovery.max(seen.recovery);
        }
    }
    println!(
        "region lost at {POINTS} random moments, {FILES} files each; longest recovery {:?} (by the bot's clock)",
        all.recovery
    );
    for (state, times) in &all.states {
        println!("  before: {times:>4} x {state}");
    }
    for (outcome, times) in &all.outcomes {
        println!("  after:  {times:>4} x {outcome}");
    }
    assert_eq!(all.outcomes.values().sum::<u64>(), POINTS * FILES, "every file has one outcome");
    for state in ["not replicated", "untouched", "mid-flight", "merged, not announced", "done", "failed"] {
        assert!(all.states.contains_key(state), "no point had a file that was {state}: {:?}", all.states);
    }
    for outcome in ["kept", "adopted", "resumed", "restarted", "lost"] {
        assert!(all.outcomes.contains_key(outcome), "no point had a file that was {outcome}: {:?}", all.outcomes);
    }
}

/// One point, from a fresh bot to the old region being back.
async fn point(seed: u64) -> Seen {
    let mut dice = Dice(seed);
    let brake = u32::try_from(dice.within(300, 1_500)).unwrap();
    let setup = Setup { regions: true, rows: 300, chunk: "4 KiB", brake: Some(brake), ..Setup::default() };
    let bot = Bot::with(setup).await;
    let undisturbed = bot.undisturbed().await;
    let late = dice.within(1, 4);
    for n in 1..FILES - late {
        bot.put_input(&format!("day-{n:02}.csv")).await;
    }
    let broken = format!("day-{:02}.csv", dice.within(1, FILES - late));
    std::fs::write(bot.path("input").join(&broken), "not,the,columns\n1,2,3\n").unwrap();
    bot.catch_up().await;
    let started = dice.within(FILES / 2, FILES - late);
    bot.operator().types("start-batch sales sales.csv").await;
    bot.operator().types(&format!("start-batch sales {broken}")).await;
    for n in 1..started {
        bot.operator().types(&format!("start-batch sales day-{n:02}.csv")).await;
    }
    // From here on some of it arrives, and some does not.
    for _ in 0..dice.within(2, 40) {
        bot.drain().await;
        bot.clock.advance(Duration::from_millis(300));
        bot.listen().await;
        if dice.within(0, 3) == 0 {
            bot.catch_up().await;
        }
    }
    if dice.within(0, 2) == 0 {
        bot.catch_up().await;
    }
    bot.set_replication_lag(Duration::from_secs(100_000));
    for n in FILES - late..FILES {
        bot.put_input(&format!("day-{n:02}.csv")).await;
        bot.operator().types(&format!("start-batch sales day-{n:02}.csv")).await;
    }
    // Taken up, so that their names are known: of what only the lost region has ever seen, nobody can tell.
    for _ in 0..dice.within(1, 7) {
        bot.drain().await;
        bot.clock.advance(Duration::from_millis(300));
        bot.listen().await;
    }
    if dice.within(0, 3) == 0 {
        bot.set_replication_lag(Duration::from_secs(1));
        end_unheard(&bot).await;
    }
    bot.cut_off(EAST);
    bot.move_to("fail-over west", WEST).await;
    let record = bot.last_move().await;
    let seen = check(&bot, &record, &undisturbed, seed).await;
    // What it published until the switch is its own; from then on there is nothing more.
    let published = bot.published_in_east().await;
    bot.set_replication_lag(Duration::from_secs(1));
    bot.bring_back(EAST);
    bot.settle().await;
    let now = bot.published_in_east().await;
    assert!(now.is_subset(&published), "point {seed}: the old region has published {now:?} beyond {published:?}");
    bot.finish().await;
    seen
}

/// A batch ends and its result arrives elsewhere, and nobody has told the bot.
async fn end_unheard(bot: &Bot) {
    let open = |runs: Vec<Run>| runs.into_iter().find(|run| run.current().state == RunState::Running);
    let Some(run) = open(bot.runs().await) else { return };
    let site = bot.ports().regions.of(run.current()).unwrap();
    while matches!(
        site.engine.describe(&run.key()).await.unwrap().state,
        ExecutionState::Queued | ExecutionState::Running
    ) {
        bot.replicate().await;
    }
    bot.catch_up().await;
}

async fn check(bot: &Bot, record: &FailOver, undisturbed: &[u8], seed: u64) -> Seen {
    assert_eq!(record.state, FailOverState::Finished, "point {seed}");
    let mut seen = Seen { recovery: record.recovery_time().unwrap().unsigned_abs(), ..Seen::default() };
    let runs = bot.runs().await;
    let mut names = BTreeSet::new();
    for report in &record.files {
        assert!(names.insert(report.case.file.to_string()), "point {seed}: {} stands twice", report.case.file);
        let run = runs.iter().find(|run| run.input.name == report.case.file);
        *seen.states.entry(state(&report.case.state)).or_default() += 1;
        *seen.outcomes.entry(outcome(bot, run, report, undisturbed, seed)).or_default() += 1;
    }
    // A file that failed for good is no part of a plan, and neither is it forgotten: its run says so.
    let named = names.clone();
    for run in runs.iter().filter(|run| !named.contains(run.input.name.as_str())) {
        assert!(run.current().state == RunState::Failed, "point {seed}: {} is missing from the report", run.input.name);
        names.insert(run.input.name.to_string());
        *seen.states.entry("failed").or_default() += 1;
        *seen.outcomes.entry("failed").or_default() += 1;
    }
    assert_eq!(names.len() as u64, FILES, "point {seed}: {names:?}");
    seen
}

/// The word for what became of a file, once everything that it claims was seen to be true.
fn outcome(bot: &Bot, run: Option<&Run>, report: &FileReport, undisturbed: &[u8], seed: u64) -> &'static str {
    let (state, outcome) = (&report.case.state, &report.outcome);
    let finished = || {
        let run = run.expect("a finished file has a run");
        assert_eq!(run.current().state, RunState::Succeeded, "point {seed}: {}", run.input.name);
        let output = bot.output_of(WEST, run).unwrap_or_default();
        assert!(output == undisturbed, "point {seed}: {} has other bytes", run.input.name);
        // Where only the lost region has the result, it is made again: once.
        let again = usize::from(*state == FileState::ResultMissing);
        let successes = run.attempts.iter().filter(|a| a.state == RunState::Succeeded).count();
        assert_eq!(successes, 1 + again, "point {seed}: {} was finished {successes} times", run.input.name);
        let elsewhere = run.attempts.iter().filter(|a| a.region.as_ref().unwrap().as_str() == WEST);
        assert!(elsewhere.count() <= 1, "point {seed}: {} was taken up once", run.input.name);
    };
    match outcome {
        FileOutcome::Kept => {
            if run.is_some() {
                finished();
            }
            "kept"
        }
        FileOutcome::Recovered { how, .. } => {
            finished();
            match how {
                Treatment::Adopt => "adopted",
                Treatment::Resume => "resumed",
                Treatment::Restart if *state == FileState::ResultMissing => "made again",
                Treatment::Restart | Treatment::Keep | Treatment::Lose => "restarted",
            }
        }
        FileOutcome::Failed { .. } => {
            assert_eq!(run.unwrap().current().state, RunState::Failed, "point {seed}");
            "failed"
        }
        FileOutcome::Lost { why } => {
            // Finished before, and its result waits where it cannot be reached: that is said.
            let finished = run.is_some_and(|run| run.current().state == RunState::Succeeded);
            assert_eq!(finished, why.contains("it was finished in east"), "point {seed}: {why}");
            "lost"
        }
        FileOutcome::Pending | FileOutcome::Working { .. } => panic!("point {seed}: {outcome:?} is no end"),
    }
}

fn state(state: &FileState) -> &'static str {
    match state {
        FileState::NotReplicated => "not replicated",
        FileState::Untouched => "untouched",
        FileState::MidFlight { .. } => "mid-flight",
        FileState::InputMissing { .. } => "input missing",
        FileState::Merged => "merged, not announced",
        FileState::Done => "done",
        FileState::ResultMissing => "done, result not replicated",
        FileState::Failed { .. } => "failed",
        FileState::Waiting => "waiting",
        FileState::Unknown => "unknown",
    }
}
