//! Stopping an attempt: a flag that every step sees, a decision that stands against publishing, the execution itself, then the end.

use super::describe::reached;
use super::{StepFunctionsEngine, describe, start};
use crate::aws::batch::{CANCELLED, DECIDED, PUBLISH, STOP};
use crate::batch::ledger::{End, Ended, Request};
use crate::domain::run::{AttemptKey, Progress};
use crate::ports::PortError;
use std::sync::Arc;

pub(super) async fn stop(engine: &StepFunctionsEngine, key: &AttemptKey) -> Result<(), PortError> {
    if engine.ended(key).await?.is_some() {
        return Ok(());
    }
    engine.folders.create(key, STOP, Vec::new()).await?;
    let Some(request) = engine.request(key).await? else {
        engine.folders.create(key, DECIDED, CANCELLED.to_vec()).await?;
        return engine.end(key, cancelled(Progress::default())).await.map(drop);
    };
    if finish(engine, key, &request).await?.is_none() {
        // It is publishing, which nobody breaks off; and if nobody is at it, it has to be finished.
        start::go_on(engine, key, &request).await?;
    }
    Ok(())
}

/// Does what a stop has to do once its flag stands there: how it ended. `None`: it publishes, and the stop came too late.
pub(super) async fn finish(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    request: &Request,
) -> Result<Option<Arc<Ended>>, PortError> {
    if !engine.is_batch(request) {
        return finish_machine(engine, key, request).await.map(Some);
    }
    if decision(engine, key).await? == PUBLISH {
        return Ok(None);
    }
    if let Some((newest, _)) = describe::newest(engine, &engine.batches, key).await? {
        engine.batches.stop(&newest).await?;
    } else {
        // What was started a moment ago may not be seen yet.
        engine.batches.stop(&engine.name(key, 1)).await?;
    }
    let progress = reached(engine, key).await?;
    engine.end(key, cancelled(progress)).await.map(Some)
}

/// What was decided: now, if nothing was before.
async fn decision(engine: &StepFunctionsEngine, key: &AttemptKey) -> Result<&'static [u8], PortError> {
    if engine.folders.create(key, DECIDED, CANCELLED.to_vec()).await? {
        return Ok(CANCELLED);
    }
    let vanished = || PortError::transient(format!("the decision on {key} was there a moment ago and is not now"));
    let text = engine.folders.read(key, DECIDED).await?.ok_or_else(vanished)?;
    match text.as_slice() {
        CANCELLED => Ok(CANCELLED),
        PUBLISH => Ok(PUBLISH),
        _ => Err(PortError::permanent(format!("the decision on {key} cannot be read: somebody has changed it"))),
    }
}

/// A job's own machine knows no flag: its execution is aborted, and how it stands then is how it ended.
async fn finish_machine(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    request: &Request,
) -> Result<Arc<Ended>, PortError> {
    let machine = engine.machine(request)?;
    if machine.stop(&engine.name(key, 1)).await?
        && let Some(seen) = machine.describe(&engine.name(key, 1)).await?
        && let Some(ended) = describe::machine_end(&seen)
    {
        return engine.end(key, ended).await;
    }
    engine.end(key, cancelled(Progress::default())).await
}

fn cancelled(progress: Progress) -> Ended {
    Ended { state: End::Cancelled, progress, reasons: Vec::new(), failure: None }
}
