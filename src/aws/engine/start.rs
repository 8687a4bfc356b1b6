//! Starting an attempt, and going on with one that nobody works on.

use super::machine::{Begun, Machine, Seen, Status};
use super::{StepFunctionsEngine, Work, input, stop};
use crate::aws::batch::STOP;
use crate::batch::ledger::{REQUEST, Request};
use crate::domain::run::{AttemptKey, Input};
use crate::ports::{Kind, PortError, StartRun};
use serde_json::Value;
use std::sync::Arc;

/// So many executions of one attempt are more than outages explain.
const MOST: u32 = 100;

pub(super) async fn start(engine: &StepFunctionsEngine, run: &StartRun) -> Result<(), PortError> {
    let key = &run.key;
    if engine.ended(key).await?.is_some() {
        return Ok(());
    }
    let request = match engine.request(key).await? {
        Some(request) => request,
        None => accept(engine, run).await?,
    };
    if engine.folders.has(key, STOP).await? && stop::finish(engine, key, &request).await?.is_some() {
        return Ok(());
    }
    match engine.work(&request.job)? {
        Work::Batch { .. } => go_on(engine, key, &request).await,
        Work::Machine(machine) => {
            let given = input::of_machine(key, &request.input);
            begin(engine, key, machine, &given).await?;
            // Nobody in there looks for the flag: who was asked to stop just now does it here.
            if engine.folders.has(key, STOP).await? {
                machine.stop(&engine.name(key, 1)).await?;
            }
            Ok(())
        }
    }
}

/// Writes down what is asked for: from here on the attempt exists.
async fn accept(engine: &StepFunctionsEngine, run: &StartRun) -> Result<Arc<Request>, PortError> {
    if let Work::Batch { .. } = engine.work(&run.job)? {
        check_input(engine, &run.input).await?;
    }
    let request = Request {
        job: run.job.clone(),
        input: run.input.clone(),
        scope: run.scope,
        region: Some(engine.site.region.clone()),
        epoch: Some(run.epoch),
    };
    engine.folders.create_json(&run.key, REQUEST, &request).await?;
    let vanished = || PortError::transient(format!("the request of {} was written and is not there", run.key));
    // What stands there counts: another may have been first.
    engine.request(&run.key).await?.ok_or_else(vanished)
}

/// Whether the input is still what it was when the run was asked for.
async fn check_input(engine: &StepFunctionsEngine, input: &Input) -> Result<(), PortError> {
    match engine.folders.input(input).await? {
        None => Err(PortError::new(Kind::Gone, format!("the file {} is not there any more", input.name))),
        Some((bytes, etag)) if bytes == input.bytes && etag == input.fingerprint => Ok(()),
        Some(_) => {
            let what = format!("the file {} changed after the run was asked for; start a new run", input.name);
            Err(PortError::new(Kind::Gone, what))
        }
    }
}

/// Sees to it that somebody works on a batch, or that it has ended.
pub(super) async fn go_on(engine: &StepFunctionsEngine, key: &AttemptKey, request: &Request) -> Result<(), PortError> {
    let Work::Batch { concurrency } = engine.work(&request.job)? else { return Ok(()) };
    let given = input::of_batch(&engine.root, key, request.job.as_str(), *concurrency);
    for nth in 1..=MOST {
        let name = engine.name(key, nth);
        let Some(seen) = run_one(&engine.batches, &name, &given).await? else { return Ok(()) };
        match seen.status {
            // It has ended well, and says so in the folder in a moment.
            Status::Running | Status::PendingRedrive | Status::Succeeded => return Ok(()),
            Status::Failed | Status::TimedOut | Status::Aborted => {
                let Some(why) = redrive(&engine.batches, &name, seen).await? else { return Ok(()) };
                tracing::warn!(attempt = %key, execution = %name, why, "cannot be redriven: one more execution goes on from the chunks that are done");
            }
        }
    }
    let what = format!(
        "{MOST} executions of {key} have failed, each with all its retries; look at them in Step Functions, then start a new run"
    );
    Err(PortError::permanent(what))
}

/// Starts the execution of a job's own machine; how an earlier one of the same attempt ended is the answer.
async fn begin(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    machine: &Machine,
    given: &Value,
) -> Result<(), PortError> {
    run_one(machine, &engine.name(key, 1), given).await.map(drop)
}

/// Starts an execution. Where the name is taken by an earlier start of ours: what is known of that one.
async fn run_one(machine: &Machine, name: &super::ExecutionName, given: &Value) -> Result<Option<Seen>, PortError> {
    match machine.start(name, &given.to_string()).await? {
        Begun::Runs => Ok(None),
        Begun::Taken => {
            let behind =
                || PortError::transient(format!("the execution {name} has just been started; it is looked at again"));
            let seen = machine.describe(name).await?.ok_or_else(behind)?;
            if input::is_same(&seen.input, given) {
                return Ok(Some(seen));
            }
            let what = format!(
                "there is an execution {name} that was started with another input, not by this bot; nothing was started. Start a new run"
            );
            Err(PortError::permanent(what))
        }
    }
}

/// Redrives a failed execution. `Some`: why it cannot be.
async fn redrive(machine: &Machine, name: &super::ExecutionName, seen: Seen) -> Result<Option<String>, PortError> {
    match seen.redrivable {
        Err(why) => Ok(Some(why)),
        Ok(()) if machine.redrive(name).await? => {
            tracing::info!(execution = %name, error = seen.error, "a failed execution was redriven");
            Ok(None)
        }
        // Somebody else redrove it, or its time is just over: another look tells.
        Ok(()) => {
            Err(PortError::transient(format!("the execution {name} could not be redriven now; it is looked at again")))
        }
    }
}
