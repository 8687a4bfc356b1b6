//! `reprocess-batch [RUN] [rows|chunks|all]`: a further attempt of the same run; the earlier ones and their messages are kept.

use super::Ctx;
use super::asked::Asked;
use super::outcome::{begin, effect, refuse};
use crate::domain::command::Scope;
use crate::domain::problem::Problem;
use crate::domain::run::{Attempt, Run};
use crate::ports::{Commit, Effect, PortError, Priority, input_lock};

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    mut run: Run,
    scope: Option<Scope>,
) -> Result<Commit, PortError> {
    if run.is_open() {
        return Ok(refuse(ctx, asked, Problem::StillRunning { run: run.id.clone() }));
    }
    let Some(scope) = scope.or_else(|| run.to_redo()) else {
        return Ok(refuse(ctx, asked, Problem::NothingToRedo { run: Some(run.id.clone()) }));
    };
    if !run.has_to_redo(scope) {
        return Ok(refuse(ctx, asked, Problem::ScopeIsEmpty { run: run.id.clone(), scope }));
    }
    if let Some(holder) = ctx.store.holder(&input_lock(&run.input.key)).await? {
        return Ok(refuse(ctx, asked, Problem::InputBusy { file: run.input.name.clone(), run: holder }));
    }
    // The whole input is read again: what lies there now is what counts. Parts of it need the content they came from.
    if scope == Scope::All
        && let Some(input) = ctx.files.inputs(&run.job).await?.into_iter().find(|i| i.key == run.input.key)
    {
        run.input = input;
    }
    let superseded = run.key();
    let now = ctx.clock.now();
    let expected = run.version;
    let number = superseded.attempt + 1;
    run.attempts.push(Attempt::asked(number, scope, asked.origin.actor.clone(), now));
    let mut commit = begin(ctx, asked, run, expected);
    // Its buttons would offer what has been done already.
    commit.outbox.push(effect(Effect::Show { key: superseded }, "", Priority::Later, now));
    Ok(commit)
}
