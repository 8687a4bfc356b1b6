//! Reading the audit trail back.

use super::errors::Fault;
use super::statements as sql;
use crate::domain::audit::{AuditDraft, AuditRecord};
use crate::ports::PortError;
use rusqlite::Connection;

/// Records after `seq`, in order.
pub(super) fn after(connection: &Connection, seq: u64, max: i64) -> Result<Vec<AuditRecord>, Fault> {
    let mut statement = connection.prepare_cached(sql::AUDIT_AFTER)?;
    let mut rows = statement.query([i64::try_from(seq).unwrap_or(i64::MAX), max])?;
    let mut records = Vec::new();
    while let Some(row) = rows.next()? {
        let seq = row.get::<_, i64>(0)?.cast_unsigned();
        let draft = row.get_ref(3)?.as_str().ok().and_then(own_draft).ok_or_else(|| edited(seq))?;
        records.push(AuditRecord { seq, draft, previous: row.get(1)?, hash: row.get(2)? });
    }
    Ok(records)
}

/// The draft, if the text is exactly what this program writes for it: the hash covers the meaning, this covers the spelling.
fn own_draft(text: &str) -> Option<AuditDraft> {
    let draft: AuditDraft = serde_json::from_str(text).ok()?;
    (serde_json::to_string(&draft).ok()? == text).then_some(draft)
}

fn edited(seq: u64) -> PortError {
    PortError::permanent(format!("audit record {seq} was edited: its content is not what switchman writes"))
}
