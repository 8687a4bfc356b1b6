//! One [`Commit`] as one transaction: what it depends on is read, worked out in memory, and written under the condition that none of
//! it has changed. Where only that failed, it is worked out anew.

use super::locks::{self, Locks};
use super::outbox::Entry;
use super::schema::EXPIRES;
use super::tail::Tail;
use super::{DynamoStore, deadlines, records, runs};
use crate::aws::random::jitter;
use crate::aws::table::{Check, Item, Key, Refused, Write};
use crate::domain::id::EnvelopeId;
use crate::ports::{Commit, Kind, PortError};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

const DOING: &str = "could not commit";
/// Rounds against other processes that write the trail or an effect at the same time.
const ROUNDS: u32 = 40;
/// A claim outlives whatever could bring its envelope back: a queue and its dead letters keep messages for 14 days each, and a Step
/// Functions execution name stays taken for 90.
const CLAIM_KEPT: SignedDuration = SignedDuration::from_hours(24 * 91);

/// What a write of the transaction is for: decides what its failed condition means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Claim,
    /// The n-th run write of the commit.
    Run(usize),
    /// The n-th record write of the commit.
    Record(usize),
    /// Something that is worked out anew.
    Other,
}

/// Writes the commit, or says why not.
pub(super) async fn write(store: &DynamoStore, commit: Commit) -> Result<(), PortError> {
    let now = store.clock.now();
    let mut tail = if commit.audit.is_empty() { None } else { Some(store.tail.lock().await) };
    let mut contended = None;
    for round in 0..ROUNDS {
        if round > 0 {
            tokio::time::sleep(jitter(Duration::from_millis(2), round, Duration::from_millis(200))).await;
        }
        if let Some(outdated) = store.known.outdated(&commit.runs) {
            return Err(unless_claimed(store, &commit, runs::conflict(outdated)).await);
        }
        let (mut parts, mut writes) = match plan(store, &commit, now).await {
            Err(error) if error.kind == Kind::Conflict => return Err(unless_claimed(store, &commit, error).await),
            planned => planned?,
        };
        let mut after = None;
        if let Some(tail) = tail.as_mut() {
            let end = match tail.take() {
                Some(end) => end,
                None => Tail::read(&store.table).await?,
            };
            let (records, end) = end.append(&commit.audit)?;
            writes.extend(records);
            after = Some(end);
        }
        parts.resize(writes.len(), Part::Other);
        match store.table.transact(DOING, writes).await {
            Ok(()) => {
                store.known.stored(&commit.runs);
                if let Some(tail) = tail.as_mut() {
                    **tail = after;
                }
                return Ok(());
            }
            Err(Refused::Failed(error)) => return Err(error),
            Err(Refused::Again(error)) => contended = Some(error),
            Err(Refused::Conditions(places)) => {
                let failed: Vec<Part> = places.iter().filter_map(|place| parts.get(*place).copied()).collect();
                if let Some(error) = meaning(&commit, &failed) {
                    return Err(error);
                }
            }
        }
    }
    let what = "could not commit: others write the same records all the time; nothing was written, it is tried again";
    Err(contended.unwrap_or_else(|| PortError::transient(what)))
}

/// What a transaction is refused for, where working it out anew does not help.
fn meaning(commit: &Commit, failed: &[Part]) -> Option<PortError> {
    if let (Some(key), true) = (&commit.claim, failed.contains(&Part::Claim)) {
        return Some(claimed(key));
    }
    failed.iter().find_map(|part| match part {
        Part::Run(n) => commit.runs.get(*n).map(runs::conflict),
        Part::Record(n) => commit.records.get(*n).map(records::conflict),
        Part::Claim | Part::Other => None,
    })
}

fn claimed(key: &EnvelopeId) -> PortError {
    PortError::new(Kind::Claimed, format!("envelope {key} was handled before"))
}

/// Work that is done already conflicts with what it did itself: then it is the claim that tells.
async fn unless_claimed(store: &DynamoStore, commit: &Commit, conflict: PortError) -> PortError {
    let Some(key) = &commit.claim else { return conflict };
    match store.table.get(DOING, &Key::one("claim", key.as_str())).await {
        Ok(Some(_)) => claimed(key),
        Ok(None) => conflict,
        Err(error) => error,
    }
}

/// Everything but the trail.
async fn plan(store: &DynamoStore, commit: &Commit, now: Timestamp) -> Result<(Vec<Part>, Vec<Write>), PortError> {
    let (mut parts, mut writes) = (Vec::new(), Vec::new());
    if let Some(key) = &commit.claim {
        let expires = now.saturating_add(CLAIM_KEPT).unwrap_or(Timestamp::MAX).as_second();
        let item = Item::at(&Key::one("claim", key.as_str())).with_time("at", now).with_number(EXPIRES, expires);
        parts.push(Part::Claim);
        writes.push(Write::Put(item, Check::Absent));
    }
    for (n, run) in commit.runs.iter().enumerate() {
        parts.push(Part::Run(n));
        writes.push(runs::put(run)?);
    }
    for (n, record) in commit.records.iter().enumerate() {
        parts.push(Part::Record(n));
        writes.push(records::put(record)?);
    }
    let found = before(store, commit).await?;
    writes.extend(Locks::work_out(commit, &found)?.writes());
    writes.extend(deadlines::writes(commit));
    writes.extend(Entry::write_all(&commit.outbox, &found, now)?);
    Ok((parts, writes))
}

/// What the commit depends on, as it is now.
async fn before(store: &DynamoStore, commit: &Commit) -> Result<BTreeMap<Key, Item>, PortError> {
    let effects = commit.outbox.iter().map(|write| Entry::key_of(&write.key));
    let mut keys: Vec<Key> = locks::keys(commit).chain(effects).collect();
    keys.sort_unstable();
    keys.dedup();
    let mut found = BTreeMap::new();
    for item in store.table.get_all(DOING, &keys).await? {
        found.insert(item.key()?, item);
    }
    Ok(found)
}
