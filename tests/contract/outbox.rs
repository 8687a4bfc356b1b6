//! What every [`Store`] must do with its outbox: coalescing, order, leases, receipts.

use super::Backend;
use super::samples::{channel, key, outbox, show};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;
use switchman::domain::id::UserId;
use switchman::domain::problem::Problem;
use switchman::domain::reply::Reply;
use switchman::ports::{
    Clock, Commit, Deadline, Effect, MessageRef, OutboxItem, OutboxWrite, Person, Priority, Settled, Store, Subject,
};

macro_rules! outbox_contract {
    ($backend:ty) => {
        suite! { outbox on $backend:
            writes_under_one_key_become_one_item,
            the_first_priority_goes_first_then_what_was_due_first,
            nothing_comes_before_it_is_due,
            what_comes_due_next_is_known,
            a_lease_keeps_others_away_until_it_ends,
            settling_without_the_lease_changes_nothing,
            a_write_while_the_item_is_held_is_not_lost,
            what_has_to_wait_comes_again_and_counts_only_if_it_was_a_try,
            what_is_given_up_is_kept_aside,
            what_was_given_up_is_due_again_once_it_is_replayed,
            a_receipt_outlives_its_item,
            an_effect_comes_back_as_it_was_written,
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);

fn seconds(from: Timestamp, n: i64) -> Timestamp {
    from + SignedDuration::from_secs(n)
}

fn message(ts: &str) -> MessageRef {
    MessageRef { channel: channel("C0BATCH"), ts: ts.into() }
}

fn done(again: Timestamp) -> Settled {
    Settled::Done { receipt: None, again }
}

async fn write(store: &dyn Store, writes: impl IntoIterator<Item = OutboxWrite>) {
    store.commit(outbox(writes)).await.unwrap();
}

async fn take(store: &dyn Store, now: Timestamp) -> Vec<OutboxItem> {
    store.outbox_take(now, LEASE, 10).await.unwrap()
}

pub(crate) async fn writes_under_one_key_become_one_item(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::Later, seconds(now, 5))]).await;
    write(&*store, [show(1, Priority::First, seconds(now, 9))]).await;
    let newest =
        OutboxWrite { effect: show(2, Priority::Later, now).effect, ..show(1, Priority::Later, seconds(now, 7)) };
    backend.clock().advance(Duration::from_secs(1));
    write(&*store, [newest.clone()]).await;
    assert_eq!(store.outbox_depth().await.unwrap(), (1, 0));
    assert!(take(&*store, seconds(now, 4)).await.is_empty());
    let items = take(&*store, seconds(now, 5)).await;
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].key.as_str(), &items[0].effect), (newest.key.as_str(), &newest.effect));
    assert_eq!((items[0].version, items[0].priority, items[0].attempts), (3, Priority::First, 1));
    assert_eq!(items[0].since, now);
}

pub(crate) async fn the_first_priority_goes_first_then_what_was_due_first(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let due = |n: u32, priority, ago: i64| show(n, priority, seconds(now, -ago));
    write(
        &*store,
        [
            due(1, Priority::Later, 60),
            due(2, Priority::First, 1),
            due(3, Priority::Later, 90),
            due(4, Priority::First, 2),
            due(5, Priority::First, 0),
        ],
    )
    .await;
    let first = store.outbox_take(now, LEASE, 4).await.unwrap();
    let keys: Vec<_> = first.iter().map(|item| item.key.clone()).collect();
    assert_eq!(keys, [4, 2, 5, 3].map(|n| show(n, Priority::First, now).key));
    assert_eq!(take(&*store, now).await.len(), 1);
    assert!(store.outbox_take(now, LEASE, 0).await.unwrap().is_empty());
}

pub(crate) async fn nothing_comes_before_it_is_due(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, seconds(now, 10))]).await;
    assert!(take(&*store, seconds(now, 9)).await.is_empty());
    assert_eq!(take(&*store, seconds(now, 10)).await.len(), 1);
}

pub(crate) async fn what_comes_due_next_is_known(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let deadline = |due| Deadline { key: "look:1".into(), due, subject: Subject::Attempt(key(1)) };
    let set = |due| Commit { deadlines: vec![deadline(due)], ..Commit::default() };
    assert_eq!(store.next_due().await.unwrap(), None);
    store.commit(set(seconds(now, 30))).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(seconds(now, 30)));
    write(&*store, [show(1, Priority::Later, seconds(now, 20))]).await;
    assert_eq!(store.next_due().await.unwrap(), Some(seconds(now, 20)));
    write(&*store, [show(2, Priority::First, seconds(now, -1))]).await;
    assert_eq!(store.next_due().await.unwrap(), Some(seconds(now, -1)), "it is due already");
    let [held] = &take(&*store, now).await[..] else { panic!("one is due") };
    assert_eq!(store.next_due().await.unwrap(), Some(seconds(now, 20)), "what is held is due when its lease ends");
    store.outbox_settle(held, done(now)).await.unwrap();
    store.commit(set(seconds(now, 10))).await.unwrap();
    assert_eq!(store.next_due().await.unwrap(), Some(seconds(now, 10)));
}

pub(crate) async fn a_lease_keeps_others_away_until_it_ends(backend: &impl Backend) {
    let (store, other) = (backend.store(), backend.store());
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, now)]).await;
    assert_eq!(take(&*store, now).await[0].attempts, 1);
    assert!(take(&*other, seconds(now, 29)).await.is_empty());
    let again = take(&*other, seconds(now, 30)).await;
    assert_eq!((again.len(), again[0].attempts), (1, 2));
}

pub(crate) async fn settling_without_the_lease_changes_nothing(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, now)]).await;
    let stale = take(&*store, now).await.remove(0);
    let later = seconds(now, 31);
    let held = take(&*store, later).await.remove(0);
    for settled in [
        Settled::Done { receipt: Some(message("1.1")), again: later },
        Settled::Later { at: now, why: "late".into(), count: false },
        Settled::GivenUp { why: "late".into() },
    ] {
        store.outbox_settle(&stale, settled).await.unwrap();
        assert_eq!(store.outbox_depth().await.unwrap(), (1, 0));
        assert!(take(&*store, later).await.is_empty(), "the other still holds it");
        assert_eq!(store.receipt(&stale.key).await.unwrap(), None);
    }
    store.outbox_settle(&held, done(later)).await.unwrap();
    assert_eq!(store.outbox_depth().await.unwrap(), (0, 0));
    // A new item under the same key, at the same version and attempt as the one `stale` was taken from.
    write(&*store, [show(1, Priority::First, later)]).await;
    let fresh = take(&*store, later).await.remove(0);
    assert_eq!((fresh.version, fresh.attempts), (stale.version, stale.attempts));
    store.outbox_settle(&stale, done(later)).await.unwrap();
    assert_eq!(store.outbox_depth().await.unwrap(), (1, 0));
}

pub(crate) async fn a_write_while_the_item_is_held_is_not_lost(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::Later, now)]).await;
    let held = take(&*store, now).await.remove(0);
    write(&*store, [show(1, Priority::First, now)]).await;
    assert!(take(&*store, now).await.is_empty(), "it is still held");
    let again = seconds(now, 3);
    store.outbox_settle(&held, Settled::Done { receipt: Some(message("1.1")), again }).await.unwrap();
    assert_eq!(store.receipt(&held.key).await.unwrap(), Some(message("1.1")));
    assert!(take(&*store, seconds(now, 2)).await.is_empty());
    let next = take(&*store, again).await.remove(0);
    assert_eq!((next.version, next.attempts, next.priority), (2, 1, Priority::First));
    // Given up while something newer was written: the newer effect stays.
    write(&*store, [show(1, Priority::First, now)]).await;
    store.outbox_settle(&next, Settled::GivenUp { why: "archived".into() }).await.unwrap();
    assert_eq!(take(&*store, again).await[0].version, 3);
}

pub(crate) async fn what_has_to_wait_comes_again_and_counts_only_if_it_was_a_try(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, now)]).await;
    let mut seen = Vec::new();
    for (n, count) in [true, false, false, true].into_iter().enumerate() {
        let at = seconds(now, 10 * i64::try_from(n).unwrap());
        let item = take(&*store, at).await.remove(0);
        seen.push(item.attempts);
        let next = seconds(at, 10);
        store.outbox_settle(&item, Settled::Later { at: next, why: "busy".into(), count }).await.unwrap();
        assert!(take(&*store, seconds(at, 9)).await.is_empty());
    }
    seen.push(take(&*store, seconds(now, 40)).await[0].attempts);
    assert_eq!(seen, [1, 2, 2, 2, 3]);
    write(&*store, [show(1, Priority::First, now)]).await;
    assert_eq!(take(&*store, seconds(now, 70)).await[0].attempts, 1, "counted anew after a write");
}

pub(crate) async fn what_is_given_up_is_kept_aside(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, now), show(2, Priority::First, now)]).await;
    let item = take(&*store, now).await.remove(0);
    store.outbox_settle(&item, Settled::GivenUp { why: "no such channel".into() }).await.unwrap();
    assert_eq!(store.outbox_depth().await.unwrap(), (1, 1));
    let kept = store.given_up(9).await.unwrap();
    assert_eq!((kept.len(), &kept[0].key, kept[0].why.as_str()), (1, &item.key, "no such channel"));
}

pub(crate) async fn what_was_given_up_is_due_again_once_it_is_replayed(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    write(&*store, [show(1, Priority::First, now)]).await;
    let item = take(&*store, now).await.remove(0);
    store.outbox_settle(&item, Settled::GivenUp { why: "no such channel".into() }).await.unwrap();
    assert!(!store.outbox_replay("show:r-zzzz.1").await.unwrap());
    assert!(store.outbox_replay(&item.key).await.unwrap());
    assert!(!store.outbox_replay(&item.key).await.unwrap());
    assert_eq!(store.outbox_depth().await.unwrap(), (1, 0));
    let again = take(&*store, now).await.remove(0);
    assert_eq!((again.key, again.effect), (item.key, item.effect));
    assert!(again.attempts > 1, "whoever posts it looks first whether it was posted");
}

pub(crate) async fn a_receipt_outlives_its_item(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let settle = async |receipt| {
        write(&*store, [show(1, Priority::First, now)]).await;
        let item = take(&*store, now).await.remove(0);
        store.outbox_settle(&item, Settled::Done { receipt, again: now }).await.unwrap();
        store.receipt(&item.key).await.unwrap()
    };
    assert_eq!(settle(None).await, None);
    assert_eq!(settle(Some(message("1.1"))).await, Some(message("1.1")));
    assert_eq!(settle(None).await, Some(message("1.1")), "an update without a receipt keeps it");
    assert_eq!(settle(Some(message("2.2"))).await, Some(message("2.2")));
}

pub(crate) async fn an_effect_comes_back_as_it_was_written(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let to = Person {
        user: UserId::parse("U0STRANGER").unwrap(),
        channel: channel("C0BATCH"),
        response_url: Some("https://hooks.slack.com/commands/x".into()),
    };
    let reply = Box::new(Reply::refused(Problem::AlreadyAsked { what: "\"start\" \u{1F680}\0".into() }));
    let effect = Effect::Whisper { to, reply };
    let write_ = OutboxWrite { key: effect.key("cmd-1"), effect: effect.clone(), priority: Priority::First, due: now };
    write(&*store, [write_]).await;
    let item = take(&*store, now).await.remove(0);
    assert_eq!((item.key.as_str(), item.effect), ("whisper:cmd-1", effect));
}
