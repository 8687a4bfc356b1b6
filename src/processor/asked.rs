//! A command that somebody gave: rights are asked again, the run it names is found, then its own file takes over.

use super::outcome::refuse;
use super::standing::{permitted_channel, standing, standing_now, without_chat};
use super::{
    Ctx, approve, cancel_batch, deny, fail_back, fail_over, help, list_batches, reprocess_batch, start_batch, status,
    why,
};
use crate::domain::actor::Standing;
use crate::domain::command::{Command, Scope};
use crate::domain::envelope::{Envelope, Origin};
use crate::domain::grammar::nearest;
use crate::domain::id::{JobName, RunId};
use crate::domain::parameter::day_of;
use crate::domain::policy::{Authorized, Decision, Place};
use crate::domain::problem::Problem;
use crate::domain::run::Run;
use crate::ports::{Commit, Person, PortError, RunQuery};

/// How many runs of a channel are looked through for one that somebody means.
const RECENT: usize = 50;

/// A command with what is known about who gave it, at the moment it is handled.
pub(super) struct Asked<'a> {
    pub envelope: &'a Envelope,
    pub origin: &'a Origin,
    pub command: &'a Command,
    pub standing: Standing,
    pub permitted: bool,
    rule: String,
}

impl Asked<'_> {
    pub(super) fn place(&self) -> Place<'_> {
        Place::Channel { id: &self.origin.channel, permitted: self.permitted }
    }

    /// Where private answers go.
    pub(super) fn person(&self) -> Person {
        Person {
            user: self.origin.actor.user.clone(),
            channel: self.origin.channel.clone(),
            response_url: self.origin.response_url.clone(),
        }
    }

    /// What allowed it, or what asked for it.
    pub(super) fn why(&self) -> String {
        if self.rule.is_empty() {
            format!("request {}", self.envelope.id)
        } else {
            format!("rule {}, request {}", self.rule, self.envelope.id)
        }
    }

    fn authorize(&mut self, ctx: &Ctx, job: Option<&JobName>) -> Result<Authorized<Command>, Problem> {
        let allowed = ctx
            .policy
            .authorize(&self.standing, self.place(), self.command.clone(), job)
            .map_err(|decision| self.not_permitted(decision))?;
        allowed.rule().clone_into(&mut self.rule);
        Ok(allowed)
    }

    fn not_permitted(&self, decision: Decision) -> Problem {
        Problem::NotPermitted { action: Some(self.command.action()), decision }
    }
}

/// Handles one command: everything it does is in the commit.
pub(super) async fn handle(
    ctx: &Ctx,
    envelope: &Envelope,
    origin: &Origin,
    command: &Command,
) -> Result<Commit, PortError> {
    let proved = without_chat(ctx, origin);
    let ctx = proved.as_ref().unwrap_or(ctx);
    let votes = matches!(command, Command::Approve { .. } | Command::Deny { .. });
    let standing =
        if votes { standing_now(ctx, &origin.actor).await } else { standing(ctx, &origin.actor, None).await }?;
    let permitted = permitted_channel(ctx, &origin.channel).await?;
    let mut asked = Asked { envelope, origin, command, standing, permitted, rule: String::new() };
    // Asked before anything is looked up, so that a stranger learns nothing about runs.
    let allowed = match asked.authorize(ctx, None) {
        Ok(allowed) => allowed,
        Err(problem) => return Ok(refuse(ctx, &asked, problem)),
    };
    let run = match named_run(ctx, origin, command).await? {
        Ok(run) => run,
        Err(problem) => return Ok(refuse(ctx, &asked, problem)),
    };
    let allowed = match &run {
        None => allowed,
        Some(run) => match asked.authorize(ctx, Some(&run.job)) {
            Ok(allowed) => allowed,
            Err(problem) => return Ok(refuse(ctx, &asked, problem)),
        },
    };
    match (allowed.get(), run) {
        (Command::StartBatch { job, file, values }, _) => {
            let on = start_batch::On { file: file.as_ref(), values, today: day_of(envelope.issued_at) };
            start_batch::handle(ctx, &asked, job, on).await
        }
        (Command::ReprocessBatch { scope, .. }, Some(run)) => reprocess_batch::handle(ctx, &asked, run, *scope).await,
        (Command::ReprocessBatch { .. }, None) => Ok(refuse(ctx, &asked, Problem::NothingToRedo { run: None })),
        (Command::CancelBatch { .. }, Some(run)) => cancel_batch::handle(ctx, &asked, run).await,
        (Command::CancelBatch { run }, None) => Ok(refuse(ctx, &asked, unknown(run.clone(), None))),
        (Command::Status { .. }, run) => status::handle(ctx, &asked, run).await,
        (Command::FailOver { region, drill }, _) => fail_over::handle(ctx, &asked, region.as_ref(), *drill).await,
        (Command::FailBack, _) => fail_back::handle(ctx, &asked).await,
        (Command::Approve { request, words }, _) => approve::handle(ctx, &asked, request, words.as_deref()).await,
        (Command::Deny { request, reason }, _) => deny::handle(ctx, &asked, request, reason.as_deref()).await,
        (Command::ListBatches, _) => list_batches::handle(ctx, &asked).await,
        (Command::Why { user, command }, _) => why::handle(ctx, &asked, user, command).await,
        (Command::Help { about }, _) => Ok(help::handle(ctx, &asked, *about)),
    }
}

/// The run that a command names, or the one it means where it names none; `None` where it is about no run.
async fn named_run(ctx: &Ctx, origin: &Origin, command: &Command) -> Result<Result<Option<Run>, Problem>, PortError> {
    if let Some(id) = command.run() {
        let found = ctx.store.run(id).await?;
        return Ok(match found {
            Some(run) => Ok(Some(run)),
            None => Err(unknown(id.clone(), nearest_run(ctx, origin, id).await?)),
        });
    }
    let Command::ReprocessBatch { scope, .. } = command else {
        return Ok(Ok(None));
    };
    let runs = ctx.store.runs(RunQuery::Channel(origin.channel.clone()), RECENT).await?;
    // What would be done again from its beginning is named by whoever wants that.
    let redo = |run: &Run| {
        let found = run.to_redo().filter(|scope| *scope != Scope::All);
        found.is_some_and(|_| scope.is_none_or(|scope| run.has_to_redo(scope)))
    };
    Ok(match runs.into_iter().find(redo) {
        Some(run) => Ok(Some(run)),
        None => Err(Problem::NothingToRedo { run: None }),
    })
}

async fn nearest_run(ctx: &Ctx, origin: &Origin, id: &RunId) -> Result<Option<String>, PortError> {
    let runs = ctx.store.runs(RunQuery::Channel(origin.channel.clone()), RECENT).await?;
    Ok(nearest(id.as_str(), runs.iter().map(|r| r.id.as_str())))
}

fn unknown(run: RunId, nearest: Option<String>) -> Problem {
    Problem::UnknownRun { run, nearest }
}
