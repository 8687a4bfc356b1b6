//! The publish leases of one process, by attempt: what a batch worker asks for before it gives results their names.

use super::active::{ActiveRecord, Lease, NoLease};
use crate::domain::id::RegionName;
use crate::domain::region::Active;
use crate::domain::run::AttemptKey;
use crate::ports::PortError;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leave {
    /// It may publish until then, by the own clock.
    Until(Timestamp),
    /// Never again. The text is for people.
    Over(String),
}

/// Takes leases and gives them back.
pub struct Publishing {
    record: ActiveRecord,
    held: Mutex<HashMap<AttemptKey, Lease>>,
}

impl Publishing {
    pub fn new(record: ActiveRecord) -> Self {
        Self { record, held: Mutex::default() }
    }

    /// Takes the lease, or a later one instead of that which this process holds for the attempt. An error: nobody can say now.
    pub async fn take(&self, key: &AttemptKey, region: &RegionName, epoch: u64) -> Result<Leave, PortError> {
        let lease = match self.record.may_publish(key, region, epoch).await {
            Ok(lease) => lease,
            Err(NoLease::Over(active)) => return Ok(Leave::Over(over(&active))),
            Err(NoLease::Unknown(error)) => return Err(error),
        };
        let until = lease.until;
        let before = self.held().insert(key.clone(), lease);
        if let Some(before) = before {
            self.record.published(&before).await?;
        }
        Ok(Leave::Until(until))
    }

    /// Gives back what this process holds for the attempt, if anything. What another process holds for it stays.
    pub async fn release(&self, key: &AttemptKey) -> Result<(), PortError> {
        let lease = self.held().remove(key);
        match lease {
            Some(lease) => self.record.published(&lease).await,
            None => Ok(()),
        }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<AttemptKey, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why an attempt of an epoch that is over has no result.
fn over(active: &Active) -> String {
    let Active { region, epoch, since } = active;
    format!("region {region} is active since {since:.0} (epoch {epoch}); nothing was published")
}
