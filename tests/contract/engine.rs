//! What every [`Engine`] must do: one attempt is one execution, whatever is asked twice, too early or too late.

use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use switchman::batch::Spec;
use switchman::domain::run::AttemptKey;
use switchman::ports::{Engine, Execution, ExecutionState, Kind, StartRun};

macro_rules! engine_contract {
    ($backend:ty: $($test:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::contract::engine::$test(&<$backend as crate::contract::engine::EngineBackend>::fresh().await).await;
        })+
    };
    ($backend:ty) => {
        engine_contract! { $backend:
            what_nobody_has_asked_for_is_absent,
            a_start_that_is_repeated_is_one_execution,
            a_start_by_many_at_once_is_one_execution,
            what_was_stopped_before_it_started_never_starts,
            what_runs_can_be_stopped_and_does_not_begin_again,
            a_stop_after_the_end_changes_nothing,
            rejected_rows_are_read_in_pages,
            an_input_that_changed_or_went_away_is_gone,
            a_job_that_is_not_in_the_catalog_never_starts,
            what_was_interrupted_goes_on,
            what_was_interrupted_can_be_stopped,
        }
    };
}

/// Seven rows in an order that pages show; five of them are rejected.
pub(crate) const ROWS: &str = "id,n\n1,1\n2,x\n9,2\n3,3\n4,y\n9,4\n5,z\n";
/// The lines of the rejected ones.
const REJECTED: [u64; 5] = [3, 4, 6, 7, 8];

/// How long a run takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Quick,
    /// Until it is stopped or interrupted; where it goes on after that, it is quick.
    Endless,
}

impl Pace {
    /// The job that takes so long.
    pub(crate) fn job(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Endless => "endless",
        }
    }
}

/// An engine with two jobs that look up names by id, and its inputs.
pub(crate) trait EngineBackend: Sized {
    async fn fresh() -> Self;
    /// The engine, opened anew where several processes can work on one attempt.
    fn engine(&self) -> Arc<dyn Engine>;
    /// Puts an input where a job has its own, over what is there.
    async fn put(&self, pace: Pace, name: &str, text: &str);
    async fn remove(&self, pace: Pace, name: &str);
    /// A start on the input as it is now.
    async fn start_run(&self, key: &str, pace: Pace, name: &str) -> StartRun;
    /// Waits until the attempt has ended, by itself.
    async fn end(&self, run: &StartRun);
    /// Whoever works on the attempt dies.
    async fn interrupt(&self, run: &StartRun);
    /// How many executions there have been of an attempt that has ended or was interrupted.
    async fn executions(&self, key: &AttemptKey) -> usize;
}

/// What the jobs are described by: the files beside it are written into `folder`.
pub(crate) fn spec(folder: &Path) -> Spec {
    let schema = json!({"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]});
    std::fs::write(folder.join("schema.json"), schema.to_string()).unwrap();
    std::fs::write(folder.join("names.csv"), "id,name\n1,one\n2,two\n3,three\n4,four\n5,five\n").unwrap();
    let mut spec = Spec::new("schema.json");
    spec.lookups =
        vec![serde_json::from_value(json!({"file": "names.csv", "key": "id", "columns": ["name"]})).unwrap()];
    spec
}

pub(crate) fn attempt(key: &str) -> AttemptKey {
    AttemptKey::parse(key).unwrap()
}

async fn state(backend: &impl EngineBackend, key: &AttemptKey) -> ExecutionState {
    backend.engine().describe(key).await.unwrap().state
}

/// A run that has been started.
async fn started(backend: &impl EngineBackend, pace: Pace) -> StartRun {
    backend.put(pace, "may.csv", ROWS).await;
    let run = backend.start_run("r-aaaa.1", pace, "may.csv").await;
    backend.engine().start(&run).await.unwrap();
    run
}

async fn ended(backend: &impl EngineBackend) -> (StartRun, Execution) {
    let run = started(backend, Pace::Quick).await;
    backend.end(&run).await;
    let ended = backend.engine().describe(&run.key).await.unwrap();
    assert_eq!(ended.state, ExecutionState::Succeeded, "{ended:?}");
    (run, ended)
}

pub(crate) async fn what_nobody_has_asked_for_is_absent(backend: &impl EngineBackend) {
    let key = attempt("r-aaaa.1");
    let absent = backend.engine().describe(&key).await.unwrap();
    assert_eq!((absent.state, absent.progress.rows, absent.failure), (ExecutionState::Absent, 0, None));
    assert_eq!(backend.engine().rejects(&key, 0, 5).await.unwrap().total, 0);
}

pub(crate) async fn a_start_that_is_repeated_is_one_execution(backend: &impl EngineBackend) {
    let run = started(backend, Pace::Quick).await;
    backend.engine().start(&run).await.unwrap();
    backend.end(&run).await;
    let first = backend.engine().describe(&run.key).await.unwrap();
    assert_eq!((first.progress.rows, first.progress.accepted, first.progress.rejected), (7, 2, 5));
    assert_eq!(first.reasons.iter().map(|reason| reason.count).sum::<u64>(), 5);
    backend.engine().start(&run).await.unwrap();
    assert_eq!(backend.engine().describe(&run.key).await.unwrap(), first, "what has ended does not begin again");
    assert_eq!(backend.executions(&run.key).await, 1);
}

pub(crate) async fn a_start_by_many_at_once_is_one_execution(backend: &impl EngineBackend) {
    backend.put(Pace::Endless, "may.csv", ROWS).await;
    let run = backend.start_run("r-aaaa.1", Pace::Endless, "may.csv").await;
    let engine = backend.engine();
    let starts: Vec<_> = (0..6)
        .map(|_| {
            let (engine, run) = (engine.clone(), run.clone());
            tokio::spawn(async move { engine.start(&run).await })
        })
        .collect();
    for start in starts {
        // Of many at once one may be told to look again, as long as it is not told that it failed.
        if let Err(error) = start.await.unwrap() {
            assert!(matches!(error.kind, Kind::Transient { .. }), "{error}");
        }
    }
    engine.start(&run).await.unwrap();
    engine.stop(&run.key).await.unwrap();
    backend.end(&run).await;
    assert_eq!(backend.executions(&run.key).await, 1);
}

pub(crate) async fn what_was_stopped_before_it_started_never_starts(backend: &impl EngineBackend) {
    backend.put(Pace::Quick, "may.csv", ROWS).await;
    let run = backend.start_run("r-aaaa.1", Pace::Quick, "may.csv").await;
    backend.engine().stop(&run.key).await.unwrap();
    assert_eq!(state(backend, &run.key).await, ExecutionState::Cancelled);
    backend.engine().stop(&run.key).await.unwrap();
    backend.engine().start(&run).await.unwrap();
    assert_eq!(state(backend, &run.key).await, ExecutionState::Cancelled);
    assert_eq!(backend.executions(&run.key).await, 0);
    // Only this attempt: the next one of the run starts.
    let next = backend.start_run("r-aaaa.2", Pace::Quick, "may.csv").await;
    backend.engine().start(&next).await.unwrap();
    backend.end(&next).await;
    assert_eq!(state(backend, &next.key).await, ExecutionState::Succeeded);
}

pub(crate) async fn what_runs_can_be_stopped_and_does_not_begin_again(backend: &impl EngineBackend) {
    let run = started(backend, Pace::Endless).await;
    let running = state(backend, &run.key).await;
    assert!(matches!(running, ExecutionState::Queued | ExecutionState::Running), "{running:?}");
    backend.engine().stop(&run.key).await.unwrap();
    backend.end(&run).await;
    let stopped = backend.engine().describe(&run.key).await.unwrap();
    assert_eq!((stopped.state, stopped.failure), (ExecutionState::Cancelled, None));
    backend.engine().stop(&run.key).await.unwrap();
    backend.engine().start(&run).await.unwrap();
    assert_eq!(state(backend, &run.key).await, ExecutionState::Cancelled);
    assert_eq!(backend.executions(&run.key).await, 1);
}

pub(crate) async fn a_stop_after_the_end_changes_nothing(backend: &impl EngineBackend) {
    let (run, ended) = ended(backend).await;
    backend.engine().stop(&run.key).await.unwrap();
    assert_eq!(backend.engine().describe(&run.key).await.unwrap(), ended);
    assert_eq!(backend.engine().rejects(&run.key, 0, 10).await.unwrap().rows.len(), 5);
}

pub(crate) async fn rejected_rows_are_read_in_pages(backend: &impl EngineBackend) {
    let (run, _) = ended(backend).await;
    let engine = backend.engine();
    for (skip, max, lines) in [
        (0, 10, &REJECTED[..]),
        (0, 2, &REJECTED[..2]),
        (2, 2, &REJECTED[2..4]),
        (4, 10, &REJECTED[4..]),
        (5, 10, &[]),
        (1_000, 10, &[]),
        (0, 0, &[]),
    ] {
        let page = engine.rejects(&run.key, skip, max).await.unwrap();
        assert_eq!(page.total, 5);
        assert_eq!(page.rows.iter().map(|row| row.line).collect::<Vec<_>>(), lines, "{max} from {skip}");
    }
    let page = engine.rejects(&run.key, 0, 2).await.unwrap();
    let said: Vec<_> = page.rows.iter().map(|row| (&*row.column, &*row.reason, &*row.value)).collect();
    assert_eq!(said, [("n", "bad-integer", "x"), ("id", "missing-lookup", "9")]);
    assert!(page.rows.iter().all(|row| !row.explanation.is_empty()), "in words, too");
}

pub(crate) async fn an_input_that_changed_or_went_away_is_gone(backend: &impl EngineBackend) {
    backend.put(Pace::Quick, "may.csv", ROWS).await;
    let run = backend.start_run("r-aaaa.1", Pace::Quick, "may.csv").await;
    backend.put(Pace::Quick, "may.csv", "id,n\n1,1\n").await;
    let changed = backend.engine().start(&run).await.unwrap_err();
    assert_eq!(changed.kind, Kind::Gone);
    assert_eq!(changed.what, "the file may.csv changed after the run was asked for; start a new run");
    backend.remove(Pace::Quick, "may.csv").await;
    let gone = backend.engine().start(&run).await.unwrap_err();
    assert_eq!(gone.kind, Kind::Gone);
    assert_eq!(gone.what, "the file may.csv is not there any more");
    assert_eq!(state(backend, &run.key).await, ExecutionState::Absent);
    assert_eq!(backend.executions(&run.key).await, 0);
}

pub(crate) async fn a_job_that_is_not_in_the_catalog_never_starts(backend: &impl EngineBackend) {
    backend.put(Pace::Quick, "may.csv", ROWS).await;
    let mut run = backend.start_run("r-aaaa.1", Pace::Quick, "may.csv").await;
    run.job = switchman::domain::id::JobName::parse("other").unwrap();
    let error = backend.engine().start(&run).await.unwrap_err();
    assert_eq!((error.kind, &*error.what), (Kind::Permanent, "there is no job other in the configuration"));
    assert_eq!(state(backend, &run.key).await, ExecutionState::Absent);
}

pub(crate) async fn what_was_interrupted_goes_on(backend: &impl EngineBackend) {
    let run = started(backend, Pace::Endless).await;
    backend.interrupt(&run).await;
    assert_eq!(state(backend, &run.key).await, ExecutionState::Interrupted);
    // An input that is not what it was is found out while it is read, not asked for twice.
    backend.engine().start(&run).await.unwrap();
    backend.engine().start(&run).await.unwrap();
    assert_ne!(state(backend, &run.key).await, ExecutionState::Interrupted);
    backend.end(&run).await;
    let ended = backend.engine().describe(&run.key).await.unwrap();
    assert_eq!((ended.state, ended.progress.rows, ended.progress.percent()), (ExecutionState::Succeeded, 7, 100));
}

pub(crate) async fn what_was_interrupted_can_be_stopped(backend: &impl EngineBackend) {
    let run = started(backend, Pace::Endless).await;
    backend.interrupt(&run).await;
    backend.engine().stop(&run.key).await.unwrap();
    assert_eq!(state(backend, &run.key).await, ExecutionState::Cancelled);
    backend.engine().start(&run).await.unwrap();
    assert_eq!(state(backend, &run.key).await, ExecutionState::Cancelled);
}
