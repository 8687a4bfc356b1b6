//! Where an attempt stands.

use super::folder::{PLAN, STOP};
use super::machine::{Machine, Seen, Status};
use super::{ExecutionName, StepFunctionsEngine, Totals, execution, stop, told};
use crate::batch::ledger::{End, Ended, Request};
use crate::batch::plan::Plan;
use crate::domain::run::{AttemptKey, Progress};
use crate::ports::{Execution, ExecutionState, PortError};

/// More of a cause is not shown to people; AWS keeps up to 32,768 characters.
const SHOWN: usize = 600;

pub(super) async fn describe(engine: &StepFunctionsEngine, key: &AttemptKey) -> Result<Execution, PortError> {
    if let Some(ended) = engine.ended(key).await? {
        return Ok(told(&ended));
    }
    let Some(request) = engine.request(key).await? else {
        let stopped = engine.folders.has(key, STOP).await?;
        let state = if stopped { ExecutionState::Cancelled } else { ExecutionState::Absent };
        return Ok(execution(state, Progress::default()));
    };
    if engine.is_batch(&request) {
        return describe_batch(engine, key, &request).await;
    }
    let machine = engine.machine(&request)?;
    match machine.describe(&engine.name(key, 1)).await? {
        Some(seen) => match machine_end(&seen) {
            Some(ended) => Ok(told(&*engine.end(key, ended).await?)),
            None => Ok(execution(ExecutionState::Running, Progress::default())),
        },
        None => unattended(engine, key, &request, ExecutionState::Absent).await,
    }
}

async fn describe_batch(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    request: &Request,
) -> Result<Execution, PortError> {
    let Some((name, seen)) = newest(engine, &engine.batches, key).await? else {
        return unattended(engine, key, request, ExecutionState::Absent).await;
    };
    match seen.status {
        Status::Running => Ok(execution(ExecutionState::Running, progress(engine, key, &name).await?)),
        Status::PendingRedrive => Ok(execution(ExecutionState::Queued, reached(engine, key).await?)),
        Status::Failed | Status::TimedOut | Status::Aborted => {
            unattended(engine, key, request, ExecutionState::Interrupted).await
        }
        Status::Succeeded => {
            if let Some(ended) = engine.ended(key).await? {
                return Ok(told(&ended));
            }
            // The end is written before the execution is over, and S3 shows at once what was written: it will not come any more.
            let why = "the state machine ended without saying how: its record in the bucket was removed, or it is not the \
                       state machine of Switchman's template. Nothing else is known; start it again with reprocess-batch";
            let mut lost = execution(ExecutionState::Failed, reached(engine, key).await?);
            lost.failure = Some(why.to_owned());
            Ok(lost)
        }
    }
}

/// Nobody works on it: somebody has to go on, unless it was stopped. Where there is no execution it is `Absent`, whatever was asked for:
/// it was not started yet, AWS does not show it yet, or has forgotten it. In each case a start is right, and does no harm.
async fn unattended(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    request: &Request,
    state: ExecutionState,
) -> Result<Execution, PortError> {
    if engine.folders.has(key, STOP).await?
        && let Some(ended) = stop::finish(engine, key, request).await?
    {
        return Ok(told(&ended));
    }
    Ok(execution(state, reached(engine, key).await?))
}

/// The newest execution of an attempt; `None` where there is none, or AWS does not show it yet.
pub(super) async fn newest(
    engine: &StepFunctionsEngine,
    machine: &Machine,
    key: &AttemptKey,
) -> Result<Option<(ExecutionName, Seen)>, PortError> {
    let mut newest = None;
    for nth in 1.. {
        let name = engine.name(key, nth);
        let Some(seen) = machine.describe(&name).await? else { break };
        // Only one that failed has a successor.
        let over = matches!(seen.status, Status::Failed | Status::TimedOut | Status::Aborted);
        newest = Some((name, seen));
        if !over {
            break;
        }
    }
    Ok(newest)
}

/// How far it is while somebody works on it.
async fn progress(engine: &StepFunctionsEngine, key: &AttemptKey, name: &ExecutionName) -> Result<Progress, PortError> {
    let mut progress = reached(engine, key).await?;
    // Before the first marker, and where the plan cannot be read, the map knows how many there are.
    if progress.chunks_total == 0
        && let Some(counts) = engine.batches.map_counts(name).await?
    {
        progress.chunks = progress.chunks.max(small(counts.done));
        progress.chunks_total = small(counts.total);
    }
    Ok(progress)
}

/// How far it has come by the markers of its chunks.
pub(super) async fn reached(engine: &StepFunctionsEngine, key: &AttemptKey) -> Result<Progress, PortError> {
    let Some(totals) = totals(engine, key).await? else { return Ok(Progress::default()) };
    let done = engine.folders.done(key).await?;
    Ok(Progress {
        rows: done.accepted.saturating_add(done.rejected),
        accepted: done.accepted,
        rejected: done.rejected,
        bytes: done.bytes,
        bytes_total: totals.bytes,
        chunks: small(done.chunks),
        chunks_total: small(totals.chunks),
    })
}

/// The size of its plan; `None` before it has one.
async fn totals(engine: &StepFunctionsEngine, key: &AttemptKey) -> Result<Option<Totals>, PortError> {
    if let Some(known) = engine.totals.get(key) {
        return Ok(Some(known));
    }
    let Some(plan) = engine.folders.json::<Plan>(key, PLAN).await? else { return Ok(None) };
    let totals = Totals { chunks: plan.chunks.len() as u64, bytes: plan.data_bytes() };
    engine.totals.insert(key.clone(), totals);
    Ok(Some(totals))
}

/// How the execution of a job's own machine ended; `None` while it has not.
pub(super) fn machine_end(seen: &Seen) -> Option<Ended> {
    let (state, failure) = match seen.status {
        Status::Running | Status::PendingRedrive => return None,
        Status::Succeeded => (End::Succeeded, None),
        Status::Aborted => (End::Cancelled, None),
        Status::Failed => (End::Failed, Some(cause(seen))),
        Status::TimedOut => (End::Failed, Some("the state machine took longer than it allows itself".to_owned())),
    };
    Some(Ended { state, progress: Progress::default(), reasons: Vec::new(), failure })
}

/// Why it failed, in the words of the state machine. A Lambda function's cause is JSON with the message inside.
fn cause(seen: &Seen) -> String {
    let inner = serde_json::from_str::<serde_json::Value>(&seen.cause).ok();
    let message = inner.as_ref().and_then(|cause| cause.get("errorMessage")).and_then(serde_json::Value::as_str);
    let message = message.unwrap_or(&seen.cause).trim();
    let error = if seen.error.is_empty() { "an error without a name" } else { &seen.error };
    let text = if message.is_empty() { error.to_owned() } else { format!("{error}: {message}") };
    if text.chars().count() <= SHOWN { text } else { text.chars().take(SHOWN).chain(['…']).collect() }
}

fn small(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_told_the_message_inside_and_not_pages_of_it() {
        let said = |error: &str, cause_: &str| {
            cause(&Seen {
                status: Status::Failed,
                input: String::new(),
                redrivable: Ok(()),
                error: error.into(),
                cause: cause_.into(),
            })
        };
        assert_eq!(said("Late", r#"{"errorMessage":"no rates today","errorType":"Late"}"#), "Late: no rates today");
        assert_eq!(said("Late", "no rates today\n"), "Late: no rates today");
        assert_eq!(said("", ""), "an error without a name");
        assert_eq!(said("E", &"ü".repeat(40_000)).chars().count(), SHOWN + 1);
    }
}
