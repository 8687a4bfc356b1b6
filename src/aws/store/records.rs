//! Records beside the runs, each in at most one list.

use super::runs::LARGEST;
use super::schema::{LIST, SortedBy};
use crate::aws::table::{Check, Item, Key, Table, Write};
use crate::ports::{Kind, PortError, RecordWrite, StoredRecord};

/// The kind of their items.
pub(super) const RECORD: &str = "record";

/// The write of one record, at its new version.
pub(super) fn put(write: &RecordWrite) -> Result<Write, PortError> {
    if write.body.len() > LARGEST {
        let what = format!(
            "record {} has grown to {} bytes, more than a record may have; nothing was written",
            write.key,
            write.body.len()
        );
        return Err(PortError::permanent(what));
    }
    let mut item = Item::at(&Key::one(RECORD, &write.key))
        .with_text("key", write.key.clone())
        .with_text("body", write.body.clone())
        .with_number("version", write.expected + 1)
        .with_time(SortedBy::Created.name(), write.at);
    if let Some(list) = &write.list {
        item = item.with_text(LIST.name, of_list(list));
    }
    let check = if write.expected == 0 { Check::Absent } else { Check::Number("version", write.expected) };
    Ok(Write::Put(item, check))
}

/// The error of a write that came too late.
pub(super) fn conflict(write: &RecordWrite) -> PortError {
    let what = format!("record {} is not at version {}: somebody else wrote it first", write.key, write.expected);
    PortError::new(Kind::Conflict, what)
}

pub(super) fn read(item: &Item) -> Result<StoredRecord, PortError> {
    Ok(StoredRecord {
        key: item.text("key")?.to_owned(),
        version: item.number("version")?,
        body: item.text("body")?.to_owned(),
    })
}

/// At most `max` records of a list, the newest first. One that cannot be read is left out, and said.
pub(super) async fn list(table: &Table, list: &str, max: usize) -> Result<Vec<StoredRecord>, PortError> {
    let set = of_list(list);
    let items = table.query_whole("could not list records", &LIST.newest(set.clone()), max).await?;
    // The index may be a moment late.
    let still = items.iter().filter(|item| item.text(LIST.name).is_ok_and(|list| *list == set));
    let records = still.filter_map(|item| match read(item) {
        Ok(record) => Some(record),
        Err(error) => {
            tracing::error!(%error, "a record cannot be read and is left out");
            None
        }
    });
    Ok(records.collect())
}

fn of_list(list: &str) -> String {
    format!("{RECORD}#{list}")
}
