//! What is done in the active region arrives in the other one a lag later, and how far it is behind is measured.

use super::support::{LAG, Land, attempt, east, job, result, rows, west};
use jiff::SignedDuration;
use std::fs;
use std::time::Duration;
use switchman::domain::command::Scope;
use switchman::embedded::regions::FileKind;
use switchman::ports::{ArtifactKind, Clock, ExecutionState, Kind, Regions};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_arrives_a_lag_after_it_came_and_is_the_same_file_there() {
    let land = Land::new();
    let world = land.open();
    assert_eq!(world.behind().await.lag, Some(SignedDuration::ZERO));
    land.input("may.csv", &rows(3));
    assert_eq!(world.regions.replicate_once().await.unwrap(), 0);
    land.clock.advance(Duration::from_secs(1));
    let behind = world.behind().await;
    assert_eq!((behind.lag, behind.pending), (Some(SignedDuration::from_secs(1)), Some(1)));
    assert_eq!(world.regions.replicate_once().await.unwrap(), 0);
    land.clock.advance(Duration::from_secs(1));
    assert_eq!(world.regions.replicate_once().await.unwrap(), 1);
    let behind = world.behind().await;
    assert_eq!((behind.lag, behind.pending), (Some(SignedDuration::ZERO), Some(0)));
    assert_eq!(behind.complete_at, Some(land.clock.now()));
    let here = world.site(&east()).files.inputs(&job()).await.unwrap();
    assert_eq!(world.site(&west()).files.inputs(&job()).await.unwrap(), here, "key and fingerprint too");
    assert_eq!(world.site(&west()).files.input_folder(&job()), "data/regions/west/input/shop");
    assert_eq!(world.regions.replicate_once().await.unwrap(), 0, "once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_finished_attempt_arrives_with_its_results_and_is_never_looked_at_again() {
    let land = Land::new();
    let mut world = land.open();
    land.input("may.csv", &rows(2_000));
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    let here = world.ended(&east(), "r-aaaa.1").await;
    assert_eq!(here.state, ExecutionState::Succeeded);
    let absent = world.site(&west()).engine.describe(&attempt("r-aaaa.1")).await.unwrap();
    assert_eq!(absent.state, ExecutionState::Absent);
    world.catch_up(&land).await;
    assert_eq!(world.site(&west()).engine.describe(&attempt("r-aaaa.1")).await.unwrap(), here);
    assert_eq!(fs::read_to_string(land.west("output/shop/may.r-aaaa.csv")).unwrap(), result(2_000));
    assert_eq!(
        fs::read(land.west("output/shop/may.r-aaaa.rejects.csv")).unwrap(),
        fs::read(land.path("output/may.r-aaaa.rejects.csv")).unwrap()
    );
    let found = world.site(&west()).files.artifact(&attempt("r-aaaa.1"), ArtifactKind::Output).await.unwrap();
    assert!(found.is_some());
    // What was complete is remembered: it would be noticed that it is gone only by looking at it again.
    fs::remove_dir_all(land.west("runs/r-aaaa.1")).unwrap();
    world.catch_up(&land).await;
    assert!(!land.west("runs/r-aaaa.1").exists());
    let look = world.regions.look().await.unwrap();
    let kinds: Vec<_> = look.regions[0].files.as_ref().unwrap().iter().map(|file| (file.kind, file.arrived)).collect();
    assert!(kinds.contains(&(FileKind::Input, Some(1))) && kinds.contains(&(FileKind::Output, Some(0))), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_region_that_is_cut_off_does_not_answer_and_catches_up_when_it_is_back() {
    let land = Land::new();
    let mut world = land.open();
    world.regions.cut_off(&west(), true).unwrap();
    land.input("may.csv", &rows(500));
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    world.ended(&east(), "r-aaaa.1").await;
    world.catch_up(&land).await;
    let error = world.site(&west()).files.inputs(&job()).await.unwrap_err();
    assert!(matches!(error.kind, Kind::Transient { .. }));
    assert_eq!(error.what, "region west does not answer");
    assert!(world.site(&west()).engine.describe(&attempt("r-aaaa.1")).await.is_err());
    let behind = world.behind().await;
    assert_eq!((behind.lag, behind.pending), (None, None), "unknown is not zero");
    let look = world.regions.look().await.unwrap();
    assert!(!look.regions[1].reachable && look.regions[1].files.is_none());
    assert!(!land.west("runs").exists());
    world.regions.cut_off(&west(), false).unwrap();
    world.catch_up(&land).await;
    assert_eq!(fs::read_to_string(land.west("output/shop/may.r-aaaa.csv")).unwrap(), result(500));
    assert_eq!(world.behind().await.pending, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_switch_it_goes_the_other_way_and_what_only_the_old_region_has_stays() {
    let land = Land::new();
    let mut world = land.open();
    land.input("may.csv", &rows(500));
    world.catch_up(&land).await;
    land.input("lost.csv", &rows(5));
    world.regions.cut_off(&east(), true).unwrap();
    assert_eq!(world.behind().await.lag, None);
    world.regions.switch(1, &west()).await.unwrap();
    world.start(&west(), "r-bbbb.1", "may.csv", Scope::All, 2).await;
    assert_eq!(world.ended(&west(), "r-bbbb.1").await.state, ExecutionState::Succeeded);
    fs::write(land.west("input/shop/june.csv"), rows(2)).unwrap();
    fs::write(land.west("input/shop/lost.csv"), rows(9)).unwrap();
    world.regions.cut_off(&east(), false).unwrap();
    world.catch_up(&land).await;
    assert_eq!(fs::read_to_string(land.path("output/may.r-bbbb.csv")).unwrap(), result(500));
    assert_eq!(fs::read_to_string(land.path("input/june.csv")).unwrap(), rows(2));
    assert_eq!(fs::read_to_string(land.path("input/lost.csv")).unwrap(), rows(9), "the active region wins");
    let names: Vec<_> = fs::read_dir(land.path("input")).unwrap().map(|e| e.unwrap().file_name()).collect();
    let aside = names.iter().find(|name| name.to_str().unwrap().ends_with(".replaced")).expect("kept aside");
    assert_eq!(fs::read_to_string(land.path("input").join(aside)).unwrap(), rows(5));
    let back = world.regions.replication(&west(), &east()).await.unwrap();
    assert_eq!((back.lag, back.pending), (Some(SignedDuration::ZERO), Some(0)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_work_arrives_as_chunks_and_is_finished_in_the_other_region() {
    let mut land = Land::new();
    land.brake = Some(4_000);
    let mut world = land.open();
    land.input("may.csv", &rows(3_000));
    world.regions.set_lag(Duration::ZERO);
    world.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    let there = world.site(&west()).engine;
    loop {
        world.regions.replicate_once().await.unwrap();
        if there.describe(&attempt("r-aaaa.1")).await.unwrap().progress.chunks > 0 {
            break;
        }
        tokio::task::yield_now().await;
    }
    world.regions.stop(&east()).await.unwrap();
    world.regions.switch(1, &west()).await.unwrap();
    let reached = there.describe(&attempt("r-aaaa.1")).await.unwrap();
    assert_eq!(reached.state, ExecutionState::Interrupted);
    assert!(reached.progress.chunks < reached.progress.chunks_total, "{reached:?}");
    world.start(&west(), "r-aaaa.2", "may.csv", Scope::Chunks, 2).await;
    assert_eq!(world.ended(&west(), "r-aaaa.2").await.state, ExecutionState::Succeeded);
    assert_eq!(fs::read_to_string(land.west("output/shop/may.r-aaaa.csv")).unwrap(), result(3_000));
    assert!(!land.path("output").exists());
    world.regions.cut_off(&east(), false).unwrap();
    world.catch_up(&land).await;
    assert_eq!(fs::read_to_string(land.path("output/may.r-aaaa.csv")).unwrap(), result(3_000));
    let old = world.site(&east()).engine.describe(&attempt("r-aaaa.1")).await.unwrap();
    assert_eq!(old.state, ExecutionState::Failed);
    assert!(old.failure.unwrap().starts_with("region west is active since 2026-03-02"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_copy_the_same_folders() {
    let land = Land::new();
    let (mut one, other) = (land.open(), land.open());
    land.input("may.csv", &rows(2_000));
    one.start(&east(), "r-aaaa.1", "may.csv", Scope::All, 1).await;
    for _ in 0..20 {
        let (a, b) = tokio::join!(one.regions.replicate_once(), other.regions.replicate_once());
        assert!(a.is_ok() && b.is_ok());
        land.clock.advance(LAG);
    }
    one.ended(&east(), "r-aaaa.1").await;
    tokio::join!(one.catch_up(&land), other.catch_up(&land));
    one.catch_up(&land).await;
    assert_eq!(fs::read_to_string(land.west("output/shop/may.r-aaaa.csv")).unwrap(), result(2_000));
    other.regions.switch(1, &west()).await.unwrap();
    assert_eq!(one.regions.active().await.unwrap().region, west());
}
