//! When handling an envelope failed: try again later, or give up where somebody can see it and tell the asker.

use super::outcome::{audit, effect};
use super::{Ctx, Received};
use crate::domain::envelope::{Envelope, Event};
use crate::domain::id::EnvelopeId;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::ports::{Commit, Delivery, Effect, Kind, Person, PortError, Priority};
use std::time::Duration;

/// With the waits below these tries take about ten minutes: longer than a restart of anything we depend on.
const TRIES: u32 = 16;
/// Errors that will not go away by waiting get fewer.
const TRIES_PERMANENT: u32 = 3;
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// Gives the message back to the bus, or to the dead letters after the last try.
pub(super) async fn after_failure(ctx: &Ctx, delivery: &Delivery, error: &PortError) -> Result<Received, PortError> {
    let envelope = &delivery.envelope;
    let tries = match error.kind {
        Kind::Permanent | Kind::Denied | Kind::Gone => TRIES_PERMANENT,
        Kind::Transient { .. } | Kind::Ambiguous | Kind::Conflict | Kind::Claimed => TRIES,
    };
    if delivery.attempts < tries {
        let wait = backoff(envelope.id.as_str(), delivery.attempts).max(asked_wait(error));
        tracing::warn!(envelope.id = %envelope.id, attempt = delivery.attempts, %error, "envelope {} failed and is tried again", envelope.id);
        return ctx.bus.retry(delivery, wait, &error.to_string()).await.map(|()| Received::GivenBack);
    }
    tracing::error!(envelope.id = %envelope.id, %error, "envelope {} is given up and lies with the dead letters", envelope.id);
    tell(ctx, envelope).await?;
    ctx.bus.bury(delivery, &error.to_string()).await.map(|()| Received::Done)
}

/// The wait before try `attempt + 1`: doubles from half a second up to a minute, spread by up to a quarter so that what failed
/// together does not come back together. The spread comes from the id: the same message waits the same time.
pub(super) fn backoff(id: &str, attempt: u32) -> Duration {
    let base = Duration::from_millis(500).saturating_mul(1 << attempt.saturating_sub(1).min(7)).min(LONGEST_WAIT);
    let spread =
        id.bytes().fold(u32::from(attempt.min(255) as u8), |h, b| h.wrapping_mul(31).wrapping_add(u32::from(b)));
    base + base.mul_f64(f64::from(spread % 256) / 1024.0)
}

fn asked_wait(error: &PortError) -> Duration {
    match error.kind {
        Kind::Transient { after } => after.unwrap_or_default(),
        _ => Duration::ZERO,
    }
}

/// Tells the asker once. The claim has a key of its own, so that a replayed dead letter can still be handled.
async fn tell(ctx: &Ctx, envelope: &Envelope) -> Result<(), PortError> {
    let Event::Asked { origin, command } = &envelope.event else {
        return Ok(());
    };
    let Ok(claim) = EnvelopeId::parse(format!("given-up:{}", envelope.id)) else {
        return Ok(());
    };
    let to = Person {
        user: origin.actor.user.clone(),
        channel: origin.channel.clone(),
        response_url: origin.response_url.clone(),
    };
    let problem = Problem::GivenUp { request: envelope.id.to_string() };
    let whisper = Effect::Whisper { to, reply: Box::new(Reply::refused(problem)) };
    let commit = Commit {
        outbox: vec![effect(whisper, claim.as_str(), Priority::First, ctx.clock.now())],
        audit: vec![audit(
            ctx,
            Some(&origin.actor),
            command.action().name(),
            envelope.id.to_string(),
            "too many failures",
            "given-up",
        )],
        claim: Some(claim),
        ..Commit::default()
    };
    match ctx.store.commit(commit).await {
        Err(e) if e.kind == Kind::Claimed => Ok(()),
        result => result,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_about_a_minute_and_differ_between_messages() {
        let waits: Vec<_> = (1..=TRIES).map(|n| backoff("m1", n)).collect();
        assert!(waits[0] >= Duration::from_millis(500) && waits[0] < Duration::from_millis(626));
        assert!(waits.iter().all(|w| *w <= LONGEST_WAIT.mul_f64(1.25)));
        assert!(waits.iter().sum::<Duration>() > Duration::from_mins(8));
        assert_ne!(backoff("m1", 5), backoff("m2", 5));
    }
}
