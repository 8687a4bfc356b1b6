//! How far the copy is behind is measured, and unknown where nobody can say it.

use super::support::{World, region, sales};
use crate::contract::samples::key;
use std::time::Duration;
use switchman::domain::region::Replication;
use switchman::ports::{ArtifactKind, Clock, Kind, Regions};

const BEAT: Duration = Duration::from_mins(1);

/// What S3 does by itself on AWS.
async fn arrives(world: &World) {
    let source = format!("{}/heartbeat", world.bucket(0));
    let body = world.s3(0).get_object().bucket(world.bucket(0)).key("heartbeat").send().await.expect(&source);
    let body = body.body.collect().await.unwrap().into_bytes();
    world.s3(1).put_object().bucket(world.bucket(1)).key("heartbeat").body(body.into()).send().await.unwrap();
}

async fn behind(world: &World) -> Replication {
    world.open(1).replication(&region(0), &region(1)).await.unwrap()
}

#[tokio::test]
async fn the_lag_is_that_of_the_oldest_heartbeat_that_has_not_arrived() {
    let world = World::new().await;
    assert_eq!(behind(&world).await, Replication::default(), "unknown before anything was measured");
    let (first, bot) = (world.clock().now(), world.open(1));
    bot.beat().await.unwrap();
    assert_eq!(behind(&world).await, Replication::default(), "and while nothing has arrived");
    arrives(&world).await;
    let level = behind(&world).await;
    assert_eq!((level.lag.unwrap().as_secs(), level.complete_at), (0, Some(first)));
    world.clock().advance(BEAT);
    bot.beat().await.unwrap();
    world.clock().advance(Duration::from_secs(3));
    assert_eq!(behind(&world).await.lag.unwrap().as_secs(), 3);
    world.clock().advance(BEAT);
    bot.beat().await.unwrap();
    let late = behind(&world).await;
    assert_eq!((late.lag.unwrap().as_secs(), late.complete_at), (123, Some(first)), "two are on their way");
    world.clock().advance(BEAT * 6);
    assert_eq!(behind(&world).await.lag, None, "nobody writes any more");
    assert_eq!(world.keys(0).await, ["heartbeat"]);
}

#[tokio::test]
async fn a_region_that_does_not_answer_is_unknown_and_never_empty() {
    let world = World::new().await;
    world.open(0).beat().await.unwrap();
    arrives(&world).await;
    world.put(0, "input/sales/may.csv", "a,b\n").await;
    // Nobody listens there.
    let gone = world.through("http://127.0.0.1:9");
    let regions = world.with_lost(&gone);
    let lost = regions.site(&region(0)).unwrap();
    let error = lost.files.inputs(&sales()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. }), "{error}");
    let error = lost.files.artifact(&key(1), ArtifactKind::Output).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. }), "{error}");
    let unknown = regions.replication(&region(0), &region(1)).await.unwrap();
    assert_eq!((unknown.lag, unknown.complete_at), (None, Some(world.clock().now())));
    assert_eq!(regions.replication(&region(1), &region(0)).await.unwrap(), Replication::default());
    // The record outlives the region.
    assert_eq!(regions.switch(1, &region(1)).await.unwrap().region, region(1));
    assert!(regions.site(&region(1)).unwrap().files.inputs(&sales()).await.unwrap().is_empty());
}
