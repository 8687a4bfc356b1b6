//! What the emulator never does by itself: lost answers, throttling, refusals, outages. One effect, one answer, all the same.

use crate::contract::Backend;
use crate::contract::audit::assert_whole;
use crate::contract::samples::{create, draft, envelope, id, run, run_id, show};
use crate::emulator::Account;
use crate::proxy::{Fault, Proxy};
use std::time::Duration;
use switchman::domain::envelope::Event;
use switchman::ports::{Clock, Commit, Kind, Priority, Published, Settled};

const THROTTLED: Fault = Fault::Refused(400, "ThrottlingException");
const LEASE: Duration = Duration::from_secs(30);
/// More than the SDK tries.
const ALWAYS: usize = 1_000;

async fn disturbed() -> (Account, Account, Proxy) {
    let account = Account::furnished().await;
    let proxy = Proxy::start().await;
    (account.through(&proxy.url), account, proxy)
}

fn commit(account: &Account) -> Commit {
    let now = account.clock().now();
    Commit {
        claim: Some(id("cmd-1")),
        runs: vec![create(run(1, now))],
        outbox: vec![show(1, Priority::First, now)],
        audit: vec![draft(1, now)],
        ..Commit::default()
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_made_once() {
    let (far, near, proxy) = disturbed().await;
    proxy.disturb("TransactWriteItems", Fault::AnswerLost, 2);
    far.store().commit(commit(&far)).await.unwrap();
    assert_eq!(proxy.seen("TransactWriteItems"), 3);
    assert_eq!(near.store().run(&run_id(1)).await.unwrap().unwrap().version, 1);
    assert_whole(&*near.store(), 1).await;
}

#[tokio::test]
async fn a_commit_that_nobody_can_vouch_for_is_called_ambiguous_and_is_claimed_when_it_comes_again() {
    let (far, near, proxy) = disturbed().await;
    let store = far.store();
    proxy.disturb("TransactWriteItems", Fault::AnswerLost, 4);
    let error = store.commit(commit(&far)).await.unwrap_err();
    assert_eq!(error.kind, Kind::Ambiguous, "{error}");
    assert!(error.to_string().contains("may or may not"), "{error}");
    assert_eq!(store.commit(commit(&far)).await.unwrap_err().kind, Kind::Claimed);
    // The same process goes on although it did not know where the trail ends.
    store.commit(Commit { audit: vec![draft(2, far.clock().now())], ..Commit::default() }).await.unwrap();
    assert_whole(&*near.store(), 2).await;
}

#[tokio::test]
async fn throttling_is_waited_out_and_never_an_answer() {
    let (far, near, proxy) = disturbed().await;
    proxy.disturb("TransactWriteItems", THROTTLED, 2);
    far.store().commit(commit(&far)).await.unwrap();
    for (operation, fault) in [
        ("TransactWriteItems", THROTTLED),
        ("TransactWriteItems", Fault::Refused(400, "ProvisionedThroughputExceededException")),
        ("TransactWriteItems", Fault::Refused(503, "ServiceUnavailable")),
        ("GetItem", THROTTLED),
        ("GetItem", Fault::Refused(500, "InternalServerError")),
    ] {
        proxy.disturb(operation, fault, ALWAYS);
        let error = match operation {
            "GetItem" => far.store().run(&run_id(1)).await.unwrap_err(),
            _ => far.store().commit(Commit { claim: Some(id("cmd-2")), ..Commit::default() }).await.unwrap_err(),
        };
        assert!(matches!(error.kind, Kind::Transient { .. }), "{operation} {fault:?}: {error}");
    }
    assert!(!near.store().claimed(&id("cmd-2")).await.unwrap());
}

#[tokio::test]
async fn each_refusal_says_what_it_means_and_what_to_do() {
    let (far, _, proxy) = disturbed().await;
    for (fault, kind, says) in [
        (Fault::Refused(400, "AccessDeniedException"), Kind::Denied, "role's permissions"),
        (Fault::Refused(400, "UnrecognizedClientException"), Kind::Denied, "credentials"),
        (Fault::Refused(400, "ResourceNotFoundException"), Kind::Gone, "does not exist"),
        (Fault::Refused(400, "ValidationException"), Kind::Permanent, "will not help"),
    ] {
        proxy.disturb("GetItem", fault, ALWAYS);
        let error = far.store().run(&run_id(1)).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_service_that_is_down_is_left_alone_until_it_is_back() {
    let (far, _, proxy) = disturbed().await;
    let store = far.store();
    proxy.disturb("GetItem", Fault::Refused(500, "InternalServerError"), ALWAYS);
    let mut rested = None;
    for _ in 0..10 {
        if let Kind::Transient { after } = store.run(&run_id(1)).await.unwrap_err().kind {
            rested = rested.or(after);
        }
    }
    assert!(rested.is_some_and(|rest| rest <= Duration::from_secs(5)), "{rested:?}");
    let asked = proxy.seen("GetItem");
    assert!(store.run(&run_id(1)).await.unwrap_err().to_string().contains("left alone"));
    assert_eq!(proxy.seen("GetItem"), asked, "it was not asked again");
    // It is the service that rests, not the process.
    far.bus().depth().await.unwrap();
    proxy.disturb("GetItem", Fault::Refused(500, "InternalServerError"), 0);
    far.clock().advance(Duration::from_secs(6));
    assert_eq!(store.run(&run_id(1)).await.unwrap(), None);
    assert_eq!(store.run(&run_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn an_effect_whose_taking_was_not_answered_is_taken_once() {
    let (far, near, proxy) = disturbed().await;
    let now = near.clock().now();
    near.store().commit(commit(&near)).await.unwrap();
    let store = far.store();
    proxy.disturb("TransactWriteItems", Fault::AnswerLost, 1);
    let item = store.outbox_take(now, LEASE, 1).await.unwrap().remove(0);
    assert_eq!(item.attempts, 1);
    proxy.disturb("TransactWriteItems", Fault::AnswerLost, 1);
    store.outbox_settle(&item, Settled::Done { receipt: None, again: now }).await.unwrap();
    assert_eq!(near.store().outbox_depth().await.unwrap(), (0, 0));
}

#[tokio::test]
async fn an_event_that_could_not_be_put_on_the_bus_is_kept_and_comes_later() {
    let (far, near, proxy) = disturbed().await;
    let bus = far.bus();
    for fault in [THROTTLED, Fault::Refused(500, "InternalException")] {
        let name = format!("{fault:?}").replace([' ', '"', ','], "");
        proxy.disturb("PutEvents", fault, ALWAYS);
        let published = envelope(&name, near.clock().now());
        assert_eq!(bus.publish(published.clone()).await.unwrap(), Published::New);
        assert_eq!(bus.publish(published.clone()).await.unwrap(), Published::Duplicate);
        assert_eq!(bus.depth().await.unwrap(), 1);
        assert!(bus.take(10, LEASE, Duration::ZERO).await.unwrap().is_empty());
        proxy.disturb("PutEvents", fault, 0);
        far.clock().advance(Duration::from_secs(21));
        // By another process: the first may have died.
        let taken = near.bus().take(10, LEASE, Duration::ZERO).await.unwrap();
        assert_eq!(taken.iter().map(|delivery| &delivery.envelope).collect::<Vec<_>>(), [&published]);
        near.bus().ack(&taken[0]).await.unwrap();
        assert_eq!(bus.depth().await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_event_whose_answer_was_lost_may_come_twice_and_is_never_lost() {
    let (far, near, proxy) = disturbed().await;
    proxy.disturb("PutEvents", Fault::AnswerLost, 1);
    let published = envelope("cmd-1", near.clock().now());
    assert_eq!(far.bus().publish(published.clone()).await.unwrap(), Published::New);
    let taken = near.bus().take(10, LEASE, Duration::ZERO).await.unwrap();
    assert!(!taken.is_empty() && taken.iter().all(|delivery| delivery.envelope == published));
}

#[tokio::test]
async fn a_key_whose_answer_was_lost_is_still_new() {
    let (far, near, proxy) = disturbed().await;
    proxy.disturb("PutItem", Fault::AnswerLost, 1);
    let published = envelope("cmd-1", near.clock().now());
    assert_eq!(far.bus().publish(published.clone()).await.unwrap(), Published::New);
    assert_eq!(near.bus().take(10, LEASE, Duration::ZERO).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_event_that_will_never_be_taken_is_refused_and_its_key_is_free() {
    let (far, near, proxy) = disturbed().await;
    let now = near.clock().now();
    proxy.disturb("PutEvents", Fault::Refused(400, "AccessDeniedException"), ALWAYS);
    assert_eq!(far.bus().publish(envelope("cmd-1", now)).await.unwrap_err().kind, Kind::Denied);
    proxy.disturb("PutEvents", THROTTLED, 0);
    assert_eq!(far.bus().publish(envelope("cmd-1", now)).await.unwrap(), Published::New);
    let mut large = envelope("cmd-2", now);
    large.event = Event::StartRefused { key: crate::contract::samples::key(1), reason: "long ".repeat(60_000) };
    let error = far.bus().publish(large).await.unwrap_err();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.to_string().contains("EventBridge takes 262144"), "{error}");
    assert_eq!(near.bus().depth().await.unwrap(), 1);
}
