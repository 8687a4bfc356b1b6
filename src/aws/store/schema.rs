//! The names that the table and its indexes have. What deploys the table has to use these.

use crate::aws::table::Query;
use crate::aws::table::Range;

/// The sort key of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortedBy {
    /// `created`, a number: microseconds.
    Created,
    /// `due_at`, a number: microseconds.
    DueAt,
}

/// A sparse index of the table, keys only: an item is in it while it has the attribute of the index's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Index {
    /// Its name, which is also its partition key, a text.
    pub name: &'static str,
    pub sort: SortedBy,
}

/// Each index of the table. The table's own keys are `pk` and `sk`, both texts.
pub const INDEXES: &[Index] = &[ALL, OPEN, FAILED, CHANNEL, INPUT, LIST, DUE];

/// The attribute by which DynamoDB deletes what has had its time: seconds, a number.
pub const EXPIRES: &str = "expires";

pub(super) const ALL: Index = Index { name: "all", sort: SortedBy::Created };
pub(super) const OPEN: Index = Index { name: "open", sort: SortedBy::Created };
pub(super) const FAILED: Index = Index { name: "failed", sort: SortedBy::Created };
pub(super) const CHANNEL: Index = Index { name: "channel", sort: SortedBy::Created };
pub(super) const INPUT: Index = Index { name: "input", sort: SortedBy::Created };
pub(super) const LIST: Index = Index { name: "list", sort: SortedBy::Created };
pub(in crate::aws) const DUE: Index = Index { name: "due", sort: SortedBy::DueAt };

impl SortedBy {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::DueAt => "due_at",
        }
    }
}

impl Index {
    /// The partition `set`, the newest first.
    pub(super) fn newest(self, set: impl Into<String>) -> Query {
        Query { newest_first: true, ..self.oldest(set) }
    }

    /// The partition `set`, the oldest first.
    pub(in crate::aws) fn oldest(self, set: impl Into<String>) -> Query {
        let index = Some((self.name, self.sort.name()));
        Query { index, partition: set.into(), range: Range::All, newest_first: false }
    }

    /// What is due in `set`.
    pub(in crate::aws) fn due(self, set: impl Into<String>, now: jiff::Timestamp) -> Query {
        Query { range: Range::UpTo(now.as_microsecond()), ..self.oldest(set) }
    }
}
