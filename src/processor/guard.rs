//! What the catalog guards is not done but asked for: the plan is fixed now, and carried out only if it still holds when enough people
//! have approved it.

use super::asked::Asked;
use super::outcome::{LOOK_EVERY, audit, begin, effect, refuse, started};
use super::{Ctx, cancel_batch, reprocess_batch, requests, start_batch};
use crate::domain::actor::Actor;
use crate::domain::approval::{CommandPlan, Plan, Request, Void};
use crate::domain::command::{Action, Command};
use crate::domain::parameter::day_of;
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Run};
use crate::ports::{Commit, Effect, PortError, Priority, RunWrite};

/// What a command on a job comes to, ready to be written.
pub(super) struct Ready {
    /// The record to be, and the version it replaces.
    pub write: RunWrite,
    /// The attempt before, for a reprocess; the one concerned, for a cancel.
    pub attempt: Option<AttemptKey>,
}

/// Does it, or asks for it where the catalog guards it.
pub(super) async fn do_or_ask(ctx: &Ctx, asked: &Asked<'_>, ready: Ready) -> Result<Commit, PortError> {
    let action = asked.command.action();
    let job = &ready.write.run.job;
    let Some(rule) = ctx.catalog.approval(action, Some(job)) else {
        return Ok(match action {
            Action::CancelBatch => cancel_batch::stopped(ctx, asked, ready.write),
            _ => {
                let RunWrite { run, expected } = ready.write;
                let mut commit = begin(ctx, asked, run, expected);
                reprocess_batch::supersede(ctx, &mut commit, ready.attempt);
                commit
            }
        });
    };
    let plan = Plan::Command(plan(ctx, action, &ready));
    let asker = asked.origin.actor.clone().into();
    match requests::make(ctx, requests::By::asker(asked, &asker), plan, rule).await? {
        Ok(request) => requests::ask(ctx, asked, &request),
        Err(problem) => Ok(refuse(ctx, asked, problem)),
    }
}

/// Carries an approved plan out: what is to be written, and the run. `Err`: the world is not what the plan says.
pub(super) async fn carry_out(
    ctx: &Ctx,
    asked: &Asked<'_>,
    request: &Request,
    planned: &CommandPlan,
) -> Result<Result<(Commit, Run), Void>, PortError> {
    let changed = |what: String| Ok(Err(Void::Changed { what }));
    let (Some(by), Some(command)) = (request.asked_by.person(), request.plan.command()) else {
        return changed("nobody asked for it".to_owned());
    };
    if let Some(why) = asker_may_not(ctx, request, by, planned).await? {
        return changed(why);
    }
    let ready = match ready(ctx, request, by, &command).await? {
        Ok(ready) => ready,
        Err(problem) => return changed(format!("it would be refused now ({})", problem.code())),
    };
    let now = plan(ctx, planned.action, &ready);
    if now != *planned {
        return changed(difference(planned, &now));
    }
    let why = format!("request {} was approved, envelope {}", request.id, asked.envelope.id);
    let run = ready.write.run.clone();
    let commit = match planned.action {
        Action::CancelBatch => cancel_batch::commit(ctx, ready.write, by, why),
        action => {
            let mut commit = started(ctx, Some(by), action.name(), why, ready.write);
            reprocess_batch::supersede(ctx, &mut commit, ready.attempt);
            commit
        }
    };
    Ok(Ok((commit, run)))
}

/// Whoever asked must still be allowed to when it is carried out.
async fn asker_may_not(
    ctx: &Ctx,
    request: &Request,
    asker: &Actor,
    planned: &CommandPlan,
) -> Result<Option<String>, PortError> {
    let decision = requests::standing_of(ctx, asker, request, planned.action, Some(&planned.job)).await?;
    Ok((!decision.allowed()).then(|| format!("whoever asked may not do it any more ({})", decision.code())))
}

async fn ready(
    ctx: &Ctx,
    request: &Request,
    by: &Actor,
    command: &Command,
) -> Result<Result<Ready, Problem>, PortError> {
    let at = &request.channel;
    let run = match command.run() {
        Some(id) => ctx.store.run(id).await?,
        None => None,
    };
    match (command, run) {
        (Command::StartBatch { job, file, values }, _) => {
            let on = start_batch::On { file: file.as_ref(), values, today: day_of(request.asked_at) };
            let input = match start_batch::choose(ctx, job, on).await? {
                Ok(input) => input,
                Err(problem) => return Ok(Err(problem)),
            };
            start_batch::ready(ctx, by, at, job, input, &requests::origin_of(request)?).await.map(Ok)
        }
        (Command::ReprocessBatch { scope, .. }, Some(run)) => reprocess_batch::ready(ctx, by, run, *scope).await,
        (Command::CancelBatch { .. }, Some(run)) => Ok(cancel_batch::ready(by, run)),
        _ => Ok(Err(Problem::NothingToRedo { run: None })),
    }
}

fn plan(ctx: &Ctx, action: Action, ready: &Ready) -> CommandPlan {
    let run = &ready.write.run;
    CommandPlan {
        action,
        job: run.job.clone(),
        definition: ctx.catalog.get(&run.job).map(|job| job.definition.clone()).unwrap_or_default(),
        input: run.input.clone(),
        attempt: ready.attempt.clone(),
        scope: (action == Action::ReprocessBatch).then(|| run.current().scope),
    }
}

fn difference(planned: &CommandPlan, now: &CommandPlan) -> String {
    if planned.definition != now.definition {
        format!("the definition of the job {} changed after it was asked for", planned.job)
    } else if planned.input != now.input {
        let what = if planned.input.parameters.is_some() { "what the workflow is given," } else { "the file" };
        format!("{what} {} changed after it was asked for", planned.input.name)
    } else {
        "the run went on after it was asked for".to_owned()
    }
}

/// The first look at a request's message and its life is the poster's; this is what asking for it writes.
pub(super) fn show_now(ctx: &Ctx, request: &Request) -> crate::ports::OutboxWrite {
    effect(Effect::ShowRequest { request: request.id.clone() }, "", Priority::First, ctx.clock.now())
}

/// The audit record of something that happened to a request.
pub(super) fn note(
    ctx: &Ctx,
    asked: Option<&Asked<'_>>,
    request: &Request,
    what: &str,
    result: &str,
) -> crate::domain::audit::AuditDraft {
    let actor = asked.map(|asked| &asked.origin.actor);
    let why = asked.map_or_else(|| "its time".to_owned(), Asked::why);
    let subject = format!("{} ({}, digest {})", request.id, request.plan.line(), request.digest);
    audit(ctx, actor, what, subject, why, result)
}

/// How long until something that is under way is looked at again.
pub(super) const AGAIN: jiff::SignedDuration = LOOK_EVERY;
