//! What becomes of an effect that was taken, and what was given up.

use super::outbox::Entry;
use super::schema::{DUE, SortedBy};
use super::{json, read_json};
use crate::aws::random::{self, jitter};
use crate::aws::table::{Check, Item, Key, Query, Table, Write};
use crate::ports::{GivenUp, OutboxItem, PortError, Settled};
use jiff::Timestamp;
use std::time::Duration;

/// The kind of an effect that was given up, and its set in the index.
pub(super) const GIVEN_UP: &str = "given-up";
const DOING: &str = "could not settle an outbox item";
/// Rounds against writes under the same key.
const ROUNDS: u32 = 20;
/// So many failures under one key go in one transaction; more are replayed by asking again.
const TOGETHER: usize = 90;

/// Settles an item. A lease that is over changes nothing; a write that came while the item was held is never lost.
pub(super) async fn settle(
    table: &Table,
    now: Timestamp,
    item: &OutboxItem,
    settled: &Settled,
) -> Result<(), PortError> {
    settle_held(table, now, &item.key, (item.lease, item.version), settled).await
}

async fn settle_held(
    table: &Table,
    now: Timestamp,
    key: &str,
    (lease, version): (u64, u64),
    settled: &Settled,
) -> Result<(), PortError> {
    let mut rounds = Rounds(0);
    loop {
        rounds.next(DOING).await?;
        let stored = table.get(DOING, &Entry::key_of(key)).await?;
        let entry = stored.as_ref().map(Entry::read).transpose()?;
        let Some(entry) = entry.filter(|entry| entry.lease == lease) else { return Ok(()) };
        if table.try_transact(DOING, writes(now, entry, version, settled)?).await? {
            return Ok(());
        }
    }
}

fn writes(now: Timestamp, entry: Entry, version: u64, settled: &Settled) -> Result<Vec<Write>, PortError> {
    let same = entry.version == version;
    Ok(match settled {
        Settled::Done { receipt, again } => {
            let kept = receipt.as_ref().map(|message| {
                let item = Item::at(&Key::one("receipt", &entry.key)).with_text("message", json(message)?);
                Ok::<_, PortError>(Write::Put(item, Check::Nothing))
            });
            let own = if same { entry.delete() } else { entry.freed(*again).put() };
            std::iter::once(Ok(own)).chain(kept).collect::<Result<_, _>>()?
        }
        Settled::Later { at, why, count } => {
            let attempts = entry.attempts.saturating_sub(u32::from(same && !count));
            // It keeps its place: nothing was done.
            vec![Entry { due: *at, held: None, lease: 0, why: why.clone(), attempts, ..entry }.put()]
        }
        Settled::GivenUp { why } if same => vec![aside(now, &entry, why), entry.delete()],
        Settled::GivenUp { .. } => {
            let due = entry.due;
            vec![entry.freed(due).put()]
        }
    })
}

fn aside(now: Timestamp, entry: &Entry, why: &str) -> Write {
    let key = Key {
        partition: format!("{GIVEN_UP}#{}", entry.key),
        sort: format!("{:020}#{}", now.as_microsecond(), random::number()),
    };
    let item = Item::at(&key)
        .with_text("key", entry.key.clone())
        .with_text("effect", entry.effect.clone())
        .with_number("attempts", entry.attempts)
        .with_text("why", why)
        .with_text(DUE.name, GIVEN_UP)
        .with_time(SortedBy::DueAt.name(), now);
    Write::Put(item, Check::Nothing)
}

/// An effect that this program cannot read goes aside: a newer one may.
pub(super) async fn give_up_unreadable(
    table: &Table,
    now: Timestamp,
    taken: &Entry,
    error: &serde_json::Error,
) -> Result<(), PortError> {
    tracing::error!(key = taken.key, %error, "an effect cannot be read and is kept aside");
    let settled = Settled::GivenUp { why: format!("the effect cannot be read: {error}") };
    settle_held(table, now, &taken.key, (taken.lease, taken.version), &settled).await
}

/// Effects that were given up, the oldest first. One that this program cannot read stays where it is.
pub(super) async fn given_up(table: &Table, max: usize) -> Result<Vec<GivenUp>, PortError> {
    let doing = "could not list the effects that were given up";
    let items = table.query_whole(doing, &DUE.oldest(GIVEN_UP), max).await?;
    Ok(items.iter().filter_map(|item| read(item).ok()).collect())
}

fn read(item: &Item) -> Result<GivenUp, PortError> {
    Ok(GivenUp {
        key: item.text("key")?.to_owned(),
        effect: read_json(item, "effect")?,
        attempts: item.number("attempts")?,
        why: item.text("why")?.to_owned(),
        at: item.time(SortedBy::DueAt.name())?,
    })
}

/// Makes an effect that was given up due now. A newer write under the same key knows better than the old effect.
pub(super) async fn replay(table: &Table, now: Timestamp, key: &str) -> Result<bool, PortError> {
    let doing = "could not replay an effect";
    let query = Query::partition(format!("{GIVEN_UP}#{key}"));
    let aside = table.query(doing, &query, TOGETHER).await?;
    let Some(oldest) = aside.first() else { return Ok(false) };
    let effect = oldest.text("effect")?.to_owned();
    let mut rounds = Rounds(0);
    loop {
        rounds.next(doing).await?;
        let mut writes = Vec::new();
        if table.get(doing, &Entry::key_of(key)).await?.is_none() {
            // It counts as tried, so that whoever posts it looks first whether it was posted.
            writes.push(Entry { attempts: 1, ..Entry::new(key, effect.clone(), 0, now, now) }.put());
        }
        for item in &aside {
            writes.push(Write::Delete(item.key()?, Check::Nothing));
        }
        if table.try_transact(doing, writes).await? {
            return Ok(true);
        }
    }
}

/// Rounds against others who write the same items.
struct Rounds(u32);

impl Rounds {
    /// Waits before every round but the first. `Transient` once there were enough of them.
    async fn next(&mut self, doing: &str) -> Result<(), PortError> {
        if self.0 >= ROUNDS {
            let what = format!("{doing}: others write it all the time; nothing was written, it is tried again");
            return Err(PortError::transient(what));
        }
        if self.0 > 0 {
            tokio::time::sleep(jitter(Duration::from_millis(2), self.0, Duration::from_millis(200))).await;
        }
        self.0 += 1;
        Ok(())
    }
}
