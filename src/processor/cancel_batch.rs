//! `cancel-batch RUN`.

use super::Ctx;
use super::asked::Asked;
use super::guard::{Ready, do_or_ask};
use super::outcome::{answer, audit, effect, refuse};
use crate::domain::actor::Actor;
use crate::domain::command::Action;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::run::{Run, RunEvent};
use crate::ports::{Commit, Effect, PortError, Priority, RunWrite};

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>, run: Run) -> Result<Commit, PortError> {
    match ready(&asked.origin.actor, run) {
        Ok(ready) => do_or_ask(ctx, asked, ready).await,
        Err(problem) => Ok(refuse(ctx, asked, problem)),
    }
}

/// The run with its stop asked for, or why it cannot be stopped.
pub(super) fn ready(by: &Actor, mut run: Run) -> Result<Ready, Problem> {
    let state = run.current().state;
    let Ok(next) = state.next(RunEvent::CancelAsked) else {
        return Err(Problem::AlreadyEnded { run: run.id, state });
    };
    let expected = run.version;
    let attempt = run.current_mut();
    attempt.state = next;
    attempt.cancelled_by.get_or_insert_with(|| by.clone());
    let key = run.key();
    Ok(Ready { write: RunWrite { run, expected }, attempt: Some(key) })
}

/// Stops it for whoever asked, and tells them.
pub(super) fn stopped(ctx: &Ctx, asked: &Asked<'_>, write: RunWrite) -> Commit {
    let run = &write.run;
    let reply =
        Reply::CancelAsked { workflow: run.input.parameters.is_some(), run: run.id.clone(), job: run.job.clone() };
    let answered = answer(ctx, asked, reply, run.key().to_string(), "done");
    let mut commit = stop(ctx, write);
    commit.claim = answered.claim;
    commit.outbox.extend(answered.outbox);
    commit.audit = answered.audit;
    commit
}

/// Stops it because it was approved.
pub(super) fn commit(ctx: &Ctx, write: RunWrite, by: &Actor, why: String) -> Commit {
    let note = audit(ctx, Some(by), Action::CancelBatch.name(), write.run.key().to_string(), why, "done");
    Commit { audit: vec![note], ..stop(ctx, write) }
}

fn stop(ctx: &Ctx, write: RunWrite) -> Commit {
    let (now, key) = (ctx.clock.now(), write.run.key());
    let stop = effect(Effect::Stop { key: key.clone() }, "", Priority::First, now);
    Commit {
        outbox: vec![stop, effect(Effect::Show { key }, "", Priority::Later, now)],
        runs: vec![write],
        ..Commit::default()
    }
}
