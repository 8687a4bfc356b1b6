//! What the engine says about an attempt becomes its record and its message. Called when the engine has news and when a deadline
//! comes, so that a lost event never leaves a message "running" for ever.

use super::outcome::{LOOK_EVERY, audit, effect, look_at};
use super::{Ctx, recover};
use crate::domain::run::{AttemptKey, Run, RunEvent, RunState};
use crate::ports::{
    Commit, Deadline, Effect, Execution, ExecutionState, PortError, Priority, RunWrite, Subject, input_lock,
    look_deadline,
};
use jiff::SignedDuration;

/// How long until a look that failed is tried again.
const POSTPONE: SignedDuration = SignedDuration::from_secs(5);

/// Asks the engine about an attempt and records what it says.
pub(super) async fn look(ctx: &Ctx, key: &AttemptKey) -> Result<Commit, PortError> {
    let drop_deadline = Commit { clear: vec![look_deadline(key)], ..Commit::default() };
    let Some(run) = ctx.store.run(&key.run).await?.filter(|r| r.key() == *key && r.is_open()) else {
        return Ok(drop_deadline);
    };
    // A workflow is where its machine is: it publishes nothing of ours and goes on there.
    if run.input.parameters.is_none() && recover::is_left_behind(ctx, run.current()).await? {
        return recover::one(ctx, run, None).await.map(|(commit, _)| commit);
    }
    let execution = ctx.regions.of(run.current())?.engine.describe(key).await?;
    let event = match execution.state {
        ExecutionState::Absent | ExecutionState::Interrupted => return Ok(nudge(ctx, &run, execution.state)),
        ExecutionState::Queued => return Ok(look_again(ctx, &run)),
        ExecutionState::Running => RunEvent::EngineStarted,
        ExecutionState::Succeeded => RunEvent::EngineSucceeded,
        ExecutionState::Failed => RunEvent::EngineFailed,
        ExecutionState::Cancelled => RunEvent::EngineCancelled,
    };
    Ok(record(ctx, run, event, execution))
}

/// The engine will never start this attempt: it has failed.
pub(super) async fn refused(ctx: &Ctx, key: &AttemptKey, reason: &str) -> Result<Commit, PortError> {
    let Some(run) = ctx.store.run(&key.run).await?.filter(|r| r.key() == *key && r.is_open()) else {
        return Ok(Commit::default());
    };
    let current = run.current();
    let execution = Execution {
        state: ExecutionState::Failed,
        progress: current.progress.clone(),
        reasons: current.reasons.clone(),
        failure: Some(reason.to_owned()),
    };
    Ok(record(ctx, run, RunEvent::EngineFailed, execution))
}

/// The engine does not answer: the message must not say that all goes well.
pub(super) async fn silent(ctx: &Ctx, key: &AttemptKey) -> Result<Commit, PortError> {
    let now = ctx.clock.now();
    let mut commit = Commit {
        deadlines: vec![Deadline {
            key: look_deadline(key),
            due: now + POSTPONE,
            subject: Subject::Attempt(key.clone()),
        }],
        ..Commit::default()
    };
    let open = |run: &Run| run.key() == *key && run.is_open() && run.current().silent_since.is_none();
    if let Some(mut run) = ctx.store.run(&key.run).await?.filter(open) {
        let expected = run.version;
        run.current_mut().silent_since = Some(now);
        commit.outbox.push(effect(Effect::Show { key: key.clone() }, "", Priority::Later, now));
        commit.runs.push(RunWrite { run, expected });
    }
    Ok(commit)
}

/// Moves a deadline whose look failed, so that one bad attempt does not hold up the others.
pub(super) async fn postpone(ctx: &Ctx, deadline: &Deadline) -> Result<(), PortError> {
    let later = Deadline { due: ctx.clock.now() + POSTPONE, ..deadline.clone() };
    ctx.store.commit(Commit { deadlines: vec![later], ..Commit::default() }).await
}

/// Nobody works on it: what was asked for is asked for again, under the same key.
fn nudge(ctx: &Ctx, run: &Run, state: ExecutionState) -> Commit {
    let now = ctx.clock.now();
    let again = if run.current().state == RunState::Cancelling {
        Effect::Stop { key: run.key() }
    } else {
        Effect::Start { key: run.key() }
    };
    let mut commit = look_again(ctx, run);
    commit.outbox.push(effect(again, "", Priority::First, now));
    if state == ExecutionState::Interrupted {
        commit.audit.push(audit(ctx, None, "resume", run.key().to_string(), "the engine was interrupted", "done"));
    }
    commit
}

fn look_again(ctx: &Ctx, run: &Run) -> Commit {
    Commit { deadlines: vec![look_at(run, ctx.clock.now() + LOOK_EVERY)], ..Commit::default() }
}

fn record(ctx: &Ctx, mut run: Run, event: RunEvent, execution: Execution) -> Commit {
    let now = ctx.clock.now();
    let expected = run.version;
    let before = run.current().clone();
    let Ok(state) = before.state.next(event) else {
        return Commit { clear: vec![look_deadline(&run.key())], ..Commit::default() };
    };
    let attempt = run.current_mut();
    attempt.state = state;
    attempt.silent_since = None;
    // After a crash the engine counts from the chunks that are done: until it is further, what was shown stands. The end is exact.
    if state.is_terminal() || execution.progress.bytes >= attempt.progress.bytes {
        attempt.progress = execution.progress;
        attempt.reasons = execution.reasons;
    }
    attempt.started_at.get_or_insert(now);
    if state.is_terminal() {
        attempt.ended_at = Some(now);
        attempt.failure = execution.failure;
        return ended(ctx, run, expected);
    }
    let mut commit = look_again(ctx, &run);
    if *run.current() != before {
        commit.outbox.push(effect(Effect::Show { key: run.key() }, "", Priority::Later, now));
        commit.runs.push(RunWrite { run, expected });
    }
    commit
}

/// The newest attempt of `run` has come to its end: people are told, and the input is free again.
pub(super) fn ended(ctx: &Ctx, run: Run, expected: u64) -> Commit {
    let now = ctx.clock.now();
    let key = run.key();
    let attempt = run.current();
    let mut outbox = vec![effect(Effect::Show { key: key.clone() }, "", Priority::First, now)];
    if attempt.progress.rejected > 0 && attempt.state != RunState::Cancelled {
        outbox.push(effect(Effect::Attach { key: key.clone() }, "", Priority::Later, now));
    }
    let totals = match &run.input.parameters {
        Some(_) => attempt.failure.clone().unwrap_or_default(),
        None => format!("{} accepted, {} rejected", attempt.progress.accepted, attempt.progress.rejected),
    };
    Commit {
        unlock: vec![(input_lock(&run.input.key), run.id.clone())],
        outbox,
        clear: vec![look_deadline(&key)],
        audit: vec![audit(ctx, None, "end", key.to_string(), totals, attempt.state.word())],
        runs: vec![RunWrite { run, expected }],
        ..Commit::default()
    }
}
