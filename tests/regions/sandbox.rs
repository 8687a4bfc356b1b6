//! A drill works on a copy, publishes within it, and leaves nothing.

use super::support::{Land, attempt, east, job, result, rows, tree, west};
use std::fs;
use switchman::domain::command::Scope;
use switchman::domain::id::RequestId;
use switchman::ports::{ArtifactKind, ExecutionState, Regions, StartRun};

fn drill() -> RequestId {
    RequestId::parse("q-7k3f").unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_done_in_a_sandbox_has_no_effect_elsewhere() {
    let land = Land::new();
    let mut world = land.open();
    land.input("may.csv", &rows(500));
    land.input("june.csv", &rows(700));
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    world.ended(&east(), "r-aaaa.1").await;
    world.catch_up(&land).await;
    let before =
        [tree(&land.west("runs")), tree(&land.west("output")), tree(&land.west("input")), tree(&land.path("output"))];

    let site = world.regions.sandbox(&west(), &drill()).await.unwrap();
    assert!(site.files.artifact(&attempt("r-aaaa.1"), ArtifactKind::Output).await.unwrap().is_some());
    let inputs = site.files.inputs(&job()).await.unwrap();
    assert_eq!(inputs.len(), 2);
    let input = inputs.into_iter().find(|input| input.name.as_str() == "june.csv").unwrap();
    let start = StartRun { key: attempt("r-bbbb.2"), job: job(), input, scope: Scope::All, epoch: 1 };
    site.engine.start(&start).await.unwrap();
    while site.engine.describe(&attempt("r-bbbb.2")).await.unwrap().state != ExecutionState::Succeeded {
        tokio::task::yield_now().await;
    }
    let same = world.regions.sandbox(&west(), &drill()).await.unwrap();
    assert_eq!(same.engine.describe(&attempt("r-bbbb.2")).await.unwrap().state, ExecutionState::Succeeded);
    let output = land.west("drills/q-7k3f/output/shop/june.r-bbbb.csv");
    assert_eq!(fs::read_to_string(output).unwrap(), result(700));
    // The same drill after a restart.
    let again = land.open();
    let same = again.regions.sandbox(&west(), &drill()).await.unwrap();
    assert_eq!(same.engine.describe(&attempt("r-bbbb.2")).await.unwrap().state, ExecutionState::Succeeded);

    world.regions.clear_sandbox(&drill()).await.unwrap();
    world.regions.clear_sandbox(&drill()).await.unwrap();
    let after =
        [tree(&land.west("runs")), tree(&land.west("output")), tree(&land.west("input")), tree(&land.path("output"))];
    assert_eq!(after, before);
    assert!(!land.west("drills").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_drill_that_is_over_has_left_goes_at_the_next_start() {
    let land = Land::new();
    let world = land.open();
    land.input("may.csv", &rows(5));
    world.catch_up(&land).await;
    world.regions.sandbox(&west(), &drill()).await.unwrap();
    assert!(land.west("drills/q-7k3f").exists());
    land.open().regions.replicate_once().await.unwrap();
    assert!(!land.west("drills").exists());
}
