//! A move goes on: one file at a time is taken up, then all are watched until each has its outcome.

use super::super::guard::AGAIN;
use super::super::outcome::effect;
use super::super::{Ctx, recover};
use super::{close_request, look_at, sandbox, shown, step};
use crate::domain::approval::{Request, RequestEvent};
use crate::domain::failover::{
    FailOver, FailOverEvent, FailOverState, FileCase, FileOutcome, FileReport, FileState, Treatment,
};
use crate::domain::id::RequestId;
use crate::domain::run::{Run, RunState};
use crate::ports::{Commit, Effect, PortError, Priority, RecordWrite, RunQuery, Subject, load, move_key};

/// Open runs of the old epoch that the plan did not name and are taken up at once.
const STRAGGLERS: usize = 50;

/// One step of a move.
pub(in crate::processor) async fn advance(ctx: &Ctx, id: &RequestId) -> Result<Commit, PortError> {
    let found: Option<FailOver> = load(ctx.store.as_ref(), &move_key(id)).await?;
    let Some(mut record) = found.filter(|record| record.state == FailOverState::Recovering) else {
        return Ok(Commit { clear: vec![Subject::Move(id.clone()).deadline()], ..Commit::default() });
    };
    let expected = record.version;
    let before = record.files.clone();
    let mut commit = match record.files.iter().position(|report| report.outcome == FileOutcome::Pending) {
        Some(next) => take_up(ctx, &mut record, next).await?,
        None => {
            watch(ctx, &mut record).await?;
            add_stragglers(ctx, &mut record).await?;
            Commit::default()
        }
    };
    let now = ctx.clock.now();
    if record.all_accounted() {
        return finished(ctx, record, expected, commit).await;
    }
    let more = record.files.iter().any(|report| report.outcome == FileOutcome::Pending);
    commit.deadlines.push(look_at(&record, if more { now } else { now + AGAIN }));
    if record.files != before {
        commit.records.push(RecordWrite::of(&record, expected)?);
        commit.outbox.push(shown(&record, Priority::Later, now));
    }
    Ok(commit)
}

/// Has the work on one file go on in the new region, or says what became of it.
async fn take_up(ctx: &Ctx, record: &mut FailOver, at: usize) -> Result<Commit, PortError> {
    let case = record.files[at].case.clone();
    let (outcome, commit) = match &case.attempt {
        None => (without_run(record, &case), Commit::default()),
        Some(_) if case.treatment == Treatment::Keep => (FileOutcome::Kept, Commit::default()),
        Some(_) if record.is_drill() => (sandbox::take_up(ctx, record, &case).await?, Commit::default()),
        Some(key) => match ctx.store.run(&key.run).await? {
            None => (FileOutcome::Lost { why: "its record is gone".to_owned() }, Commit::default()),
            Some(run) if !recover::needs(ctx, &run, record.epoch).await? => {
                (outcome_of(&run, &case), Commit::default())
            }
            Some(run) => {
                let (commit, outcome) = recover::one(ctx, run, Some(record)).await?;
                (outcome, commit)
            }
        },
    };
    record.files[at].outcome = outcome;
    Ok(commit)
}

fn without_run(record: &FailOver, case: &FileCase) -> FileOutcome {
    if case.state == FileState::Waiting {
        FileOutcome::Kept
    } else {
        FileOutcome::Lost { why: format!("its input had not arrived in {} before the switch", record.plan.to) }
    }
}

/// What the records say about the files that are under way.
async fn watch(ctx: &Ctx, record: &mut FailOver) -> Result<(), PortError> {
    let drill = record.is_drill();
    for at in 0..record.files.len() {
        let FileReport { case, outcome: FileOutcome::Working { attempt, .. } } = record.files[at].clone() else {
            continue;
        };
        record.files[at].outcome = if drill {
            sandbox::outcome(ctx, record, &case, &attempt).await?
        } else {
            match ctx.store.run(&attempt.run).await? {
                Some(run) => outcome_of(&run, &case),
                None => FileOutcome::Lost { why: "its record is gone".to_owned() },
            }
        };
    }
    Ok(())
}

/// What became of a file, going by its run.
fn outcome_of(run: &Run, case: &FileCase) -> FileOutcome {
    let (attempt, current) = (run.key(), run.current());
    let moved = case.attempt.as_ref() != Some(&attempt);
    match current.state {
        RunState::Starting | RunState::Running | RunState::Cancelling => {
            FileOutcome::Working { attempt, percent: current.progress.percent() }
        }
        RunState::Succeeded if moved || case.treatment == Treatment::Adopt => {
            FileOutcome::Recovered { attempt, how: case.treatment }
        }
        RunState::Succeeded => FileOutcome::Kept,
        RunState::Failed | RunState::LeftBehind => {
            let why = current.failure.clone().unwrap_or_else(|| "the engine gave no reason".to_owned());
            FileOutcome::Failed { attempt, why }
        }
        RunState::Cancelled => FileOutcome::Failed { attempt, why: "it was cancelled".to_owned() },
    }
}

/// Runs that were begun in the old region after the plan was made, or while it was switched.
async fn add_stragglers(ctx: &Ctx, record: &mut FailOver) -> Result<(), PortError> {
    let Some(epoch) = record.epoch.filter(|_| !record.is_drill()) else { return Ok(()) };
    let open = ctx.store.runs(RunQuery::Open, STRAGGLERS).await?;
    for run in open.into_iter().filter(|run| run.current().epoch < epoch) {
        let named = record.files.iter().any(|r| r.case.attempt.as_ref().is_some_and(|key| key.run == run.id));
        if !named {
            let case = FileCase {
                job: run.job.clone(),
                file: run.input.name.clone(),
                attempt: Some(run.key()),
                bytes: run.input.bytes,
                state: FileState::Unknown,
                treatment: Treatment::Restart,
            };
            record.files.push(FileReport { case, outcome: FileOutcome::Pending });
        }
    }
    Ok(())
}

async fn finished(ctx: &Ctx, mut record: FailOver, expected: u64, mut commit: Commit) -> Result<Commit, PortError> {
    let now = ctx.clock.now();
    let next = record.state.next(FailOverEvent::AllAccounted);
    record.state = next.map_err(|e| PortError::permanent("a move is not where it should be").because(e))?;
    record.ended_at = Some(now);
    if record.is_drill() {
        ctx.regions.clear_sandbox(&record.id).await?;
    }
    let finish = |request: &mut Request| {
        let done = request.state.next(RequestEvent::Finish);
        request.state = done.map_err(|e| PortError::permanent("a request cannot end").because(e))?;
        Ok(())
    };
    commit.records.push(RecordWrite::of(&record, expected)?);
    commit.records.extend(close_request(ctx, &record, finish).await?);
    commit.clear.push(Subject::Move(record.id.clone()).deadline());
    let request = Effect::ShowRequest { request: record.id.clone() };
    let report = Effect::AttachReport { request: record.id.clone() };
    commit.outbox.push(shown(&record, Priority::First, now));
    commit.outbox.push(effect(request, "", Priority::First, now));
    commit.outbox.push(effect(report, "", Priority::Later, now));
    let lost = record.lost().len();
    commit.audit.push(step(ctx, &record, "account", &format!("{} files, {lost} lost", record.files.len())));
    Ok(commit)
}
