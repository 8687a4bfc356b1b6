//! What every [`Bus`] must do: once per key, leases, retries, dead letters.

use super::Backend;
use super::samples::envelope;
use std::sync::Arc;
use std::time::Duration;
use switchman::ports::{Bus, Clock, Delivery, Published};

macro_rules! bus_contract {
    ($backend:ty) => {
        suite! { bus on $backend:
            what_is_published_comes_once_and_is_gone_after_its_ack,
            a_key_is_published_once,
            a_key_stays_known_for_ten_minutes_after_its_ack,
            a_lease_that_ends_gives_the_message_to_another,
            a_stale_receipt_changes_nothing,
            a_retry_comes_after_its_time,
            dead_letters_are_listed_oldest_first_and_replayed_once,
            those_who_wait_are_woken_by_a_publish,
            nothing_is_taken_twice_and_nothing_is_lost_under_load,
        }
    };
}

const LEASE: Duration = Duration::from_secs(30);

async fn take(bus: &dyn Bus) -> Vec<Delivery> {
    bus.take(10, LEASE, Duration::ZERO).await.unwrap()
}

pub(crate) async fn what_is_published_comes_once_and_is_gone_after_its_ack(backend: &impl Backend) {
    let bus = backend.bus();
    let now = backend.clock().now();
    assert!(take(&*bus).await.is_empty());
    assert_eq!(bus.publish(envelope("cmd-1", now)).await.unwrap(), Published::New);
    assert_eq!(bus.depth().await.unwrap(), 1);
    drop(bus);
    let bus = backend.bus();
    let taken = take(&*bus).await;
    assert_eq!((taken.len(), taken[0].attempts), (1, 1));
    assert_eq!(taken[0].envelope, envelope("cmd-1", now));
    assert!(take(&*bus).await.is_empty(), "somebody holds it");
    assert_eq!(bus.depth().await.unwrap(), 1);
    bus.ack(&taken[0]).await.unwrap();
    assert_eq!(bus.depth().await.unwrap(), 0);
    backend.clock().advance(Duration::from_hours(1));
    assert!(take(&*bus).await.is_empty());
}

pub(crate) async fn a_key_is_published_once(backend: &impl Backend) {
    let buses = [backend.bus(), backend.bus()];
    let now = backend.clock().now();
    for n in 0..20 {
        let publish = |bus: &Arc<dyn Bus>| {
            let (bus, envelope) = (Arc::clone(bus), envelope(&format!("cmd-{n}"), now));
            tokio::spawn(async move { bus.publish(envelope).await.unwrap() })
        };
        let all = [publish(&buses[0]), publish(&buses[1]), publish(&buses[0])];
        let mut new = 0;
        for one in all {
            new += usize::from(one.await.unwrap() == Published::New);
        }
        assert_eq!(new, 1);
    }
    assert_eq!(buses[0].depth().await.unwrap(), 20);
}

pub(crate) async fn a_key_stays_known_for_ten_minutes_after_its_ack(backend: &impl Backend) {
    let now = backend.clock().now();
    let bus = backend.bus();
    bus.publish(envelope("cmd-1", now)).await.unwrap();
    backend.clock().advance(Duration::from_hours(1));
    let taken = take(&*bus).await;
    bus.ack(&taken[0]).await.unwrap();
    drop(bus);
    let bus = backend.bus();
    backend.clock().advance(Duration::from_mins(10));
    bus.publish(envelope("cmd-2", now)).await.unwrap();
    bus.ack(&take(&*bus).await[0]).await.unwrap();
    assert_eq!(bus.publish(envelope("cmd-1", now)).await.unwrap(), Published::Duplicate);
    assert!(take(&*bus).await.is_empty());
}

pub(crate) async fn a_lease_that_ends_gives_the_message_to_another(backend: &impl Backend) {
    let bus = backend.bus();
    bus.publish(envelope("cmd-1", backend.clock().now())).await.unwrap();
    take(&*bus).await;
    backend.clock().advance(Duration::from_millis(29_999));
    assert!(take(&*bus).await.is_empty());
    backend.clock().advance(Duration::from_millis(1));
    assert_eq!(take(&*backend.bus()).await[0].attempts, 2);
}

pub(crate) async fn a_stale_receipt_changes_nothing(backend: &impl Backend) {
    let bus = backend.bus();
    bus.publish(envelope("cmd-1", backend.clock().now())).await.unwrap();
    let stale = take(&*bus).await.remove(0);
    backend.clock().advance(LEASE);
    let held = take(&*bus).await.remove(0);
    bus.ack(&stale).await.unwrap();
    bus.retry(&stale, Duration::ZERO, "late").await.unwrap();
    bus.bury(&stale, "late").await.unwrap();
    assert_eq!(bus.depth().await.unwrap(), 1);
    assert!(take(&*bus).await.is_empty(), "the other still holds it");
    assert!(bus.dead(10).await.unwrap().is_empty());
    bus.bury(&held, "broken").await.unwrap();
    assert!(bus.replay("id-cmd-1").await.unwrap());
    let fresh = take(&*bus).await.remove(0);
    assert_eq!(fresh.attempts, stale.attempts);
    bus.ack(&stale).await.unwrap();
    bus.ack(&held).await.unwrap();
    assert_eq!(bus.depth().await.unwrap(), 1);
    bus.ack(&fresh).await.unwrap();
    assert_eq!(bus.depth().await.unwrap(), 0);
}

pub(crate) async fn a_retry_comes_after_its_time(backend: &impl Backend) {
    let bus = backend.bus();
    bus.publish(envelope("cmd-1", backend.clock().now())).await.unwrap();
    let taken = take(&*bus).await.remove(0);
    bus.retry(&taken, Duration::from_secs(5), "busy").await.unwrap();
    backend.clock().advance(Duration::from_millis(4999));
    assert!(take(&*bus).await.is_empty());
    backend.clock().advance(Duration::from_millis(1));
    assert_eq!(take(&*bus).await[0].attempts, 2);
}

pub(crate) async fn dead_letters_are_listed_oldest_first_and_replayed_once(backend: &impl Backend) {
    let bus = backend.bus();
    for name in ["cmd-1", "cmd-2", "cmd-3"] {
        bus.publish(envelope(name, backend.clock().now())).await.unwrap();
        let taken = take(&*bus).await;
        bus.bury(&taken[0], &format!("{name} broke")).await.unwrap();
        backend.clock().advance(Duration::from_secs(1));
    }
    assert_eq!(bus.depth().await.unwrap(), 0);
    let dead = bus.dead(2).await.unwrap();
    assert_eq!(dead.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["id-cmd-1", "id-cmd-2"]);
    assert_eq!((dead[0].why.as_str(), dead[0].attempts), ("cmd-1 broke", 1));
    assert!(dead[0].buried_at < dead[1].buried_at);
    assert!(dead[0].body.contains("cmd-1"));
    let now = backend.clock().now();
    assert_eq!(bus.publish(envelope("cmd-1", now)).await.unwrap(), Published::Duplicate);
    assert!(bus.replay("id-cmd-2").await.unwrap());
    assert!(!bus.replay("id-cmd-2").await.unwrap());
    assert!(!bus.replay("id-none").await.unwrap());
    let taken = take(&*bus).await;
    assert_eq!((taken.len(), taken[0].attempts, taken[0].envelope.key.as_str()), (1, 1, "cmd-2"));
    assert_eq!(bus.dead(10).await.unwrap().len(), 2);
}

pub(crate) async fn those_who_wait_are_woken_by_a_publish(backend: &impl Backend) {
    let bus = backend.bus();
    let waiting: Vec<_> = (0..3)
        .map(|_| {
            let bus = Arc::clone(&bus);
            tokio::spawn(async move { bus.take(1, LEASE, Duration::from_mins(1)).await.unwrap().len() })
        })
        .collect();
    for name in ["a", "b", "c"] {
        bus.publish(envelope(name, backend.clock().now())).await.unwrap();
    }
    for taker in waiting {
        assert_eq!(taker.await.unwrap(), 1);
    }
    // From another process too.
    let (here, there) = (backend.bus(), backend.bus());
    let taker = tokio::spawn(async move { here.take(1, LEASE, Duration::from_mins(1)).await.unwrap().len() });
    there.publish(envelope("d", backend.clock().now())).await.unwrap();
    assert_eq!(taker.await.unwrap(), 1);
}

pub(crate) async fn nothing_is_taken_twice_and_nothing_is_lost_under_load(backend: &impl Backend) {
    let buses = [backend.bus(), backend.bus()];
    let now = backend.clock().now();
    let each = 50 / backend.load_divisor() as usize;
    let publishers = (0..8).map(|p| {
        let bus = Arc::clone(&buses[p % 2]);
        tokio::spawn(async move {
            for n in 0..each {
                assert_eq!(bus.publish(envelope(&format!("{p}-{n}"), now)).await.unwrap(), Published::New);
            }
        })
    });
    let publishers: Vec<_> = publishers.collect();
    let takers = (0..4).map(|t| {
        let bus = Arc::clone(&buses[t % 2]);
        tokio::spawn(async move {
            let mut keys = Vec::new();
            loop {
                let taken = bus.take(7, LEASE, Duration::from_millis(500)).await.unwrap();
                if taken.is_empty() {
                    return keys;
                }
                for delivery in taken {
                    bus.ack(&delivery).await.unwrap();
                    keys.push(delivery.envelope.key.to_string());
                }
            }
        })
    });
    let takers: Vec<_> = takers.collect();
    for publisher in publishers {
        publisher.await.unwrap();
    }
    let mut keys = Vec::new();
    for taker in takers {
        keys.extend(taker.await.unwrap());
    }
    let rest = buses[0].take(1000, LEASE, Duration::ZERO).await.unwrap();
    keys.extend(rest.into_iter().map(|delivery| delivery.envelope.key.to_string()));
    assert_eq!(keys.len(), 8 * each);
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 8 * each);
}
