//! Deadlines, along the index of what is due.

use super::schema::{DUE, SortedBy};
use crate::aws::table::{Check, Item, Key, Table, Write};
use crate::ports::{Commit, Deadline, PortError, Subject};
use jiff::Timestamp;
use std::collections::BTreeMap;

pub(super) const SET: &str = "deadline";

/// Clears and then sets what the commit asks for, each key once.
pub(super) fn writes(commit: &Commit) -> Vec<Write> {
    let mut writes: BTreeMap<&str, Write> = BTreeMap::new();
    for key in &commit.clear {
        writes.insert(key, Write::Delete(Key::one(SET, key), Check::Nothing));
    }
    for deadline in &commit.deadlines {
        let item = Item::at(&Key::one(SET, &deadline.key))
            .with_text("key", deadline.key.clone())
            .with_text("subject", deadline.subject.to_string())
            .with_text(DUE.name, SET)
            .with_time(SortedBy::DueAt.name(), deadline.due);
        writes.insert(&deadline.key, Write::Put(item, Check::Nothing));
    }
    writes.into_values().collect()
}

/// Those due by `now`, the oldest first.
pub(super) async fn due(table: &Table, now: Timestamp, max: usize) -> Result<Vec<Deadline>, PortError> {
    let items = table.query_whole("could not read deadlines", &DUE.due(SET, now), max).await?;
    let mut found = Vec::with_capacity(items.len());
    for item in &items {
        match read(item) {
            // One that was moved while the index was a moment late.
            Ok(deadline) if deadline.due > now => {}
            Ok(deadline) => found.push(deadline),
            Err(error) => tracing::error!(%error, "a deadline cannot be read and is left out"),
        }
    }
    Ok(found)
}

fn read(item: &Item) -> Result<Deadline, PortError> {
    let subject = Subject::parse(item.text("subject")?).ok_or_else(|| {
        PortError::permanent("a deadline is about nothing that is known: a newer program wrote it, or something else")
    })?;
    Ok(Deadline { key: item.text("key")?.to_owned(), due: item.time(SortedBy::DueAt.name())?, subject })
}
