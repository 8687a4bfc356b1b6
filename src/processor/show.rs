//! A message is a view of its record: posted once, then edited in place, and sent to whoever asked where it cannot be.

use super::deliver::done;
use super::outcome::effect;
use super::pace::{BETWEEN_EDITS, Pace};
use super::{Ctx, requests};
use crate::domain::approval::Request;
use crate::domain::failover::FailOver;
use crate::domain::id::{ChannelId, UserId};
use crate::domain::reply::Reply;
use crate::domain::run::AttemptKey;
use crate::ports::{
    ArtifactKind, Commit, Effect, Kind, MessageRef, OutboxItem, PortError, Priority, Settled, Target, load, move_key,
    request_key,
};
use jiff::SignedDuration;

/// Rejected rows are attached up to this size; beyond it the button gives them. Keeps memory bounded.
const ATTACH_LIMIT: u64 = 8 * 1024 * 1024;

/// A message left behind is tried again after this wait, which doubles up to the second, until the third is over.
const SETTLE_FIRST: SignedDuration = SignedDuration::from_secs(30);
const SETTLE_LAST: SignedDuration = SignedDuration::from_mins(20);
const SETTLE_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// What a lasting message shows now.
struct Card {
    channel: ChannelId,
    reply: Reply,
    /// Who is told where the channel cannot be used.
    owner: Option<UserId>,
    /// Nothing more will come: what it says must reach somebody.
    ended: bool,
}

/// The record behind a message as it is now; `None`: there is none (any more).
async fn card(ctx: &Ctx, effect: &Effect) -> Result<Option<Card>, PortError> {
    let now = ctx.clock.now();
    let store = ctx.store.as_ref();
    Ok(match effect {
        Effect::Show { key } => {
            let Some(run) = store.run(&key.run).await? else { return Ok(None) };
            let Some(attempt) = run.attempt(key.attempt) else { return Ok(None) };
            let owner = attempt.asked_by.person().map(|person| person.user.clone());
            let ended = attempt.state.is_terminal();
            let channel = run.channel.clone();
            Some(Card {
                channel,
                owner,
                ended,
                reply: Reply::RunCard { run: Box::new(run), attempt: key.attempt, now },
            })
        }
        Effect::ShowRequest { request } => load::<Request>(store, &request_key(request)).await?.map(|request| Card {
            channel: request.channel.clone(),
            owner: request.asked_by.person().map(|person| person.user.clone()),
            ended: !request.is_open(),
            reply: Reply::RequestCard { request: Box::new(request), now },
        }),
        Effect::ShowMove { request } => load::<FailOver>(store, &move_key(request)).await?.map(|record| Card {
            channel: record.channel.clone(),
            owner: Some(record.asked_by.user.clone()),
            ended: !record.is_open(),
            reply: Reply::FailOverCard { record: Box::new(record), now },
        }),
        _ => None,
    })
}

/// Brings the message up to date.
pub(super) async fn show(ctx: &Ctx, pace: &Pace, item: &OutboxItem) -> Result<Settled, PortError> {
    let now = ctx.clock.now();
    let Some(card) = card(ctx, &item.effect).await? else {
        return Ok(done(ctx));
    };
    if let Err(at) = pace.take_turn(&card.channel, now) {
        return Ok(Settled::Later { at, why: "the channel's turn has not come".to_owned(), count: false });
    }
    let known = ctx.store.receipt(&item.key).await?;
    let shown = match &known {
        Some(at) => ctx.chat.update(at, &card.reply).await.map(|()| at.clone()),
        None => post_once(ctx, item, &Target::Channel(card.channel.clone()), &card.reply).await,
    };
    let again = now + BETWEEN_EDITS;
    let at = match shown {
        Ok(at) => at,
        Err(error) if matches!(error.kind, Kind::Gone | Kind::Denied) => {
            if known.is_some() && !card.ended {
                tracing::warn!(effect.key = %item.key, %error, "the message of {} cannot be edited; its end will go to whoever asked", item.key);
                return Ok(Settled::Done { receipt: known, again });
            }
            let at = elsewhere(ctx, item, &card, known.is_some()).await?;
            if let Some(left) = known.filter(|left| left.channel != at.channel) {
                let settle = Effect::Settle { show: Box::new(item.effect.clone()), at: left };
                let settle = effect(settle, "", Priority::Later, now + SETTLE_FIRST);
                ctx.store.commit(Commit { outbox: vec![settle], ..Commit::default() }).await?;
            }
            at
        }
        Err(error) => {
            if let Kind::Transient { after: Some(wait) } = error.kind {
                pace.hold(&card.channel, now, wait);
            }
            return Err(error);
        }
    };
    if let Reply::RequestCard { request, .. } = card.reply {
        requests::posted(ctx, *request).await?;
    }
    Ok(Settled::Done { receipt: Some(at), again })
}

/// Brings a message up to date that was left behind in a channel which could not be used. People have been told already, so it is
/// tried less and less often, and after a day no more.
pub(super) async fn settle(
    ctx: &Ctx,
    pace: &Pace,
    item: &OutboxItem,
    shown: &Effect,
    left: &MessageRef,
) -> Result<Settled, PortError> {
    let now = ctx.clock.now();
    if let Err(at) = pace.take_turn(&left.channel, now) {
        return Ok(Settled::Later { at, why: "the channel's turn has not come".to_owned(), count: false });
    }
    let Some(card) = card(ctx, shown).await? else {
        return Ok(done(ctx));
    };
    match ctx.chat.update(left, &card.reply).await {
        Ok(()) => Ok(done(ctx)),
        Err(error) if now.duration_since(item.since) >= SETTLE_WITHIN => {
            tracing::info!(effect.key = %item.key, %error, "a message stays as it was: its channel came not back within a day");
            Ok(done(ctx))
        }
        Err(error) => {
            if let Kind::Transient { after: Some(wait) } = error.kind {
                pace.hold(&left.channel, now, wait);
            }
            let wait = (SETTLE_FIRST * (1 << item.attempts.min(6))).min(SETTLE_LAST);
            Ok(Settled::Later { at: now + wait, why: error.to_string(), count: true })
        }
    }
}

/// Posts, unless an earlier try has: its answer may have been lost, or we died before we could note it.
async fn post_once(ctx: &Ctx, item: &OutboxItem, to: &Target, reply: &Reply) -> Result<MessageRef, PortError> {
    if (item.attempts > 1 || item.version > 1)
        && let Some(at) = ctx.chat.find(to, &item.key, item.since).await?
    {
        ctx.chat.update(&at, reply).await?;
        return Ok(at);
    }
    ctx.chat.post(to, reply, &item.key).await
}

/// The message is gone: a new one in the channel if only the message was lost, else a direct message to whoever asked.
async fn elsewhere(ctx: &Ctx, item: &OutboxItem, card: &Card, channel_may_work: bool) -> Result<MessageRef, PortError> {
    if channel_may_work {
        match post_once(ctx, item, &Target::Channel(card.channel.clone()), &card.reply).await {
            Err(error) if matches!(error.kind, Kind::Gone | Kind::Denied) => {}
            result => return result,
        }
    }
    let Some(owner) = &card.owner else {
        // Nobody asked: there is nobody else to tell, and the channel is tried again until the effect is given up.
        return Err(PortError::new(Kind::Gone, "the channel of a run that nobody asked for cannot be used"));
    };
    post_once(ctx, item, &Target::Direct(owner.clone()), &card.reply).await
}

/// Attaches the rejected rows to the message. They stay behind the message's buttons too, so what cannot be attached is not lost.
pub(super) async fn attach(ctx: &Ctx, key: &AttemptKey) -> Result<Settled, PortError> {
    let Some(at) = ctx.store.receipt(&Effect::Show { key: key.clone() }.key("")).await? else {
        let why = "the message to attach to is not posted yet".to_owned();
        return Ok(Settled::Later { at: ctx.clock.now() + BETWEEN_EDITS, why, count: true });
    };
    let Some(attempt) = ctx.store.run(&key.run).await?.and_then(|run| run.attempt(key.attempt).cloned()) else {
        return Ok(done(ctx));
    };
    let files = ctx.regions.with_results(key, &attempt).await?.files;
    let Some(artifact) = files.artifact(key, ArtifactKind::Rejects).await?.filter(|a| a.bytes <= ATTACH_LIMIT) else {
        return Ok(done(ctx));
    };
    let user = attempt.asked_by.person().map(|person| person.user.clone());
    let rejected = attempt.progress.rejected;
    let size =
        usize::try_from(artifact.bytes).map_err(|e| PortError::permanent("the rejects are too large").because(e))?;
    let content = files.read(&artifact, 0, size).await?;
    let comment = Reply::RejectsFile { run: key.run.clone(), attempt: key.attempt, user, rejected };
    match ctx.chat.attach(&at, &artifact.name, content, &comment).await {
        Err(error) if !matches!(error.kind, Kind::Transient { .. }) => {
            tracing::warn!(attempt = %key, %error, "the rejects of {key} could not be attached; the message's buttons give them");
            Ok(done(ctx))
        }
        result => result.map(|()| done(ctx)),
    }
}
