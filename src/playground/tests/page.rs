//! The page over HTTP: who may ask, what is served, what the stream says to whom.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use super::{TOKEN, World};

/// The stream of one member's page, event by event.
pub(super) struct Events(BodyDataStream);

impl Events {
    pub(super) async fn of(world: &World, user: &str) -> Self {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request =
            Request::get(world.url(&format!("/stream?as={user}"))).body(Full::<bytes::Bytes>::default()).unwrap();
        let response = client.request(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self(Body::new(response.into_body()).into_data_stream())
    }

    /// The next event; none when the stream has ended.
    pub(super) async fn next(&mut self) -> Option<Value> {
        let mut text = String::new();
        while !text.ends_with("\n\n") {
            text.push_str(std::str::from_utf8(&self.0.next().await?.ok()?).unwrap());
        }
        Some(serde_json::from_str(text.strip_prefix("data: ").unwrap().trim_end()).unwrap())
    }
}

async fn with_headers(world: &World, headers: &[(&str, &str)]) -> u16 {
    let mut request = Request::post(world.url("/do/clear-faults")).header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    world.send(request, "{}").await.unwrap().status
}

#[tokio::test]
async fn other_hosts_and_origins_are_refused() {
    let world = World::new().await;
    let own_origin = world.base.clone();
    assert_eq!(with_headers(&world, &[]).await, 200);
    assert_eq!(with_headers(&world, &[("origin", &own_origin)]).await, 200);
    for (name, value) in [
        ("host", "evil.test"),
        ("host", "evil.test:80"),
        ("origin", "https://evil.test"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "null"),
    ] {
        assert_eq!(with_headers(&world, &[(name, value)]).await, 403, "{name}: {value}");
    }
}

#[tokio::test]
async fn a_foreign_form_cannot_do_anything() {
    let world = World::new().await;
    let request = Request::post(world.url("/do/archive")).header("content-type", "text/plain");
    let status = world.send(request, json!({ "channel": "C0BATCH", "on": true }).to_string()).await.unwrap().status;
    assert_eq!(status, 415);
    assert_eq!(world.call("chat.postMessage", json!({ "channel": "C0BATCH", "text": "x" })).await["ok"], true);
}

#[tokio::test]
async fn the_shell_and_every_asset_it_needs_come_from_here() {
    let world = World::new().await;
    let page = world.get("/").await;
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    let html = page.text();
    assert!(html.contains("Switchman Local") && !html.contains("{{"));
    let mut wanted: Vec<String> = Vec::new();
    for part in html.split("\"/assets/").skip(1) {
        wanted.push(part.split('"').next().unwrap().to_owned());
    }
    assert!(wanted.len() >= 4);
    let mut at = 0;
    while at < wanted.len() {
        let asset = world.get(&format!("/assets/{}", wanted[at])).await;
        assert_eq!(asset.status, 200, "{}", wanted[at]);
        let text = asset.text();
        for part in text.split("from \"./").skip(1) {
            let name = part.split('"').next().unwrap().to_owned();
            if !wanted.contains(&name) {
                wanted.push(name);
            }
        }
        let code = asset.headers["content-type"].to_str().unwrap().starts_with("text/javascript");
        assert!(code || !text.contains("http://"), "{}", wanted[at]);
        at += 1;
    }
    assert_eq!(world.get("/assets/none.js").await.status, 404);
}

#[tokio::test]
async fn the_stream_starts_with_everything_and_goes_on_with_changes() {
    let world = World::new().await;
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "one" })).await;
    let mut events = Events::of(&world, "U0OPERATOR").await;
    let all = events.next().await.unwrap();
    assert_eq!((&all["change"], &all["messages"][0]["text"]), (&json!("all"), &json!("one")));
    world.call("chat.update", json!({ "channel": "C0BATCH", "ts": ts, "text": "two" })).await;
    let change = events.next().await.unwrap();
    assert_eq!((&change["change"], &change["message"]["text"]), (&json!("message"), &json!("two")));
    world.call("chat.delete", json!({ "channel": "C0BATCH", "ts": ts })).await;
    assert_eq!(events.next().await.unwrap(), json!({ "change": "gone", "ts": ts }));
    world.playground.shut_down();
    assert_eq!(events.next().await, None);
}

#[tokio::test]
async fn nobody_sees_what_is_for_somebody_else() {
    let world = World::new().await;
    world.call("chat.postEphemeral", json!({ "channel": "C0BATCH", "user": "U0VIEWER", "text": "psst" })).await;
    world.post_message(json!({ "channel": "U0VIEWER", "text": "direct" })).await;
    let mut operator = Events::of(&world, "U0OPERATOR").await;
    assert_eq!(operator.next().await.unwrap()["messages"], json!([]));
    let mut viewer = Events::of(&world, "U0VIEWER").await;
    assert_eq!(viewer.next().await.unwrap()["messages"].as_array().unwrap().len(), 2);
    world.post_message(json!({ "channel": "U0VIEWER", "text": "again" })).await;
    world.post_message(json!({ "channel": "C0BATCH", "text": "all" })).await;
    assert_eq!(operator.next().await.unwrap()["message"]["text"], "all");
    assert_eq!(viewer.next().await.unwrap()["message"]["text"], "again");
}

#[tokio::test]
async fn what_the_page_does_is_what_the_functions_do() {
    let world = World::new().await;
    let ack =
        world.post("/do/command", &json!({ "as": "U0OPERATOR", "channel": "C0BATCH", "text": "/my-slack-bot" })).await;
    assert_eq!(ack.json()["outcome"], "acknowledged");
    assert_eq!(world.got_one().field("user_id"), "U0OPERATOR");
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "x", "blocks": [super::button("go")] })).await;
    let act = json!({ "place": { "message": ts }, "block_id": "a", "action_id": "go", "value": null, "values": {} });
    assert_eq!(
        world.post("/do/click", &json!({ "as": "U0OPERATOR", "act": act })).await.json()["outcome"],
        "acknowledged"
    );
    assert_eq!(world.got_one().json()["actions"][0]["action_id"], "go");
    assert_eq!(world.post("/do/click", &json!({ "as": "U0OPERATOR" })).await.status, 400);
    assert_eq!(world.post("/do/nothing", &json!({})).await.status, 404);
    let knob = json!({ "method": "*", "fault": { "kind": "reset" }, "times": 1 });
    assert_eq!(world.post("/do/fault", &json!({ "knob": knob })).await.json()["ok"], true);
    assert_eq!(world.playground.knobs().set.len(), 1);
    world.post("/do/clear-faults", &json!({})).await;
    assert!(world.playground.knobs().set.is_empty());
    let calls = world.get("/calls").await.json();
    assert_eq!((&calls[0]["method"], &calls[0]["status"]), (&json!("chat.postMessage"), &json!(200)));
    assert!(!calls.to_string().contains(TOKEN));
}

#[tokio::test]
async fn a_csv_is_taken_and_anything_else_refused_with_the_reason() {
    let world = World::with(|config| {
        config.upload_limit = 20;
        config.on_upload = Some(Arc::new(|name, bytes| {
            if name == "bad.csv" { Err("no header".to_owned()) } else { Ok(format!("{name}: {} bytes", bytes.len())) }
        }));
    })
    .await;
    let upload = |name: &str, body: &'static str| {
        let path = format!("/do/upload?name={name}&as=U0OPERATOR&channel=C0BATCH");
        world.send(Request::post(world.url(&path)), body)
    };
    let taken = upload("../../sales.CSV", "a,b\n1,2\n").await.unwrap().json();
    assert_eq!(taken, json!({ "ok": true, "text": "sales.CSV: 8 bytes" }));
    assert_eq!(world.playground.ephemerals("U0OPERATOR")[0].text, "sales.CSV: 8 bytes");
    for (name, body, text) in [
        ("sales.xlsx", "a", "sales.xlsx is not a CSV file. Drop a file whose name ends in .csv."),
        (".csv", "a", ".csv is not a CSV file. Drop a file whose name ends in .csv."),
        ("a.csv", "", "a.csv is empty."),
        ("a.csv", "a\0b", "a.csv is not text, whatever its name says."),
        ("a.csv", "123456789012345678901", "a.csv is larger than 0 MiB, the most this page takes."),
        ("bad.csv", "x", "no header"),
    ] {
        let refused = upload(name, body).await.unwrap().json();
        assert_eq!(refused, json!({ "ok": false, "text": text }));
    }
    let none = World::new().await;
    let refused = none.send(Request::post(none.url("/do/upload?name=a.csv")), "a").await.unwrap().json();
    assert_eq!(refused["ok"], false);
}
