//! The knobs: each fault as a client meets it, and what was done all the same.

use axum::http::Request;
use serde_json::json;

use super::{SHORT, TOKEN, World, button};
use crate::playground::{Fault, Outcome};

async fn post(world: &World) -> Result<super::Answer, String> {
    let request = Request::post(world.url("/api/chat.postMessage"))
        .header("authorization", format!("Bearer {TOKEN}"))
        .header("content-type", "application/json");
    world.send(request, json!({ "channel": "C0BATCH", "text": "x" }).to_string()).await
}

fn posted(world: &World) -> usize {
    world.playground.messages("C0BATCH").len()
}

#[tokio::test]
async fn a_rate_limit_answers_429_with_retry_after_and_does_nothing() {
    let world = World::new().await;
    world.playground.fault("chat.postMessage", Fault::RateLimited { retry_after: 7 }, Some(1));
    let limited = post(&world).await.unwrap();
    assert_eq!((limited.status, limited.headers["retry-after"].to_str().unwrap()), (429, "7"));
    assert_eq!(limited.json(), json!({ "ok": false, "error": "ratelimited" }));
    assert_eq!(posted(&world), 0);
    assert_eq!(post(&world).await.unwrap().status, 200);
    assert_eq!(posted(&world), 1);
    let recorded: Vec<u16> = world.playground.calls().iter().map(|call| call.status).collect();
    assert_eq!(recorded, [429, 200]);
}

#[tokio::test]
async fn a_server_error_is_no_json_and_does_nothing() {
    let world = World::new().await;
    world.playground.fault("*", Fault::ServerError { status: 503 }, None);
    for _ in 0..2 {
        let failed = post(&world).await.unwrap();
        assert_eq!((failed.status, &failed.headers["content-type"]), (503, &"text/html".parse().unwrap()));
    }
    world.playground.clear_faults();
    assert_eq!(post(&world).await.unwrap().status, 200);
    assert_eq!(posted(&world), 1);
}

#[tokio::test]
async fn a_refusal_of_slack_can_be_ordered() {
    let world = World::new().await;
    world.playground.fault("chat.postMessage", Fault::Error { error: "account_inactive".to_owned() }, Some(1));
    assert_eq!(post(&world).await.unwrap().json()["error"], "account_inactive");
}

#[tokio::test]
async fn a_broken_connection_may_or_may_not_have_done_the_work() {
    let world = World::new().await;
    world.playground.fault("chat.postMessage", Fault::Reset, Some(1));
    assert!(post(&world).await.is_err());
    assert_eq!(posted(&world), 0);
    world.playground.fault("chat.postMessage", Fault::AcceptedThenReset, Some(1));
    assert!(post(&world).await.is_err());
    assert_eq!(posted(&world), 1);
}

#[tokio::test]
async fn an_answer_that_never_comes_was_still_carried_out() {
    let world = World::new().await;
    world.playground.fault("chat.postMessage", Fault::AcceptedThenSilent { millis: 3_600_000 }, Some(1));
    assert!(tokio::time::timeout(SHORT, post(&world)).await.is_err());
    assert_eq!(posted(&world), 1);
}

#[tokio::test]
async fn shutting_down_ends_what_is_slow() {
    let world = World::new().await;
    world.playground.fault("chat.postMessage", Fault::Slow { millis: 3_600_000 }, Some(1));
    let (answer, ()) = tokio::join!(post(&world), async {
        world
            .playground
            .wait_for(std::time::Duration::from_secs(5), |p| p.knobs().set.is_empty().then_some(()))
            .await
            .unwrap();
        world.playground.shut_down();
    });
    assert_eq!(answer.unwrap().status, 200);
}

#[tokio::test]
async fn a_response_url_has_faults_of_its_own() {
    let world = World::new().await;
    world.playground.type_command("U0OPERATOR", "C0BATCH", "/my-slack-bot").await;
    let url = world.got_one().field("response_url");
    world.playground.fault("response_url", Fault::RateLimited { retry_after: 1 }, Some(1));
    assert_eq!(world.post(&url, &json!({ "text": "x" })).await.status, 429);
    assert_eq!(world.post(&url, &json!({ "text": "x" })).await.status, 200);
    assert_eq!(world.playground.ephemerals("U0OPERATOR").len(), 1);
}

#[tokio::test]
async fn a_request_can_arrive_twice_and_again_later() {
    let world = World::new().await;
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "x", "blocks": [button("go")] })).await;
    world.playground.deliver_twice(1);
    assert!(world.playground.click("U0OPERATOR", &ts, "go").await.is_ok());
    let got = world.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0].body, got[1].body);
    assert_eq!(got[0].headers["x-slack-signature"], got[1].headers["x-slack-signature"]);
    assert_eq!(world.playground.replay_last().await.outcome, Outcome::Acknowledged);
    let replayed = world.got_one();
    assert_eq!(replayed.headers["x-slack-signature"], got[0].headers["x-slack-signature"]);
    world.advance(60);
    world.playground.retry_last(1, "http_timeout").await;
    let retried = world.got_one();
    assert_eq!((&retried.headers["x-slack-retry-num"], &retried.body), (&"1".parse().unwrap(), &got[0].body));
    assert_ne!(retried.headers["x-slack-signature"], got[0].headers["x-slack-signature"]);
}
