//! Step Functions as its API reference describes it, as far as executions go: what MiniStack does otherwise or not at all. The pages are
//! those of https://docs.aws.amazon.com/step-functions/latest/apireference/, named `API_` and the operation.
//!
//! - `StartExecution`: "If you call StartExecution with the same name and input as a running execution, the call succeeds and return[s] the
//!   same response as the original request", otherwise `ExecutionAlreadyExists` (MiniStack: always the error).
//! - `RedriveExecution`: failed, aborted and timed out executions of Standard workflows, for 14 days; `ExecutionNotRedrivable` (MiniStack:
//!   unknown action).
//! - `DescribeExecution`: `redriveStatus` and its reason (MiniStack: neither).
//! - `SendTask…`: `TaskTimedOut` once the task is closed, `InvalidToken` for what is none (MiniStack: see `tests/aws/emulator.rs`).

use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

/// One region's executions.
#[derive(Default)]
pub(crate) struct States {
    executions: Mutex<BTreeMap<String, Execution>>,
    tasks: Mutex<BTreeMap<String, Option<Value>>>,
    /// What a Distributed Map has done, and of how many.
    pub(crate) map: Mutex<Option<(u64, u64)>>,
    /// Whether the machines are Express ones, whose executions have other names.
    pub(crate) express: AtomicBool,
}

#[derive(Debug, Clone)]
pub(crate) struct Execution {
    pub(crate) input: String,
    pub(crate) status: &'static str,
    pub(crate) redrives: Vec<String>,
    /// Why AWS does not redrive it.
    pub(crate) stuck: Option<&'static str>,
    pub(crate) cause: Option<(&'static str, String)>,
}

pub(crate) const MACHINE: &str = "arn:aws:states:eu-central-1:123456789012:stateMachine:batch";

type Answer = Result<Value, &'static str>;

impl States {
    /// To stand in for the service.
    pub(crate) fn answerer(self: &Arc<Self>) -> crate::proxy::StandIn {
        let states = self.clone();
        Arc::new(move |operation, body| {
            let asked: Value = serde_json::from_slice(body).unwrap();
            match states.answer(operation, &asked) {
                Ok(answer) => (200, answer.to_string()),
                Err(code) => (
                    400,
                    json!({"__type": format!("com.amazonaws.states#{code}"), "message": "as documented"}).to_string(),
                ),
            }
        })
    }

    /// The executions whose names begin so, in order.
    pub(crate) fn named(&self, prefix: &str) -> Vec<Execution> {
        let all = self.executions.lock().unwrap();
        all.iter()
            .filter(|(arn, _)| arn.rsplit(':').next().unwrap().starts_with(prefix))
            .map(|(_, e)| e.clone())
            .collect()
    }

    /// Changes an execution behind everybody's back.
    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Execution)) {
        let mut all = self.executions.lock().unwrap();
        let found = all.iter_mut().find(|(arn, _)| arn.ends_with(&format!(":{name}")));
        change(found.unwrap_or_else(|| panic!("there is no execution {name}")).1);
    }

    /// A workflow that waits.
    pub(crate) fn wait(&self, token: &str) {
        self.tasks.lock().unwrap().insert(token.to_owned(), None);
    }

    /// What it was told.
    pub(crate) fn told(&self, token: &str) -> Option<Value> {
        self.tasks.lock().unwrap()[token].clone()
    }

    fn answer(&self, operation: &str, asked: &Value) -> Answer {
        let text = |name: &str| asked[name].as_str().unwrap_or_else(|| panic!("{operation} without {name}"));
        match operation {
            "StartExecution" => self.start(text("stateMachineArn"), text("name"), text("input")),
            "DescribeExecution" => self.describe(text("executionArn")),
            "RedriveExecution" => self.redrive(text("executionArn"), text("clientToken")),
            "StopExecution" => {
                let mut all = self.executions.lock().unwrap();
                let found = all.get_mut(text("executionArn")).ok_or("ExecutionDoesNotExist")?;
                if found.status == "RUNNING" {
                    found.status = "ABORTED";
                }
                Ok(json!({"stopDate": 2.0}))
            }
            "ListMapRuns" => {
                let arn = text("executionArn");
                let run = |_: (u64, u64)| json!({"executionArn": arn, "mapRunArn": "map", "stateMachineArn": MACHINE, "startDate": 1.0});
                Ok(json!({"mapRuns": self.map.lock().unwrap().map(run).into_iter().collect::<Vec<_>>()}))
            }
            "DescribeMapRun" => Ok(self.map_run()),
            "SendTaskSuccess" | "SendTaskFailure" => {
                let mut tasks = self.tasks.lock().unwrap();
                let task = tasks.get_mut(text("taskToken")).ok_or("InvalidToken")?;
                if task.is_some() {
                    return Err("TaskTimedOut");
                }
                *task = Some(asked.clone());
                Ok(json!({}))
            }
            "SendTaskHeartbeat" => match self.tasks.lock().unwrap().get(text("taskToken")) {
                None => Err("TaskDoesNotExist"),
                Some(Some(_)) => Err("TaskTimedOut"),
                Some(None) => Ok(json!({})),
            },
            other => panic!("nobody should ask Step Functions for {other}"),
        }
    }

    fn start(&self, machine: &str, name: &str, input: &str) -> Answer {
        assert!(name.len() <= 80 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)), "{name}");
        serde_json::from_str::<Value>(input).unwrap();
        if self.express.load(SeqCst) {
            return Ok(
                json!({"executionArn": format!("{}:{name}:1", machine.replace(":stateMachine:", ":express:")), "startDate": 1.0}),
            );
        }
        if !["batch", "nightly"].iter().any(|known| machine.ends_with(&format!(":stateMachine:{known}"))) {
            return Err("StateMachineDoesNotExist");
        }
        let arn = format!("{}:{name}", machine.replace(":stateMachine:", ":execution:"));
        let mut all = self.executions.lock().unwrap();
        if all.get(&arn).is_some_and(|there| there.status != "RUNNING" || there.input != input) {
            return Err("ExecutionAlreadyExists");
        }
        let new = Execution { input: input.into(), status: "RUNNING", redrives: Vec::new(), stuck: None, cause: None };
        all.entry(arn.clone()).or_insert(new);
        Ok(json!({"executionArn": arn, "startDate": 1.0}))
    }

    fn describe(&self, arn: &str) -> Answer {
        let all = self.executions.lock().unwrap();
        let found = all.get(arn).ok_or("ExecutionDoesNotExist")?;
        let over = matches!(found.status, "FAILED" | "ABORTED" | "TIMED_OUT");
        let redrivable = if over && found.stuck.is_none() { "REDRIVABLE" } else { "NOT_REDRIVABLE" };
        let (machine, name) = arn.rsplit_once(':').unwrap();
        let (error, cause) = found.cause.clone().unzip();
        Ok(json!({
            "executionArn": arn, "stateMachineArn": machine.replace(":execution:", ":stateMachine:"), "name": name,
            "status": found.status, "startDate": 1.0, "input": found.input, "error": error, "cause": cause,
            "redriveCount": found.redrives.len(), "redriveStatus": redrivable, "redriveStatusReason": found.stuck,
        }))
    }

    fn redrive(&self, arn: &str, token: &str) -> Answer {
        let mut all = self.executions.lock().unwrap();
        let found = all.get_mut(arn).ok_or("ExecutionDoesNotExist")?;
        if found.redrives.last().is_some_and(|last| last == token) {
            return Ok(json!({"redriveDate": 3.0}));
        }
        if found.stuck.is_some() || !matches!(found.status, "FAILED" | "ABORTED" | "TIMED_OUT") {
            return Err("ExecutionNotRedrivable");
        }
        found.status = "RUNNING";
        found.redrives.push(token.to_owned());
        Ok(json!({"redriveDate": 3.0}))
    }

    fn map_run(&self) -> Value {
        let (done, total) = self.map.lock().unwrap().unwrap();
        let counts = json!({
            "pending": total - done, "running": 0, "succeeded": done, "failed": 0, "timedOut": 0, "aborted": 0,
            "total": total, "resultsWritten": 0,
        });
        json!({
            "mapRunArn": "map", "executionArn": "x", "status": "RUNNING", "startDate": 1.0, "maxConcurrency": 1,
            "toleratedFailurePercentage": 0.0, "toleratedFailureCount": 0, "itemCounts": counts,
            "executionCounts": counts, "redriveCount": 0,
        })
    }
}
