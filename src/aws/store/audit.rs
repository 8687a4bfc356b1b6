//! Reading the audit trail back, and writing its records.

use crate::aws::table::{Check, Item, Key, Query, Range, Table, Write};
use crate::domain::audit::{AuditDraft, AuditHead, AuditRecord};
use crate::ports::{Kind, PortError};

const TRAIL: &str = "audit";
const DOING: &str = "could not read the audit trail";

fn place(seq: u64) -> String {
    format!("{seq:020}")
}

/// Where the head is kept, apart from the records.
pub(super) fn head_key() -> Key {
    Key { partition: "audit-head".into(), sort: "audit-head".into() }
}

/// The write of one record, in a place where there is none.
pub(super) fn put(record: &AuditRecord) -> Result<Write, PortError> {
    let item = Item::at(&Key { partition: TRAIL.into(), sort: place(record.seq) })
        .with_number("seq", record.seq)
        .with_text("draft", super::json(&record.draft)?)
        .with_text("previous", record.previous.clone())
        .with_text("hash", record.hash.clone());
    Ok(Write::Put(item, Check::Absent))
}

/// The write of the head.
pub(super) fn put_head(head: &AuditHead, check: Check) -> Write {
    let item = Item::at(&head_key()).with_number("seq", head.seq).with_text("hash", head.hash.clone());
    Write::Put(item, check)
}

pub(super) fn read_head(item: &Item) -> Result<AuditHead, PortError> {
    Ok(AuditHead { seq: item.number("seq")?, hash: item.text("hash")?.to_owned() })
}

/// Records after `seq`, in order.
pub(super) async fn after(table: &Table, seq: u64, max: usize) -> Result<Vec<AuditRecord>, PortError> {
    let query = Query { range: Range::After(place(seq)), ..Query::partition(TRAIL) };
    table.query(DOING, &query, max).await?.iter().map(read).collect()
}

/// The newest record's place and hash.
pub(super) async fn newest(table: &Table) -> Result<Option<AuditHead>, PortError> {
    let query = Query { newest_first: true, ..Query::partition(TRAIL) };
    table.query(DOING, &query, 1).await?.first().map(read_head).transpose()
}

/// The head that is kept apart.
pub(super) async fn head(table: &Table) -> Result<AuditHead, PortError> {
    if let Some(item) = table.get("could not read the audit head", &head_key()).await? {
        return read_head(&item);
    }
    if newest(table).await?.is_none() {
        return Ok(AuditHead::empty());
    }
    let what = "the audit head is missing: it is written together with every record, so somebody has deleted it and a cut-off \
                tail of the trail cannot be ruled out; restore it from a backup of the table";
    Err(PortError::new(Kind::Gone, what))
}

fn read(item: &Item) -> Result<AuditRecord, PortError> {
    let seq = item.text(crate::aws::table::SORT)?.parse().unwrap_or(0);
    let edited =
        || PortError::permanent(format!("audit record {seq} was edited: its content is not what switchman writes"));
    let draft = own_draft(item.text("draft").map_err(|_| edited())?).ok_or_else(edited)?;
    let text = |name| item.text(name).map(str::to_owned).map_err(|_| edited());
    Ok(AuditRecord { seq, draft, previous: text("previous")?, hash: text("hash")? })
}

/// The draft, if the text is exactly what this program writes for it: the hash covers the meaning, this covers the spelling.
fn own_draft(text: &str) -> Option<AuditDraft> {
    let draft: AuditDraft = serde_json::from_str(text).ok()?;
    (serde_json::to_string(&draft).ok()? == text).then_some(draft)
}
