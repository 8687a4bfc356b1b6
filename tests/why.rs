//! `why`: a decision and the rule that makes it; nothing is run.

use crate::harness::bot::Bot;
use crate::harness::scene::steady;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_is_explained_with_its_rule() {
    let bot = Bot::new().await;
    for line in ["why @operator start-batch sales", "why @viewer start-batch sales", "why @stranger status"] {
        bot.viewer().says(line).await;
    }
    insta::assert_snapshot!(steady(&bot.viewer().told().join("\n\n")), @r#"
    @Operator *may* give `start-batch sales` in #batch.
    The rule `operators-may-run` allows it.
    (Roles: operator. Nothing was run.)

    @Viewer *may not* give `start-batch sales` in #batch.
    No rule allows it to the role viewer.
    (Roles: viewer. Nothing was run.)

    @Stranger *may not* give `status` in #batch.
    They are on no list of this bot. What no rule allows is forbidden.
    (No roles. Nothing was run.)
    "#);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_shows_a_mistake_in_the_command_beside_its_field() {
    let bot = Bot::new().await;
    bot.viewer().types("why").await;
    let mut errors = Vec::new();
    for command in ["start-bach sales", "start-batch", "why @viewer status"] {
        let ack = bot.viewer().submits(json!({"user": "U0OPERATOR", "command": command})).await;
        errors.extend(ack.errors.into_iter().map(|(block, text)| format!("{block}: {text}")));
    }
    insta::assert_snapshot!(errors.join("\n"), @r#"
    command: this is not a command. Did you mean start-batch?
    command: Write a whole command, such as: start-batch sales
    command: expected a person, picked from the list that opens when you type @.
    "#);
    assert!(bot.viewer().submits(json!({"user": "U0OPERATOR", "command": "start-batch sales"})).await.is_ok());
    bot.settle().await;
    assert!(bot.viewer().told_last().contains("operators-may-run"), "{:?}", bot.viewer().told());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_are_explained_nothing() {
    let bot = Bot::new().await;
    bot.stranger().says("why @operator start-batch sales").await;
    bot.stranger().says("why").await;
    assert!(bot.stranger().modal().is_none());
    let told = bot.stranger().told();
    assert!(told.len() == 2 && told[0] == told[1], "{told:?}");
    insta::assert_snapshot!(told[0], @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    bot.finish().await;
}
