//! `reprocess-batch`: buttons, text and form; one decision, one effect.

use crate::harness::bot::{Bot, Setup};
use crate::harness::scene::steady;
use serde_json::json;
use std::fmt::Write;
use switchman::domain::command::Scope;
use switchman::domain::run::RunState;
use switchman::playground::Act;

/// Gives every row that lacked one an entry in the lookup.
async fn mend_lookup(bot: &Bot) -> u64 {
    let key = bot.run().await.key();
    let rejected = bot.ports().regions.here().await.unwrap().1.engine.rejects(&key, 0, 10_000).await.unwrap();
    let missing: Vec<_> = rejected.rows.iter().filter(|row| row.reason.contains("missing-lookup")).collect();
    assert!(!missing.is_empty(), "{rejected:?}");
    let file = bot.path("jobs/sales/financials.csv");
    let mut text = std::fs::read_to_string(&file).unwrap();
    let values = text.lines().nth(1).unwrap().split_once(',').unwrap().1.to_owned();
    for row in &missing {
        writeln!(text, "{},{values}", row.value).unwrap();
    }
    std::fs::write(&file, text).unwrap();
    missing.len() as u64
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_lacked_a_lookup_are_merged_once_it_is_mended() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let mended = mend_lookup(&bot).await;
    assert!(bot.operator().clicks("reprocess-rows").await.is_ok());
    bot.settle().await;
    insta::assert_snapshot!(bot.channel(), @r#"
    ✅ *Run r-1: finished*
    `sales` on `sales.csv` (143.5 kB), asked for by @Operator
    30 rows rejected (1.5 %), the rest is in the output. No row was dropped.
    *Rows* 2,000 · *Accepted* 1,970 · *Rejected* 30 (1.5 %) · *Time* TIME
    *Rejected because*
    `missing-lookup`  10 rows
    `missing-value`  5 rows
    `bad-date`  5 rows
    `not-in-list`  3 rows
    `short-row`  3 rows
    `long-row`  3 rows
    `pattern-mismatch`  1 row
    (Attempt 2 of this run came after it.)
    [View rejects] [Download output]
      > @Operator here are the 30 rejected rows of run r-1, each with its line, column and reason.

    ✅ *Run r-1, attempt 2: finished*
    `sales` on `sales.csv` (143.5 kB), the rejected rows again, asked for by @Operator
    20 rows rejected (1 %), the rest is in the output. No row was dropped.
    *Rows* 2,000 · *Accepted* 1,980 · *Rejected* 20 (1 %) · *Time* TIME
    *Rejected because*
    `missing-value`  5 rows
    `bad-date`  5 rows
    `not-in-list`  3 rows
    `short-row`  3 rows
    `long-row`  3 rows
    `pattern-mismatch`  1 row
    [View rejects] [Reprocess rejected] [Download output]
      > @Operator here are the 20 rejected rows of run r-1, attempt 2, each with its line, column and reason.
    "#);
    let run = bot.run().await;
    let (first, second) = (&run.attempts[0], &run.attempts[1]);
    assert_eq!(second.scope, Scope::Rows);
    assert_eq!(second.progress.rejected, first.progress.rejected - mended);
    assert_eq!(second.progress.accepted, first.progress.accepted + mended, "the whole output, mended rows included");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_with_too_many_rejects_goes_on_from_them_once_the_lookup_is_mended() {
    for typed in [None, Some("reprocess-batch"), Some("reprocess-batch RUN rows")] {
        let bot = Bot::with(Setup { bad_percent: 3.0, missing_percent: 4.0, ..Setup::default() }).await;
        bot.operator().says("start-batch sales").await;
        let run = bot.run().await;
        assert_eq!(run.current().state, RunState::Failed);
        assert!(bot.card_text().contains("[View rejects] [Reprocess rejected]"), "{}", bot.card_text());
        bot.operator().says(&format!("reprocess-batch {} chunks", run.id)).await;
        assert!(bot.operator().told_last().contains("has no unfinished chunks"), "{}", bot.operator().told_last());
        let mended = mend_lookup(&bot).await;
        match typed {
            None => assert!(bot.operator().clicks("reprocess-rows").await.is_ok()),
            Some(line) => bot.operator().says(&line.replace("RUN", run.id.as_str())).await,
        }
        bot.settle().await;
        let run = bot.run().await;
        let (first, second) = (&run.attempts[0], &run.attempts[1]);
        assert_eq!((second.scope, second.state), (Scope::Rows, RunState::Succeeded), "{typed:?}: {:?}", second.failure);
        assert_eq!(second.progress.rejected, first.progress.rejected - mended);
        assert_eq!(second.progress.accepted, first.progress.accepted + mended);
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_failed_before_its_first_chunk_is_run_again_only_when_it_is_named() {
    let bot = Bot::new().await;
    let good = std::fs::read(bot.path("input/sales.csv")).unwrap();
    for bad in ["one,two\n1,2\n", ""] {
        std::fs::write(bot.path("input/sales.csv"), bad).unwrap();
        bot.operator().says("start-batch sales").await;
        assert_eq!(bot.runs().await[0].current().state, RunState::Failed);
        assert!(bot.card_text().contains("[Run it again]"), "{}", bot.card_text());
        bot.operator().says("reprocess-batch").await;
        assert!(bot.operator().told_last().contains("No run of this channel has anything"), "without a change");
    }
    std::fs::write(bot.path("input/sales.csv"), good).unwrap();
    assert!(bot.operator().clicks("reprocess-all").await.is_ok());
    bot.settle().await;
    let run = bot.runs().await.swap_remove(0);
    assert_eq!((run.current().scope, run.current().state), (Scope::All, RunState::Succeeded));
    assert_eq!(run.current().progress.accepted, bot.totals.accepted);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_click_is_one_attempt_and_the_second_is_told_so() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let card = bot.card();
    let somebody = bot.operator();
    let (one, other) =
        tokio::join!(somebody.clicks_on(&card, "reprocess-rows"), somebody.clicks_on(&card, "reprocess-rows"),);
    assert!(one.is_ok() && other.is_ok());
    bot.settle().await;
    assert_eq!(bot.run().await.attempts.len(), 2);
    assert_eq!(bot.cards().len(), 2, "one message for each attempt");
    insta::assert_snapshot!(steady(&bot.operator().told().join("\n")), @r#"
    *Already taken.* That was asked for already: r-1.
    It is done once, not twice.
    "#);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_that_slack_delivers_twice_is_one_attempt() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    bot.slack.deliver_twice(1);
    bot.operator().clicks("reprocess-rows").await;
    bot.settle().await;
    bot.slack.replay_last().await;
    bot.slack.retry_last(1, "http_timeout").await;
    bot.settle().await;
    assert_eq!(bot.run().await.attempts.len(), 2);
    assert_eq!(bot.cards().len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_done_again_is_explained() {
    let bot = Bot::with(Setup { bad_percent: 0.0, missing_percent: 0.0, ..Setup::default() }).await;
    bot.operator().says("reprocess-batch").await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    let near =
        format!("{}{}", &run.as_str()[..run.as_str().len() - 1], if run.as_str().ends_with('2') { '3' } else { '2' });
    for line in [
        "reprocess-batch".to_owned(),
        format!("reprocess-batch {run}"),
        format!("reprocess-batch {run} rows"),
        format!("reprocess-batch {run} chunks"),
        format!("reprocess-batch {near}"),
    ] {
        bot.operator().says(&line).await;
    }
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot reprocess-batch
    Switchman (only Operator): *Not done.* No run of this channel has anything to do again.
        Nothing was started. `/my-slack-bot reprocess-batch RUN all` does a whole input again.
    Operator> /my-slack-bot start-batch sales
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (143.1 kB), asked for by @Operator
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Switchman edits: ✅ *Run r-1: finished*
        `sales` on `sales.csv` (143.1 kB), asked for by @Operator
        All rows were accepted.
        *Rows* 2,000 · *Accepted* 2,000 · *Rejected* 0 (0 %) · *Time* TIME
        [Download output]
    Operator> /my-slack-bot reprocess-batch
    Switchman (only Operator): *Not done.* No run of this channel has anything to do again.
        Nothing was started. `/my-slack-bot reprocess-batch RUN all` does a whole input again.
    Operator> /my-slack-bot reprocess-batch r-1
    Switchman (only Operator): *Not done.* The run r-1 has nothing to do again: no row was rejected and no chunk failed.
        Nothing was started. `/my-slack-bot reprocess-batch r-1 all` does a whole input again.
    Operator> /my-slack-bot reprocess-batch r-1 rows
    Switchman (only Operator): *Not done.* The run r-1 has no rejected rows to do again.
        Nothing was started. `/my-slack-bot status r-1` shows what it has.
    Operator> /my-slack-bot reprocess-batch r-1 chunks
    Switchman (only Operator): *Not done.* The run r-1 has no unfinished chunks to do again.
        Nothing was started. `/my-slack-bot status r-1` shows what it has.
    Operator> /my-slack-bot reprocess-batch r-2
    Switchman (only Operator): *Not done.* There is no run r-2 here.
        Nothing was changed. Did you mean `r-1`? `/my-slack-bot list-batches` lists the runs of this channel.
    "#);
    bot.operator().says(&format!("reprocess-batch {run} all")).await;
    let run = bot.run().await;
    assert_eq!((run.attempts.len(), run.current().scope, run.current().state), (2, Scope::All, RunState::Succeeded));
    assert_eq!(run.attempts[0].progress.accepted, run.attempts[1].progress.accepted);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_under_way_is_not_done_again() {
    let bot = Bot::with(Setup::endless()).await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    let run = bot.run().await.id;
    bot.operator().types(&format!("reprocess-batch {run} all")).await;
    bot.until("the answer", |bot| !bot.operator().told().is_empty()).await;
    insta::assert_snapshot!(steady(&bot.operator().told_last()), @r#"
    *Not done.* The run r-1 is still running.
    Nothing was started, and it goes on. Wait for its end, or stop it with `/my-slack-bot cancel-batch r-1`.
    "#);
    bot.operator().types(&format!("cancel-batch {run}")).await;
    bot.settle().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_offers_the_runs_with_something_to_redo() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    bot.operator().types("").await;
    let menu = bot.slack.ephemerals("U0OPERATOR").pop().unwrap();
    assert!(bot.operator().acts(&Act::click(&menu.ts, "menu:reprocess-batch")).await.is_ok());
    insta::assert_snapshot!(steady(&bot.operator().reads_modal()), @r#"
    Reprocess a run
    Run: {r-1 sales on sales.csv}
    What to do again: {The rejected rows / The chunks that were not finished / The whole input}
    [Reprocess] [Close]
    "#);
    assert!(bot.operator().submits(json!({"scope": "all"})).await.is_ok());
    bot.settle().await;
    assert_eq!(bot.run().await.current().scope, Scope::All);
    // The same form again, signed anew: the second is the same decision.
    bot.slack.retry_last(1, "http_timeout").await;
    bot.settle().await;
    assert_eq!(bot.run().await.attempts.len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_may_not_press_the_button_either() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    bot.viewer().clicks("reprocess-rows").await;
    bot.stranger().clicks("reprocess-rows").await;
    bot.viewer().types(&format!("reprocess-batch {run} all")).await;
    bot.stranger().types("reprocess-batch").await;
    bot.settle().await;
    assert_eq!(bot.run().await.attempts.len(), 1);
    let told = [bot.viewer().told(), bot.stranger().told()].concat().join("\n\n");
    insta::assert_snapshot!(steady(&told), @r#"
    *Not done.* You may not do that here: no rule allows it to the role viewer.
    Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.

    *Not done.* You may not do that here: no rule allows it to the role viewer.
    Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.

    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.

    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_click_does_not_use_up_the_button() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let first = bot.card();
    // Another run has the same file meanwhile.
    std::fs::write(bot.path("input/sales.csv"), std::fs::read(bot.path("input/sales.csv")).unwrap()).unwrap();
    bot.operator().types("start-batch sales").await;
    bot.step().await.unwrap();
    bot.operator().clicks_on(&first, "reprocess-rows").await;
    bot.settle().await;
    assert!(bot.operator().told_last().contains("one file has one run at a time"), "{:?}", bot.operator().told());
    let second = bot.run_of(&first).await;
    assert_eq!(second.attempts.len(), 1);
    // Now the way is free, and a double click is still one attempt.
    let somebody = bot.operator();
    tokio::join!(somebody.clicks_on(&first, "reprocess-rows"), somebody.clicks_on(&first, "reprocess-rows"));
    bot.settle().await;
    assert_eq!(bot.run_of(&first).await.attempts.len(), 2);
    assert!(bot.operator().told_last().contains("asked for already"), "{:?}", bot.operator().told());
    bot.finish().await;
}
