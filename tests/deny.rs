//! `deny`: one denial decides, with a reason that everybody can read; whoever asked withdraws.

use crate::harness::bot::{Bot, Setup};
use crate::harness::requests::{guard, results};
use switchman::domain::approval::{ApprovalRule, Request, RequestState};
use switchman::domain::command::Action;

async fn asked() -> (Bot, Request) {
    let wrap = guard(&[Action::StartBatch], ApprovalRule::for_regions());
    let bot = Bot::with(Setup { wrap: Some(wrap), ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    let request = bot.request().await;
    (bot, request)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_denial_with_a_reason_decides_and_whoever_asked_is_told() {
    let (bot, request) = asked().await;
    bot.approver().says(&format!("deny {}", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Open, "a denial needs a reason");
    bot.approver().says(&format!("deny {} it is the file of last week", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Denied);
    assert!(bot.card_text().contains("it is the file of last week"), "{}", bot.card_text());
    assert!(bot.operator().direct()[0].contains("it is the file of last week"), "{:?}", bot.operator().direct());
    bot.approver2().says(&format!("approve {} no, it is right", request.id)).await;
    assert_eq!(results(&bot, "approve").await, ["decided-before"]);
    assert_eq!(bot.runs().await.len(), 0);
    bot.operator().says("start-batch sales").await;
    assert_eq!(bot.requests().await.iter().filter(|r| r.is_open()).count(), 1, "it may be asked for anew");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_withdraws() {
    let (bot, request) = asked().await;
    bot.operator().says(&format!("deny {} not today", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Denied);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_deny_nothing() {
    let (bot, request) = asked().await;
    bot.stranger().says(&format!("deny {} because", request.id)).await;
    bot.viewer().says(&format!("deny {} because", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Open);
    bot.finish().await;
}
