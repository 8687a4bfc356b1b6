//! The regions of this machine: a folder each, and one record that says which of them is active.

use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::ports::{Clock, Commit, Kind, PortError, RecordWrite, Regions, Site, Store};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::Arc;

/// The key of the record of the active region.
const RECORD: &str = "region";

/// The regions of a configuration.
pub struct LocalRegions {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    names: Vec<RegionName>,
    sites: Vec<Site>,
}

impl LocalRegions {
    /// `sites` must not be empty; the first is active until somebody switches.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, sites: Vec<Site>) -> Self {
        let names = sites.iter().map(|site| site.region.clone()).collect();
        Self { store, clock, names, sites }
    }

    async fn stored(&self) -> Result<(Active, u64), PortError> {
        let first = || Active { region: self.names[0].clone(), epoch: 1, since: Timestamp::UNIX_EPOCH };
        match self.store.record(RECORD).await? {
            None => Ok((first(), 0)),
            Some(stored) => match serde_json::from_str(&stored.body) {
                Ok(active) => Ok((active, stored.version)),
                Err(error) => {
                    Err(PortError::permanent("the record of the active region cannot be read").because(error))
                }
            },
        }
    }
}

#[async_trait]
impl Regions for LocalRegions {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        self.sites.iter().find(|site| &site.region == region).cloned()
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.stored().await.map(|(active, _)| active)
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        let (now, version) = self.stored().await?;
        if now.epoch == expected + 1 && &now.region == to {
            return Ok(now);
        }
        if now.epoch != expected {
            let what = format!("the epoch is {} and not {expected}: somebody else has switched", now.epoch);
            return Err(PortError::new(Kind::Conflict, what));
        }
        let active = Active { region: to.clone(), epoch: expected + 1, since: self.clock.now() };
        let body = serde_json::to_string(&active)
            .map_err(|e| PortError::permanent("the active region cannot be written").because(e))?;
        let write = RecordWrite { key: RECORD.to_owned(), expected: version, list: None, at: active.since, body };
        self.store.commit(Commit { records: vec![write], ..Commit::default() }).await?;
        Ok(active)
    }

    async fn replication(&self, _from: &RegionName, _to: &RegionName) -> Result<Replication, PortError> {
        Ok(Replication::default())
    }

    async fn sandbox(&self, _region: &RegionName, _id: &RequestId) -> Result<Site, PortError> {
        Err(PortError::permanent("there is only one region: nothing can be tried elsewhere"))
    }

    async fn clear_sandbox(&self, _id: &RequestId) -> Result<(), PortError> {
        Ok(())
    }
}
