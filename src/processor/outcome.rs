//! What a handler decides: one commit, built from words.

use super::Ctx;
use super::asked::Asked;
use crate::domain::actor::Actor;
use crate::domain::audit::AuditDraft;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::run::Run;
use crate::ports::{Commit, Deadline, Effect, OutboxWrite, Priority, RunWrite, Subject, input_lock, look_deadline};
use jiff::{SignedDuration, Timestamp};

/// How long until an attempt that is under way is looked at again.
pub(super) const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(1);

/// An audit record of the bot's own doing or of somebody's.
pub(super) fn audit(
    ctx: &Ctx,
    actor: Option<&Actor>,
    action: &str,
    subject: impl Into<String>,
    why: impl Into<String>,
    result: &str,
) -> AuditDraft {
    AuditDraft {
        at: ctx.clock.now(),
        actor: actor.cloned(),
        bot: ctx.bot.clone(),
        action: action.to_owned(),
        subject: subject.into(),
        why: why.into(),
        result: result.to_owned(),
    }
}

/// An effect for the outbox.
pub(super) fn effect(effect: Effect, unique: &str, priority: Priority, due: Timestamp) -> OutboxWrite {
    OutboxWrite { key: effect.key(unique), effect, priority, due }
}

/// Answers the asker in private, with an audit record.
pub(super) fn answer(ctx: &Ctx, asked: &Asked<'_>, reply: Reply, subject: impl Into<String>, result: &str) -> Commit {
    let whisper = Effect::Whisper { to: asked.person(), reply: Box::new(reply) };
    Commit {
        claim: Some(asked.envelope.key.clone()),
        outbox: vec![effect(whisper, asked.envelope.key.as_str(), Priority::First, ctx.clock.now())],
        audit: vec![audit(ctx, Some(&asked.origin.actor), asked.command.action().name(), subject, asked.why(), result)],
        ..Commit::default()
    }
}

/// Tells the asker why not.
pub(super) fn refuse(ctx: &Ctx, asked: &Asked<'_>, problem: Problem) -> Commit {
    let code = problem.code();
    let text = crate::domain::grammar::render(asked.command);
    answer(ctx, asked, Reply::refused(problem), text, code)
}

/// Begins the newest attempt of `run` for whoever asked.
pub(super) fn begin(ctx: &Ctx, asked: &Asked<'_>, run: Run, expected: u64) -> Commit {
    let (action, why) = (asked.command.action().name(), asked.why());
    let commit = started(ctx, Some(&asked.origin.actor), action, why, RunWrite { run, expected });
    Commit { claim: Some(asked.envelope.key.clone()), ..commit }
}

/// Begins the newest attempt of a run: takes the input, has the engine start it, posts its message and sets the first look.
pub(super) fn started(ctx: &Ctx, actor: Option<&Actor>, action: &str, why: String, write: RunWrite) -> Commit {
    let now = ctx.clock.now();
    let run = &write.run;
    let key = run.key();
    let show = Effect::Show { key: key.clone() };
    let start = Effect::Start { key: key.clone() };
    Commit {
        lock: vec![(input_lock(&run.input.key), run.id.clone())],
        outbox: vec![effect(show, "", Priority::First, now), effect(start, "", Priority::First, now)],
        deadlines: vec![look_at(run, now + LOOK_EVERY)],
        audit: vec![audit(ctx, actor, action, format!("{key} of {} on {}", run.job, run.input.name), why, "done")],
        runs: vec![write],
        ..Commit::default()
    }
}

/// The deadline at which the newest attempt is looked at.
pub(super) fn look_at(run: &Run, due: Timestamp) -> Deadline {
    Deadline { key: look_deadline(&run.key()), due, subject: Subject::Attempt(run.key()) }
}
