//! `list-batches`: the runs of this channel, the newest first.

use crate::harness::bot::Bot;
use crate::harness::scene::steady;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_listed_the_newest_first() {
    let bot = Bot::new().await;
    bot.viewer().says("list-batches").await;
    bot.operator().says("start-batch sales").await;
    std::fs::copy(bot.path("input/sales.csv"), bot.path("input/again.csv")).unwrap();
    bot.operator().says("start-batch sales again.csv").await;
    bot.viewer().says("list-batches").await;
    insta::assert_snapshot!(steady(&bot.viewer().told().join("\n\n")), @r#"
    No run was asked for in #batch yet. `/my-slack-bot start-batch JOB` starts one.

    # Runs of this channel, the newest first
    ✅ *r-1*  `sales` on `again.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    ✅ *r-2*  `sales` on `sales.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    (`/my-slack-bot status RUN` shows one of them)
    "#);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_are_shown_no_list() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    bot.stranger().says("list-batches").await;
    bot.operator().types_in("C0RANDOM", "list-batches").await;
    insta::assert_snapshot!(bot.stranger().told_last(), @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    insta::assert_snapshot!(bot.operator().told_last(), @r#"
    *Not done.* This bot does not work in this channel.
    Nothing was run. Use one of its channels, or ask an administrator to permit this one.
    "#);
    bot.finish().await;
}
