//! Taking effects from the outbox.

use super::outbox::{Entry, SETS};
use super::schema::DUE;
use super::settle;
use crate::aws::table::Table;
use crate::ports::{OutboxItem, PortError};
use jiff::Timestamp;
use std::time::Duration;

const DOING: &str = "could not take from the outbox";
/// Looked at beyond what is wanted: others may be quicker, and the index may be a moment late.
const SPARE: usize = 8;

/// Takes up to `max` items, the first priority first, then by due time.
pub(super) async fn take(
    table: &Table,
    now: Timestamp,
    lease: Duration,
    max: usize,
) -> Result<Vec<OutboxItem>, PortError> {
    let mut taken = Vec::new();
    for set in SETS {
        if taken.len() >= max {
            break;
        }
        let look = max.saturating_sub(taken.len()).saturating_add(SPARE);
        for item in table.query_whole(DOING, &DUE.due(set, now), look).await? {
            if taken.len() >= max {
                break;
            }
            let entry = Entry::read(&item)?;
            if !entry.is_ready(now) {
                continue;
            }
            let entry = entry.taken(now, lease);
            if !table.try_transact(DOING, vec![entry.clone().put()]).await? {
                continue;
            }
            match entry.item() {
                Ok(item) => taken.push(item),
                Err(error) => settle::give_up_unreadable(table, now, &entry, &error).await?,
            }
        }
    }
    Ok(taken)
}

/// How many items wait, and how many were given up.
pub(super) async fn depth(table: &Table) -> Result<(u64, u64), PortError> {
    let doing = "could not count the outbox";
    let mut waiting = 0;
    for set in SETS {
        waiting += table.count(doing, &DUE.oldest(set)).await?;
    }
    Ok((waiting, table.count(doing, &DUE.oldest(settle::GIVEN_UP)).await?))
}
