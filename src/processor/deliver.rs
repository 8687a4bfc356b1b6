//! Carries effects out. A crash before or after any of them repeats it: starts and stops go under the execution's key, edits replace,
//! and a post looks first whether it is there already.

use super::pace::Pace;
use super::retry::backoff;
use super::show::{attach, settle, show};
use super::{Ctx, home, moves, task};
use crate::domain::actor::Actor;
use crate::domain::envelope::{Envelope, Event};
use crate::domain::id::EnvelopeId;
use crate::domain::reply::Reply;
use crate::domain::run::{AttemptKey, RunState};
use crate::ports::{Effect, Kind, OutboxItem, PortError, Settled, StartRun, Target};

/// After this many tries an effect is kept aside. With growing waits that is over an hour of a Slack that does not answer.
pub(super) const TRIES: u32 = 80;
/// What is wrong in itself gets fewer.
pub(super) const TRIES_PERMANENT: u32 = 3;

/// Carries one effect out and says what became of it.
pub(super) async fn carry_out(ctx: &Ctx, pace: &Pace, item: &OutboxItem) -> Settled {
    let result = match &item.effect {
        Effect::Start { key } => start(ctx, key).await,
        Effect::Stop { key } => stop(ctx, key).await,
        Effect::Show { .. } | Effect::ShowRequest { .. } | Effect::ShowMove { .. } => show(ctx, pace, item).await,
        Effect::Settle { show, at } => settle(ctx, pace, item, show, at).await,
        Effect::Attach { key } => attach(ctx, key).await,
        Effect::AttachReport { request } => moves::attach_report(ctx, request).await,
        Effect::Switch { request } => moves::switch(ctx, request).await.map(|()| done(ctx)),
        Effect::AnswerTask { request } => task::answer(ctx, item, request).await,
        Effect::Route { request, name } => moves::route(ctx, request, name, item.attempts).await,
        Effect::Tell { to, reply } => tell(ctx, item, to, reply).await,
        Effect::TellInThread { request, reply } => {
            let root = Effect::ShowRequest { request: request.clone() }.key("");
            match ctx.store.receipt(&root).await {
                Ok(Some(root)) => tell(ctx, item, &Target::Thread(root), reply).await,
                Ok(None) => Ok(done(ctx)),
                Err(error) => Err(error),
            }
        }
        Effect::Whisper { .. } => whisper(ctx, item).await,
        Effect::Homes => home::refresh(ctx).await.map(|()| done(ctx)),
        Effect::Home { user, team } => {
            let actor = Actor { team: team.clone(), user: user.clone(), name: String::new() };
            match home::content(ctx, &actor).await {
                Ok(reply) => ctx.chat.publish_home(user, &reply).await.map(|()| done(ctx)),
                Err(error) => Err(error),
            }
        }
    };
    result.unwrap_or_else(|error| later(ctx, item, &error))
}

/// Done, without a message to remember.
pub(super) fn done(ctx: &Ctx) -> Settled {
    Settled::Done { receipt: None, again: ctx.clock.now() }
}

fn later(ctx: &Ctx, item: &OutboxItem, error: &PortError) -> Settled {
    // A token that was revoked is replaced, a bot that was removed is invited again: only what is wrong in itself is hopeless.
    let hopeless = error.kind == Kind::Permanent && item.attempts >= TRIES_PERMANENT;
    if hopeless || item.attempts >= TRIES {
        tracing::error!(effect.key = %item.key, %error, "effect {} is given up and kept aside", item.key);
        return Settled::GivenUp { why: error.to_string() };
    }
    let asked = match error.kind {
        Kind::Transient { after } => after.unwrap_or_default(),
        _ => std::time::Duration::ZERO,
    };
    let wait = backoff(&item.key, item.attempts).max(asked);
    tracing::warn!(effect.key = %item.key, attempt = item.attempts, %error, "effect {} failed and is tried again", item.key);
    Settled::Later { at: ctx.clock.now() + wait, why: error.to_string(), count: true }
}

async fn start(ctx: &Ctx, key: &AttemptKey) -> Result<Settled, PortError> {
    let run = ctx.store.run(&key.run).await?;
    let Some(run) = run.filter(|r| r.key() == *key && r.is_open()) else {
        return Ok(done(ctx));
    };
    if run.current().state == RunState::Cancelling {
        return Ok(done(ctx));
    }
    let engine = ctx.regions.of(run.current())?.engine;
    let (scope, epoch) = (run.current().scope, run.current().epoch);
    let start = StartRun { key: key.clone(), job: run.job, input: run.input, scope, epoch };
    match engine.start(&start).await {
        Ok(()) => Ok(done(ctx)),
        Err(error) if matches!(error.kind, Kind::Permanent | Kind::Gone | Kind::Denied) => {
            refuse_start(ctx, key, &error).await?;
            Ok(done(ctx))
        }
        Err(error) => Err(error),
    }
}

async fn stop(ctx: &Ctx, key: &AttemptKey) -> Result<Settled, PortError> {
    if let Some(attempt) = ctx.store.run(&key.run).await?.and_then(|run| run.attempt(key.attempt).cloned()) {
        // What was left behind cannot publish any more, whether it is stopped or not.
        if attempt.state != RunState::LeftBehind {
            ctx.regions.of(&attempt)?.engine.stop(key).await?;
        }
    }
    Ok(done(ctx))
}

/// Says something that stays. Whether an earlier try has said it is asked first.
async fn tell(ctx: &Ctx, item: &OutboxItem, to: &Target, reply: &Reply) -> Result<Settled, PortError> {
    let found = if item.attempts > 1 { ctx.chat.find(to, &item.key, item.since).await? } else { None };
    let at = match found {
        Some(at) => Ok(at),
        None => ctx.chat.post(to, reply, &item.key).await,
    };
    match at {
        Ok(at) => Ok(Settled::Done { receipt: Some(at), again: ctx.clock.now() }),
        // A person who has left, a thread that was deleted: nobody is there to be told.
        Err(error) if error.kind == Kind::Gone => Ok(done(ctx)),
        Err(error) => Err(error),
    }
}

/// The attempt's record learns it by way of the bus, like everything else that happens to it.
async fn refuse_start(ctx: &Ctx, key: &AttemptKey, error: &PortError) -> Result<(), PortError> {
    let id = EnvelopeId::parse(format!("start-refused:{key}"))
        .map_err(|e| PortError::permanent("could not name the refusal").because(e))?;
    let event = Event::StartRefused { key: key.clone(), reason: error.what.clone() };
    let envelope = Envelope { id: id.clone(), key: id, issued_at: ctx.clock.now(), event };
    ctx.bus.publish(envelope).await.map(|_| ())
}

async fn whisper(ctx: &Ctx, item: &OutboxItem) -> Result<Settled, PortError> {
    let Effect::Whisper { to, reply } = &item.effect else {
        return Ok(done(ctx));
    };
    match ctx.chat.whisper(to, reply).await {
        Ok(()) => Ok(done(ctx)),
        // Nothing tells whether a private answer arrived. It is repeated once: reading it twice is better than never.
        Err(error) if error.kind == Kind::Ambiguous && item.attempts > 1 => {
            tracing::warn!(effect.key = %item.key, %error, "a private answer was sent twice and never confirmed");
            Ok(done(ctx))
        }
        // The channel or the one-off address is no use any more: a direct message is as private.
        Err(error) if matches!(error.kind, Kind::Gone | Kind::Denied) => {
            let target = Target::from(to);
            if item.attempts > 1
                && let Some(at) = ctx.chat.find(&target, &item.key, item.since).await?
            {
                return Ok(Settled::Done { receipt: Some(at), again: ctx.clock.now() });
            }
            let at = ctx.chat.post(&target, reply, &item.key).await?;
            Ok(Settled::Done { receipt: Some(at), again: ctx.clock.now() })
        }
        Err(error) => Err(error),
    }
}
