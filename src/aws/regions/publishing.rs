//! The publish leases of one process, by attempt: what a batch worker asks for before it gives results their names.

use super::active::{ActiveRecord, Lease, NoLease};
use crate::aws::batch::{Leave, PublishLease};
use crate::domain::id::RegionName;
use crate::domain::region::Active;
use crate::domain::run::AttemptKey;
use crate::ports::PortError;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Takes leases and gives them back.
pub struct Publishing {
    record: ActiveRecord,
    held: Mutex<HashMap<AttemptKey, Lease>>,
}

impl Publishing {
    pub fn new(record: ActiveRecord) -> Self {
        Self { record, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<AttemptKey, Lease>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lease that is taken again is a later one instead of that which this process holds for the attempt. What another process holds
/// for it stays until it runs out.
#[async_trait]
impl PublishLease for Publishing {
    async fn take(&self, key: &AttemptKey, region: &RegionName, epoch: u64) -> Result<Leave, PortError> {
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

    async fn release(&self, key: &AttemptKey) -> Result<(), PortError> {
        let lease = self.held().remove(key);
        match lease {
            Some(lease) => self.record.published(&lease).await,
            None => Ok(()),
        }
    }
}

/// Why an attempt of an epoch that is over has no result.
fn over(active: &Active) -> String {
    let Active { region, epoch, since } = active;
    format!("region {region} is active since {since:.0} (epoch {epoch}); nothing was published")
}
