//! Nothing is published under an epoch that is over.

use super::support::{Land, attempt, east, result, rows, west};
use std::fs;
use switchman::domain::command::Scope;
use switchman::ports::{ExecutionState, Regions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_region_publishes_nothing_after_the_switch() {
    let land = Land::new();
    let mut world = land.open();
    land.input("may.csv", &rows(500));
    world.regions.switch(1, &west()).await.unwrap();
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    let ended = world.ended(&east(), "r-aaaa.1").await;
    assert_eq!(ended.state, ExecutionState::Failed);
    let why = ended.failure.unwrap();
    assert_eq!(why, "region west is active since 2026-03-02T08:00:00Z (epoch 2); nothing was published");
    assert!(!land.path("output").exists() && !land.path("data/runs/r-aaaa.1/output.csv").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_of_before_does_not_become_good_when_its_region_is_active_again() {
    let land = Land::new();
    let mut world = land.open();
    land.input("may.csv", &rows(500));
    world.regions.switch(1, &west()).await.unwrap();
    world.regions.switch(2, &east()).await.unwrap();
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    assert_eq!(world.ended(&east(), "r-aaaa.1").await.state, ExecutionState::Failed);
    assert!(!land.path("output").exists());
    world.start(&east(), "r-bbbb.1", "may.csv", Scope::All, 3).await;
    assert_eq!(world.ended(&east(), "r-bbbb.1").await.state, ExecutionState::Succeeded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_is_cut_off_withholds_its_result_and_publishes_it_only_if_it_is_still_active() {
    for switched in [false, true] {
        let mut land = Land::new();
        land.brake = Some(20_000);
        let mut world = land.open();
        land.input("may.csv", &rows(4_000));
        world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
        world.regions.cut_off(&east(), true).unwrap();
        // Another process looks at the region from within.
        let within = land.open();
        let engine = within.site(&east()).engine;
        while engine.describe(&attempt("r-aaaa.1")).await.unwrap().state != ExecutionState::Interrupted {
            tokio::task::yield_now().await;
        }
        assert!(!land.path("output").exists());
        if switched {
            within.regions.switch(1, &west()).await.unwrap();
        }
        world.regions.cut_off(&east(), false).unwrap();
        world.regions.replicate_once().await.unwrap();
        // Another process sees it a moment before the engine that works on it, which may even go on.
        world.ended(&east(), "r-aaaa.1").await;
        if switched {
            world.regions.replicate_once().await.unwrap();
        } else {
            // As the processor does where it finds an attempt interrupted.
            world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
        }
        let ended = world.ended(&east(), "r-aaaa.1").await;
        if switched {
            assert!(ended.failure.unwrap().starts_with("region west is active since"));
            assert!(!land.path("output").exists());
        } else {
            assert_eq!(ended.state, ExecutionState::Succeeded);
            assert_eq!(fs::read_to_string(land.path("output/may.r-aaaa.csv")).unwrap(), result(4_000));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_switch_waits_for_a_publication_under_way() {
    let land = Land::new();
    let world = land.open();
    let publishing =
        fs::OpenOptions::new().write(true).create(true).truncate(false).open(land.path("data/publish.lock")).unwrap();
    publishing.lock_shared().unwrap();
    let regions = world.regions.clone();
    let switch = tokio::spawn(async move { regions.switch(1, &west()).await });
    for _ in 0..100 {
        assert_eq!(world.regions.active().await.unwrap().epoch, 1);
    }
    assert!(!switch.is_finished());
    drop(publishing);
    assert_eq!(switch.await.unwrap().unwrap().epoch, 2);
}
