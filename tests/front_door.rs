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
    let now = bot.clock.now().as_second();
    let stamp = now.to_string();
    let by = |secret: &str, at: i64, body: &str| sign(&SecretString::from(secret), at, body.as_bytes());
    let good = by(SECRET, now, &body);
    let (old, ahead, large) = ((now - 301).to_string(), (now + 301).to_string(), "a".repeat(1_100_000));
    let other = form("start-batch sales x.csv");
    for (what, kind, stamp, signature, body, expected) in [
        ("a wrong secret", FORM, stamp.as_str(), by("another secret of the same kind", now, &body), &*body, 401),
        ("five minutes old", FORM, &old, by(SECRET, now - 301, &body), &body, 401),
        ("five minutes ahead", FORM, &ahead, by(SECRET, now + 301, &body), &body, 401),
        ("another body", FORM, &stamp, good.clone(), &other, 401),
        ("another time", FORM, "1772438401", good.clone(), &body, 401),
        ("no signature", FORM, &stamp, String::new(), &body, 401),
        ("half a signature", FORM, &stamp, good[..20].to_owned(), &body, 401),
        ("no time", FORM, "", good.clone(), &body, 401),
        ("a wrong type", "text/plain", &stamp, good.clone(), &body, 415),
        ("no type", "", &stamp, good.clone(), &body, 415),
        ("a large body", FORM, &stamp, by(SECRET, now, &large), &large, 413),
        ("broken JSON", "application/json", &stamp, by(SECRET, now, "{\"type\":"), "{\"type\":", 400),
        ("no payload", FORM, &stamp, by(SECRET, now, "payload=%7B"), "payload=%7B", 400),
    ] {
        assert_eq!(send(&bot, kind, stamp, &signature, body).await, expected, "{what}");
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_stand_in_the_audit_trail_under_the_names_of_the_actions() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let key = bot.run().await.key().to_string();
    let done = bot.audit().await.len();
    for button in ["view-rejects", "reprocess-rows", "download-output"] {
        bot.stranger().clicks(button).await;
    }
    for line in ["start-batch sales sales.csv", "cancel-batch", "reprocess-batch nothing", "what is this", ""] {
        bot.stranger().types(line).await;
    }
    bot.settle().await;
    let noted: Vec<_> =
        bot.audit().await[done..].iter().map(|r| (r.draft.action.clone(), r.draft.subject.clone())).collect();
    let expected = [
        ("view-rejects", key.as_str()),
        ("reprocess-batch", &key),
        ("download-link", &key),
        ("start-batch", "start-batch sales sales.csv"),
        ("cancel-batch", "cancel-batch"),
        ("reprocess-batch", "reprocess-batch nothing"),
        ("help", "what is this"),
        ("help", ""),
    ];
    assert_eq!(noted, expected.map(|(action, subject)| (action.to_owned(), subject.to_owned())));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slash_command_of_another_name_is_answered_in_private_and_does_nothing() {
    let bot = Bot::new().await;
    let before = bot.counts().await;
    for other in ["/my-slack-bot2", "/My-Slack-Bot", "my-slack-bot"] {
        let named = serde_urlencoded::to_string([("command", other)]).unwrap();
        let body = form("start-batch sales").replace("command=%2Fmy-slack-bot", &named);
        assert!(body.contains(&named), "{body}");
        let stamp = bot.clock.now().as_second().to_string();
        let signature = sign(&SecretString::from(SECRET), bot.clock.now().as_second(), body.as_bytes());
        let headers =
            [("content-type", FORM), ("x-slack-request-timestamp", &stamp), ("x-slack-signature", signature.as_str())];
        let (status, answer) = http::post(&format!("{}/slack/events", bot.base()), &headers, body).await;
        assert_eq!(status, 200);
        let answer: serde_json::Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["response_type"], "ephemeral");
        let text = answer["text"].as_str().unwrap();
        assert!(text.contains(&format!("answers to /my-slack-bot, and not to {other}.")), "{text}");
        unchanged(&bot, &before, other).await;
    }
    bot.finish().await;
}
