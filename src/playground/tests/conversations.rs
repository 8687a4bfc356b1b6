//! `conversations.*`: what the history shows, in which order, in which pages.

use serde_json::{Value, json};

use super::World;

fn texts(answer: &Value) -> Vec<&str> {
    answer["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap()).collect()
}

async fn world_with_five() -> (World, Vec<String>) {
    let world = World::new().await;
    let mut all = Vec::new();
    for text in ["a", "b", "c", "d", "e"] {
        all.push(world.post_message(json!({ "channel": "C0BATCH", "text": text })).await);
        world.advance(10);
    }
    (world, all)
}

#[tokio::test]
async fn history_is_newest_first_and_paged() {
    let (world, _) = world_with_five().await;
    let first = world.call("conversations.history", json!({ "channel": "C0BATCH", "limit": "2" })).await;
    assert_eq!((texts(&first), &first["has_more"]), (vec!["e", "d"], &json!(true)));
    let cursor = first["response_metadata"]["next_cursor"].clone();
    let args = json!({ "channel": "C0BATCH", "limit": 3, "cursor": cursor });
    let second = world.call("conversations.history", args).await;
    assert_eq!((texts(&second), &second["has_more"]), (vec!["c", "b", "a"], &json!(false)));
    for (args, error) in [
        (json!({ "channel": "C0BATCH", "cursor": "?" }), "invalid_cursor"),
        (json!({ "channel": "C0BATCH", "limit": "x" }), "invalid_limit"),
        (json!({ "channel": "C0BATCH", "oldest": "x" }), "invalid_ts_oldest"),
        (json!({ "channel": "C0BATCH", "latest": "x" }), "invalid_ts_latest"),
        (json!({ "channel": "C0RANDOM" }), "not_in_channel"),
        (json!({ "channel": "C0NONE" }), "channel_not_found"),
    ] {
        assert_eq!(world.error("conversations.history", args).await, error);
    }
}

#[tokio::test]
async fn oldest_and_latest_exclude_themselves_unless_asked() {
    let (world, all) = world_with_five().await;
    let mut args = json!({ "channel": "C0BATCH", "oldest": all[1], "latest": all[3] });
    assert_eq!(texts(&world.call("conversations.history", args.clone()).await), ["c"]);
    args["inclusive"] = json!(true);
    assert_eq!(texts(&world.call("conversations.history", args).await), ["d", "c", "b"]);
}

#[tokio::test]
async fn metadata_is_kept_and_given_when_asked_for() {
    let world = World::new().await;
    let metadata = json!({ "event_type": "run", "event_payload": { "id": "r-1" } });
    let ts = world.post_message(json!({ "channel": "C0BATCH", "text": "x", "metadata": metadata })).await;
    world.call("chat.update", json!({ "channel": "C0BATCH", "ts": ts, "text": "y" })).await;
    let history = |all: bool| json!({ "channel": "C0BATCH", "include_all_metadata": all });
    assert_eq!(world.call("conversations.history", history(true)).await["messages"][0]["metadata"], metadata);
    assert_eq!(world.call("conversations.history", history(false)).await["messages"][0].get("metadata"), None);
}

#[tokio::test]
async fn replies_are_in_the_thread_and_not_in_the_history() {
    let world = World::new().await;
    let root = world.post_message(json!({ "channel": "C0BATCH", "text": "root" })).await;
    let reply = world.post_message(json!({ "channel": "C0BATCH", "text": "reply", "thread_ts": root })).await;
    world.post_message(json!({ "channel": "C0BATCH", "text": "nested", "thread_ts": reply })).await;
    let broadcast = json!({ "channel": "C0BATCH", "text": "loud", "thread_ts": root, "reply_broadcast": true });
    world.post_message(broadcast).await;
    world.call("chat.postEphemeral", json!({ "channel": "C0BATCH", "user": "U0VIEWER", "text": "psst" })).await;
    let history = world.call("conversations.history", json!({ "channel": "C0BATCH" })).await;
    assert_eq!(texts(&history), ["loud", "root"]);
    assert_eq!(history["messages"][1]["reply_count"], 3);
    let thread = world.call("conversations.replies", json!({ "channel": "C0BATCH", "ts": root })).await;
    assert_eq!(texts(&thread), ["root", "reply", "nested", "loud"]);
    let missing = json!({ "channel": "C0BATCH", "ts": "1.1" });
    assert_eq!(world.error("conversations.replies", missing).await, "thread_not_found");
}

#[tokio::test]
async fn channels_are_described_and_listed() {
    let world = World::new().await;
    let info = world.call("conversations.info", json!({ "channel": "C0RANDOM" })).await;
    assert_eq!((&info["channel"]["name"], &info["channel"]["is_member"]), (&json!("random"), &json!(false)));
    world.playground.archive("C0RANDOM", true);
    let ids =
        |answer: &Value| answer["channels"].as_array().unwrap().iter().map(|c| c["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&world.call("conversations.list", json!({})).await), ["C0BATCH", "C0RANDOM"]);
    assert_eq!(ids(&world.call("conversations.list", json!({ "exclude_archived": true })).await), ["C0BATCH"]);
    world.call("conversations.open", json!({ "users": "U0VIEWER" })).await;
    assert_eq!(ids(&world.call("conversations.list", json!({ "types": "im" })).await), ["D0VIEWER"]);
    world.playground.set_deactivated("U0VIEWER", true);
    let members = world.call("conversations.members", json!({ "channel": "C0BATCH" })).await;
    assert_eq!(
        members["members"],
        json!(["U0OPERATOR", "U0APPROVER1", "U0APPROVER2", "U0LEAD", "U0STRANGER", "U0SWITCHMAN"])
    );
}
