//! Approvals by button and form: what the form shows, what it refuses beside a field, and what comes back in private.

use crate::harness::bot::{Bot, Setup, Wrap};
use crate::harness::regions::with_names;
use serde_json::json;
use std::sync::Arc;
use switchman::domain::actor::{Actor, Role};
use switchman::domain::approval::{ApprovalRule, Guarded, RequestState};
use switchman::domain::command::Action;
use switchman::domain::id::{RegionName, TeamId, UserId};
use switchman::domain::job::Catalog;
use switchman::embedded::LocalSecrets;
use switchman::playground::{Ack, Act, Place};
use switchman::ports::{Clock, StepUp};
use switchman::processor::Ctx;

const SECOND: &str = "U0APPROVER2";

fn one() -> ApprovalRule {
    ApprovalRule { quorum: 1, ..ApprovalRule::for_regions() }
}

/// What stands beside a field after a form was sent.
fn beside(ack: &Ack, field: &str) -> String {
    ack.errors.iter().find(|(block, _)| block == field).map(|(_, text)| text.clone()).unwrap_or_default()
}

/// A bot whose jobs are started by request only.
async fn guarded(rule: ApprovalRule) -> Bot {
    let wrap: Wrap = Arc::new(move |ctx: Ctx| {
        let guard = Guarded { actions: vec![Action::StartBatch], workflows: false, jobs: vec![], rule: rule.clone() };
        Ctx { catalog: Arc::new(Catalog::clone(&ctx.catalog).guarded_by(vec![guard])), ..ctx }
    });
    let bot = Bot::with(Setup { wrap: Some(wrap), ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    bot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_shows_the_plan_and_its_vote_starts_the_run() {
    let bot = guarded(ApprovalRule::for_regions()).await;
    let card = bot.card_text();
    assert!(card.contains("0 of 2 approvals") && card.contains("[Approve…] [Deny…]"), "{card}");
    assert!(bot.approver().clicks("approve-request").await.is_ok());
    let form = bot.approver().reads_modal();
    assert!(form.contains("Start `sales`") && form.contains("After yours 1 more is needed"), "{form}");
    let ack = bot.approver().submits(json!({"reason": "   "})).await;
    assert!(beside(&ack, "reason").contains("Write why"), "{ack:?}");
    assert!(bot.approver().submits(json!({"reason": "looks\n right"})).await.is_ok());
    assert!(bot.approver().modal().is_none());
    bot.settle().await;
    assert!(bot.approver().told_last().contains("1 of 2 approvals"), "{:?}", bot.approver().told());
    assert!(bot.card_text().contains("looks right"), "{}", bot.card_text());

    bot.approver().clicks("approve-request").await;
    assert!(bot.approver().reads_modal().contains("*Already counted.*"), "{}", bot.approver().reads_modal());

    let second = bot.person(SECOND);
    second.clicks("approve-request").await;
    assert!(second.reads_modal().contains("Yours is the last that is needed"), "{}", second.reads_modal());
    assert!(second.submits(json!({"reason": "me too"})).await.is_ok());
    bot.settle().await;
    assert!(second.told_last().contains("was the last that was needed"), "{:?}", second.told());
    let request = bot.slack.read(&bot.cards()[0]);
    assert!(request.contains("approved*") && request.contains("me too") && !request.contains("[Approve"), "{request}");
    assert_eq!(bot.runs().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_are_refused_at_the_click() {
    let bot = guarded(one()).await;
    for action in ["approve-request", "deny-request"] {
        bot.viewer().clicks(action).await;
        bot.settle().await;
        assert!(bot.viewer().modal().is_none());
        assert!(bot.viewer().told_last().contains("You may not do that here"), "{:?}", bot.viewer().told());
    }
    bot.stranger().clicks("approve-request").await;
    bot.operator().clicks("approve-request").await;
    bot.settle().await;
    assert!(bot.stranger().told_last().contains("not on the list"), "{:?}", bot.stranger().told());
    assert!(
        bot.operator().reads_modal().contains("yourself, and whoever asked does not count"),
        "{}",
        bot.operator().reads_modal()
    );
    assert!(bot.card_text().contains("0 of 1 approval"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_comes_too_late_is_told_who_decided() {
    let bot = guarded(one()).await;
    let second = bot.person(SECOND);
    second.clicks("approve-request").await;
    let old = bot.card();
    bot.approver().clicks("deny-request").await;
    assert!(bot.approver().submits(json!({"reason": "wrong file"})).await.is_ok());
    bot.settle().await;
    assert!(bot.operator().direct().last().is_some_and(|text| text.contains("wrong file")));
    assert!(second.submits(json!({"reason": "fine"})).await.is_ok());
    bot.settle().await;
    let told = second.told_last();
    assert!(told.contains("*Already decided.*") && told.contains("denied") && told.contains("Approver 1"), "{told}");
    let stale = Act { stale: true, ..Act::click(&old.ts, "approve-request") };
    second.acts(&stale).await;
    bot.settle().await;
    let modal = second.reads_modal();
    assert!(modal.contains("*Already decided.*") && modal.contains("Approver 1"), "{modal}");
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_asked_withdraws_with_the_form() {
    let bot = guarded(one()).await;
    bot.operator().clicks("deny-request").await;
    assert!(bot.operator().reads_modal().contains("This takes your request back"), "{}", bot.operator().reads_modal());
    assert!(bot.operator().submits(json!({"reason": "wrong day"})).await.is_ok());
    bot.settle().await;
    assert!(bot.card_text().contains("withdrawn"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_glass_is_told_and_reviewed_by_somebody_else() {
    let bot = guarded(ApprovalRule { break_glass: vec![Role::new("approver")], ..ApprovalRule::for_regions() }).await;
    bot.approver().clicks("break-glass").await;
    assert!(bot.approver().reads_modal().contains("on your word alone"), "{}", bot.approver().reads_modal());
    assert!(bot.approver().submits(json!({"reason": "nobody answers"})).await.is_ok());
    bot.settle().await;
    assert_eq!(bot.runs().await.len(), 1);
    let second = bot.person(SECOND);
    assert!(second.direct().last().is_some_and(|text| text.contains("nobody answers")), "{:?}", second.direct());
    let request = bot.cards().remove(0);
    assert!(bot.slack.read(&request).contains("[Close review…]"), "{}", bot.slack.read(&request));
    bot.approver().clicks_on(&request, "close-review").await;
    assert!(bot.approver().reads_modal().contains("You broke the glass on"), "{}", bot.approver().reads_modal());
    second.clicks_on(&request, "close-review").await;
    assert!(second.submits(json!({"reason": "it was right"})).await.is_ok());
    bot.settle().await;
    let request = bot.slack.read(&bot.cards()[0]);
    assert!(request.contains("glass broken, reviewed") && request.contains("it was right"), "{request}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_code_of_the_moment_approves_once_and_a_wrong_one_is_said_beside_its_field() {
    let bot = guarded(ApprovalRule { step_up: true, ..one() }).await;
    let secrets = Arc::new(LocalSecrets::beside(&bot.path("var"), Vec::new()));
    let clock: Arc<dyn Clock> = Arc::new(bot.clock.clone());
    let desk = StepUp::new(bot.ports().store.clone(), secrets, clock.clone(), "switchman".into());
    let (team, user) = (TeamId::parse("T0LOCAL").unwrap(), UserId::parse("U0APPROVER1").unwrap());
    let secret = desk.enrol(&Actor { team, user, name: "Approver 1".into() }).await.unwrap().unwrap();
    let code = secret.code(clock.now().as_second().div_euclid(30));
    let wrong = format!("{:06}", (code.parse::<u32>().unwrap() + 1) % 1_000_000);
    bot.approver().clicks("approve-request").await;
    let ack = bot.approver().submits(json!({"reason": "fine", "code": wrong})).await;
    assert!(beside(&ack, "code").contains("wrong or too old"), "{ack:?}");
    assert!(bot.approver().submits(json!({"reason": "fine", "code": code})).await.is_ok());
    bot.settle().await;
    let request = bot.request().await;
    assert!(request.state == RequestState::Done && request.decisions[0].stepped_up, "{request:?}");
    assert_eq!(bot.runs().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_asked_for_and_without_any_set_up_nothing_is_approved() {
    let bot = guarded(ApprovalRule { step_up: true, ..one() }).await;
    bot.approver().clicks("approve-request").await;
    let ack = bot.approver().submits(json!({"reason": "fine", "code": "123456"})).await;
    assert!(beside(&ack, "code").contains("no authenticator app for you"), "{ack:?}");
    bot.settle().await;
    assert!(bot.card_text().contains("0 of 1 approval"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_id_the_request_is_chosen_from_those_that_one_may_decide() {
    let bot = guarded(one()).await;
    bot.approver().types("approve").await;
    let id = bot.card_text().split_whitespace().find(|word| word.starts_with("q-")).unwrap().replace(':', "");
    assert!(bot.approver().reads_modal().contains(&id), "{}", bot.approver().reads_modal());
    assert!(bot.approver().submits(json!({"request": id})).await.is_ok());
    assert!(bot.approver().reads_modal().contains("Digest"), "{}", bot.approver().reads_modal());
    assert!(bot.approver().submits(json!({"reason": "fine"})).await.is_ok());
    bot.settle().await;
    assert_eq!(bot.runs().await.len(), 1);
    bot.approver().types("approve").await;
    assert!(bot.approver().reads_modal().contains("No request waits for you"), "{}", bot.approver().reads_modal());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_tab_leads_to_the_plan_and_from_there_to_the_form() {
    let bot = guarded(one()).await;
    bot.slack.open_home("U0APPROVER1").await;
    bot.settle().await;
    let review = Act::click("", "review-request").at(Place::Home);
    assert!(bot.approver().acts(&review).await.is_ok());
    let plan = bot.approver().modal().unwrap();
    assert!(bot.approver().reads_modal().contains("[Approve…]"), "{}", bot.approver().reads_modal());
    let approve = Act::click("", "approve-request").at(Place::View(plan.id.clone()));
    assert!(bot.approver().acts(&approve).await.is_ok());
    assert_eq!(bot.approver().modal().unwrap().id, plan.id, "the form takes the place of the plan");
    assert!(bot.approver().submits(json!({"reason": "fine"})).await.is_ok());
    bot.settle().await;
    assert_eq!(bot.runs().await.len(), 1);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_name_of_the_target_has_to_be_typed() {
    let wrap: Wrap = Arc::new(|ctx: Ctx| {
        let west = RegionName::parse("west").unwrap();
        Ctx { regions: with_names(ctx.regions.clone(), &[west]), ..ctx }
    });
    let bot = Bot::with(Setup { wrap: Some(wrap), ..Setup::default() }).await;
    let open = Act::click("", "menu:fail-over").at(Place::Home);
    bot.slack.open_home("U0OPERATOR").await;
    bot.settle().await;
    assert!(bot.operator().acts(&open).await.is_ok());
    assert!(
        bot.operator().reads_modal().contains("Nothing moves when you send this"),
        "{}",
        bot.operator().reads_modal()
    );
    assert!(bot.operator().submits(json!({"region": "west", "drill": ["drill"]})).await.is_ok());
    bot.settle().await;
    assert!(bot.card_text().contains("Drill: practise a fail-over"), "{}", bot.card_text());
    bot.approver().clicks("approve-request").await;
    let ack = bot.approver().submits(json!({"reason": "fine", "confirm": "wset"})).await;
    assert!(beside(&ack, "confirm").contains("Type: west"), "{ack:?}");
    assert!(bot.approver().submits(json!({"reason": "fine", "confirm": " West "})).await.is_ok());
    bot.settle().await;
    assert!(bot.approver().told_last().contains("1 of 2 approvals"), "{:?}", bot.approver().told());
    bot.operator().clicks("deny-request").await;
    assert!(bot.operator().submits(json!({"reason": "only a test"})).await.is_ok());
    bot.finish().await;
}
