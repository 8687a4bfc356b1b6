//! An engine that has workflows: it remembers what it was told, and a test says how they go on.

use super::bot::{Bot, CHANNEL, Wrap};
use super::regions::with_sites;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use switchman::domain::envelope::Envelope;
use switchman::domain::id::{JobName, ParameterName};
use switchman::domain::job::{Catalog, Job};
use switchman::domain::parameter::{Declared, Inputs, Kind as Type};
use switchman::domain::run::{AttemptKey, Progress};
use switchman::domain::task::{TaskAnswer, TaskOutcome, TaskToken, TaskWaiting};
use switchman::ports::{Clock, Engine, Execution, ExecutionState, Kind, PortError, RejectPage, Site, StartRun};
use switchman::processor::Ctx;

/// What a token of the tests looks like; it must stand nowhere.
pub(crate) const TOKEN: &str = "AQCEAAAAKgAAAAMsecret";

/// The workflows of a test. Clones are the same ones.
#[derive(Clone, Default)]
pub(crate) struct Workflows(Arc<Mutex<Known>>);

#[derive(Default)]
struct Known {
    /// What each waiting workflow heard, in order: once it has an answer its token is used up.
    answers: Vec<TaskAnswer>,
    /// How often anybody tried to answer.
    tries: u32,
    beats: u32,
    /// The workflow that waits has ended for another reason.
    ended: bool,
    /// The next answer is heard, and its receipt is lost.
    lose_receipt: bool,
    /// Answers fail for good.
    broken: bool,
    starts: Vec<StartRun>,
    executions: HashMap<AttemptKey, Execution>,
}

impl Workflows {
    /// Puts them behind the engine's port.
    pub(crate) fn wrap(&self) -> Wrap {
        let workflows = self.clone();
        Arc::new(move |ctx: Ctx| workflows.put_into(ctx))
    }

    pub(crate) fn put_into(&self, ctx: Ctx) -> Ctx {
        let workflows = self.clone();
        let regions = with_sites(ctx.regions, move |site| {
            let engine = Arc::new(WithWorkflows { engine: site.engine, workflows: workflows.clone() });
            Site { engine, ..site }
        });
        Ctx { regions, ..ctx }
    }

    /// The answers that were heard.
    pub(crate) fn answers(&self) -> Vec<TaskOutcome> {
        self.0.lock().unwrap().answers.iter().map(|answer| answer.outcome.clone()).collect()
    }

    /// The one answer, if it is a failure: its error and cause.
    pub(crate) fn failure(&self) -> (String, String) {
        match self.answers().as_slice() {
            [TaskOutcome::Failure { error, cause }] => ((*error).to_owned(), cause.clone()),
            other => panic!("one failure was expected: {other:?}"),
        }
    }

    pub(crate) fn tries(&self) -> u32 {
        self.0.lock().unwrap().tries
    }

    pub(crate) fn beats(&self) -> u32 {
        self.0.lock().unwrap().beats
    }

    /// What waits for an answer waits no more.
    pub(crate) fn end(&self) {
        self.0.lock().unwrap().ended = true;
    }

    pub(crate) fn lose_receipt(&self) {
        self.0.lock().unwrap().lose_receipt = true;
    }

    pub(crate) fn break_down(&self) {
        self.0.lock().unwrap().broken = true;
    }

    /// The executions that were started, in order.
    pub(crate) fn starts(&self) -> Vec<StartRun> {
        self.0.lock().unwrap().starts.clone()
    }

    /// An execution comes to its end.
    pub(crate) fn comes_to(&self, key: &AttemptKey, state: ExecutionState, failure: Option<&str>) {
        let mut known = self.0.lock().unwrap();
        let execution = known.executions.get_mut(key).expect("it was started");
        (execution.state, execution.failure) = (state, failure.map(str::to_owned));
    }
}

/// A catalog with the workflow `nightly` beside what there is.
pub(crate) fn with_nightly(catalog: &Catalog) -> Catalog {
    let input = |name: &str, kind: Type, default: Option<&str>| Declared {
        name: ParameterName::parse(name).unwrap(),
        title: format!("The {name}"),
        hint: None,
        kind,
        required: default.is_none(),
        default: default.map(str::to_owned),
    };
    let choices = ["full", "delta"].map(str::to_owned).to_vec();
    let inputs = Inputs(vec![
        input("date", Type::Date { min: None, max: None }, None),
        input("mode", Type::Choice { choices }, Some("full")),
        input("tries", Type::Integer { min: Some(1), max: Some(9) }, Some("3")),
        input("force", Type::Boolean, Some("false")),
        Declared { required: false, ..input("note", Type::Text { pattern: None }, None) },
    ]);
    let nightly = Job {
        name: JobName::parse("nightly").unwrap(),
        summary: "The nightly close".to_owned(),
        definition: "one".to_owned(),
        arrival: None,
        workflow: Some(inputs),
    };
    Catalog::new(catalog.jobs().iter().cloned().chain([nightly]).collect())
}

/// The question of the tests.
pub(crate) fn question() -> serde_json::Value {
    serde_json::json!({
        "switchman": "approval", "token": TOKEN, "job": "price-list", "channel": CHANNEL,
        "question": "Publish the price list of *November*?", "details": {"rows": 812, "largest change": "+30 % & more"},
    })
}

impl Bot {
    /// A workflow stops at its question.
    pub(crate) async fn is_asked(&self, body: &serde_json::Value) {
        let now = self.clock.now();
        let task = TaskWaiting::read(body, None, now).unwrap();
        self.ports().bus.publish(Envelope::task_waiting(task, now).unwrap()).await.unwrap();
        self.settle().await;
    }
}

struct WithWorkflows {
    engine: Arc<dyn Engine>,
    workflows: Workflows,
}

#[async_trait]
impl Engine for WithWorkflows {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        if run.input.parameters.is_none() {
            return self.engine.start(run).await;
        }
        let mut known = self.workflows.0.lock().unwrap();
        if !known.executions.contains_key(&run.key) {
            known.starts.push(run.clone());
            let execution = Execution {
                state: ExecutionState::Running,
                progress: Progress::default(),
                reasons: Vec::new(),
                failure: None,
            };
            known.executions.insert(run.key.clone(), execution);
        }
        Ok(())
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        let known = self.workflows.0.lock().unwrap().executions.get(key).cloned();
        match known {
            Some(execution) => Ok(execution),
            None => self.engine.describe(key).await,
        }
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        if let Some(execution) = self.workflows.0.lock().unwrap().executions.get_mut(key) {
            execution.state = ExecutionState::Cancelled;
            return Ok(());
        }
        self.engine.stop(key).await
    }

    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError> {
        let mut known = self.workflows.0.lock().unwrap();
        known.tries += 1;
        if known.broken {
            return Err(PortError::permanent("the answer is too long"));
        }
        if known.ended || known.answers.iter().any(|before| before.token == task.token) {
            return Err(PortError::new(Kind::Gone, "the task does not wait any more"));
        }
        known.answers.push(task.clone());
        if std::mem::take(&mut known.lose_receipt) {
            return Err(PortError::new(Kind::Ambiguous, "the connection broke"));
        }
        Ok(())
    }

    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError> {
        let mut known = self.workflows.0.lock().unwrap();
        if known.ended || known.answers.iter().any(|before| before.token == *token) {
            return Err(PortError::new(Kind::Gone, "the task does not wait any more"));
        }
        known.beats += 1;
        Ok(())
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        self.engine.rejects(key, skip, max).await
    }
}
