//! A workflow waits for people: it is asked in Slack, people decide about exactly what it asks, and it is answered once. It never
//! hangs in silence, and nobody is told that a decision had an effect that it did not have.

use crate::harness::bot::{Bot, CHANNEL, Setup};
use crate::harness::requests::results;
use crate::harness::workflows::{TOKEN, Workflows, question};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::approval::{ApprovalRule, Guarded, RequestState};
use switchman::domain::id::JobName;
use switchman::domain::task::{TaskOutcome, Told};
use switchman::playground::Ack;
use switchman::ports::{Clock, task_key};
use switchman::processor::Ctx;

const MINUTE: Duration = Duration::from_mins(1);

async fn bot(workflows: &Workflows) -> Bot {
    Bot::with(Setup { wrap: Some(workflows.wrap()), ..Setup::default() }).await
}

/// The same, and questions are decided by this rule.
async fn ruled(workflows: &Workflows, jobs: Vec<JobName>, rule: ApprovalRule) -> Bot {
    let (workflows, guarded) = (workflows.clone(), Guarded { actions: vec![], workflows: true, jobs, rule });
    let wrap = move |ctx: Ctx| {
        let catalog = Arc::new((*ctx.catalog).clone().guarded_by(vec![guarded.clone()]));
        workflows.put_into(Ctx { catalog, ..ctx })
    };
    Bot::with(Setup { wrap: Some(Arc::new(wrap)), ..Setup::default() }).await
}

fn with(field: &str, value: Value) -> Value {
    let mut body = question();
    body[field] = value;
    body
}

/// Time passes, and what is due is done.
async fn pass(bot: &Bot, by: Duration) {
    bot.clock.advance(by);
    bot.settle().await;
}

/// The token that is kept for the newest question.
async fn kept(bot: &Bot) -> Option<String> {
    let id = bot.request().await.id;
    let stored = bot.ports().store.record(&task_key(&id)).await.unwrap().unwrap();
    let task: Value = serde_json::from_str(&stored.body).unwrap();
    task["token"].as_str().map(str::to_owned)
}

fn success(workflows: &Workflows) -> Value {
    match workflows.answers().as_slice() {
        [TaskOutcome::Success { output }] => output.clone(),
        other => panic!("one success was expected: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_is_shown_exactly_and_the_decision_goes_back_to_the_workflow() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    let request = bot.request().await;
    insta::assert_snapshot!(bot.channel(), @r##"
    ⏳ *Request q-z5dy: waiting for approval*
    Workflow `price-list` asks: Publish the price list of *November*?
    asked for by workflow price-list
    The workflow waits. Approved, it goes on; denied or not decided in time, it is told so and its step fails.
    Publish the price list of *November*?
    rows:
    812
    largest change:
    +30 % & more
    *0 of 1 approval*
    May approve: @Approver 1, @Approver 2. One denial ends it.
    (Open until 2026-03-03 08:00 UTC. Digest `981208d2`: an approval counts for this very plan and no other.)
    (By text: `/my-slack-bot approve q-z5dy` or `/my-slack-bot deny q-z5dy REASON`)
    [Approve…] [Deny…]
    "##);
    bot.approver().says(&format!("approve {} looks right", request.id)).await;
    let output = success(&workflows);
    assert_eq!((&output["approved"], &output["reason"]), (&json!(true), &json!("looks right")));
    assert_eq!(output["by"][0]["id"], "U0APPROVER1");
    assert_eq!(output["digest"], request.digest.to_string());
    let request = bot.request().await;
    assert_eq!((request.state, &request.told), (RequestState::Done, &Some(Told::Answered)));
    assert!(bot.card_text().contains("The workflow has its answer."), "{}", bot.card_text());
    let told = bot.ports().store.audit(0, 1000).await.unwrap();
    let everything = format!("{told:?} {} {request:?}", bot.slack.transcript());
    assert!(!everything.contains(TOKEN), "the token is shown nowhere");
    assert!(told.iter().any(|r| r.draft.why == "workflow price-list" && r.draft.actor.is_none()));
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_catalog_says_who_decides_and_nobody_else_does() {
    let workflows = Workflows::default();
    let rule = ApprovalRule { quorum: 2, ..ApprovalRule::for_workflows() };
    let bot = ruled(&workflows, vec![], rule).await;
    bot.is_asked(&question()).await;
    let approve = format!("approve {}", bot.request().await.id);
    for person in [bot.stranger(), bot.viewer(), bot.operator()] {
        person.says(&approve).await;
    }
    bot.approver().says(&approve).await;
    bot.approver().says(&approve).await;
    assert_eq!(workflows.tries(), 0, "one of two has approved");
    bot.approver2().says(&approve).await;
    assert_eq!(success(&workflows)["by"].as_array().unwrap().len(), 2);
    let results = results(&bot, "approve").await;
    assert_eq!(
        results,
        ["not-listed", "no-rule", "not-an-approver", "waiting for approval", "counted-before", "approved"]
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_for_one_workflow_is_not_for_the_others() {
    let workflows = Workflows::default();
    let strict = ApprovalRule { quorum: 2, ..ApprovalRule::for_workflows() };
    let bot = ruled(&workflows, vec![JobName::parse("payroll").unwrap()], strict).await;
    bot.is_asked(&question()).await;
    assert_eq!(bot.request().await.rule, ApprovalRule::for_workflows());
    bot.is_asked(&with("job", json!("payroll"))).await;
    assert_eq!(bot.requests().await.len(), 1, "the same token is the same question");
    let mut other = with("job", json!("payroll"));
    other["token"] = json!("another");
    bot.is_asked(&other).await;
    assert_eq!(bot.request().await.rule.quorum, 2);
    for request in bot.requests().await {
        bot.approver().says(&format!("deny {} no", request.id)).await;
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denial_fails_the_step_with_who_and_why() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    let id = bot.request().await.id;
    bot.approver().says(&format!("deny {id} not before noon")).await;
    let (error, cause) = workflows.failure();
    assert_eq!(error, "Denied");
    assert!(cause.contains("U0APPROVER1") && cause.ends_with("not before noon"), "{cause}");
    assert_eq!(bot.request().await.state, RequestState::Denied);
    assert!(bot.card_text().contains("The workflow has its answer."), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_expires_before_the_workflow_stops_waiting() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    let asked = bot.clock.now();
    bot.is_asked(&with("expiresIn", json!("PT2H"))).await;
    pass(&bot, MINUTE * 118).await;
    assert_eq!(bot.request().await.state, RequestState::Open);
    pass(&bot, MINUTE + Duration::from_secs(1)).await;
    assert!(bot.clock.now() < asked + MINUTE * 120, "the workflow still waits");
    assert_eq!(workflows.failure().0, "Expired");
    let id = bot.request().await.id;
    bot.approver().says(&format!("approve {id}")).await;
    assert_eq!(results(&bot, "approve").await, ["request-expired"]);
    assert_eq!(workflows.tries(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_expires_in_time_although_slack_never_took_its_message() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.slack.archive(CHANNEL, true);
    let body = with("expiresIn", json!("PT10M"));
    let now = bot.clock.now();
    let task = switchman::domain::task::TaskWaiting::read(&body, None, now).unwrap();
    let envelope = switchman::domain::envelope::Envelope::task_waiting(task, now).unwrap();
    bot.ports().bus.publish(envelope).await.unwrap();
    bot.drain().await;
    bot.clock.advance(MINUTE * 9 + Duration::from_secs(1));
    bot.drain().await;
    assert_eq!(workflows.failure().0, "Expired");
    bot.slack.archive(CHANNEL, false);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_workflow_hears_twice_in_each_of_its_intervals_that_people_are_at_it() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&with("heartbeat", json!("PT4M"))).await;
    let before = workflows.beats();
    for _ in 0..5 {
        pass(&bot, MINUTE * 2).await;
    }
    assert_eq!(workflows.beats() - before, 5);
    let id = bot.request().await.id;
    bot.approver().says(&format!("approve {id}")).await;
    let at_the_end = workflows.beats();
    pass(&bot, MINUTE * 10).await;
    assert_eq!(workflows.beats(), at_the_end, "nobody waits any more");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_that_ends_while_people_think_is_seen_to_by_its_heartbeat() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&with("heartbeat", json!("PT4M"))).await;
    workflows.end();
    pass(&bot, MINUTE * 2).await;
    let request = bot.request().await;
    assert_eq!((request.state, &request.told), (RequestState::Void, &Some(Told::TooLate)));
    assert_eq!(workflows.tries(), 0, "there is nobody to answer");
    insta::assert_snapshot!(bot.channel(), @r##"
    ⏹️ *Request q-z5dy: void*
    Workflow `price-list` asks: Publish the price list of *November*?
    asked for by workflow price-list
    The workflow has ended meanwhile: there is nothing to decide any more.
    (Digest `e1761abd`)
      > ⏹️ *Request q-z5dy: void*
    Workflow `price-list` asks: Publish the price list of *November*?
    The workflow has ended meanwhile: there is nothing to decide any more.
    "##);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_comes_too_late_says_so_once() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    workflows.end();
    let id = bot.request().await.id;
    bot.approver().says(&format!("approve {id}")).await;
    let request = bot.request().await;
    assert_eq!((request.state, &request.told), (RequestState::Void, &Some(Told::TooLate)));
    assert_eq!(results(&bot, "answer-task").await, ["too-late"]);
    insta::assert_snapshot!(bot.channel(), @r##"
    ⏹️ *Request q-z5dy: void*
    Workflow `price-list` asks: Publish the price list of *November*?
    asked for by workflow price-list
    The workflow has ended meanwhile: this decision had no effect.
    @Approver 1 approved 2026-03-02 08:00 UTC, no reason given.
    (Digest `981208d2`)
      > ⏹️ *Request q-z5dy: void*
    Workflow `price-list` asks: Publish the price list of *November*?
    The workflow has ended meanwhile: this decision had no effect.
    "##);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn our_own_repetition_is_not_taken_for_a_dead_workflow() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    workflows.lose_receipt();
    let id = bot.request().await.id;
    bot.approver().says(&format!("approve {id}")).await;
    assert_eq!((workflows.answers().len(), workflows.tries()), (1, 2));
    let request = bot.request().await;
    assert_eq!((request.state, &request.told), (RequestState::Done, &Some(Told::Unconfirmed)));
    assert!(bot.card_text().contains("The workflow was answered"), "{}", bot.card_text());
    assert_eq!(bot.replies().len(), 0, "nobody is told that it was in vain");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_token_is_kept_until_the_workflow_has_its_answer_or_is_gone() {
    for gone in [false, true] {
        let workflows = Workflows::default();
        let bot = bot(&workflows).await;
        bot.is_asked(&with("heartbeat", json!("PT4M"))).await;
        assert_eq!(kept(&bot).await.as_deref(), Some(TOKEN));
        if gone {
            workflows.end();
            pass(&bot, MINUTE * 2).await;
        } else {
            let id = bot.request().await.id;
            bot.approver().says(&format!("approve {id}")).await;
        }
        assert!(bot.request().await.told.is_some());
        assert_eq!(kept(&bot).await, None, "gone: {gone}");
        bot.finish().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_cannot_be_given_is_said_and_not_hidden() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    workflows.break_down();
    let id = bot.request().await.id;
    bot.approver().says(&format!("approve {id}")).await;
    assert!(bot.card_text().contains("The workflow does not know of this decision."), "{}", bot.card_text());
    assert_eq!(bot.request().await.state, RequestState::Void);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_be_asked_the_workflow_is_told_why() {
    let workflows = Workflows::default();
    let closed = bot(&workflows).await;
    closed.is_asked(&with("channel", json!("C0ELSEWHERE"))).await;
    let (error, cause) = workflows.failure();
    assert_eq!(error, "Refused");
    assert!(cause.contains("C0ELSEWHERE"), "{cause}");
    assert_eq!(closed.cards().len(), 0);
    assert_eq!(results(&closed, "task-waiting").await, ["channel-not-permitted"]);
    closed.finish().await;

    let workflows = Workflows::default();
    let rule = ApprovalRule { quorum: 3, ..ApprovalRule::for_workflows() };
    let few = ruled(&workflows, vec![], rule).await;
    few.is_asked(&question()).await;
    assert_eq!(workflows.failure().0, "Refused");
    assert!(few.card_text().contains("3 must approve, and only 2"), "{}", few.card_text());
    few.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_buttons_and_forms_of_a_question_are_those_of_every_request() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    bot.is_asked(&question()).await;
    let ack: Ack = bot.approver().clicks("approve-request").await;
    assert!(ack.is_ok(), "{ack:?}");
    assert!(bot.approver().reads_modal().contains("+30 % & more"), "{}", bot.approver().reads_modal());
    bot.approver().submits(json!({"reason": {"reason": "fine"}})).await;
    bot.settle().await;
    assert_eq!(success(&workflows)["reason"], "fine");
    bot.finish().await;
}
