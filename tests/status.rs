//! `status`, and the Home tab that shows the same board.

use crate::harness::bot::{Bot, Setup};
use crate::harness::scene::steady;
use switchman::playground::{Act, Place};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_and_one_run_are_shown_to_whoever_may_look() {
    let bot = Bot::new().await;
    bot.viewer().says("status").await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    bot.viewer().says("status").await;
    bot.viewer().says(&format!("status {run}")).await;
    insta::assert_snapshot!(steady(&bot.viewer().told().join("\n\n")), @r#"
    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` to start something.
    # Ended last
    No run has ended yet.
    (As of 2026-03-02 08:00 UTC)

    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` to start something.
    # Ended last
    ✅ *r-1*  `sales` on `sales.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    (As of 2026-03-02 08:00 UTC)

    ✅ *Run r-1: finished*
    `sales` on `sales.csv` (143.5 kB), asked for by operator
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
    [View rejects] [Reprocess rejected] [Download output]
    "#);
    assert_eq!(bot.cards().len(), 1, "the channel sees none of it");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_under_way_and_one_that_is_not_there() {
    let bot = Bot::with(Setup::endless()).await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    let run = bot.run().await.id;
    for line in ["status".to_owned(), format!("status {run}"), "status r-2222".to_owned(), "status now".to_owned()] {
        let before = bot.viewer().told().len();
        bot.viewer().types(&line).await;
        bot.until("the answer", |bot| bot.viewer().told().len() > before).await;
    }
    let told = bot.viewer().told();
    assert!(told[0].contains(run.as_str()) && told[0].contains("running"), "{told:?}");
    assert!(told[1].contains("running"), "{told:?}");
    insta::assert_snapshot!(steady(&told[2..].join("\n\n")), @r#"
    *Not done.* There is no run r-1 here.
    Nothing was changed. `/my-slack-bot list-batches` lists the runs of this channel.

    *Not done.* I could not read that: expected a run id such as r-2.
    ```status now
           ^^^```
    Nothing was run. The command is `/my-slack-bot status [RUN]`, for example `/my-slack-bot status r-2`.
    "#);
    bot.operator().clicks("cancel-batch").await;
    bot.settle().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_tab_shows_the_board_and_what_its_reader_may_do() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    for user in ["U0OPERATOR", "U0STRANGER"] {
        assert!(bot.slack.open_home(user).await.is_ok());
    }
    bot.settle().await;
    let home = |user: &str| bot.slack.read_view(&bot.slack.home(user).unwrap());
    insta::assert_snapshot!(steady(&home("U0OPERATOR")), @r#"
    [Start a job…] [Reprocess…] [Cancel a run…] [Explain…]
    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` in a channel to start something.
    # Ended last
    ✅ *r-1*  `sales` on `sales.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    (As of 2026-03-02 08:00 UTC)
    "#);
    insta::assert_snapshot!(steady(&home("U0STRANGER")), @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    let click = Act::click("", "menu:start-batch").at(Place::Home);
    assert!(bot.operator().acts(&click).await.is_ok());
    assert!(bot.operator().reads_modal().contains("Input file"), "{}", bot.operator().reads_modal());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_learn_nothing_not_even_whether_a_run_exists() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    bot.stranger().says("status").await;
    bot.stranger().says(&format!("status {run}")).await;
    bot.stranger().says("status r-2222").await;
    let told = bot.stranger().told();
    assert!(told.len() == 3 && told.iter().all(|text| *text == told[0]), "{told:?}");
    insta::assert_snapshot!(told[0], @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    bot.finish().await;
}
