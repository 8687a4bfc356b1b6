//! A switch and a publication are never under way at once, whoever comes first.

use super::support::{World, region};
use crate::contract::samples::key;
use crate::proxy::{Fault, Proxy};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use switchman::aws::batch::{Leave, PublishLease};
use switchman::aws::regions::{Lease, NoLease, PUBLISH_WITHIN, Publishing};
use switchman::ports::{Clock, Kind, Regions};

const LEASE: Duration = Duration::from_secs(PUBLISH_WITHIN.as_secs().unsigned_abs());

fn is_transient(kind: Kind) -> bool {
    matches!(kind, Kind::Transient { .. })
}

async fn taken(world: &World, at: usize, epoch: u64) -> Lease {
    world.record(at).may_publish(&key(1), &region(at), epoch).await.unwrap()
}

#[tokio::test]
async fn a_switch_waits_for_what_is_being_published_and_is_made_once_it_is() {
    let world = World::new().await;
    let (here, there) = (world.record(0), world.open(1));
    let lease = taken(&world, 0, 1).await;
    assert_eq!(lease.until, world.clock().now() + PUBLISH_WITHIN);
    let error = there.switch(1, &region(1)).await.unwrap_err();
    assert!(is_transient(error.kind) && error.to_string().contains("1 results are being published"), "{error}");
    assert_eq!(there.active().await.unwrap().epoch, 1);
    here.published(&lease).await.unwrap();
    here.published(&lease).await.unwrap();
    assert_eq!(there.switch(1, &region(1)).await.unwrap().epoch, 2);
}

#[tokio::test]
async fn what_belongs_to_an_epoch_that_is_over_is_not_published() {
    let world = World::new().await;
    world.open(1).switch(1, &region(1)).await.unwrap();
    for (at, epoch) in [(0, 1), (0, 2), (1, 1), (1, 3)] {
        let refused = world.record(at).may_publish(&key(1), &region(at), epoch).await.unwrap_err();
        assert!(matches!(&refused, NoLease::Over(active) if active.epoch == 2), "{at} {epoch}: {refused:?}");
    }
    let lease = taken(&world, 1, 2).await;
    world.record(1).published(&lease).await.unwrap();
}

#[tokio::test]
async fn the_lease_of_somebody_who_died_runs_out_and_then_the_switch_is_made() {
    let world = World::new().await;
    let lost = taken(&world, 0, 1).await;
    world.clock().advance(LEASE);
    let early = world.open(1).switch(1, &region(1)).await.unwrap_err();
    assert!(is_transient(early.kind), "its clock may be behind ours: {early}");
    world.clock().advance(Duration::from_secs(5));
    assert_eq!(world.open(1).switch(1, &region(1)).await.unwrap().epoch, 2);
    world.record(0).published(&lost).await.unwrap();
    assert_eq!(world.open(0).active().await.unwrap().epoch, 2);
}

#[tokio::test]
async fn nobody_gives_back_the_lease_of_another_try_of_the_same_attempt() {
    let world = World::new().await;
    let (first, _second) = (taken(&world, 0, 1).await, taken(&world, 0, 1).await);
    world.record(0).published(&first).await.unwrap();
    assert!(is_transient(world.open(1).switch(1, &region(1)).await.unwrap_err().kind));
}

#[tokio::test]
async fn while_a_switch_waits_nobody_begins_to_publish_and_a_switch_that_never_comes_blocks_nobody() {
    let world = World::new().await;
    let lease = taken(&world, 0, 1).await;
    world.open(1).switch(1, &region(1)).await.unwrap_err();
    let refused = world.record(0).may_publish(&key(2), &region(0), 1).await.unwrap_err();
    assert!(matches!(&refused, NoLease::Unknown(error) if is_transient(error.kind)), "{refused:?}");
    world.record(0).published(&lease).await.unwrap();
    world.clock().advance(Duration::from_secs(91));
    world.record(0).may_publish(&key(2), &region(0), 1).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_publication_is_under_way_at_the_moment_of_a_switch() {
    let world = Arc::new(World::new().await);
    let under_way = Arc::new(AtomicUsize::new(0));
    let publishers = (0..12).map(|n| {
        let (world, under_way) = (world.clone(), under_way.clone());
        tokio::spawn(async move {
            let record = world.record(n % 2);
            let mut published = 0;
            loop {
                match record.may_publish(&key(u32::try_from(n).unwrap()), &region(0), 1).await {
                    Ok(lease) => {
                        under_way.fetch_add(1, SeqCst);
                        assert_eq!(record.active().await.unwrap().epoch, 1, "it was switched while this was published");
                        under_way.fetch_sub(1, SeqCst);
                        record.published(&lease).await.unwrap();
                        published += 1;
                    }
                    Err(NoLease::Over(active)) => return (published, active.epoch),
                    Err(NoLease::Unknown(error)) => assert!(is_transient(error.kind), "{error}"),
                }
            }
        })
    });
    let publishers: Vec<_> = publishers.collect();
    let regions = world.open(1);
    loop {
        match regions.switch(1, &region(1)).await {
            Ok(active) => {
                assert_eq!((active.epoch, under_way.load(SeqCst)), (2, 0));
                break;
            }
            Err(error) => assert!(is_transient(error.kind), "{error}"),
        }
    }
    for publisher in publishers {
        assert_eq!(publisher.await.unwrap().1, 2);
    }
}

#[tokio::test]
async fn a_write_that_met_one_of_the_other_region_is_tried_again() {
    let near = World::new().await;
    near.open(0).active().await.unwrap();
    let proxy = Proxy::start().await;
    let far = near.through(&proxy.url);
    proxy.disturb("UpdateItem", Fault::Refused(400, "ReplicatedWriteConflictException"), 3);
    assert_eq!(far.open(0).switch(1, &region(1)).await.unwrap().epoch, 2);
    proxy.disturb("UpdateItem", Fault::Refused(400, "ReplicatedWriteConflictException"), 1_000);
    assert!(is_transient(far.open(0).switch(2, &region(0)).await.unwrap_err().kind));
    assert_eq!(near.open(1).active().await.unwrap().epoch, 2);
}

#[tokio::test]
async fn a_switch_and_a_lease_whose_answers_were_lost_are_made_once() {
    let near = World::new().await;
    near.open(0).active().await.unwrap();
    let proxy = Proxy::start().await;
    let far = near.through(&proxy.url);
    proxy.disturb("UpdateItem", Fault::AnswerLost, 1);
    assert_eq!(far.open(0).switch(1, &region(1)).await.unwrap().epoch, 2);
    proxy.disturb("UpdateItem", Fault::AnswerLost, 1);
    let lease = taken(&far, 1, 2).await;
    near.record(0).published(&lease).await.unwrap();
    assert_eq!(near.open(0).switch(2, &region(0)).await.unwrap().epoch, 3);
}

#[tokio::test]
async fn a_worker_gives_back_what_it_holds_itself_and_no_more() {
    let world = World::new().await;
    let (worker, again) = (Publishing::new(world.record(0)), Publishing::new(world.record(0)));
    let until = world.clock().now() + PUBLISH_WITHIN;
    assert_eq!(worker.take(&key(1), &region(0), 1).await.unwrap(), Leave::Until(until));
    world.clock().advance(Duration::from_secs(10));
    let later = Leave::Until(world.clock().now() + PUBLISH_WITHIN);
    assert_eq!(worker.take(&key(1), &region(0), 1).await.unwrap(), later, "it asks for more time");
    assert_eq!(again.take(&key(1), &region(0), 1).await.unwrap(), later, "and so does a second call of the same step");
    worker.release(&key(1)).await.unwrap();
    worker.release(&key(1)).await.unwrap();
    worker.release(&key(2)).await.unwrap();
    assert!(
        is_transient(world.open(1).switch(1, &region(1)).await.unwrap_err().kind),
        "the second call still publishes"
    );
    again.release(&key(1)).await.unwrap();
    world.open(1).switch(1, &region(1)).await.unwrap();
    let Leave::Over(why) = worker.take(&key(1), &region(0), 1).await.unwrap() else {
        panic!("another region is active")
    };
    assert!(
        why.contains("region eu-west-1 is active since") && why.contains("(epoch 2); nothing was published"),
        "{why}"
    );
}
