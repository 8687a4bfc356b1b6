//! Publishing once per key: written to the table, put on the bus, marked.

use super::EventBus;
use super::events::{self, Event};
use crate::aws::random;
use crate::aws::store::{DUE, EXPIRES};
use crate::aws::table::{Check, Item, Key, Table};
use crate::domain::envelope::Envelope;
use crate::ports::{Kind, PortError, Published};
use jiff::{SignedDuration, Timestamp};

const DOING: &str = "could not publish";
/// The kind of a key, and the set of those that are not on the bus yet.
const KIND: &str = "bus";
const UNFINISHED: &str = "publish";
/// How long one publisher has before another may take over.
const TURN: SignedDuration = SignedDuration::from_secs(20);
/// A key outlives its message, which lies in the queue for at most 14 days and with the dead letters for as many.
const KEY_KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// So many unfinished publishes are taken over in one sweep.
const SWEEP: usize = 25;

/// A key and its event, before it is known to be on the bus.
struct Unfinished<'e> {
    key: &'e str,
    body: &'e str,
    expires: i64,
}

impl Unfinished<'_> {
    fn item(&self, until: Timestamp, stamp: u64) -> Item {
        self.done()
            .with_text("body", self.body)
            .with_number("stamp", stamp)
            .with_text(DUE.name, UNFINISHED)
            .with_time(DUE.sort.name(), until)
    }

    /// What stays of it: its key.
    fn done(&self) -> Item {
        Item::at(&Key::one(KIND, self.key)).with_number(EXPIRES, self.expires)
    }
}

pub(super) async fn publish(bus: &EventBus, envelope: &Envelope) -> Result<Published, PortError> {
    let (event, body) = (Event::of(envelope)?, events::json(envelope)?);
    let now = bus.clock.now();
    let expires = later(now, KEY_KEPT).as_second();
    let own = Unfinished { key: envelope.key.as_str(), body: &body, expires };
    let stamp = random::number();
    if !bus.table.put(DOING, own.item(later(now, TURN), stamp), Check::Absent).await? {
        let there = bus.table.get(DOING, &Key::one(KIND, own.key)).await?;
        // Ours after all, where the answer to it was lost and the SDK asked again.
        let ours = there.is_some_and(|item| item.optional("stamp").is_ok_and(|there| there == Some(stamp)));
        if !ours {
            return Ok(Published::Duplicate);
        }
    }
    // From here on it is durable.
    match bus.events.put(event).await {
        Ok(()) => mark(&bus.table, &own, stamp).await,
        Err(error) if matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous) => {
            tracing::warn!(envelope.id = %envelope.id, %error, "an event is kept and published later");
        }
        Err(error) => {
            bus.table.delete(DOING, &Key::one(KIND, own.key), Check::Number("stamp", stamp)).await?;
            return Err(error);
        }
    }
    Ok(Published::New)
}

/// Remembers that the event is on the bus. Where that fails it is published once more, which is harmless.
async fn mark(table: &Table, own: &Unfinished<'_>, stamp: u64) {
    if let Err(error) = table.put(DOING, own.done(), Check::Number("stamp", stamp)).await {
        tracing::warn!(key = own.key, %error, "an event is on the bus, and may be published once more");
    }
}

/// Finishes what others began and did not finish in their turn. One that cannot be finished does not hold up the others.
pub(super) async fn sweep(bus: &EventBus) -> Result<(), PortError> {
    let now = bus.clock.now();
    for item in bus.table.query_whole(DOING, &DUE.due(UNFINISHED, now), SWEEP).await? {
        if let Err(error) = finish(bus, &item, now).await {
            tracing::error!(%error, "an event that somebody began to publish cannot be published; it is kept and tried again");
        }
    }
    Ok(())
}

async fn finish(bus: &EventBus, item: &Item, now: Timestamp) -> Result<(), PortError> {
    // Without a stamp it is on the bus, and the index is a moment late.
    let Some(stamp) = item.optional::<u64>("stamp")? else { return Ok(()) };
    let (body, expires) = (item.text("body")?, item.number(EXPIRES)?);
    let envelope = events::read(body).map_err(PortError::permanent)?;
    let own = Unfinished { key: envelope.key.as_str(), body, expires };
    let turn = random::number();
    if bus.table.put(DOING, own.item(later(now, TURN), turn), Check::Number("stamp", stamp)).await? {
        bus.events.put(Event::of(&envelope)?).await?;
        tracing::info!(envelope.id = %envelope.id, "an event that somebody had not finished to publish is on the bus");
        mark(&bus.table, &own, turn).await;
    }
    Ok(())
}

/// How many events are not known to be on the bus.
pub(super) async fn unfinished(table: &Table) -> Result<u64, PortError> {
    table.count("could not count the bus", &DUE.oldest(UNFINISHED)).await
}

fn later(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}
