//! A drill's work: the same recovery, in a place where it has no effect.

use super::super::Ctx;
use super::plan::{inputs, state_there};
use crate::domain::command::Scope;
use crate::domain::failover::{FailOver, FileCase, FileOutcome, Treatment};
use crate::domain::run::AttemptKey;
use crate::ports::{ExecutionState, Kind, PortError, StartRun};

/// Has the sandbox's engine recover a file.
pub(super) async fn take_up(ctx: &Ctx, record: &FailOver, case: &FileCase) -> Result<FileOutcome, PortError> {
    let site = ctx.regions.sandbox(&record.plan.to, &record.id).await?;
    let found = case.attempt.as_ref();
    let run = match found {
        Some(key) => ctx.store.run(&key.run).await?,
        None => None,
    };
    let Some(run) = run else { return Ok(FileOutcome::Kept) };
    let state = state_there(&run, &site, &inputs(ctx, &site).await?).await?;
    let key = AttemptKey { run: run.id.clone(), attempt: run.current().number + 1 };
    let scope = match state.treatment() {
        Treatment::Keep => return Ok(FileOutcome::Kept),
        Treatment::Adopt => return Ok(FileOutcome::Recovered { attempt: run.key(), how: Treatment::Adopt }),
        Treatment::Lose => {
            return Ok(FileOutcome::Lost { why: format!("it has not arrived in {}", record.plan.to) });
        }
        Treatment::Resume => Scope::Chunks,
        Treatment::Restart => Scope::All,
    };
    let start = StartRun { key: key.clone(), job: run.job, input: run.input, scope, epoch: record.plan.epoch };
    match site.engine.start(&start).await {
        Ok(()) => Ok(FileOutcome::Working { attempt: key, percent: 0 }),
        Err(error) if matches!(error.kind, Kind::Permanent | Kind::Gone | Kind::Denied) => {
            Ok(FileOutcome::Failed { attempt: key, why: error.what })
        }
        Err(error) => Err(error),
    }
}

/// What has become of it.
pub(super) async fn outcome(
    ctx: &Ctx,
    record: &FailOver,
    case: &FileCase,
    key: &AttemptKey,
) -> Result<FileOutcome, PortError> {
    let site = ctx.regions.sandbox(&record.plan.to, &record.id).await?;
    let execution = site.engine.describe(key).await?;
    let attempt = key.clone();
    Ok(match execution.state {
        ExecutionState::Succeeded => FileOutcome::Recovered { attempt, how: case.treatment },
        ExecutionState::Failed | ExecutionState::Cancelled => {
            let why = execution.failure.unwrap_or_else(|| "the engine gave no reason".to_owned());
            FileOutcome::Failed { attempt, why }
        }
        ExecutionState::Queued | ExecutionState::Running => {
            FileOutcome::Working { attempt, percent: execution.progress.percent() }
        }
        // The bot was restarted: taken up again under the same key.
        ExecutionState::Absent | ExecutionState::Interrupted => FileOutcome::Pending,
    })
}
