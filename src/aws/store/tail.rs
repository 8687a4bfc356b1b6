//! Where the audit trail ends: what the next record follows, and whether the head kept apart agrees.

use super::audit;
use crate::aws::table::{Check, Table, Write};
use crate::domain::audit::{AuditDraft, AuditHead};
use crate::ports::PortError;

/// Other processes may append between two reads; so often in a row they do not.
const READS: usize = 10;

/// The end of the trail.
#[derive(Debug, Clone)]
pub(super) struct Tail {
    last: AuditHead,
    /// What must hold of the head when it is moved on; `None`: it does not agree with the trail, and stays where it is to show that.
    head: Option<Check>,
}

impl Tail {
    /// Reads both. A record and the head are written in one transaction, so they differ only if somebody changed one of them.
    pub(super) async fn read(table: &Table) -> Result<Self, PortError> {
        let kept = async || {
            table
                .get("could not read the audit head", &audit::head_key())
                .await?
                .map(|item| audit::read_head(&item))
                .transpose()
        };
        for _ in 0..READS {
            let head = kept().await?;
            let last = audit::newest(table).await?;
            let last = match (head, last) {
                (None, None) => return Ok(Self { last: AuditHead::empty(), head: Some(Check::Absent) }),
                (Some(head), Some(last)) if head == last => return Ok(Self::agreed(last)),
                (head, Some(last)) if head.as_ref().map_or(0, |head| head.seq) < last.seq => {
                    // The head was read first: somebody may have appended since.
                    if kept().await?.is_some_and(|head| head.seq >= last.seq) {
                        continue;
                    }
                    last
                }
                (_, last) => last.unwrap_or_else(AuditHead::empty),
            };
            tracing::error!(
                last = last.seq,
                "the audit head does not agree with the trail: one of them was changed; the head stays where it is"
            );
            return Ok(Self { last, head: None });
        }
        Err(PortError::transient(
            "the audit trail grows faster than it can be read; nothing was written, it is tried again",
        ))
    }

    fn agreed(last: AuditHead) -> Self {
        Self { head: Some(Check::Text("hash", last.hash.clone())), last }
    }

    /// The writes that append the drafts, and the tail that is then.
    pub(super) fn append(&self, drafts: &[AuditDraft]) -> Result<(Vec<Write>, Self), PortError> {
        let mut last = self.last.clone();
        let mut writes = Vec::with_capacity(drafts.len() + 1);
        for draft in drafts {
            let record = last.append(draft.clone());
            writes.push(audit::put(&record)?);
            last = record.head();
        }
        let after = match &self.head {
            Some(check) => {
                writes.push(audit::put_head(&last, check.clone()));
                Self::agreed(last)
            }
            None => Self { last, head: None },
        };
        Ok((writes, after))
    }
}
