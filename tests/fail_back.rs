//! `fail-back`: the same way back, once the first region has caught up.

use crate::harness::bot::{Bot, Setup};
use crate::harness::moves::{EAST, WEST};
use crate::harness::requests::results;
use switchman::domain::failover::{FailOverState, Move};
use switchman::domain::run::RunState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_until_the_first_region_has_caught_up_and_then_goes_back() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.catch_up().await;
    bot.cut_off(EAST);
    bot.move_to("fail-over west", WEST).await;
    bot.operator().says("start-batch sales").await;
    assert_eq!(bot.runs().await.len(), 1, "{}", bot.slack.transcript());
    assert_eq!(bot.run().await.current().region.as_ref().unwrap().as_str(), WEST);
    bot.operator().says("fail-back").await;
    assert_eq!(results(&bot, "fail-back").await, ["not-caught-up"]);
    bot.bring_back(EAST);
    bot.settle().await;
    bot.catch_up().await;
    bot.move_to("fail-back", EAST).await;
    let record = bot.last_move().await;
    assert_eq!((record.plan.kind, record.state), (Move::FailBack, FailOverState::Finished));
    assert_eq!(bot.active().await, (EAST.to_owned(), 3));
    let run = bot.run().await;
    assert_eq!((run.attempts.len(), run.current().state), (1, RunState::Succeeded), "what was done stays done");
    assert_eq!(bot.output_of(EAST, &run), Some(bot.undisturbed().await), "its result has come along");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_first_region_is_active_there_is_nothing_to_go_back_to() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.operator().says("fail-back").await;
    assert_eq!(results(&bot, "fail-back").await, ["already-active"]);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_fail_nothing_back() {
    let bot = Bot::with(Setup { regions: true, ..Setup::default() }).await;
    bot.move_to("fail-over west", WEST).await;
    bot.viewer().says("fail-back").await;
    bot.stranger().says("fail-back").await;
    assert_eq!(bot.active().await, (WEST.to_owned(), 2));
    bot.finish().await;
}
