//! The local engine and its files, through their ports.
mod contract_here;
mod support;

use crate::harness::clock::ManualClock;
use std::fs;
use std::time::Duration;
use support::{Shop, attempt, file, job};
use switchman::domain::command::Scope;
use switchman::ports::{ArtifactKind, Clock, ExecutionState, Files, Kind};

const ROWS: &str = "id,n\n1,1\n2,x\n3,3\n9,9\n";

#[tokio::test]
async fn a_run_ends_with_counts_rejects_and_results() {
    let shop = Shop::new();
    shop.input("may.csv", ROWS);
    let mut engine = shop.engine(1);
    let run = shop.start_run("r-aaaa.1", "may.csv", Scope::All).await;
    assert_eq!(engine.state("r-aaaa.1").await, ExecutionState::Absent);
    engine.port.start(&run).await.unwrap();
    engine.port.start(&run).await.unwrap();
    let ended = engine.ended("r-aaaa.1").await;
    assert_eq!(ended.state, ExecutionState::Succeeded);
    assert_eq!((ended.progress.rows, ended.progress.accepted, ended.progress.rejected), (4, 2, 2));
    assert_eq!((ended.progress.percent(), ended.progress.chunks_total > 0), (100, true));
    let reasons: Vec<_> = ended.reasons.iter().map(|r| (r.reason.as_str(), r.count)).collect();
    assert_eq!(reasons, [("bad-integer", 1), ("missing-lookup", 1)]);
    let page = engine.port.rejects(&attempt("r-aaaa.1"), 1, 5).await.unwrap();
    assert_eq!((page.total, page.rows.len(), page.rows[0].line), (2, 1, 5));
    assert_eq!(
        (page.rows[0].column.as_str(), page.rows[0].reason.as_str(), page.rows[0].value.as_str()),
        ("id", "missing-lookup", "9")
    );
    engine.port.start(&run).await.unwrap();
    assert_eq!(engine.state("r-aaaa.1").await, ExecutionState::Succeeded, "what has ended does not begin again");
    assert_eq!(fs::read_to_string(shop.path("output/may.r-aaaa.csv")).unwrap(), "id,n,name\n1,1,one\n3,3,three\n");
    assert!(
        fs::read_to_string(shop.path("output/may.r-aaaa.rejects.csv"))
            .unwrap()
            .starts_with("line,column,reason,value,id,n\n3,")
    );
}

#[tokio::test]
async fn rejected_rows_are_redone_with_the_lookup_of_today() {
    let shop = Shop::new();
    shop.input("may.csv", ROWS);
    let mut engine = shop.engine(1);
    engine.port.start(&shop.start_run("r-aaaa.1", "may.csv", Scope::All).await).await.unwrap();
    engine.ended("r-aaaa.1").await;
    shop.write("names.csv", "id,name\n1,NEW\n3,NEW\n9,nine\n");
    engine.port.start(&shop.start_run("r-aaaa.2", "may.csv", Scope::Rows).await).await.unwrap();
    assert_eq!(engine.ended("r-aaaa.2").await.progress.rejected, 1);
    assert_eq!(
        fs::read_to_string(shop.path("output/may.r-aaaa.csv")).unwrap(),
        "id,n,name\n1,1,one\n3,3,three\n9,9,nine\n"
    );
}

#[tokio::test]
async fn one_runs_and_the_next_waits_its_turn_and_both_can_be_stopped() {
    let shop = Shop::slow();
    shop.input("a.csv", &shop.many_rows());
    shop.input("b.csv", &shop.many_rows());
    let mut engine = shop.engine(1);
    engine.port.start(&shop.start_run("r-aaaa.1", "a.csv", Scope::All).await).await.unwrap();
    engine.reaches("r-aaaa.1", ExecutionState::Running).await;
    engine.port.start(&shop.start_run("r-bbbb.1", "b.csv", Scope::All).await).await.unwrap();
    assert_eq!(engine.state("r-bbbb.1").await, ExecutionState::Queued);
    engine.port.stop(&attempt("r-bbbb.1")).await.unwrap();
    assert_eq!(engine.ended("r-bbbb.1").await.state, ExecutionState::Cancelled);
    engine.port.stop(&attempt("r-aaaa.1")).await.unwrap();
    assert_eq!(engine.ended("r-aaaa.1").await.state, ExecutionState::Cancelled);
    assert!(!shop.path("output").exists());
    let files = shop.files();
    for kind in [ArtifactKind::Output, ArtifactKind::Rejects] {
        assert_eq!(files.artifact(&attempt("r-aaaa.1"), kind).await.unwrap(), None);
    }
    assert_eq!(engine.port.rejects(&attempt("r-aaaa.1"), 0, 5).await.unwrap().total, 0);
}

#[tokio::test]
async fn what_was_stopped_before_it_started_never_starts() {
    let shop = Shop::new();
    shop.input("may.csv", ROWS);
    let engine = shop.engine(1);
    engine.port.stop(&attempt("r-aaaa.1")).await.unwrap();
    engine.port.start(&shop.start_run("r-aaaa.1", "may.csv", Scope::All).await).await.unwrap();
    assert_eq!(engine.state("r-aaaa.1").await, ExecutionState::Cancelled);
}

#[tokio::test]
async fn an_interrupted_execution_goes_on_in_the_next_process() {
    let mut shop = Shop::slow();
    shop.input("a.csv", &shop.many_rows());
    let mut engine = shop.engine(1);
    let run = shop.start_run("r-aaaa.1", "a.csv", Scope::All).await;
    engine.port.start(&run).await.unwrap();
    engine.reaches("r-aaaa.1", ExecutionState::Running).await;
    engine.engine.shutdown().await;
    assert!(engine.port.start(&run).await.is_err(), "it is closing");
    shop.hurry();
    let mut next = shop.engine(1);
    assert_eq!(next.state("r-aaaa.1").await, ExecutionState::Interrupted);
    next.port.start(&run).await.unwrap();
    let ended = next.ended("r-aaaa.1").await;
    assert_eq!((ended.state, ended.progress.rows), (ExecutionState::Succeeded, 2_000));

    let mut last = shop.engine(1);
    assert_eq!(last.state("r-aaaa.1").await, ExecutionState::Succeeded);
    assert_eq!(last.ended("r-aaaa.1").await, ended);
}

#[tokio::test]
async fn an_interrupted_execution_can_be_stopped() {
    let shop = Shop::slow();
    shop.input("a.csv", &shop.many_rows());
    let mut engine = shop.engine(1);
    engine.port.start(&shop.start_run("r-aaaa.1", "a.csv", Scope::All).await).await.unwrap();
    engine.reaches("r-aaaa.1", ExecutionState::Running).await;
    engine.engine.shutdown().await;
    let next = shop.engine(1);
    next.port.stop(&attempt("r-aaaa.1")).await.unwrap();
    assert_eq!(next.state("r-aaaa.1").await, ExecutionState::Cancelled);
}

#[tokio::test]
async fn two_processes_never_work_on_one_attempt() {
    let shop = Shop::slow();
    shop.input("a.csv", &shop.many_rows());
    let (mut one, mut other) = (shop.engine(1), shop.engine(1));
    let run = shop.start_run("r-aaaa.1", "a.csv", Scope::All).await;
    one.port.start(&run).await.unwrap();
    one.planned("r-aaaa.1").await;
    other.port.start(&run).await.unwrap();
    other.settles("r-aaaa.1").await;
    assert_eq!(other.state("r-aaaa.1").await, ExecutionState::Running, "in the other process");
    assert!(matches!(other.port.stop(&attempt("r-aaaa.1")).await.unwrap_err().kind, Kind::Transient { .. }));
    one.port.stop(&attempt("r-aaaa.1")).await.unwrap();
    one.ended("r-aaaa.1").await;
    assert_eq!(other.state("r-aaaa.1").await, ExecutionState::Cancelled);
}

#[tokio::test]
async fn what_can_never_start_is_refused_and_what_fails_says_why() {
    let shop = Shop::new();
    shop.input("may.csv", ROWS);
    let mut engine = shop.engine(1);
    let run = shop.start_run("r-aaaa.1", "may.csv", Scope::All).await;
    shop.input("may.csv", "id,n\n1,1\n");
    let changed = engine.port.start(&run).await.unwrap_err();
    assert!(changed.kind == Kind::Gone && changed.what.contains("may.csv changed"), "{changed}");
    fs::remove_file(shop.path("input/may.csv")).unwrap();
    assert_eq!(engine.port.start(&run).await.unwrap_err().kind, Kind::Gone);
    shop.input("june.csv", "id,m\n1,1\n");
    let mut run = shop.start_run("r-bbbb.1", "june.csv", Scope::All).await;
    engine.port.start(&run).await.unwrap();
    let failed = engine.ended("r-bbbb.1").await;
    assert_eq!(failed.state, ExecutionState::Failed);
    assert!(failed.failure.unwrap().contains("missing \"n\"; unknown \"m\""));
    run.job = switchman::domain::id::JobName::parse("other").unwrap();
    run.key = attempt("r-cccc.1");
    assert_eq!(engine.port.start(&run).await.unwrap_err().kind, Kind::Permanent);
}

#[tokio::test]
async fn too_many_rejects_fail_and_give_no_output() {
    let mut shop = Shop::new();
    shop.tolerate(10.0);
    shop.input("may.csv", ROWS);
    let mut engine = shop.engine(1);
    engine.port.start(&shop.start_run("r-aaaa.1", "may.csv", Scope::All).await).await.unwrap();
    let failed = engine.ended("r-aaaa.1").await;
    assert_eq!(failed.state, ExecutionState::Failed);
    let why = failed.failure.unwrap();
    assert!(why.contains("50 % of the rows were rejected and the job tolerates 10 %"), "{why}");
    let files = shop.files();
    assert_eq!(files.artifact(&attempt("r-aaaa.1"), ArtifactKind::Output).await.unwrap(), None);
    assert!(files.artifact(&attempt("r-aaaa.1"), ArtifactKind::Rejects).await.unwrap().is_some());
    assert!(!shop.path("output").exists());
}

#[tokio::test]
async fn inputs_are_listed_put_whole_and_never_overwritten() {
    let shop = Shop::new();
    let files = shop.files();
    assert_eq!(files.inputs(&job()).await.unwrap(), []);
    files.put_input(&job(), &file("may.csv"), ROWS.as_bytes()).await.unwrap();
    let taken = files.put_input(&job(), &file("may.csv"), b"other").await.unwrap_err();
    assert_eq!(taken.kind, Kind::Conflict);
    shop.input(".hidden.csv", "");
    shop.input("notes.txt", "");
    fs::create_dir(shop.path("input/folder.csv")).unwrap();
    let inputs = files.inputs(&job()).await.unwrap();
    assert_eq!((inputs.len(), inputs[0].name.as_str(), inputs[0].bytes), (1, "may.csv", ROWS.len() as u64));
    assert_eq!(fs::read_dir(shop.path("input")).unwrap().count(), 4);
    shop.input("may.csv", "id,n\n");
    assert_ne!(files.inputs(&job()).await.unwrap()[0].fingerprint, inputs[0].fingerprint);
    assert_eq!(files.input_folder(&job()), "input", "never where it lies on this machine");
}

#[tokio::test]
async fn results_are_read_in_ranges_and_linked() {
    let shop = Shop::new();
    shop.input("may.csv", ROWS);
    let mut engine = shop.engine(1);
    engine.port.start(&shop.start_run("r-aaaa.1", "may.csv", Scope::All).await).await.unwrap();
    engine.ended("r-aaaa.1").await;
    let files = shop.files();
    let output = files.artifact(&attempt("r-aaaa.1"), ArtifactKind::Output).await.unwrap().unwrap();
    assert_eq!((output.name.as_str(), output.bytes), ("may.r-aaaa.csv", 28));
    assert_eq!(files.read(&output, 10, 8).await.unwrap(), b"1,1,one\n");
    assert_eq!(files.read(&output, 28, 8).await.unwrap(), b"");
    let now = ManualClock::new().now();
    let link = files.link(&output, now, Duration::from_hours(1)).await.unwrap();
    assert!(link.starts_with("http://bot/download/r-aaaa.1/output?"), "{link}");
}
