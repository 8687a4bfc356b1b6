//! `POST /slack/events` as an attacker, a broken proxy or Slack on a bad day uses it: what is not right changes nothing.

use crate::harness::bot::{Bot, Counts, SECRET, Setup};
use crate::harness::http;
use secrecy::SecretString;
use switchman::ports::Clock;
use switchman::slack::signature::sign;

const FORM: &str = "application/x-www-form-urlencoded";

/// A slash command's form, as small as it may be.
fn form(text: &str) -> String {
    let fields = [
        ("team_id", "T0LOCAL"),
        ("channel_id", "C0BATCH"),
        ("user_id", "U0OPERATOR"),
        ("user_name", "operator"),
        ("command", "/my-slack-bot"),
        ("text", text),
        ("trigger_id", "1.2.3"),
    ];
    serde_urlencoded::to_string(fields).unwrap()
}

/// Posts `body` signed with `secret` at `seconds` from the bot's time.
async fn signed(bot: &Bot, secret: &str, seconds: i64, kind: &str, body: &str) -> u16 {
    let stamp = bot.clock.now().as_second() + seconds;
    let signature = sign(&SecretString::from(secret), stamp, body.as_bytes());
    send(bot, kind, &stamp.to_string(), &signature, body).await
}

async fn send(bot: &Bot, kind: &str, stamp: &str, signature: &str, body: &str) -> u16 {
    let headers = [("content-type", kind), ("x-slack-request-timestamp", stamp), ("x-slack-signature", signature)];
    http::post(&format!("{}/slack/events", bot.base()), &headers, body.to_owned()).await.0
}

async fn unchanged(bot: &Bot, before: &Counts, what: &str) {
    assert_eq!(bot.counts().await, *before, "{what}");
    assert_eq!(bot.drain().await, 0, "{what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_forged_stale_oversized_or_malformed_changes_nothing() {
    let bot = Bot::new().await;
    let before = bot.counts().await;
    let body = form("start-batch sales");
    let stamp = bot.clock.now().as_second().to_string();
    let good = sign(&SecretString::from(SECRET), bot.clock.now().as_second(), body.as_bytes());
    for (what, status, expected) in [
        ("a wrong secret", signed(&bot, "another secret of the same kind", 0, FORM, &body).await, 401),
        ("six minutes old", signed(&bot, SECRET, -361, FORM, &body).await, 401),
        ("six minutes ahead", signed(&bot, SECRET, 361, FORM, &body).await, 401),
        ("another body", send(&bot, FORM, &stamp, &good, &form("start-batch sales x.csv")).await, 401),
        ("another time", send(&bot, FORM, "1772438401", &good, &body).await, 401),
        ("no signature", send(&bot, FORM, &stamp, "", &body).await, 401),
        ("half a signature", send(&bot, FORM, &stamp, &good[..20], &body).await, 401),
        ("no time", send(&bot, FORM, "", &good, &body).await, 401),
        ("a wrong type", signed(&bot, SECRET, 0, "text/plain", &body).await, 415),
        ("no type", signed(&bot, SECRET, 0, "", &body).await, 415),
        ("a large body", signed(&bot, SECRET, 0, FORM, &"a".repeat(1_100_000)).await, 413),
        ("broken JSON", signed(&bot, SECRET, 0, "application/json", "{\"type\":").await, 400),
        ("no payload", signed(&bot, SECRET, 0, FORM, "payload=%7B").await, 400),
    ] {
        assert_eq!(status, expected, "{what}");
        unchanged(&bot, &before, what).await;
    }
    assert_eq!(send(&bot, FORM, &stamp, &good, &body).await, 200, "the good one still works");
    bot.settle().await;
    assert_eq!(bot.cards().len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_is_turned_away_even_after_a_restart() {
    let mut bot = Bot::new().await;
    bot.operator().types("start-batch sales").await;
    for _ in 0..3 {
        assert_eq!(bot.slack.replay_last().await.status, Some(401));
    }
    bot.settle().await;
    let before = bot.counts().await;
    assert_eq!(bot.slack.replay_last().await.status, Some(401));
    bot.restart().await;
    // What is remembered in memory is gone; the bus knows the key.
    assert_eq!(bot.slack.replay_last().await.status, Some(401));
    unchanged(&bot, &before, "a replay").await;
    assert_eq!((bot.runs().await.len(), bot.cards().len()), (1, 1));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_deliveries_at_once_are_one_command() {
    let bot = Bot::new().await;
    bot.slack.deliver_twice(1);
    bot.operator().types("start-batch sales").await;
    bot.settle().await;
    assert_eq!((bot.runs().await.len(), bot.cards().len(), bot.replies().len()), (1, 1, 1));
    assert!(bot.operator().told().iter().all(|text| !text.contains("already")), "{:?}", bot.operator().told());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_secrets_are_taken_while_one_is_rotated() {
    let old = "the-secret-before-this-one-of-tests";
    let bot = Bot::with(Setup { secrets: vec![old, SECRET], ..Setup::default() }).await;
    assert_eq!(signed(&bot, old, 0, FORM, &form("help")).await, 200);
    assert_eq!(signed(&bot, SECRET, 0, FORM, &form("help")).await, 200);
    assert_eq!(signed(&bot, "a-third-secret-that-nobody-knows", 0, FORM, &form("help")).await, 401);
    bot.settle().await;
    assert_eq!(bot.audit().await.len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slacks_own_checks_are_answered() {
    let bot = Bot::new().await;
    let ack = bot.slack.verify_url("a challenge").await;
    assert_eq!((ack.status, ack.body.as_str()), (Some(200), Some("a challenge")));
    let headers = [("content-type", FORM)];
    let url = format!("{}/slack/events", bot.base());
    assert_eq!(http::post(&url, &headers, "ssl_check=1&token=x").await.0, 200);
    assert_eq!(http::post(&url, &headers, "ssl_check=0&text=start-batch").await.0, 401);
    bot.finish().await;
}
