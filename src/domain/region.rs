//! Regions: where work is done, and which of them may publish.

use super::id::RegionName;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The active region. Every switch raises the epoch; whatever carries an older one cannot publish any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    pub region: RegionName,
    pub epoch: u64,
    /// When it became active.
    pub since: Timestamp,
}

/// How far a region is behind the one it is copied from, as measured.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replication {
    /// The age of the oldest change that has not arrived; zero when everything has. `None`: it could not be measured.
    pub lag: Option<SignedDuration>,
    /// Files that have not arrived (completely), where that is known.
    pub pending: Option<u64>,
    /// When the copy was last known to be complete.
    pub complete_at: Option<Timestamp>,
}
