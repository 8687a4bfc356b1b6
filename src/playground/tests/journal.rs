//! The journal: what is there again after a restart, and what is not.

use std::io::Write;

use serde_json::json;

use super::World;

#[tokio::test]
async fn a_restart_shows_the_channel_and_the_bot_goes_on_editing() {
    let folder = tempfile::tempdir().unwrap();
    let (journal, files) = (folder.path().join("deep/channel.jsonl"), folder.path().join("files"));
    let open = || {
        World::with(|config| {
            config.journal = Some(journal.clone());
            config.files_dir = Some(files.clone());
        })
    };
    let first = open().await;
    let kept = first.post_message(json!({ "channel": "C0BATCH", "text": "one" })).await;
    let gone = first.post_message(json!({ "channel": "C0BATCH", "text": "two" })).await;
    first.post_message(json!({ "channel": "U0VIEWER", "text": "direct" })).await;
    first.call("chat.postEphemeral", json!({ "channel": "C0BATCH", "user": "U0VIEWER", "text": "psst" })).await;
    first.call("chat.delete", json!({ "channel": "C0BATCH", "ts": gone })).await;
    first.call("chat.update", json!({ "channel": "C0BATCH", "ts": kept, "text": "edited" })).await;
    let up = first.call("files.getUploadURLExternal", json!({ "filename": "a.csv", "length": 1 })).await;
    first.post(up["upload_url"].as_str().unwrap(), &json!(1)).await;
    drop(first);
    // A crash in the middle of a line must not cost the rest.
    std::fs::OpenOptions::new().append(true).open(&journal).unwrap().write_all(b"{\"put\":{\"ts\"").unwrap();

    let second = open().await;
    let texts: Vec<String> = second.playground.messages("C0BATCH").into_iter().map(|m| m.text).collect();
    assert_eq!(texts, ["edited"]);
    assert!(second.playground.ephemerals("U0VIEWER").is_empty());
    assert_eq!(second.playground.direct_messages("U0VIEWER").len(), 1);
    let again = json!({ "channel": "C0BATCH", "ts": kept, "text": "still mine" });
    assert_eq!(second.call("chat.update", again).await["ok"], true);
    let path = format!("/files/{}/a.csv", up["file_id"].as_str().unwrap());
    assert_eq!(second.get(&path).await.text(), "1");
    assert_ne!(second.post_message(json!({ "channel": "C0BATCH", "text": "new" })).await, kept);
}
