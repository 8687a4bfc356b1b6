//! `reprocess-batch [RUN] [rows|chunks|all]`: a further attempt of the same run; the earlier ones and their messages are kept.

use super::Ctx;
use super::asked::Asked;
use super::guard::{Ready, do_or_ask};
use super::outcome::{effect, refuse};
use crate::domain::actor::Actor;
use crate::domain::command::Scope;
use crate::domain::problem::Problem;
use crate::domain::run::{Attempt, AttemptKey, Input, Run};
use crate::ports::{Commit, Effect, PortError, Priority, RunWrite, input_lock};

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>, run: Run, scope: Option<Scope>) -> Result<Commit, PortError> {
    match ready(ctx, &asked.origin.actor, run, scope).await? {
        Ok(ready) => do_or_ask(ctx, asked, ready).await,
        Err(problem) => Ok(refuse(ctx, asked, problem)),
    }
}

/// The run with a further attempt, or why there is nothing to do again.
pub(super) async fn ready(
    ctx: &Ctx,
    by: &Actor,
    mut run: Run,
    scope: Option<Scope>,
) -> Result<Result<Ready, Problem>, PortError> {
    if run.is_open() {
        return Ok(Err(Problem::StillRunning { run: run.id }));
    }
    let Some(scope) = scope.or_else(|| run.to_redo()) else {
        return Ok(Err(Problem::NothingToRedo { run: Some(run.id) }));
    };
    if !run.has_to_redo(scope) {
        return Ok(Err(Problem::ScopeIsEmpty { run: run.id, scope }));
    }
    if let Some(holder) = ctx.store.holder(&input_lock(&run.input.key)).await? {
        let Input { name: file, parameters, .. } = run.input;
        let busy = if parameters.is_some() {
            Problem::SameValues { run: holder }
        } else {
            Problem::InputBusy { file, run: holder }
        };
        return Ok(Err(busy));
    }
    let (active, site) = ctx.regions.here().await?;
    // The whole input is read again: what lies there now is what counts. Parts of it need the content they came from.
    if scope == Scope::All
        && run.input.parameters.is_none()
        && let Some(input) = site.files.inputs(&run.job).await?.into_iter().find(|i| i.key == run.input.key)
    {
        run.input = input;
    }
    let superseded = run.key();
    let expected = run.version;
    let next = Attempt::asked(superseded.attempt + 1, scope, by.clone(), ctx.clock.now()).within(&active);
    run.attempts.push(next);
    Ok(Ok(Ready { write: RunWrite { run, expected }, attempt: Some(superseded) }))
}

/// The message of the attempt before loses its buttons: they would offer what has been done already.
pub(super) fn supersede(ctx: &Ctx, commit: &mut Commit, superseded: Option<AttemptKey>) {
    if let Some(key) = superseded {
        commit.outbox.push(effect(Effect::Show { key }, "", Priority::Later, ctx.clock.now()));
    }
}
