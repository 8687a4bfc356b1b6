//! Jobs with a state machine of their own, and workflows that wait for an answer.

use crate::contract::engine::attempt;
use crate::plant::Plant;
use crate::proxy::Fault;
use serde_json::json;
use switchman::domain::command::Scope;
use switchman::domain::id::{JobName, ParameterName};
use switchman::domain::parameter::{Parameter, Parameters, Value};
use switchman::domain::task::{TaskAnswer, TaskOutcome, TaskToken};
use switchman::ports::{ExecutionState, Kind, StartRun};

/// A start of a workflow.
pub(crate) fn nightly(key: &str) -> StartRun {
    let one = |name: &str, value| Parameter { name: ParameterName::parse(name).unwrap(), value };
    let date = Value::Date("2026-11-01".parse().unwrap());
    let parameters =
        Parameters(vec![one("date", date), one("dry", Value::Boolean(true)), one("tries", Value::Integer(3))]);
    let job = JobName::parse("nightly").unwrap();
    StartRun { key: attempt(key), input: parameters.input(&job), job, scope: Scope::All, epoch: 1 }
}

#[tokio::test]
async fn a_workflow_is_given_its_parameters_and_whose_attempt_it_is() {
    let plant = Plant::documented().await;
    let run = nightly("r-aaaa.1");
    assert_eq!(plant.engine().describe(&run.key).await.unwrap().state, ExecutionState::Absent);
    for _ in 0..3 {
        plant.engine().start(&run).await.unwrap();
    }
    let all = plant.states().named("r-aaaa_1");
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].input, r#"{"switchman":{"key":"r-aaaa.1"},"date":"2026-11-01","dry":true,"tries":3}"#);
    let running = plant.engine().describe(&run.key).await.unwrap();
    assert_eq!(
        (running.state, running.progress.chunks_total, running.progress.bytes_total),
        (ExecutionState::Running, 0, 0)
    );
    assert_eq!(plant.engine().rejects(&run.key, 0, 10).await.unwrap().total, 0);
    // Another attempt of the run is another execution.
    plant.engine().start(&nightly("r-aaaa.2")).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa_").len(), 2);
}

#[tokio::test]
async fn how_a_workflow_ends_is_the_answer_and_is_kept_when_aws_has_forgotten_it() {
    for (status, cause, state, failure) in [
        ("SUCCEEDED", None, ExecutionState::Succeeded, None),
        ("ABORTED", None, ExecutionState::Cancelled, None),
        ("TIMED_OUT", None, ExecutionState::Failed, Some("longer than it allows itself")),
        (
            "FAILED",
            Some(("NoRates", r#"{"errorMessage":"no rates today"}"#)),
            ExecutionState::Failed,
            Some("NoRates: no rates today"),
        ),
    ] {
        let plant = Plant::documented().await;
        let run = nightly("r-aaaa.1");
        plant.engine().start(&run).await.unwrap();
        plant.states().change("r-aaaa_1", |execution| {
            execution.status = status;
            execution.cause = cause.map(|(error, cause)| (error, cause.to_owned()));
        });
        let ended = plant.engine().describe(&run.key).await.unwrap();
        assert_eq!(ended.state, state, "{status}");
        let said = ended.failure.clone().unwrap_or_default();
        assert!(failure.map_or(ended.failure.is_none(), |failure| said.contains(failure)), "{said}");
        plant.engine().start(&run).await.unwrap();
        plant.engine().stop(&run.key).await.unwrap();
        assert_eq!(plant.states().named("r-aaaa_1")[0].redrives.len(), 0, "an answer is not an outage");
        // Step Functions forgets after 90 days.
        plant.states().change("r-aaaa_1", |execution| execution.status = "RUNNING");
        assert_eq!(plant.engine().describe(&run.key).await.unwrap(), ended);
    }
}

#[tokio::test]
async fn a_workflow_can_be_stopped_before_it_starts_while_it_runs_and_too_late() {
    let plant = Plant::documented().await;
    let [early, running, late] = ["r-aaaa.1", "r-bbbb.1", "r-cccc.1"].map(nightly);
    plant.engine().stop(&early.key).await.unwrap();
    plant.engine().start(&early).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa").len(), 0);
    plant.engine().start(&running).await.unwrap();
    plant.engine().stop(&running.key).await.unwrap();
    assert_eq!(plant.states().named("r-bbbb")[0].status, "ABORTED");
    for run in [&early, &running] {
        assert_eq!(plant.engine().describe(&run.key).await.unwrap().state, ExecutionState::Cancelled);
    }
    plant.engine().start(&late).await.unwrap();
    plant.states().change("r-cccc_1", |execution| execution.status = "SUCCEEDED");
    plant.engine().stop(&late.key).await.unwrap();
    assert_eq!(plant.engine().describe(&late.key).await.unwrap().state, ExecutionState::Succeeded, "it ended before");
}

#[tokio::test]
async fn a_stop_that_comes_between_the_request_and_the_start_wins() {
    let plant = Plant::documented().await;
    let run = nightly("r-aaaa.1");
    // Whoever starts it dies right before StartExecution.
    plant.proxy.disturb("StartExecution", Fault::Refused(400, "Dead"), 1);
    plant.engine().start(&run).await.unwrap_err();
    plant.engine().stop(&run.key).await.unwrap();
    plant.engine().start(&run).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa").len(), 0);
    assert_eq!(plant.engine().describe(&run.key).await.unwrap().state, ExecutionState::Cancelled);
}

#[tokio::test]
async fn a_stop_that_comes_while_it_is_started_is_seen_by_whoever_starts_it() {
    let plant = Plant::documented().await;
    let run = nightly("r-aaaa.1");
    plant.put("runs/r-aaaa.1/stop", "").await;
    // The flag comes right after the look for it.
    plant.proxy.disturb("HEAD", Fault::Refused(404, "NotFound"), 1);
    plant.engine().start(&run).await.unwrap();
    assert_eq!(plant.states().named("r-aaaa")[0].status, "ABORTED");
    assert_eq!(plant.engine().describe(&run.key).await.unwrap().state, ExecutionState::Cancelled);
}

#[tokio::test]
async fn a_machine_that_is_not_there_is_named_and_nothing_is_started() {
    let plant = Plant::documented().await;
    plant.proxy.disturb("StartExecution", Fault::Refused(400, "StateMachineDoesNotExist"), 1);
    let error = plant.engine().start(&nightly("r-aaaa.1")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Gone);
    assert!(error.what.contains("stateMachine:nightly is not there") && error.what.contains("Deploy it"), "{error}");
}

#[tokio::test]
async fn an_express_machine_is_refused_because_nobody_could_ask_after_it() {
    let plant = Plant::documented().await;
    plant.states().express.store(true, std::sync::atomic::Ordering::SeqCst);
    let error = plant.engine().start(&nightly("r-aaaa.1")).await.unwrap_err();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.what.contains("nightly is an Express state machine") && error.what.contains("Standard"), "{error}");
}

#[tokio::test]
async fn a_waiting_workflow_is_answered_once_and_a_dead_one_is_gone() {
    let plant = Plant::documented().await;
    let engine = plant.engine();
    let token = |text: &str| TaskToken::parse(text).unwrap();
    let success = |text: &str| TaskAnswer {
        token: token(text),
        outcome: TaskOutcome::Success { output: json!({"approved": true}) },
    };
    plant.states().wait("one");
    plant.states().wait("two");
    engine.heartbeat(&token("one")).await.unwrap();
    engine.answer(&success("one")).await.unwrap();
    assert_eq!(plant.states().told("one").unwrap(), json!({"taskToken": "one", "output": "{\"approved\":true}"}));
    let denied = TaskOutcome::Failure { error: "Denied", cause: "Ann: not today".into() };
    engine.answer(&TaskAnswer { token: token("two"), outcome: denied }).await.unwrap();
    assert_eq!(
        plant.states().told("two").unwrap(),
        json!({"taskToken": "two", "error": "Denied", "cause": "Ann: not today"})
    );
    for (text, says) in [("one", "does not wait any more"), ("none", "does not know the token")] {
        let error = engine.answer(&success(text)).await.unwrap_err();
        assert_eq!(error.kind, Kind::Gone, "{error}");
        assert!(error.what.contains(says) && error.what.ends_with("nothing was changed"), "{error}");
        assert!(!error.what.contains("none\""), "a token is never shown");
        assert_eq!(engine.heartbeat(&token(text)).await.unwrap_err().kind, Kind::Gone);
    }
    plant.states().wait("three");
    plant.proxy.disturb("SendTaskSuccess", Fault::Refused(400, "ThrottlingException"), 1);
    assert!(matches!(engine.answer(&success("three")).await.unwrap_err().kind, Kind::Transient { .. }));
    engine.answer(&success("three")).await.unwrap();
    plant.proxy.disturb("SendTaskHeartbeat", Fault::Refused(400, "ThrottlingException"), 1_000);
    assert!(matches!(engine.heartbeat(&token("three")).await.unwrap_err().kind, Kind::Transient { .. }));
}

#[tokio::test]
async fn an_answer_that_may_have_been_heard_is_never_called_too_late_by_the_same_call() {
    let plant = Plant::documented().await;
    let engine = plant.engine();
    for (text, operation, outcome) in [
        ("one", "SendTaskSuccess", TaskOutcome::Success { output: json!({}) }),
        ("two", "SendTaskFailure", TaskOutcome::Failure { error: "Denied", cause: String::new() }),
    ] {
        plant.states().wait(text);
        plant.proxy.disturb(operation, Fault::AnswerLost, 1);
        let answer = TaskAnswer { token: TaskToken::parse(text).unwrap(), outcome };
        assert_eq!(engine.answer(&answer).await.unwrap_err().kind, Kind::Ambiguous, "{operation}");
        assert!(plant.states().told(text).is_some(), "it was heard");
        assert_eq!(engine.answer(&answer).await.unwrap_err().kind, Kind::Gone, "the next call tells");
    }
}
