//! `fail-over`: a plan that people approve, a switch that fences the old region, and every file accounted for by name.

use crate::harness::bot::{Bot, Setup};
use crate::harness::moves::{BRAKE, EAST, WEST};
use crate::harness::requests::results;
use std::time::Duration;
use switchman::domain::approval::{RequestState, Void};
use switchman::domain::failover::{FailOverState, FileOutcome, Move, Treatment};
use switchman::domain::run::RunState;

/// Two regions, and a batch that lasts.
fn slow() -> Setup {
    Setup { regions: true, chunk: "4 KiB", brake: Some(BRAKE), ..Setup::default() }
}

/// A bot with a run of which some chunks have arrived in the west.
async fn mid_flight() -> Bot {
    let bot = Bot::with(slow()).await;
    bot.operator().types("start-batch sales").await;
    bot.until_chunks_arrived(WEST, 3).await;
    bot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_goes_on_in_the_other_region_from_the_chunks_that_had_arrived() {
    let bot = mid_flight().await;
    bot.cut_off(EAST);
    let request = bot.asks("fail-over west").await;
    bot.approver().types(&format!("approve {} west the east is dark", request.id)).await;
    bot.drain().await;
    assert_eq!(bot.active().await, (EAST.to_owned(), 1), "one of two is not enough");
    bot.approver2().types(&format!("approve {} west I see it too", request.id)).await;
    bot.settle().await;
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    let record = bot.last_move().await;
    assert_eq!((record.plan.kind, record.state), (Move::FailOver, FailOverState::Finished));
    assert!(record.recovery_time().is_some() && record.data_loss.is_some(), "{record:?}");
    let how = match &record.files[0].outcome {
        FileOutcome::Recovered { how, attempt } => (*how, attempt.attempt),
        other => panic!("{other:?}"),
    };
    assert_eq!(how, (Treatment::Resume, 2));
    let run = bot.run().await;
    let states: Vec<_> = run.attempts.iter().map(|a| (a.state, a.region.as_ref().unwrap().as_str(), a.epoch)).collect();
    assert_eq!(states, [(RunState::LeftBehind, EAST, 1), (RunState::Succeeded, WEST, 2)]);
    assert_eq!(bot.request().await.state, RequestState::Done);
    assert_eq!(run.current().progress.accepted, bot.totals.accepted);
    assert_eq!(bot.output_of(WEST, &run), Some(bot.undisturbed().await));
    bot.bring_back(EAST);
    bot.settle().await;
    assert!(bot.published(EAST).await.is_empty(), "the old region publishes nothing under its old epoch");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn running_it_again_changes_nothing() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.move_to("fail-over west", WEST).await;
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    bot.operator().says("fail-over west").await;
    assert_eq!(results(&bot, "fail-over").await.last().unwrap(), "already-active");
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    assert_eq!(bot.requests().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_the_target_has_to_be_typed() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.operator().says("fail-over").await;
    let request = bot.request().await;
    bot.approver().says(&format!("approve {} because I say so", request.id)).await;
    bot.approver().says(&format!("approve {} east because I say so", request.id)).await;
    bot.approver().says(&format!("approve {} west", request.id)).await;
    assert_eq!(results(&bot, "approve").await, ["confirmation-needed", "confirmation-needed", "reason-needed"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_is_void_when_the_world_has_left_the_plan_and_the_new_plan_is_asked_for() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.operator().says("fail-over west").await;
    let first = bot.request().await;
    bot.approver().says(&format!("approve {} west all quiet", first.id)).await;
    // Nobody has seen this when they approved: the region can no more be read.
    bot.cut_off(EAST);
    bot.approver2().says(&format!("approve {} west all quiet", first.id)).await;
    let requests = bot.requests().await;
    let states: Vec<_> = requests.iter().map(|r| r.state).collect();
    assert_eq!(states, [RequestState::Void, RequestState::Open], "{:?}\n{}", requests[0].void, bot.slack.transcript());
    assert!(matches!(requests[0].void, Some(Void::Drifted { .. })), "{:?}", requests[0].void);
    assert_eq!(requests[0].replaced_by.as_ref(), Some(&requests[1].id));
    assert_eq!(requests[1].asked_by, first.asked_by);
    assert_ne!(requests[1].digest, first.digest);
    assert_eq!(bot.active().await, (EAST.to_owned(), 1));
    for approver in [bot.approver(), bot.approver2()] {
        approver.says(&format!("approve {} west it is dark", requests[1].id)).await;
    }
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    bot.bring_back(EAST);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_had_not_arrived_is_lost_and_said_to_be() {
    let bot = Bot::with(Setup { regions: true, brake: Some(BRAKE), chunk: "4 KiB", ..Setup::default() }).await;
    bot.settle().await;
    bot.set_replication_lag(Duration::from_secs(3600));
    bot.put_input("late.csv").await;
    bot.operator().types("start-batch sales late.csv").await;
    bot.until("it runs", |bot| bot.card_text().contains("running")).await;
    bot.cut_off(EAST);
    bot.move_to("fail-over west", WEST).await;
    let record = bot.last_move().await;
    assert_eq!(record.lost().iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["late.csv"]);
    let run = bot.runs().await.into_iter().find(|run| run.input.name.as_str() == "late.csv").unwrap();
    assert_eq!(run.current().state, RunState::Failed);
    assert!(run.current().failure.as_deref().unwrap().starts_with("lost: "), "{run:?}");
    bot.bring_back(EAST);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drill_does_everything_but_the_switch_and_leaves_nothing_behind() {
    let bot = mid_flight().await;
    bot.move_to("fail-over west drill", WEST).await;
    let record = bot.last_move().await;
    assert_eq!((record.plan.kind, record.state), (Move::Drill, FailOverState::Finished));
    assert!(matches!(record.files[0].outcome, FileOutcome::Recovered { .. }), "{record:?}");
    assert_eq!(bot.active().await, (EAST.to_owned(), 1));
    let run = bot.run().await;
    let current = run.current();
    assert_eq!((run.attempts.len(), current.state), (1, RunState::Succeeded), "the run itself went on undisturbed");
    assert_eq!(bot.sandboxes(WEST), 0);
    bot.viewer().says("status").await;
    assert!(bot.viewer().told_last().contains("drill"), "{}", bot.viewer().told_last());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_fail_nothing_over() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.stranger().says("fail-over west").await;
    bot.viewer().says("fail-over west").await;
    assert!(bot.requests().await.is_empty());
    assert_eq!(bot.active().await, (EAST.to_owned(), 1));
    bot.finish().await;
}
