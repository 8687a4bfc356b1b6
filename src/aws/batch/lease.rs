//! The right to publish: while it is held, no other region can become the active one.

use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::ports::PortError;
use async_trait::async_trait;
use jiff::Timestamp;

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// It may publish until then. By our own clock; each call ends before it.
    Until(Timestamp),
    /// The epoch it was begun in is over, or another region is active: never again. The text is for people.
    Over(String),
}

/// Hands out the right to publish. Each call may be repeated.
#[async_trait]
pub trait PublishLease: Send + Sync {
    /// Takes the lease or extends the one that the same attempt holds. An error: nobody can say now.
    async fn take(&self, key: &AttemptKey, region: &RegionName, epoch: u64) -> Result<Leave, PortError>;

    /// Gives it back; one that nobody holds is given back already.
    async fn release(&self, key: &AttemptKey) -> Result<(), PortError>;
}
