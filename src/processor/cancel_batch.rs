//! `cancel-batch RUN`.

use super::Ctx;
use super::asked::Asked;
use super::outcome::{answer, effect, refuse};
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::run::{Run, RunEvent};
use crate::ports::{Commit, Effect, Priority, RunWrite};

pub(super) fn handle(ctx: &Ctx, asked: &Asked<'_>, mut run: Run) -> Commit {
    let state = run.current().state;
    let Ok(next) = state.next(RunEvent::CancelAsked) else {
        return refuse(ctx, asked, Problem::AlreadyEnded { run: run.id, state });
    };
    let reply = Reply::CancelAsked { run: run.id.clone(), job: run.job.clone() };
    let mut commit = answer(ctx, asked, reply, run.key().to_string(), "done");
    let now = ctx.clock.now();
    commit.outbox.push(effect(Effect::Stop { key: run.key() }, "", Priority::First, now));
    commit.outbox.push(effect(Effect::Show { key: run.key() }, "", Priority::Later, now));
    let expected = run.version;
    let attempt = run.current_mut();
    attempt.state = next;
    attempt.cancelled_by.get_or_insert_with(|| asked.origin.actor.clone());
    commit.runs.push(RunWrite { run, expected });
    commit
}
