//! An effect of the outbox as it is stored. Whoever changes one reads it, works it out here and writes it back under the condition that
//! its stamp is still the same.

use super::schema::{DUE, SortedBy};
use crate::aws::random;
use crate::aws::table::{Check, Item, Key, Write};
use crate::ports::{OutboxItem, OutboxWrite, PortError, Priority};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::time::Duration;

/// The sets of the index of what is due, the first priority first.
pub(super) const SETS: [&str; 2] = ["outbox#0", "outbox#1"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) key: String,
    /// JSON.
    pub(super) effect: String,
    /// Its place in [`SETS`].
    pub(super) rank: usize,
    /// The rank of what was written since it was taken last.
    pub(super) fresh: Option<usize>,
    pub(super) due: Timestamp,
    /// Until when somebody has it.
    pub(super) held: Option<Timestamp>,
    /// Tells this taking from every other; 0: nobody has it.
    pub(super) lease: u64,
    pub(super) since: Timestamp,
    pub(super) version: u64,
    pub(super) attempts: u32,
    pub(super) why: String,
    /// What it was read with; `None`: it is not stored yet.
    pub(super) stamp: Option<u64>,
}

impl Entry {
    pub(super) fn key_of(key: &str) -> Key {
        Key::one("outbox", key)
    }

    /// One that is new.
    pub(super) fn new(key: &str, effect: String, rank: usize, due: Timestamp, now: Timestamp) -> Self {
        Self {
            key: key.to_owned(),
            effect,
            rank,
            fresh: Some(rank),
            due,
            held: None,
            lease: 0,
            since: now,
            version: 1,
            attempts: 0,
            why: String::new(),
            stamp: None,
        }
    }

    /// The writes of a commit, over what is stored: one for each key.
    pub(super) fn write_all(
        writes: &[OutboxWrite],
        found: &BTreeMap<Key, Item>,
        now: Timestamp,
    ) -> Result<Vec<Write>, PortError> {
        let mut entries: BTreeMap<&str, Self> = BTreeMap::new();
        for write in writes {
            let effect = super::json(&write.effect)?;
            let stored = found.get(&Self::key_of(&write.key)).map(Self::read).transpose()?;
            match entries.remove(write.key.as_str()).or(stored) {
                Some(entry) => entries.insert(&write.key, entry.rewritten(write, effect)),
                None => entries.insert(&write.key, Self::new(&write.key, effect, rank(write.priority), write.due, now)),
            };
        }
        Ok(entries.into_values().map(Self::put).collect())
    }

    /// What a second write under the same key makes of it.
    fn rewritten(self, write: &OutboxWrite, effect: String) -> Self {
        let new = rank(write.priority);
        Self {
            effect,
            rank: self.rank.min(new),
            fresh: Some(self.fresh.map_or(new, |fresh| fresh.min(new))),
            due: self.due.min(write.due),
            version: self.version + 1,
            attempts: 0,
            ..self
        }
    }

    /// Whether somebody may take it.
    pub(super) fn is_ready(&self, now: Timestamp) -> bool {
        self.ready() <= now
    }

    fn ready(&self) -> Timestamp {
        self.held.map_or(self.due, |held| held.max(self.due))
    }

    /// Taken until `now + lease`.
    #[must_use]
    pub(super) fn taken(self, now: Timestamp, lease: Duration) -> Self {
        let held = now.saturating_add(lease).unwrap_or(Timestamp::MAX);
        let attempts = self.attempts.saturating_add(1);
        Self { held: Some(held), lease: random::number().max(1), attempts, fresh: None, ..self }
    }

    /// Given back: due at `due`, in the place of what was written since it was taken.
    #[must_use]
    pub(super) fn freed(self, due: Timestamp) -> Self {
        Self { due, held: None, lease: 0, rank: self.fresh.unwrap_or(self.rank), ..self }
    }

    /// The write that stores it, if nobody has changed it since it was read.
    pub(super) fn put(self) -> Write {
        let check = self.check();
        let mut item = Item::at(&Self::key_of(&self.key))
            .with_time(SortedBy::DueAt.name(), self.ready())
            .with_text(DUE.name, SETS[self.rank.min(1)])
            .with_text("key", self.key)
            .with_text("effect", self.effect)
            .with_number("rank", self.rank as u64)
            .with_time("due_first", self.due)
            .with_number("lease", self.lease)
            .with_time("since", self.since)
            .with_number("version", self.version)
            .with_number("attempts", self.attempts)
            .with_text("why", self.why)
            .with_number("stamp", random::number());
        if let Some(fresh) = self.fresh {
            item = item.with_number("fresh", fresh as u64);
        }
        if let Some(held) = self.held {
            item = item.with_time("held", held);
        }
        Write::Put(item, check)
    }

    /// The write that deletes it, if nobody has changed it since it was read.
    pub(super) fn delete(&self) -> Write {
        Write::Delete(Self::key_of(&self.key), self.check())
    }

    fn check(&self) -> Check {
        self.stamp.map_or(Check::Absent, |stamp| Check::Number("stamp", stamp))
    }

    pub(super) fn read(item: &Item) -> Result<Self, PortError> {
        let held = item.optional("held")?.and_then(|micros| Timestamp::from_microsecond(micros).ok());
        Ok(Self {
            key: item.text("key")?.to_owned(),
            effect: item.text("effect")?.to_owned(),
            rank: item.number("rank")?,
            fresh: item.optional("fresh")?,
            due: item.time("due_first")?,
            held,
            lease: item.number("lease")?,
            since: item.time("since")?,
            version: item.number("version")?,
            attempts: item.number("attempts")?,
            why: item.text("why")?.to_owned(),
            stamp: Some(item.number("stamp")?),
        })
    }

    /// As the deliverer gets it.
    pub(super) fn item(&self) -> Result<OutboxItem, serde_json::Error> {
        Ok(OutboxItem {
            key: self.key.clone(),
            effect: serde_json::from_str(&self.effect)?,
            priority: if self.rank == 0 { Priority::First } else { Priority::Later },
            version: self.version,
            attempts: self.attempts,
            since: self.since,
            lease: self.lease,
        })
    }
}

fn rank(priority: Priority) -> usize {
    match priority {
        Priority::First => 0,
        Priority::Later => 1,
    }
}
