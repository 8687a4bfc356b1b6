//! The plan of a move: what is known about each file in the region it would go to, asked now.

use super::super::Ctx;
use crate::domain::failover::{FailOverPlan, FileCase, FileState, Move, Treatment, Unknown};
use crate::domain::id::{JobName, RegionName};
use crate::domain::problem::Problem;
use crate::domain::region::{Active, Replication};
use crate::domain::run::{Input, Run, RunState};
use crate::ports::{ArtifactKind, ExecutionState, PortError, RunQuery, Site};
use jiff::{SignedDuration, Timestamp};
use std::collections::HashSet;

/// A plan names at most so many files: it is one record, and people read it.
const NAMED: usize = 300;
/// How many of the newest runs are looked through for results that have not arrived, and for the speed so far.
const RECENT: usize = 200;
/// What a recovery takes beside the work on the files.
const OVERHEAD: SignedDuration = SignedDuration::from_secs(5);

/// Makes the plan, or says why there is nothing to plan.
pub(super) async fn make(ctx: &Ctx, kind: Move, to: &RegionName) -> Result<Result<FailOverPlan, Problem>, PortError> {
    let known = ctx.regions.names();
    if known.len() < 2 {
        return Ok(Err(Problem::OneRegion));
    }
    let (active, from) = ctx.regions.here().await?;
    let Some(target) = ctx.regions.site(to) else {
        return Ok(Err(Problem::UnknownRegion { region: to.clone(), known: known.to_vec() }));
    };
    if *to == active.region {
        return Ok(Err(Problem::AlreadyActive { region: to.clone() }));
    }
    let Ok(there) = inputs(ctx, &target).await else {
        return Ok(Err(Problem::RegionUnreachable { region: to.clone() }));
    };
    let here = inputs(ctx, &from).await.ok();
    let replication = ctx.regions.replication(&active.region, to).await.unwrap_or_default();
    let (mut files, speed) = with_runs(ctx, &active, &target, &there).await?;
    add_without_runs(&mut files, here.as_deref(), &there);
    files.sort_by(|a, b| (&a.job, &a.file).cmp(&(&b.job, &b.file)));
    // What needs something done is named first where not everything can be.
    files.sort_by_key(|case| case.treatment == Treatment::Keep);
    let unlisted = files.len().saturating_sub(NAMED) as u64;
    let expected = expected(&files, speed);
    files.truncate(NAMED);
    let settings = ctx.catalog.moves();
    Ok(Ok(FailOverPlan {
        kind,
        unknowns: unknowns(&active, here.is_some(), &replication, unlisted),
        from: active.region,
        to: to.clone(),
        epoch: active.epoch,
        made_at: ctx.clock.now(),
        replication,
        files,
        expected,
        targets: settings.targets,
        tolerance: settings.tolerance,
    }))
}

/// What is known now about the newest attempt of a run in a region, going by what has arrived there.
pub(in crate::processor) async fn state_there(
    run: &Run,
    there: &Site,
    inputs: &[(JobName, Input)],
) -> Result<FileState, PortError> {
    let attempt = run.current();
    if attempt.state == RunState::Succeeded {
        let arrived = there.files.artifact(&run.key(), ArtifactKind::Output).await?.is_some();
        return Ok(match (arrived, has_input(run, inputs)) {
            (true, _) => FileState::Done,
            (false, true) => FileState::ResultMissing,
            (false, false) => FileState::NotReplicated,
        });
    }
    let execution = there.engine.describe(&run.key()).await?;
    let (chunks, chunks_total) = (execution.progress.chunks, execution.progress.chunks_total);
    Ok(match (execution.state, has_input(run, inputs)) {
        (ExecutionState::Succeeded, _) => FileState::Merged,
        (_, true) if attempt.state == RunState::Failed => FileState::Failed { chunks, chunks_total },
        (_, true) if chunks == 0 => FileState::Untouched,
        (_, true) => FileState::MidFlight { chunks, chunks_total },
        (_, false) if chunks > 0 => FileState::InputMissing { chunks, chunks_total },
        (_, false) => FileState::NotReplicated,
    })
}

/// The inputs of all jobs in a region.
pub(in crate::processor) async fn inputs(ctx: &Ctx, site: &Site) -> Result<Vec<(JobName, Input)>, PortError> {
    let mut found = Vec::new();
    for job in ctx.catalog.with_files() {
        found.extend(site.files.inputs(job).await?.into_iter().map(|input| (job.clone(), input)));
    }
    Ok(found)
}

/// Runs that are not finished, and finished ones whose result may not have arrived; and how many bytes a second they did.
async fn with_runs(
    ctx: &Ctx,
    active: &Active,
    target: &Site,
    there: &[(JobName, Input)],
) -> Result<(Vec<FileCase>, Option<u64>), PortError> {
    let recent = ctx.store.runs(RunQuery::All, RECENT).await?;
    let speed = speed(&recent, ctx.clock.now());
    let mut runs = ctx.store.runs(RunQuery::Open, NAMED * 2).await?;
    runs.extend(ctx.store.runs(RunQuery::Failed, NAMED).await?);
    runs.extend(recent.into_iter().filter(|run| run.current().state == RunState::Succeeded));
    let mut seen = HashSet::new();
    let mut cases = Vec::new();
    for run in runs {
        // A workflow stays where its machine is.
        if run.input.parameters.is_some() {
            continue;
        }
        // Only the newest run of an input says how the input stands.
        if !seen.insert(run.input.key.clone()) || superseded(ctx, &run).await? || given_up_for_good(&run) {
            continue;
        }
        let here = run.current().region.as_ref().is_none_or(|region| *region == active.region);
        let state = if here || run.is_open() { state_there(&run, target, there).await? } else { FileState::Done };
        let Input { name: file, bytes, .. } = run.input.clone();
        let (attempt, treatment) = (Some(run.key()), state.treatment());
        cases.push(FileCase { job: run.job, file, attempt, bytes, state, treatment });
    }
    Ok((cases, speed))
}

async fn superseded(ctx: &Ctx, run: &Run) -> Result<bool, PortError> {
    let newest = ctx.store.runs(RunQuery::Input(run.input.key.clone()), 1).await?.pop();
    Ok(newest.is_some_and(|newest| newest.id != run.id))
}

/// More rejects than the job tolerates: every chunk was done, and doing it again would end the same way.
fn given_up_for_good(run: &Run) -> bool {
    let attempt = run.current();
    attempt.state == RunState::Failed && attempt.progress.every_chunk_is_done() && attempt.progress.rejected > 0
}

/// Inputs that no run was started on.
fn add_without_runs(files: &mut Vec<FileCase>, here: Option<&[(JobName, Input)]>, there: &[(JobName, Input)]) {
    let mut known: HashSet<(JobName, String)> =
        files.iter().map(|case| (case.job.clone(), case.file.to_string())).collect();
    let arrived = there.iter().map(|input| (input, FileState::Waiting));
    let behind = here.into_iter().flatten().map(|input| (input, FileState::NotReplicated));
    for ((job, input), state) in arrived.chain(behind) {
        if known.insert((job.clone(), input.name.to_string())) {
            files.push(FileCase {
                job: job.clone(),
                file: input.name.clone(),
                attempt: None,
                bytes: input.bytes,
                treatment: state.treatment(),
                state,
            });
        }
    }
}

fn has_input(run: &Run, inputs: &[(JobName, Input)]) -> bool {
    inputs.iter().any(|(job, input)| {
        *job == run.job && input.name == run.input.name && input.fingerprint == run.input.fingerprint
    })
}

/// Bytes a second, over the attempts that were worked on last, those under way among them.
fn speed(recent: &[Run], now: Timestamp) -> Option<u64> {
    let mut bytes = 0_u64;
    let mut millis = 0_u64;
    for attempt in recent.iter().map(Run::current).filter(|a| a.progress.bytes > 0) {
        if let Some(from) = attempt.started_at {
            let to = attempt.ended_at.or(attempt.silent_since).unwrap_or(now);
            bytes += attempt.progress.bytes;
            millis += u64::try_from(to.duration_since(from).as_millis()).unwrap_or(0).max(1);
        }
    }
    bytes.saturating_mul(1000).checked_div(millis).filter(|speed| *speed > 0)
}

fn expected(files: &[FileCase], speed: Option<u64>) -> Option<SignedDuration> {
    let left = |case: &FileCase| match (case.treatment, &case.state) {
        (Treatment::Restart, _) => case.bytes,
        (
            Treatment::Resume,
            FileState::MidFlight { chunks, chunks_total } | FileState::Failed { chunks, chunks_total },
        ) => case.bytes / u64::from((*chunks_total).max(1)) * u64::from(chunks_total.saturating_sub(*chunks)),
        (Treatment::Keep | Treatment::Adopt | Treatment::Lose | Treatment::Resume, _) => 0,
    };
    let bytes: u64 = files.iter().map(left).sum();
    match (bytes, speed) {
        (0, _) => Some(OVERHEAD),
        (bytes, Some(speed)) => {
            Some(OVERHEAD + SignedDuration::from_secs(i64::try_from(bytes / speed).unwrap_or(i64::MAX / 4)))
        }
        (_, None) => None,
    }
}

fn unknowns(active: &Active, readable: bool, replication: &Replication, unlisted: u64) -> Vec<Unknown> {
    let mut unknowns = Vec::new();
    if !readable {
        let region = active.region.clone();
        unknowns.push(Unknown::RegionUnreadable { region, since: replication.complete_at });
    }
    if replication.lag.is_none() {
        unknowns.push(Unknown::LagUnmeasured);
    }
    if unlisted > 0 {
        unknowns.push(Unknown::NotListed { files: unlisted });
    }
    unknowns
}
