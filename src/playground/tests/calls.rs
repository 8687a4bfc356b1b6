//! `auth.test`, `chat.*`, `users.*`, `files.*`: what they do, and the documented error of each mistake.

use axum::http::Request;
use serde_json::json;

use super::{SECRET, TOKEN, World, button, section};
use crate::playground::{Author, Member};

#[tokio::test]
async fn a_token_is_needed_wherever_it_stands() {
    let world = World::new().await;
    let bare = |path: &str| world.send(Request::get(world.url(path)), "");
    assert_eq!(bare("/api/auth.test").await.unwrap().json()["error"], "not_authed");
    assert_eq!(bare("/api/auth.test?token=xoxb-other").await.unwrap().json()["error"], "invalid_auth");
    assert_eq!(bare("/api/api.test?foo=1").await.unwrap().json()["args"]["foo"], "1");
    let by_query = bare(&format!("/api/auth.test?token={TOKEN}")).await.unwrap().json();
    assert_eq!((&by_query["user_id"], &by_query["team_id"]), (&json!("U0SWITCHMAN"), &json!("T0LOCAL")));
    let form = Request::post(world.url("/api/auth.test")).header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.send(form, format!("token={TOKEN}")).await.unwrap().json()["bot_id"], "B0SWITCHMAN");
    assert_eq!(world.call("auth.test", json!({})).await["ok"], true);
}

#[tokio::test]
async fn arguments_come_as_query_form_or_json() {
    let world = World::new().await;
    let blocks = json!([section("hi")]).to_string();
    let encoded = serde_urlencoded::to_string([("channel", "C0BATCH"), ("text", "hi"), ("blocks", &blocks)]).unwrap();
    let auth = format!("Bearer {TOKEN}");
    let get = Request::get(format!("{}/api/chat.postMessage?{encoded}", world.base)).header("authorization", &auth);
    assert_eq!(world.send(get, "").await.unwrap().json()["ok"], true);
    let form = Request::post(world.url("/api/chat.postMessage"))
        .header("authorization", &auth)
        .header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(world.send(form, encoded).await.unwrap().json()["ok"], true);
    world.post_message(json!({ "channel": "C0BATCH", "text": "hi", "blocks": [section("hi")] })).await;
    world.post_message(json!({ "channel": "C0BATCH", "text": "hi", "blocks": blocks })).await;
    let messages = world.playground.messages("C0BATCH");
    assert_eq!(messages.len(), 4);
    assert!(messages.iter().all(|m| m.text == "hi" && m.blocks == [section("hi")] && m.author == Author::App));
    for (kind, body, error) in [
        ("application/json", "{", "invalid_json"),
        ("application/json", "[]", "json_not_object"),
        ("text/csv", "a", "invalid_post_type"),
    ] {
        let request =
            Request::post(world.url("/api/auth.test")).header("authorization", &auth).header("content-type", kind);
        assert_eq!(world.send(request, body).await.unwrap().json()["error"], error);
    }
}

#[tokio::test]
async fn an_unknown_method_is_named() {
    let world = World::new().await;
    let answer = world.call("chat.shout", json!({})).await;
    assert_eq!(answer, json!({ "ok": false, "error": "unknown_method", "req_method": "chat.shout" }));
    assert_eq!(world.playground.calls_of("chat.shout").len(), 1);
}

#[tokio::test]
async fn posting_fails_with_slacks_errors() {
    let world = World::new().await;
    world.playground.set_deactivated("U0VIEWER", true);
    let long: Vec<_> = (0..5).map(|i| json!({ "type": "section", "block_id": format!("b{i}"), "text": { "type": "mrkdwn", "text": "x".repeat(2900) } })).collect();
    for (args, error) in [
        (json!({ "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C0NONE", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "U0VIEWER", "text": "x" }), "channel_not_found"),
        (json!({ "channel": "C0RANDOM", "text": "x" }), "not_in_channel"),
        (json!({ "channel": "C0BATCH" }), "no_text"),
        (json!({ "channel": "C0BATCH", "blocks": [] }), "no_text"),
        (json!({ "channel": "C0BATCH", "text": "x", "blocks": "[{" }), "invalid_blocks_format"),
        (json!({ "channel": "C0BATCH", "text": "x", "blocks": {} }), "invalid_blocks_format"),
        (json!({ "channel": "C0BATCH", "text": "x", "blocks": long }), "msg_blocks_too_long"),
        (json!({ "channel": "C0BATCH", "text": "x", "thread_ts": "1.2" }), "thread_not_found"),
        (json!({ "channel": "C0BATCH", "text": "x", "metadata": { "event_type": "t" } }), "invalid_metadata_schema"),
    ] {
        assert_eq!(world.error("chat.postMessage", args.clone()).await, error, "{args}");
    }
    world.playground.archive("C0BATCH", true);
    assert_eq!(world.error("chat.postMessage", json!({ "channel": "C0BATCH", "text": "x" })).await, "is_archived");
    assert!(world.playground.messages("C0BATCH").is_empty());
}

#[tokio::test]
async fn blocks_over_a_limit_are_refused_with_the_place_and_shown_on_the_page() {
    let world = World::new().await;
    let args = json!({ "channel": "C0BATCH", "text": "x", "blocks": [section("ok"), { "type": "header", "text": { "type": "mrkdwn", "text": "x" } }] });
    let answer = world.call("chat.postMessage", args).await;
    assert_eq!(answer["error"], "invalid_blocks");
    let first = answer["errors"][0].as_str().unwrap();
    assert!(first.contains("[json-pointer:/blocks/1/text"), "{first}");
    assert_eq!(answer["response_metadata"]["messages"][0], format!("[ERROR] {first}"));
    let notices = world.playground.notices();
    assert_eq!((notices.len(), notices[0].channel.as_deref()), (1, Some("C0BATCH")));
    assert!(notices[0].problems[0].0.starts_with("/blocks/1/text"));
}

#[tokio::test]
async fn only_an_edit_without_blocks_is_marked_and_removes_them() {
    let world = World::new().await;
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "one", "blocks": [section("one")] })).await;
    let edit = json!({ "channel": "C0BATCH", "ts": ts, "text": "two", "blocks": [section("two")] });
    assert_eq!(world.call("chat.update", edit).await["text"], "two");
    assert_eq!(world.playground.messages("C0BATCH")[0].edited, None);
    let answer = world.call("chat.update", json!({ "channel": "C0BATCH", "ts": ts, "text": "three" })).await;
    assert_eq!(answer["message"]["edited"]["user"], "U0SWITCHMAN");
    assert_eq!(answer["message"].get("blocks"), None);
    let kept = &world.playground.messages("C0BATCH")[0];
    assert_eq!((kept.text.as_str(), kept.blocks.len(), kept.revision), ("three", 0, 3));
}

#[tokio::test]
async fn editing_and_deleting_fail_with_slacks_errors() {
    let world = World::new().await;
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "mine" })).await;
    world.playground.type_command("U0VIEWER", "C0BATCH", "hello").await;
    let theirs = world.playground.messages("C0BATCH")[1].ts.clone();
    let private = json!({ "channel": "C0BATCH", "user": "U0VIEWER", "text": "psst" });
    let private = world.call("chat.postEphemeral", private).await["message_ts"].clone();
    for (method, not_own) in [("chat.update", "cant_update_message"), ("chat.delete", "cant_delete_message")] {
        let named = |ts: &serde_json::Value| json!({ "channel": "C0BATCH", "ts": ts, "text": "x" });
        assert_eq!(world.error(method, named(&json!("1.1"))).await, "message_not_found");
        assert_eq!(world.error(method, named(&private)).await, "message_not_found");
        assert_eq!(world.error(method, named(&json!(theirs))).await, not_own);
        assert_eq!(
            world.error(method, json!({ "channel": "C0NONE", "ts": ts, "text": "x" })).await,
            "channel_not_found"
        );
    }
    let args = json!({ "channel": "C0BATCH", "ts": ts, "text": "x" });
    assert_eq!(world.error("chat.update", json!({ "channel": "C0BATCH", "ts": ts })).await, "no_text");
    let long = json!({ "channel": "C0BATCH", "ts": ts, "text": "x".repeat(40_001) });
    assert_eq!(world.error("chat.update", long).await, "msg_too_long");
    world.playground.archive("C0BATCH", true);
    assert_eq!(world.error("chat.update", args.clone()).await, "is_inactive");
    world.playground.archive("C0BATCH", false);
    world.playground.set_bot_in("C0BATCH", false);
    assert_eq!(world.error("chat.update", args.clone()).await, "not_in_channel");
    world.playground.set_bot_in("C0BATCH", true);
    assert_eq!(world.call("chat.delete", args).await["ok"], true);
    assert_eq!(world.playground.messages("C0BATCH").len(), 1);
}

#[tokio::test]
async fn an_ephemeral_message_is_for_one_member_of_the_channel() {
    let world = World::new().await;
    world.playground.set_member_in("C0BATCH", "U0STRANGER", false);
    world.playground.set_deactivated("U0APPROVER1", true);
    let to = |user: &str| json!({ "channel": "C0BATCH", "user": user, "text": "psst", "blocks": [button("go")] });
    for user in ["U0STRANGER", "U0APPROVER1", "U0NOBODY"] {
        assert_eq!(world.error("chat.postEphemeral", to(user)).await, "user_not_in_channel", "{user}");
    }
    assert_eq!(world.call("chat.postEphemeral", to("U0VIEWER")).await["ok"], true);
    assert_eq!(world.playground.ephemerals("U0VIEWER").len(), 1);
    assert!(world.playground.ephemerals("U0OPERATOR").is_empty());
    assert!(world.playground.messages("C0BATCH").is_empty());
    let ts = world.playground.ephemerals("U0VIEWER")[0].ts.clone();
    assert!(!world.playground.click("U0OPERATOR", &ts, "go").await.is_ok(), "somebody else's ephemeral");
    world.playground.dismiss("U0OPERATOR", &ts);
    assert_eq!(world.playground.ephemerals("U0VIEWER").len(), 1);
    world.playground.dismiss("U0VIEWER", &ts);
    assert!(world.playground.ephemerals("U0VIEWER").is_empty());
}

#[tokio::test]
async fn a_member_id_as_channel_means_the_direct_messages() {
    let world = World::new().await;
    let answer = world.call("chat.postMessage", json!({ "channel": "U0VIEWER", "text": "for you" })).await;
    assert_eq!(answer["channel"], "D0VIEWER");
    assert_eq!(world.playground.direct_messages("U0VIEWER").len(), 1);
    let opened = world.call("conversations.open", json!({ "users": "U0VIEWER" })).await;
    assert_eq!((&opened["channel"]["id"], &opened["already_open"]), (&json!("D0VIEWER"), &json!(true)));
    assert_eq!(world.error("conversations.open", json!({ "users": "U0NONE" })).await, "user_not_found");
    world.playground.set_deactivated("U0VIEWER", true);
    assert_eq!(world.error("conversations.open", json!({ "users": "U0VIEWER" })).await, "user_disabled");
}

#[tokio::test]
async fn users_are_described_as_slack_does() {
    let world = World::new().await;
    world.playground.add_member(Member::new("U0GUEST", "guest", "Guest", "").guest());
    let user = world.call("users.info", json!({ "user": "U0GUEST" })).await;
    assert_eq!((&user["user"]["is_restricted"], &user["user"]["name"]), (&json!(true), &json!("guest")));
    assert_eq!(world.call("users.info", json!({ "user": "U0SWITCHMAN" })).await["user"]["is_bot"], true);
    assert_eq!(world.error("users.info", json!({ "user": "U0NONE" })).await, "user_not_found");
    assert_eq!(world.call("users.list", json!({})).await["members"].as_array().unwrap().len(), 8);
}

#[tokio::test]
async fn a_file_goes_up_in_three_steps_and_comes_down_again() {
    let world = World::new().await;
    let root = world.post_message(json!({ "channel": "C0BATCH", "text": "done" })).await;
    let up = world.call("files.getUploadURLExternal", json!({ "filename": "rejects é.csv", "length": 8 })).await;
    let (url, id) = (up["upload_url"].as_str().unwrap(), up["file_id"].as_str().unwrap());
    let complete = json!({ "files": [{ "id": id, "title": "Rejects" }], "channel_id": "C0BATCH", "thread_ts": root, "initial_comment": "here" });
    assert_eq!(world.error("files.completeUploadExternal", complete.clone()).await, "file_not_found");
    assert_eq!(world.send(Request::post(url), "short").await.unwrap().status, 400);
    assert_eq!(world.send(Request::post(url), "a,b\n1,2\n").await.unwrap().status, 200);
    assert_eq!(world.call("files.completeUploadExternal", complete).await["files"][0]["title"], "Rejects");
    let reply = &world.playground.messages("C0BATCH")[1];
    assert_eq!((reply.thread_ts.as_deref(), reply.text.as_str()), (Some(root.as_str()), "here"));
    assert_eq!(world.playground.file(id).unwrap(), "a,b\n1,2\n");
    let down = world.get(reply.files[0]["url_private_download"].as_str().unwrap()).await;
    assert_eq!((down.status, down.text().as_str()), (200, "a,b\n1,2\n"));
    assert_eq!(world.get("/files/F0NONE/x.csv").await.status, 404);
}

#[tokio::test]
async fn calls_are_recorded_without_the_token() {
    let world = World::new().await;
    world.post_message(json!({ "channel": "C0BATCH", "text": "x" })).await;
    let calls = world.playground.calls();
    assert_eq!((calls.len(), calls[0].method.as_str(), calls[0].status), (1, "chat.postMessage", 200));
    assert_eq!(calls[0].args, json!({ "channel": "C0BATCH", "text": "x" }));
    let all = serde_json::to_string(&calls).unwrap();
    assert!(!all.contains(TOKEN) && !all.contains(SECRET));
}

#[tokio::test]
async fn a_permalink_names_the_message() {
    let world = World::new().await;
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "x" })).await;
    let link = world.call("chat.getPermalink", json!({ "channel": "C0BATCH", "message_ts": ts })).await;
    assert_eq!(link["permalink"], format!("{}/archives/C0BATCH/p{}", world.base, ts.replace('.', "")));
    assert_eq!(world.get(link["permalink"].as_str().unwrap()).await.status, 200);
    assert_eq!(
        world.error("chat.getPermalink", json!({ "channel": "C0BATCH", "message_ts": "1.1" })).await,
        "message_not_found"
    );
}
