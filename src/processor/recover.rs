//! An attempt whose region was left goes on in the active one: from the chunks that have arrived, from its input, or not at all, and then
//! it says why.

use super::Ctx;
use super::moves::{inputs, state_there};
use super::observe::ended;
use super::outcome::{audit, started};
use crate::domain::command::Scope;
use crate::domain::failover::{FailOver, FileOutcome, FileState, Treatment};
use crate::domain::id::RegionName;
use crate::domain::run::{Attempt, Run, RunEvent, RunState};
use crate::ports::{Commit, Effect, PortError, RunWrite, look_deadline};

/// Whether an attempt belongs to an epoch that is over.
pub(super) async fn is_left_behind(ctx: &Ctx, attempt: &Attempt) -> Result<bool, PortError> {
    // Only where somebody has ever switched: then the record is worth a read.
    Ok(ctx.regions.names().len() > 1 && attempt.epoch < ctx.regions.active().await?.epoch)
}

/// Whether a run has to be taken up by a move into `epoch`: it is not finished there and nobody has taken it up.
pub(super) async fn needs(ctx: &Ctx, run: &Run, epoch: Option<u64>) -> Result<bool, PortError> {
    let current = run.current();
    if run.input.parameters.is_some() || epoch.is_some_and(|epoch| current.epoch >= epoch) {
        return Ok(false);
    }
    Ok(match current.state {
        RunState::Starting | RunState::Running | RunState::Cancelling | RunState::Failed => true,
        RunState::Succeeded => {
            let (_, site) = ctx.regions.here().await?;
            state_there(run, &site, &inputs(ctx, &site).await?).await? != FileState::Done
        }
        RunState::Cancelled | RunState::LeftBehind => false,
    })
}

/// Takes a run up in the active region: what to write, and what becomes of it. `record`: the move it is part of.
pub(super) async fn one(
    ctx: &Ctx,
    mut run: Run,
    record: Option<&FailOver>,
) -> Result<(Commit, FileOutcome), PortError> {
    let (active, site) = ctx.regions.here().await?;
    let state = state_there(&run, &site, &inputs(ctx, &site).await?).await?;
    let treatment = state.treatment();
    let expected = run.version;
    if run.current().state == RunState::Cancelling {
        return Ok(cancelled(ctx, run, expected));
    }
    let scope = match treatment {
        Treatment::Keep => return Ok((Commit::default(), FileOutcome::Kept)),
        Treatment::Lose => return Ok(lost(ctx, run, expected, &active.region)),
        Treatment::Adopt => {
            let execution = site.engine.describe(&run.key()).await?;
            let attempt = run.current_mut();
            (attempt.region, attempt.epoch) = (Some(active.region.clone()), active.epoch);
            attempt.progress = execution.progress;
            attempt.reasons = execution.reasons;
            attempt.state = RunState::Succeeded;
            attempt.ended_at = Some(ctx.clock.now());
            let outcome = FileOutcome::Recovered { attempt: run.key(), how: Treatment::Adopt };
            return Ok((ended(ctx, run, expected), outcome));
        }
        Treatment::Resume => Scope::Chunks,
        Treatment::Restart => Scope::All,
    };
    let now = ctx.clock.now();
    let left = run.key();
    leave(&mut run, ctx);
    let by = run.current().asked_by.clone();
    let next = Attempt::asked(left.attempt + 1, scope, by, now).within(&active);
    run.attempts.push(next);
    let outcome = FileOutcome::Working { attempt: run.key(), percent: 0 };
    let why = match record {
        Some(record) => format!("{} {}: {left} was left behind", record.plan.kind.word(), record.id),
        None => format!("{left} was left behind by a switch to {}", active.region),
    };
    let mut commit = started(ctx, None, "recover", why, RunWrite { run, expected });
    super::reprocess_batch::supersede(ctx, &mut commit, Some(left.clone()));
    commit.clear.push(look_deadline(&left));
    Ok((commit, outcome))
}

/// The attempt will say no more; it may go on in its own region, and cannot publish.
fn leave(run: &mut Run, ctx: &Ctx) {
    let attempt = run.current_mut();
    if let Ok(state) = attempt.state.next(RunEvent::RegionLeft) {
        attempt.state = state;
        attempt.ended_at = Some(ctx.clock.now());
    }
}

fn lost(ctx: &Ctx, mut run: Run, expected: u64, region: &RegionName) -> (Commit, FileOutcome) {
    let why = match (&run.current().region, run.current().state) {
        (Some(left), RunState::Succeeded) => format!(
            "it was finished in {left}, and neither its result nor its input had arrived in {region} before the switch: both wait in {left}"
        ),
        _ => format!("neither its input nor its chunks had arrived in {region} before the switch"),
    };
    let outcome = FileOutcome::Lost { why: why.clone() };
    let key = run.key();
    let open = run.is_open();
    let attempt = run.current_mut();
    if let Ok(state) = attempt.state.next(RunEvent::EngineFailed) {
        attempt.state = state;
        attempt.ended_at = Some(ctx.clock.now());
    }
    attempt.failure = Some(format!("lost: {why}"));
    if open {
        let mut commit = ended(ctx, run, expected);
        // Its rejected rows lie where nobody can reach them.
        commit.outbox.retain(|write| !matches!(write.effect, Effect::Attach { .. }));
        return (commit, outcome);
    }
    let note = audit(ctx, None, "recover", key.to_string(), why, "lost");
    (Commit { audit: vec![note], ..Commit::default() }, outcome)
}

/// It was to be stopped, and in its new region it does not run.
fn cancelled(ctx: &Ctx, mut run: Run, expected: u64) -> (Commit, FileOutcome) {
    let outcome = FileOutcome::Failed { attempt: run.key(), why: "it was cancelled".to_owned() };
    let attempt = run.current_mut();
    attempt.state = RunState::Cancelled;
    attempt.ended_at = Some(ctx.clock.now());
    (ended(ctx, run, expected), outcome)
}
