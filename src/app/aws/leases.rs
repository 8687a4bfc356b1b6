//! The publish lease of the batch worker, over the record of the active region.

use crate::aws::batch::{Leave, PublishLease};
use crate::aws::regions::{ActiveRecord, Lease, NoLease};
use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::ports::PortError;
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What this process holds, attempt by attempt.
pub(super) struct Leases {
    record: ActiveRecord,
    held: Mutex<HashMap<AttemptKey, Lease>>,
}

impl Leases {
    pub(super) fn new(record: ActiveRecord) -> Self {
        Self { record, held: Mutex::default() }
    }

    fn swap(&self, key: &AttemptKey, lease: Option<Lease>) -> Option<Lease> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        match lease {
            Some(lease) => held.insert(key.clone(), lease),
            None => held.remove(key),
        }
    }
}

#[async_trait]
impl PublishLease for Leases {
    async fn take(&self, key: &AttemptKey, region: &RegionName, epoch: u64) -> Result<Leave, PortError> {
        let lease = match self.record.may_publish(key, region, epoch).await {
            Ok(lease) => lease,
            Err(NoLease::Unknown(error)) => return Err(error),
            Err(NoLease::Over(active)) => {
                let why = format!(
                    "it was begun in {region} under epoch {epoch}, and {} is active now (epoch {}): its result is not published",
                    active.region, active.epoch
                );
                return Ok(Leave::Over(why));
            }
        };
        let until = lease.until;
        // The one before is not needed any more; where it cannot be given back it runs out.
        if let Some(before) = self.swap(key, Some(lease)) {
            let _ = self.record.published(&before).await;
        }
        Ok(Leave::Until(until))
    }

    async fn release(&self, key: &AttemptKey) -> Result<(), PortError> {
        match self.swap(key, None) {
            Some(lease) => self.record.published(&lease).await,
            None => Ok(()),
        }
    }
}
