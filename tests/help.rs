//! `help` and the menu: what there is, as far as its reader may use it.

use crate::harness::bot::Bot;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn help_lists_what_the_reader_may_do_and_explains_one_command() {
    let bot = Bot::new().await;
    bot.viewer().says("help").await;
    bot.viewer().says("help start-batch").await;
    bot.viewer().says("help strat-batch").await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Viewer> /my-slack-bot help
    Switchman (only Viewer): *Commands*
        
        `/my-slack-bot status [RUN]`
        Show one run, or the board
        
        `/my-slack-bot list-batches`
        List this channel's runs, the newest first
        
        `/my-slack-bot why @USER COMMAND…`
        Explain whether somebody may do something here, and which rule says so
        
        `/my-slack-bot help [COMMAND]`
        Explain the commands, or one of them
        (`/my-slack-bot help COMMAND` says more about one. What you may not do here is left out; `/my-slack-bot why` says why. Words in brackets may be left out.)
    Viewer> /my-slack-bot help start-batch
    Switchman (only Viewer): *Start a job on an input file, or a workflow with its values*
        `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`
        Without FILE: the newest input that has no finished run. One file has at most one run at a time. A workflow takes values instead, such as date=today note="some text"; a form asks for those that are needed and left out.
        (For example `/my-slack-bot start-batch sales`)
    Viewer> /my-slack-bot help strat-batch
    Switchman (only Viewer): *Not done.* I could not read that: expected the name of a command.
        ```help strat-batch
             ^^^^^^^^^^^```
        Nothing was run. Did you mean `start-batch`? The command is `/my-slack-bot help [COMMAND]`, for example `/my-slack-bot help start-batch`.
    "#);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_menu_holds_only_what_its_reader_may_do() {
    let bot = Bot::new().await;
    bot.viewer().says("").await;
    bot.operator().says("").await;
    insta::assert_snapshot!(bot.viewer().told_last(), @r#"
    *What would you like to do?*
    Only what you may do here is shown.
    *Show one run, or the board*
    `/my-slack-bot status [RUN]`
    [Show status]
    *List this channel's runs, the newest first*
    `/my-slack-bot list-batches`
    [Show runs]
    *Explain whether somebody may do something here, and which rule says so*
    `/my-slack-bot why @USER COMMAND…`
    [Explain…]
    *Explain the commands, or one of them*
    `/my-slack-bot help [COMMAND]`
    [Show help]
    "#);
    assert!(bot.operator().told_last().contains("start-batch") && !bot.viewer().told_last().contains("start-batch"));
    let menu = bot.slack.ephemerals("U0VIEWER").pop().unwrap();
    assert!(bot.viewer().clicks_on(&menu, "menu:status").await.is_ok());
    bot.settle().await;
    assert_eq!(bot.viewer().told().len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_get_neither_help_nor_menu() {
    let bot = Bot::new().await;
    for line in ["help", "help start-batch", "", "nonsense"] {
        bot.stranger().says(line).await;
    }
    bot.operator().types_in("C0RANDOM", "").await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Stranger> /my-slack-bot help
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Stranger> /my-slack-bot help start-batch
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Stranger> /my-slack-bot
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Stranger> /my-slack-bot nonsense
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Operator> /my-slack-bot
    Switchman (only Operator): *Not done.* This bot does not work in this channel.
        Nothing was run. Use one of its channels, or ask an administrator to permit this one.
    "#);
    bot.finish().await;
}
