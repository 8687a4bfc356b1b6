//! `approve`: distinct people decide about one exact plan, and every vote that does not count has its own private answer.

use crate::harness::bot::{Bot, Person, Setup};
use crate::harness::requests::{guard, results};
use std::time::Duration;
use switchman::domain::approval::{ApprovalRule, Request, RequestState};
use switchman::domain::command::Action;
use switchman::domain::run::RunState;
use switchman::ports::Clock;

/// Starts need two approvers.
fn two() -> ApprovalRule {
    ApprovalRule { reason: false, ..ApprovalRule::for_regions() }
}

async fn asked(rule: ApprovalRule) -> (Bot, Request) {
    let bot = Bot::with(Setup { wrap: Some(guard(&[Action::StartBatch], rule)), ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    assert_eq!(bot.runs().await.len(), 0, "nothing runs before it is approved");
    let request = bot.request().await;
    (bot, request)
}

/// The private answers that a vote gets.
async fn answers(person: Person<'_>, line: &str) -> Vec<String> {
    let before = person.told().len();
    person.says(line).await;
    person.told().split_off(before)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_guarded_runs_when_enough_people_have_approved_it() {
    let (bot, request) = asked(two()).await;
    let approve = format!("approve {}", request.id);
    assert!(bot.card_text().contains(request.digest.short()), "{}", bot.card_text());
    assert_eq!(answers(bot.approver(), &approve).await.len(), 1);
    assert_eq!(bot.request().await.state, RequestState::Open);
    assert_eq!(answers(bot.approver2(), &format!("{approve} looks right")).await.len(), 1);
    let request = bot.request().await;
    assert_eq!(request.state, RequestState::Done);
    let run = bot.run().await;
    assert_eq!((request.run.as_ref(), run.current().state), (Some(&run.id), RunState::Succeeded));
    assert_eq!(run.current().asked_by.person().unwrap().user.as_str(), "U0OPERATOR");
    let card = bot.slack.read(&bot.cards()[0]);
    assert!(card.contains("looks right"), "whoever decided, and why, stays readable: {card}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_vote_that_does_not_count_has_an_answer_of_its_own() {
    let (bot, request) = asked(two()).await;
    let approve = format!("approve {}", request.id);
    let mut told = Vec::new();
    let as_asker = answers(bot.operator(), &approve).await;
    told.extend(as_asker);
    bot.approver().says(&approve).await;
    told.extend(answers(bot.approver(), &approve).await);
    told.extend(answers(bot.viewer(), &approve).await);
    told.extend(answers(bot.approver2(), "approve q-9999").await);
    bot.approver2().says(&approve).await;
    told.extend(answers(bot.approver(), &approve).await);
    assert_eq!(told.len(), 5, "{told:#?}");
    let different: std::collections::HashSet<&String> = told.iter().collect();
    assert_eq!(different.len(), 5, "{told:#?}");
    assert_eq!(
        results(&bot, "approve").await,
        [
            "own-request",
            "waiting for approval",
            "counted-before",
            "no-rule",
            "unknown-request",
            "done",
            "decided-before"
        ]
    );
    assert_eq!(bot.runs().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_too_few_could_approve_is_refused_by_name() {
    let rule = ApprovalRule { quorum: 3, ..two() };
    let bot = Bot::with(Setup { wrap: Some(guard(&[Action::StartBatch], rule)), ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    let told = bot.operator().told_last();
    assert!(told.contains("Approver 1") && told.contains("Approver 2"), "{told}");
    assert_eq!(results(&bot, "start-batch").await, ["no-quorum"]);
    assert!(bot.requests().await.is_empty());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_is_asked_for_once() {
    let (bot, request) = asked(two()).await;
    bot.operator().says("start-batch sales").await;
    assert!(bot.operator().told_last().contains(request.id.as_str()), "{}", bot.operator().told_last());
    assert_eq!(bot.requests().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_remembered_of_at_growing_gaps_and_then_expires() {
    let rule = ApprovalRule { expires: jiff::SignedDuration::from_mins(80), ..two() };
    let (bot, request) = asked(rule).await;
    for (minutes, reminders) in [(9, 0), (2, 1), (18, 1), (2, 2), (38, 2), (2, 3)] {
        bot.clock.advance(Duration::from_secs(minutes * 60));
        bot.settle().await;
        assert_eq!(bot.replies().len(), reminders, "after {minutes} more minutes");
    }
    bot.clock.advance(Duration::from_secs(10 * 60));
    bot.settle().await;
    assert_eq!(bot.request().await.state, RequestState::Expired);
    assert_eq!(bot.operator().direct().len(), 1, "whoever asked is told");
    assert_eq!(answers(bot.approver(), &format!("approve {}", request.id)).await.len(), 1);
    assert_eq!(results(&bot, "approve").await, ["request-expired"]);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_click_between_its_end_and_the_next_look_is_too_late_as_well() {
    let (bot, request) = asked(two()).await;
    // The clock of the request runs from its message, not from the command.
    let left = request.time_left(bot.clock.now()).unwrap();
    bot.clock.advance(left.unsigned_abs());
    bot.approver().types(&format!("approve {}", request.id)).await;
    bot.settle().await;
    assert_eq!(bot.request().await.decisions.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_glass_runs_at_once_tells_who_was_passed_over_and_waits_for_a_review() {
    let rule = ApprovalRule { break_glass: vec![switchman::domain::actor::Role::new("approver")], ..two() };
    let (bot, request) = asked(rule).await;
    bot.approver().says(&format!("approve {} break-glass", request.id)).await;
    assert_eq!(bot.request().await.state, RequestState::Open, "without a reason it does not break");
    bot.approver().says(&format!("approve {} break-glass the customer waits", request.id)).await;
    let broken = bot.request().await;
    assert!(broken.state == RequestState::Done && broken.review_is_open(), "{broken:?}");
    assert_eq!(bot.run().await.current().state, RunState::Succeeded);
    assert_eq!((bot.approver2().direct().len(), bot.approver().direct().len()), (1, 0));
    bot.approver().says(&format!("approve {} all fine", request.id)).await;
    assert!(bot.request().await.review_is_open(), "nobody reviews what they broke");
    bot.approver2().says(&format!("approve {} seen, it was right", request.id)).await;
    assert!(!bot.request().await.review_is_open());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_approve_nothing() {
    let (bot, request) = asked(two()).await;
    bot.stranger().says(&format!("approve {}", request.id)).await;
    bot.viewer().says(&format!("approve {}", request.id)).await;
    assert_eq!(bot.request().await.decisions, []);
    assert!(!bot.stranger().told_last().contains("Approver"), "a stranger learns nothing");
    bot.finish().await;
}
