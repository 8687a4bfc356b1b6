//! Rejected rows: in the thread, in the modal page by page, and by a link that runs out.

use crate::harness::bot::{Bot, Setup};
use crate::harness::http;
use std::time::Duration;
use switchman::playground::{Act, Place};

/// The address behind the modal's button.
fn link(bot: &Bot) -> String {
    let (_, button) = bot.operator().modal().unwrap().element(None, "open-link").unwrap();
    button["url"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn they_are_read_page_by_page_and_downloaded() {
    let bot = Bot::with(Setup { rows: 1_000, bad_percent: 2.0, missing_percent: 0.5, ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    let reply = bot.replies().pop().unwrap();
    let file = bot.slack.file(reply.files[0]["id"].as_str().unwrap()).unwrap();
    let attached = String::from_utf8(file.to_vec()).unwrap();
    assert_eq!(attached.lines().count(), 26, "a header and each rejected row");

    assert!(bot.operator().clicks("view-rejects").await.is_ok());
    let first = bot.operator().reads_modal();
    assert!(first.contains("rejected rows 1 to 10 of 25") && !first.contains("[Earlier]"), "{first}");
    let turn = |action: &str| Act::click("", action).at(Place::View(bot.operator().modal().unwrap().id));
    bot.operator().acts(&turn("rejects-later")).await;
    bot.operator().acts(&turn("rejects-later")).await;
    let last = bot.operator().reads_modal();
    assert!(last.contains("rejected rows 21 to 25 of 25") && !last.contains("[Later]"), "{last}");
    bot.operator().acts(&turn("rejects-earlier")).await;
    let second = bot.operator().reads_modal();
    assert!(second.contains("rejected rows 11 to 20 of 25"), "back is a whole page: {second}");

    bot.operator().acts(&turn("download-rejects")).await;
    let (status, body) = http::get(&link(&bot)).await;
    assert_eq!((status, body == attached), (200, true));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_download_link_outlives_a_restart_and_ends_after_an_hour() {
    let mut bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    assert!(bot.operator().clicks("download-output").await.is_ok());
    let given = link(&bot);
    let path = given.split_once("/download/").unwrap().1.to_owned();
    let (status, output) = http::get(&given).await;
    assert_eq!((status, output.lines().count() as u64), (200, bot.totals.accepted + 1));
    bot.restart().await;
    let again = format!("{}/download/{path}", bot.base());
    assert_eq!(http::get(&again).await.0, 200);
    assert_eq!(http::get(&again.replace("/output?", "/rejects?")).await.0, 403, "only for what it names");
    bot.clock.advance(Duration::from_mins(61));
    assert_eq!(http::get(&again).await.0, 403);
    let handed = bot.audit().await.into_iter().filter(|r| r.draft.action == "download-link").count();
    assert_eq!(handed, 1, "who got a link is in the audit trail");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_see_no_row_and_get_no_link() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    for button in ["view-rejects", "download-output"] {
        bot.stranger().clicks(button).await;
        bot.settle().await;
        assert!(bot.stranger().modal().is_none(), "{button}");
    }
    assert_eq!(bot.stranger().told().len(), 2);
    assert!(bot.viewer().clicks("view-rejects").await.is_ok());
    assert!(bot.viewer().reads_modal().contains("rejected rows 1 to 10"), "who may look may look");
    bot.finish().await;
}
