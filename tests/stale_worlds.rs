//! The world moves between a request and the vote that would decide: whatever moved, nothing runs, and people are told what it was.

use crate::harness::bot::{Bot, Setup};
use crate::harness::requests::{guard, results};
use switchman::config::FILE_NAME;
use switchman::domain::approval::{ApprovalRule, Request, RequestState, Void};
use switchman::domain::command::Action;
use switchman::domain::run::RunState;

async fn asked(quorum: u32) -> (Bot, Request) {
    let rule = ApprovalRule { quorum, reason: false, ..ApprovalRule::for_regions() };
    let bot = Bot::with(Setup { wrap: Some(guard(&[Action::StartBatch], rule)), ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    let request = bot.request().await;
    (bot, request)
}

/// Changes the configuration and starts the bot anew.
async fn reconfigure(bot: &mut Bot, change: impl FnOnce(String) -> String) {
    let file = bot.path(FILE_NAME);
    let text = change(std::fs::read_to_string(&file).unwrap());
    std::fs::write(&file, text).unwrap();
    bot.restart().await;
}

/// The approver's vote made it void, nothing ran, and whoever asked was told why.
async fn is_void(bot: &Bot, request: &Request) -> String {
    bot.approver().says(&format!("approve {}", request.id)).await;
    let request = bot.request().await;
    assert_eq!(request.state, RequestState::Void, "{request:?}");
    assert_eq!(bot.runs().await.len(), 0);
    assert_eq!(bot.operator().direct().len(), 1);
    match request.void {
        Some(Void::Changed { what }) => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_file_under_the_same_name() {
    let (bot, request) = asked(1).await;
    let input = bot.path("input/sales.csv");
    let mut text = std::fs::read(&input).unwrap();
    text.extend_from_within(text.len() / 2..);
    std::fs::write(&input, text).unwrap();
    let why = is_void(&bot, &request).await;
    assert!(why.contains("sales.csv changed"), "{why}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_went_away() {
    let (bot, request) = asked(1).await;
    std::fs::remove_file(bot.path("input/sales.csv")).unwrap();
    assert!(is_void(&bot, &request).await.contains("unknown-file"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_definition_of_the_job() {
    let (mut bot, request) = asked(1).await;
    reconfigure(&mut bot, |text| text.replace("chunk = \"32 KiB\"", "chunk = \"64 KiB\"")).await;
    assert!(is_void(&bot, &request).await.contains("definition"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_of_whoever_asked_was_taken_away() {
    let (mut bot, request) = asked(1).await;
    reconfigure(&mut bot, |text| text.replacen("roles = [\"operator\"]", "roles = [\"viewer\"]", 1)).await;
    assert!(is_void(&bot, &request).await.contains("may not do it any more"));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_right_of_an_approver_was_taken_away_before_and_after_the_vote() {
    let (mut bot, request) = asked(2).await;
    let approve = format!("approve {}", request.id);
    bot.approver().says(&approve).await;
    reconfigure(&mut bot, |text| text.replacen("roles = [\"approver\"]", "roles = [\"viewer\"]", 1)).await;
    bot.approver().says(&approve).await;
    assert_eq!(results(&bot, "approve").await, ["waiting for approval", "no-rule"]);
    bot.approver2().says(&approve).await;
    let request = bot.request().await;
    assert_eq!(
        (request.state, request.counted(&[])),
        (RequestState::Open, 1),
        "the first vote does not count any more"
    );
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approver_was_deactivated_after_the_vote() {
    let (bot, request) = asked(2).await;
    bot.approver().says(&format!("approve {}", request.id)).await;
    bot.slack.set_deactivated("U0APPROVER1", true);
    bot.approver2().says(&format!("approve {}", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Open);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_run_took_the_file() {
    let (mut bot, request) = asked(1).await;
    // Started where nothing was guarded yet.
    bot.unwrap_ports();
    bot.restart().await;
    bot.operator().says("start-batch sales").await;
    bot.approver().says(&format!("approve {}", request.id)).await;
    let request = bot.request().await;
    assert_eq!((request.state, request.run), (RequestState::Void, None));
    assert_eq!(bot.run().await.current().state, RunState::Succeeded);
    bot.finish().await;
}
