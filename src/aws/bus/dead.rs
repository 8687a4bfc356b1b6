//! The dead-letter queue. A queue cannot be looked into, so its messages are taken for a moment and given back.

use super::EventBus;
use super::events;
use crate::aws::queue::{Note, Queue, Received};
use crate::ports::{DeadLetter, PortError};
use jiff::Timestamp;
use std::time::Duration;

/// How long a message is taken while the others are fetched: a look that dies gives them back by then.
const LOOK: Duration = Duration::from_secs(30);
/// More are not looked at in one go. SQS hands out about the oldest first.
const MOST: usize = 1_000;

/// Puts a message with the dead letters, then takes it off the queue: whoever dies between leaves it in both, never in none.
pub(super) async fn bury(
    bus: &EventBus,
    body: &str,
    handle: &str,
    attempts: u32,
    why: &str,
    at: Timestamp,
) -> Result<(), PortError> {
    let doing = "could not bury a message";
    bus.dead.send(doing, body, Some(&Note { why: why.to_owned(), attempts, at })).await?;
    bus.queue.delete(doing, handle).await
}

/// The dead letters, the oldest first.
pub(super) async fn list(dead: &Queue, max: usize) -> Result<Vec<DeadLetter>, PortError> {
    let doing = "could not list dead letters";
    let taken = take_all(dead, doing).await?;
    for message in &taken {
        dead.hide(doing, &message.handle, Duration::ZERO).await?;
    }
    let mut letters: Vec<DeadLetter> = taken.into_iter().map(letter).collect();
    letters.sort_by(|a, b| (a.buried_at, &a.id).cmp(&(b.buried_at, &b.id)));
    letters.truncate(max);
    Ok(letters)
}

/// Puts a dead letter back on the queue, then takes it out: whoever dies between leaves it in both, and it is handled once by its claim.
pub(super) async fn replay(queue: &Queue, dead: &Queue, id: &str) -> Result<bool, PortError> {
    let doing = "could not replay a dead letter";
    let mut found = false;
    for message in take_all(dead, doing).await? {
        if found || own_id(&message) != id {
            dead.hide(doing, &message.handle, Duration::ZERO).await?;
            continue;
        }
        queue.send(doing, &message.body, None).await?;
        dead.delete(doing, &message.handle).await?;
        found = true;
    }
    Ok(found)
}

async fn take_all(dead: &Queue, doing: &str) -> Result<Vec<Received>, PortError> {
    let mut taken = Vec::new();
    while taken.len() < MOST {
        let some = dead.receive(doing, MOST, LOOK, Duration::ZERO).await?;
        if some.is_empty() {
            break;
        }
        taken.extend(some);
    }
    Ok(taken)
}

/// The envelope's id, or the queue's where the message cannot be read.
fn own_id(message: &Received) -> String {
    events::read(&message.body).map_or_else(|_| message.id.clone(), |envelope| envelope.id.to_string())
}

fn letter(message: Received) -> DeadLetter {
    let id = own_id(&message);
    let note = message.note.unwrap_or_else(|| Note {
        why: "it was taken again and again and never answered for: whoever took it died each time".to_owned(),
        attempts: message.attempts,
        at: message.sent_at,
    });
    DeadLetter { id, body: message.body, why: note.why, attempts: note.attempts, buried_at: note.at }
}
