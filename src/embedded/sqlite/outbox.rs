//! The outbox: effects that wait for a deliverer.

use super::errors::Fault;
use super::statements as sql;
use super::writer::Group;
use super::{after, micros, time};
use crate::ports::{GivenUp, OutboxItem, PortError, Priority, Settled};
use jiff::Timestamp;
use rusqlite::{Connection, params};
use std::time::Duration;

/// An item as it is stored, its effect unread.
pub(super) struct Taken {
    pub(super) effect: String,
    pub(super) key: String,
    pub(super) lease: i64,
    pub(super) version: i64,
    priority: Priority,
    attempts: u32,
    since: Timestamp,
}

impl Taken {
    /// Reads the effect.
    pub(super) fn read(&self) -> Result<OutboxItem, serde_json::Error> {
        Ok(OutboxItem {
            key: self.key.clone(),
            effect: serde_json::from_str(&self.effect)?,
            priority: self.priority,
            version: self.version.cast_unsigned(),
            attempts: self.attempts,
            since: self.since,
            lease: self.lease.cast_unsigned(),
        })
    }
}

/// What was given up, the oldest first.
pub(super) fn given_up(connection: &Connection, max: i64) -> Result<Vec<GivenUp>, Fault> {
    let mut statement = connection.prepare_cached(sql::GIVEN_UP)?;
    let rows = statement.query_map([max], |row| {
        let effect: String = row.get(1)?;
        Ok((row.get(0)?, effect, row.get::<_, i64>(2)?, row.get(3)?, row.get(4)?))
    })?;
    let mut found = Vec::new();
    for row in rows {
        let (key, effect, attempts, why, at) = row?;
        // One that this program cannot read stays where it is.
        if let Ok(effect) = serde_json::from_str(&effect) {
            found.push(GivenUp {
                key,
                effect,
                attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
                why,
                at: time(at),
            });
        }
    }
    Ok(found)
}

/// The order of priorities in the index.
pub(super) fn rank(priority: Priority) -> i64 {
    match priority {
        Priority::First => 0,
        Priority::Later => 1,
    }
}

/// Leases up to `max` items.
pub(super) fn take(group: &Group<'_>, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<Taken>, Fault> {
    let mut taken: Vec<Taken> = Vec::new();
    for priority in [Priority::First, Priority::Later] {
        let room = super::limit(max.saturating_sub(taken.len()));
        let mut statement = group.connection.prepare_cached(sql::OUTBOX_READY)?;
        let mut rows = statement.query(params![rank(priority), micros(now), room])?;
        while let Some(row) = rows.next()? {
            taken.push(Taken {
                key: row.get(0)?,
                effect: row.get(1)?,
                lease: 0,
                priority,
                version: row.get(3)?,
                attempts: row.get::<_, u32>(4)?.saturating_add(1),
                since: time(row.get(5)?),
            });
        }
    }
    if taken.is_empty() {
        return Ok(taken);
    }
    let (number, held) = (group.next_lease()?, after(now, lease));
    for item in &mut taken {
        item.lease = number;
        group.connection.prepare_cached(sql::OUTBOX_TAKE)?.execute(params![item.key, held, number])?;
    }
    Ok(taken)
}

/// What is to be written when an item is settled; texts already made.
pub(super) struct Settling {
    pub(super) key: String,
    pub(super) lease: i64,
    pub(super) version: i64,
    pub(super) settled: Settled,
    /// The JSON of the receipt.
    pub(super) receipt: Option<String>,
    pub(super) now: i64,
}

impl Settling {
    pub(super) fn new(item: &OutboxItem, settled: Settled, now: Timestamp) -> Result<Self, PortError> {
        let receipt = match &settled {
            Settled::Done { receipt: Some(message), .. } => Some(super::commit::json(message)?),
            _ => None,
        };
        let (lease, version) = (item.lease.cast_signed(), item.version.cast_signed());
        Ok(Self { key: item.key.clone(), lease, version, settled, receipt, now: micros(now) })
    }

    /// A lease that is over changes nothing; a write that came while the item was held is never lost.
    pub(super) fn apply(self, group: &Group<'_>) -> Result<(), Fault> {
        let connection = group.connection;
        let Self { key, lease, version, .. } = &self;
        match &self.settled {
            Settled::Done { again, .. } => {
                let gone = connection.prepare_cached(sql::OUTBOX_DONE)?.execute(params![key, lease, version])?;
                let kept =
                    || connection.prepare_cached(sql::OUTBOX_AGAIN)?.execute(params![key, lease, micros(*again)]);
                if (gone == 1 || kept()? == 1)
                    && let Some(message) = &self.receipt
                {
                    connection.prepare_cached(sql::RECEIPT_WRITE)?.execute([key, message])?;
                }
            }
            Settled::Later { at, why, count } => {
                let values = params![key, lease, micros(*at), why, version, i64::from(!count)];
                connection.prepare_cached(sql::OUTBOX_LATER)?.execute(values)?;
            }
            Settled::GivenUp { why } => {
                let values = params![key, lease, version, why, self.now];
                if connection.prepare_cached(sql::OUTBOX_GIVE_UP)?.execute(values)? == 1 {
                    connection.prepare_cached(sql::OUTBOX_DONE)?.execute(params![key, lease, version])?;
                } else {
                    connection.prepare_cached(sql::OUTBOX_FREE)?.execute(params![key, lease])?;
                }
            }
        }
        Ok(())
    }
}
