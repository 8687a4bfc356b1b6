//! Executions of batches on Step Functions as they are documented: redriven, replaced, stopped too late, told to people.

use crate::contract::engine::{Pace, ROWS, attempt};
use crate::plant::Plant;
use crate::proxy::Fault;
use serde_json::{Value, json};
use switchman::ports::{ExecutionState, Kind, StartRun};

const NAME: &str = "r-aaaa_1";

/// A run that has been started.
async fn started() -> (Plant, StartRun) {
    let plant = Plant::documented().await;
    plant.put("input/endless/may.csv", ROWS).await;
    let run = plant.start_run("r-aaaa.1", Pace::Endless, "may.csv").await;
    plant.engine().start(&run).await.unwrap();
    (plant, run)
}

fn fail(plant: &Plant, name: &str, stuck: Option<&'static str>) {
    plant.states().change(name, |execution| (execution.status, execution.stuck) = ("FAILED", stuck));
}

async fn state(plant: &Plant, run: &StartRun) -> ExecutionState {
    plant.engine().describe(&run.key).await.unwrap().state
}

#[tokio::test]
async fn an_execution_is_given_what_its_machine_takes_and_is_named_after_its_attempt() {
    let (plant, run) = started().await;
    let given = &plant.states().named(NAME)[0].input;
    assert_eq!(given, r#"{"root":"","key":"r-aaaa.1","job":"endless","concurrency":16}"#);
    let request: Value = serde_json::from_str(&plant.get("runs/r-aaaa.1/request.json").await.unwrap()).unwrap();
    assert_eq!(
        (&request["region"], &request["epoch"], &request["scope"]),
        (&json!("eu-central-1"), &json!(1), &json!("all"))
    );
    // In a drill's sandbox it is another one, with folders of its own and the inputs of everybody.
    let drill = plant.engine_in(Some("q-7k3f"));
    assert_eq!(drill.describe(&run.key).await.unwrap().state, ExecutionState::Absent);
    drill.start(&run).await.unwrap();
    assert!(
        plant.states().named("q-7k3f_r-aaaa_1")[0].input.starts_with(r#"{"root":"sandbox/q-7k3f/","key":"r-aaaa.1","#)
    );
    assert!(plant.get("sandbox/q-7k3f/runs/r-aaaa.1/request.json").await.is_some());
    drill.stop(&run.key).await.unwrap();
    assert_eq!(drill.describe(&run.key).await.unwrap().state, ExecutionState::Cancelled);
    assert_eq!(state(&plant, &run).await, ExecutionState::Running);
}

#[tokio::test]
async fn a_start_that_goes_well_asks_once() {
    let (plant, _) = started().await;
    assert_eq!((plant.proxy.seen("StartExecution"), plant.proxy.seen("DescribeExecution")), (1, 0));
    assert_eq!(plant.folder("r-aaaa.1").await, ["request.json".to_owned()].into());
}

#[tokio::test]
async fn a_failed_execution_is_redriven_however_many_ask_for_it() {
    let (mut plant, run) = started().await;
    for (n, status) in ["FAILED", "TIMED_OUT", "ABORTED"].into_iter().enumerate() {
        plant.states().change(NAME, |execution| execution.status = status);
        assert_eq!(state(&plant, &run).await, ExecutionState::Interrupted, "{status}");
        // The job may have been configured otherwise since.
        plant.concurrency += 1;
        let (one, other) = (plant.engine(), plant.engine());
        for done in [tokio::join!(one.start(&run), other.start(&run))].map(<[_; 2]>::from).into_iter().flatten() {
            if let Err(error) = done {
                assert!(matches!(error.kind, Kind::Transient { .. }), "{error}");
            }
        }
        plant.engine().start(&run).await.unwrap();
        assert_eq!(state(&plant, &run).await, ExecutionState::Running);
        let all = plant.states().named(NAME);
        assert_eq!((all.len(), all[0].redrives.len()), (1, n + 1), "{status}");
    }
}

#[tokio::test]
async fn a_redrive_whose_answer_was_lost_counts_once() {
    let (plant, run) = started().await;
    fail(&plant, NAME, None);
    plant.proxy.disturb("RedriveExecution", Fault::AnswerLost, 2);
    plant.engine().start(&run).await.unwrap();
    assert_eq!(plant.proxy.seen("RedriveExecution"), 3);
    assert_eq!(plant.states().named(NAME)[0].redrives.len(), 1);
}

#[tokio::test]
async fn where_redrive_cannot_one_more_execution_goes_on_and_is_the_one_that_counts() {
    let (plant, run) = started().await;
    fail(&plant, NAME, Some("Execution is older than 14 days"));
    assert_eq!(state(&plant, &run).await, ExecutionState::Interrupted);
    for _ in 0..3 {
        plant.engine().start(&run).await.unwrap();
    }
    assert_eq!(plant.states().named(NAME).len(), 2);
    assert_eq!(state(&plant, &run).await, ExecutionState::Running);
    // That one is redriven where it can be, and followed by a third where it cannot.
    fail(&plant, "r-aaaa_1_2", None);
    plant.engine().start(&run).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa_1_2")[0].redrives.len(), 1);
    fail(&plant, "r-aaaa_1_2", Some("Execution history is full"));
    plant.engine().start(&run).await.unwrap();
    let all = plant.states().named(NAME);
    assert_eq!(all.iter().map(|execution| execution.status).collect::<Vec<_>>(), ["FAILED", "FAILED", "RUNNING"]);
    assert!(all.iter().all(|execution| execution.input == all[0].input));
    plant.engine().stop(&run.key).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa_1_3")[0].status, "ABORTED");
    assert_eq!(state(&plant, &run).await, ExecutionState::Cancelled);
}

#[tokio::test]
async fn an_execution_of_our_name_with_another_input_is_not_ours() {
    let (plant, run) = started().await;
    plant.states().change(NAME, |execution| execution.input = r#"{"root":"","key":"r-aaaa.1","job":"quick"}"#.into());
    let error = plant.engine().start(&run).await.unwrap_err();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.what.contains("r-aaaa_1 that was started with another input"), "{error}");
}

#[tokio::test]
async fn a_redriven_execution_that_waits_is_queued_and_one_that_ended_without_a_word_has_failed() {
    let (plant, run) = started().await;
    plant.states().change(NAME, |execution| execution.status = "PENDING_REDRIVE");
    assert_eq!(state(&plant, &run).await, ExecutionState::Queued);
    plant.states().change(NAME, |execution| execution.status = "SUCCEEDED");
    plant.engine().start(&run).await.unwrap();
    assert_eq!(plant.states().named(NAME).len(), 1, "nothing is started again");
    let lost = plant.engine().describe(&run.key).await.unwrap();
    assert_eq!(lost.state, ExecutionState::Failed);
    assert!(lost.failure.unwrap().contains("ended without saying how"));
    plant.work(&run).await;
    assert_eq!(state(&plant, &run).await, ExecutionState::Succeeded);
}

#[tokio::test]
async fn an_end_is_asked_for_once() {
    let (plant, run) = started().await;
    plant.work(&run).await;
    let engine = plant.engine();
    let first = engine.describe(&run.key).await.unwrap();
    let asked = plant.proxy.seen("GET");
    for _ in 0..3 {
        assert_eq!(engine.describe(&run.key).await.unwrap(), first);
    }
    assert_eq!(plant.proxy.seen("GET"), asked);
    assert_eq!(plant.proxy.seen("DescribeExecution"), 0, "what has ended needs no execution to say so");
}

#[tokio::test]
async fn progress_is_that_of_the_finished_chunks_and_before_the_first_that_of_the_map() {
    let (plant, run) = started().await;
    assert_eq!(plant.engine().describe(&run.key).await.unwrap().progress.chunks_total, 0);
    *plant.states().map.lock().unwrap() = Some((1, 4));
    let counted = plant.engine().describe(&run.key).await.unwrap().progress;
    assert_eq!((counted.chunks, counted.chunks_total, counted.rows), (1, 4, 0));
    let chunk = |n: u64| json!({"index": n, "start": n * 100, "bytes": 100, "first_line": n, "crc": 0});
    let plan = json!({"version": 1, "job": "j", "columns": [], "dialect": {}, "bytes": 205, "lines": 9, "chunks": [chunk(0), chunk(1)]});
    plant.put("runs/r-aaaa.1/plan.json", plan.to_string()).await;
    let engine = plant.engine();
    let at =
        |done: &switchman::domain::run::Progress| (done.rows, done.accepted, done.rejected, done.bytes, done.chunks);
    let none = engine.describe(&run.key).await.unwrap().progress;
    assert_eq!((at(&none), none.bytes_total, none.chunks_total), ((0, 0, 0, 0, 0), 200, 2));
    for (marker, reached, percent) in [
        ("done/000000-1-100-7-2", (9, 7, 2, 100, 1), 50),
        ("done/000001-1-100-5-0", (14, 12, 2, 200, 2), 100),
        // The second round has found a duplicate.
        ("done/000001-2-100-4-1", (14, 11, 3, 200, 2), 100),
    ] {
        plant.put(&format!("runs/r-aaaa.1/{marker}"), "{}").await;
        let asked = plant.proxy.seen("GET");
        let done = engine.describe(&run.key).await.unwrap().progress;
        assert_eq!((at(&done), done.percent()), (reached, percent), "{marker}");
        assert_eq!(plant.proxy.seen("GET"), asked + 2, "one look whether it has ended, and one listing");
    }
    // What was done stays known when it is stopped.
    engine.stop(&run.key).await.unwrap();
    assert_eq!(at(&plant.engine().describe(&run.key).await.unwrap().progress), (14, 11, 3, 200, 2));
}

#[tokio::test]
async fn a_stop_that_comes_when_the_result_is_being_published_comes_too_late() {
    let (plant, run) = started().await;
    plant.put("runs/r-aaaa.1/decided", "publish").await;
    plant.engine().stop(&run.key).await.unwrap();
    assert_eq!(plant.states().named(NAME)[0].status, "RUNNING", "nobody breaks off a publication");
    assert_eq!(state(&plant, &run).await, ExecutionState::Running);
    // Where whoever published has died, the stop that is repeated sees to it that it is finished.
    fail(&plant, NAME, None);
    assert_eq!(state(&plant, &run).await, ExecutionState::Interrupted);
    plant.engine().stop(&run.key).await.unwrap();
    assert_eq!(state(&plant, &run).await, ExecutionState::Running);
    assert_eq!(plant.get("runs/r-aaaa.1/decided").await.unwrap(), "publish");
    plant.work(&run).await;
    assert_eq!(state(&plant, &run).await, ExecutionState::Succeeded);
}

#[tokio::test]
async fn a_stop_leaves_a_flag_a_decision_and_an_end() {
    let (plant, run) = started().await;
    plant.engine().stop(&run.key).await.unwrap();
    let there = plant.folder("r-aaaa.1").await;
    assert_eq!(there, ["decided", "ended.json", "request.json", "stop"].map(str::to_owned).into());
    assert_eq!(plant.get("runs/r-aaaa.1/decided").await.unwrap(), "cancelled");
    assert_eq!(plant.states().named(NAME)[0].status, "ABORTED");
    // A flag that was left by somebody who died is enough: nobody goes on.
    let (plant, run) = started().await;
    fail(&plant, NAME, None);
    plant.put("runs/r-aaaa.1/stop", "").await;
    plant.engine().start(&run).await.unwrap();
    assert_eq!(state(&plant, &run).await, ExecutionState::Cancelled);
    assert_eq!(plant.states().named(NAME)[0].redrives.len(), 0);
}

#[tokio::test]
async fn throttles_and_outages_are_waited_out_and_are_never_an_answer() {
    let (plant, run) = started().await;
    let throttled = Fault::Refused(400, "ThrottlingException");
    for (operation, fault) in [
        ("DescribeExecution", throttled),
        ("DescribeExecution", Fault::Refused(503, "ServiceUnavailable")),
        ("DescribeExecution", Fault::AnswerLost),
        ("GET", Fault::Refused(503, "SlowDown")),
    ] {
        plant.proxy.disturb(operation, fault, 2);
        assert_eq!(state(&plant, &run).await, ExecutionState::Running, "{operation} {fault:?}");
        plant.proxy.disturb(operation, fault, 1_000);
        let error = plant.engine().describe(&run.key).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Transient { .. }), "{operation} {fault:?}: {error}");
    }
    let mut other = run.clone();
    other.key = attempt("r-bbbb.1");
    for fault in [throttled, Fault::Refused(400, "ExecutionLimitExceeded"), Fault::Refused(500, "InternalError")] {
        plant.proxy.disturb("StartExecution", fault, 1_000);
        let error = plant.engine().start(&other).await.unwrap_err();
        assert!(matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous), "{fault:?}: {error}");
    }
    // It was asked for, and nobody has begun: not a reason to tell anybody of an interruption.
    assert_eq!(plant.engine().describe(&other.key).await.unwrap().state, ExecutionState::Absent);
    plant.proxy.disturb("StartExecution", Fault::Refused(400, "AccessDeniedException"), 1);
    assert_eq!(plant.engine().start(&other).await.unwrap_err().kind, Kind::Denied);
    plant.engine().start(&other).await.unwrap();
    assert_eq!(plant.engine().describe(&other.key).await.unwrap().state, ExecutionState::Running);
}
