//! `cancel-batch`: before it runs, while it runs, after it ended.

use crate::harness::bot::{Bot, Setup};
use crate::harness::scene::steady;
use serde_json::json;
use switchman::config::FILE_NAME;
use switchman::domain::command::Scope;
use switchman::domain::run::RunState;

async fn running() -> Bot {
    let bot = Bot::with(Setup { chunk: "4 KiB", brake: Some(400), ..Setup::default() }).await;
    bot.operator().types("start-batch sales").await;
    bot.until("some chunks are done", |bot| !bot.cards().is_empty() && bot.card_text().contains("rows per second"))
        .await;
    bot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_is_stopped_and_can_be_finished_later() {
    let mut bot = running().await;
    let run = bot.run().await.id;
    bot.operator().says(&format!("cancel-batch {run}")).await;
    assert_eq!(bot.run().await.current().state, RunState::Cancelled);
    insta::assert_snapshot!(steady(&bot.operator().told_last()), @r#"
    *The stop of r-1 was taken.*
    Nothing half-done of `sales` is published, and chunks that are done are kept. The run's own message says when it has stopped.
    "#);
    assert!(bot.card_text().contains("Stopped by @Operator"), "{}", bot.card_text());
    assert!(!bot.path("output/sales").exists() && bot.ports().store.holder("input:x").await.unwrap().is_none());
    let file = bot.path(FILE_NAME);
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("max_rows_per_second", "#max_rows_per_second")).unwrap();
    bot.restart().await;
    bot.operator().clicks("reprocess-chunks").await;
    bot.settle().await;
    let run = bot.run().await;
    assert_eq!((run.current().scope, run.current().state), (Scope::Chunks, RunState::Succeeded));
    let progress = &run.current().progress;
    assert_eq!((progress.accepted, progress.rejected), (bot.totals.accepted, bot.totals.rejected));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_only_asked_for_never_starts() {
    let bot = Bot::new().await;
    bot.operator().types("start-batch sales").await;
    bot.step().await.unwrap();
    let run = bot.run().await.id;
    bot.operator().types(&format!("cancel-batch {run}")).await;
    bot.settle().await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-batch sales
    Operator> /my-slack-bot cancel-batch r-1
    Switchman: ✋ *Run r-1: cancelling*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        A stop was asked for by @Operator. Nothing half-done will be published.
        0 rows read, 0 accepted, 0 rejected so far.
    Switchman (only Operator): *The stop of r-1 was taken.*
        Nothing half-done of `sales` is published, and chunks that are done are kept. The run's own message says when it has stopped.
    Switchman edits: ⏹️ *Run r-1: cancelled*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        Stopped by @Operator. Nothing half-done was published. No chunk was done.
        [Reprocess the rest]
    "#);
    let run = bot.run().await;
    assert_eq!((run.current().state, run.current().progress.rows), (RunState::Cancelled, 0));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_ended_or_unknown_run_is_said_to_be_so() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let card = bot.card();
    let run = bot.run().await.id;
    bot.operator().says(&format!("cancel-batch {run}")).await;
    bot.operator().says("cancel-batch r-222222222222").await;
    bot.operator().says("cancel-batch").await;
    insta::assert_snapshot!(steady(&bot.operator().told().join("\n\n")), @r#"
    *Not done.* The run r-1 finished before it could be stopped.
    Nothing was changed. `/my-slack-bot status r-1` shows how.

    *Not done.* There is no run r-2 here.
    Nothing was changed. `/my-slack-bot list-batches` lists the runs of this channel.
    "#);
    insta::assert_snapshot!(steady(&bot.operator().reads_modal()), @r#"
    Cancel a run
    *Nothing is running in this channel.* There is nothing to stop.
    [Close]
    "#);
    assert_eq!(bot.slack.read(&bot.card()), bot.slack.read(&card), "its message stays as it is");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_stops_the_chosen_run_and_a_double_click_stops_it_once() {
    let bot = running().await;
    bot.operator().types("cancel-batch").await;
    assert!(bot.operator().reads_modal().contains("Stop the run"), "{}", bot.operator().reads_modal());
    let card = bot.card();
    assert!(bot.operator().submits(json!({})).await.is_ok());
    bot.operator().clicks_on(&card, "cancel-batch").await;
    bot.operator().clicks_on(&card, "cancel-batch").await;
    bot.settle().await;
    let asked =
        bot.audit().await.into_iter().filter(|r| r.draft.action == "cancel-batch" && r.draft.result == "done").count();
    assert!((1..=2).contains(&asked), "the form and one click, the second click is none");
    assert_eq!(bot.run().await.current().state, RunState::Cancelled);
    assert_eq!(bot.cards().len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_cannot_stop_anything() {
    let bot = running().await;
    let run = bot.run().await.id;
    bot.viewer().clicks("cancel-batch").await;
    bot.stranger().types(&format!("cancel-batch {run}")).await;
    bot.viewer().types("cancel-batch").await;
    bot.until("both are told", |bot| bot.viewer().told().len() == 2).await;
    assert_eq!(bot.run().await.current().state, RunState::Running);
    insta::assert_snapshot!(steady(&[bot.viewer().told(), bot.stranger().told()].concat().join("\n\n")), @r#"
    *Not done.* You may not do that here: no rule allows it to the role viewer.
    Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.

    *Not done.* You may not do that here: no rule allows it to the role viewer.
    Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.

    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    bot.operator().clicks("cancel-batch").await;
    bot.settle().await;
    bot.finish().await;
}
