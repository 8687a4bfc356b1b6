//! Slack on a bad day: each of its moods, and one message with the truth in it at the end all the same.

use crate::harness::bot::{Bot, CHANNEL, Setup};
use crate::harness::scene::steady;
use jiff::SignedDuration;
use std::time::Duration;
use switchman::playground::{Call, Fault};
use switchman::ports::Clock;

/// Calls that write into the channel: what Slack counts against its limit.
fn writes(bot: &Bot) -> Vec<Call> {
    let counts = |call: &Call| {
        ["chat.postMessage", "chat.update"].contains(&call.method.as_str()) && call.args["channel"] == CHANNEL
    };
    bot.slack.calls().into_iter().filter(counts).collect()
}

/// Exactly one message of the bot in the channel, with the totals in it.
async fn one_final_message(bot: &Bot) {
    assert_eq!(bot.cards().len(), 1, "{}", bot.slack.transcript());
    let text = bot.card_text();
    assert!(text.contains("finished") && text.contains(&thousands(bot.totals.accepted)), "{text}");
    assert_eq!(bot.run().await.attempts.len(), 1);
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    match digits.len() {
        4.. => format!("{},{}", &digits[..digits.len() - 3], &digits[digits.len() - 3..]),
        _ => digits,
    }
}

async fn slow_run() -> Bot {
    Bot::with(Setup { chunk: "4 KiB", brake: Some(700), ..Setup::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_is_written_to_about_once_a_second_at_most() {
    let bot = slow_run().await;
    bot.operator().says("start-batch sales").await;
    let at: Vec<_> = writes(&bot).iter().map(|call| call.at).collect();
    assert!(at.len() >= 4, "a run of some seconds shows its progress: {}", at.len());
    for pair in at.windows(2) {
        let gap = pair[1].duration_since(pair[0]);
        assert!(gap >= SignedDuration::from_millis(1_200), "{gap:#} between two writes");
    }
    one_final_message(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn retry_after_is_obeyed_and_the_end_goes_first() {
    let bot = slow_run().await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    bot.slack.fault("chat.update", Fault::RateLimited { retry_after: 30 }, Some(1));
    bot.settle().await;
    let calls = writes(&bot);
    let limited = calls.iter().position(|call| call.status == 429).expect("the limit was met");
    let next = &calls[limited + 1];
    let gap = next.at.duration_since(calls[limited].at);
    assert!(gap >= SignedDuration::from_secs(30), "{gap:#}");
    assert!(next.args.to_string().contains("finished"), "what had become stale meanwhile is not sent: {}", next.args);
    assert_eq!(calls.len(), limited + 2, "and nothing after it");
    one_final_message(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn errors_and_broken_connections_are_survived() {
    for fault in [Fault::ServerError { status: 503 }, Fault::Reset, Fault::Error { error: "internal_error".to_owned() }]
    {
        let bot = Bot::new().await;
        bot.slack.fault("*", fault.clone(), Some(4));
        bot.operator().says("start-batch sales").await;
        one_final_message(&bot).await;
        assert_eq!(bot.replies().len(), 1, "{fault:?}");
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_whose_answer_was_lost_is_found_and_not_repeated() {
    for fault in [Fault::AcceptedThenReset, Fault::ServerError { status: 500 }] {
        let bot = Bot::new().await;
        bot.slack.fault("chat.postMessage", fault, Some(1));
        bot.operator().says("start-batch sales").await;
        one_final_message(&bot).await;
        assert!(!bot.slack.calls_of("conversations.history").is_empty(), "it looked first");
        bot.finish().await;
    }
}

/// The client waits ten real seconds for an answer; this one test takes them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_post_that_was_accepted_and_never_answered_is_one_message() {
    let bot = Bot::new().await;
    bot.slack.fault("chat.postMessage", Fault::AcceptedThenSilent { millis: 60_000 }, Some(1));
    bot.operator().says("start-batch sales").await;
    one_final_message(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_channel_cannot_be_used_any_more_the_end_goes_to_whoever_asked() {
    for archived in [true, false] {
        let bot = slow_run().await;
        bot.operator().types("start-batch sales").await;
        bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
        if archived {
            bot.slack.archive(CHANNEL, true);
        } else {
            bot.slack.set_bot_in(CHANNEL, false);
        }
        bot.until("the end is told", |bot| !bot.operator().direct().is_empty()).await;
        let told = bot.operator().direct();
        assert_eq!(told.len(), 1, "archived: {archived}; {told:?}");
        assert!(told[0].contains("finished") && told[0].contains(&thousands(bot.totals.accepted)), "{told:?}");
        assert!(bot.viewer().direct().is_empty());
        // Hours later the channel can be used again: the message that was left behind tells the truth too.
        assert!(bot.card_text().contains("running"), "{}", bot.card_text());
        for _ in 0..6 {
            bot.drain().await;
            bot.clock.advance(Duration::from_mins(50));
        }
        if archived {
            bot.slack.archive(CHANNEL, false);
        } else {
            bot.slack.set_bot_in(CHANNEL, true);
        }
        bot.settle().await;
        one_final_message(&bot).await;
        assert!(!bot.card_text().contains("[Cancel]"), "{}", bot.card_text());
        assert_eq!(bot.operator().direct().len(), 1);
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_stays_archived_is_left_alone_after_a_day() {
    let bot = slow_run().await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    bot.slack.archive(CHANNEL, true);
    bot.until("the end is told", |bot| !bot.operator().direct().is_empty()).await;
    for _ in 0..26 {
        bot.drain().await;
        bot.clock.advance(Duration::from_hours(1));
    }
    // Nothing waits, and nothing was given up where somebody would have to look.
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_was_never_usable_still_brings_an_end_to_whoever_asked() {
    let bot = Bot::new().await;
    bot.slack.set_bot_in(CHANNEL, false);
    bot.operator().says("start-batch sales").await;
    assert!(bot.cards().is_empty());
    let told = bot.operator().direct();
    assert!(told.len() == 1 && told[0].contains("finished"), "{told:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_that_somebody_deleted_comes_back_once_with_the_end() {
    for answer_lost in [false, true] {
        let bot = slow_run().await;
        bot.operator().types("start-batch sales").await;
        bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
        let url = format!("{}/chat.delete", bot.slack.api_url());
        let body = serde_json::json!({"channel": CHANNEL, "ts": bot.card().ts}).to_string();
        let headers = [("content-type", "application/json"), ("authorization", "Bearer xoxb-playground")];
        crate::harness::http::post(&url, &headers, body).await;
        assert!(bot.cards().is_empty());
        if answer_lost {
            bot.slack.fault("chat.postMessage", Fault::AcceptedThenReset, Some(1));
        }
        bot.settle().await;
        one_final_message(&bot).await;
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_comes_while_the_token_is_revoked_is_told_once_it_works_again() {
    let bot = Bot::new().await;
    bot.operator().types("start-batch sales").await;
    bot.step().await.unwrap();
    bot.slack.fault("*", Fault::Error { error: "token_revoked".to_owned() }, None);
    let began = bot.clock.now();
    while bot.clock.now().duration_since(began) < SignedDuration::from_mins(30) {
        bot.drain().await;
        bot.clock.advance(Duration::from_secs(20));
    }
    assert!(bot.cards().is_empty());
    bot.slack.clear_faults();
    bot.settle().await;
    one_final_message(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_whose_address_is_dead_comes_another_way() {
    let bot = Bot::new().await;
    bot.slack.fault("response_url", Fault::Error { error: "expired_url".to_owned() }, Some(1));
    bot.viewer().says("status").await;
    assert_eq!(bot.viewer().told().len(), 1, "as an ephemeral message");
    bot.slack.fault("response_url", Fault::Error { error: "used_url".to_owned() }, Some(1));
    bot.slack.fault("chat.postEphemeral", Fault::Error { error: "not_in_channel".to_owned() }, Some(1));
    bot.viewer().says("status").await;
    assert_eq!((bot.viewer().told().len(), bot.viewer().direct().len()), (1, 1), "as a direct message");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_cannot_be_opened_is_a_private_problem() {
    let bot = Bot::new().await;
    bot.slack.fault("views.open", Fault::Error { error: "expired_trigger_id".to_owned() }, Some(1));
    assert!(bot.operator().types("start-batch").await.is_ok());
    bot.slack.fault("views.open", Fault::Slow { millis: 2_500 }, Some(1));
    assert!(bot.operator().types("cancel-batch").await.is_ok(), "Slack is answered within its three seconds");
    bot.slack.fault("views.update", Fault::ServerError { status: 500 }, Some(1));
    assert!(bot.operator().types("why").await.is_ok());
    insta::assert_snapshot!(steady(&bot.operator().told().join("\n\n")), @r#"
    *Not done.* The form took too long to open, and Slack gave up on it.
    Nothing was changed. Please try again, or type the whole command; `/my-slack-bot help start-batch` shows how.

    *Not done.* The form took too long to open, and Slack gave up on it.
    Nothing was changed. Please try again, or type the whole command; `/my-slack-bot help cancel-batch` shows how.

    *Not done.* The form took too long to open, and Slack gave up on it.
    Nothing was changed. Please try again, or type the whole command; `/my-slack-bot help why` shows how.
    "#);
    bot.operator().says("start-batch sales").await;
    bot.slack.fault("views.open", Fault::Error { error: "invalid_trigger_id".to_owned() }, Some(1));
    assert!(bot.operator().clicks("view-rejects").await.is_ok());
    bot.settle().await;
    assert!(bot.operator().told_last().contains("too long to open"), "{:?}", bot.operator().told());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_of_an_hour_delays_the_end_and_loses_nothing() {
    let bot = Bot::new().await;
    bot.operator().types("start-batch sales").await;
    bot.step().await.unwrap();
    bot.slack.fault("*", Fault::ServerError { status: 503 }, None);
    let began = bot.clock.now();
    while bot.clock.now().duration_since(began) < SignedDuration::from_mins(50) {
        bot.drain().await;
        bot.clock.advance(Duration::from_secs(20));
    }
    assert!(bot.cards().is_empty());
    bot.slack.clear_faults();
    bot.settle().await;
    one_final_message(&bot).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_that_cannot_even_be_looked_at_for_long_is_kept_and_its_asker_told() {
    let bot = Bot::new().await;
    bot.slack.fault("users.info", Fault::ServerError { status: 503 }, None);
    bot.operator().types("start-batch sales").await;
    bot.settle().await;
    let dead = bot.ports().bus.dead(10).await.unwrap();
    assert_eq!((dead.len(), bot.operator().told().len()), (1, 1), "{:?}", bot.operator().told());
    assert!(bot.operator().told_last().contains("kept and can be replayed"), "{:?}", bot.operator().told());
    bot.slack.clear_faults();
    assert!(bot.ports().bus.replay(&dead[0].id).await.unwrap());
    bot.settle().await;
    one_final_message(&bot).await;
    bot.finish().await;
}
