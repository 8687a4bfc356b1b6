//! The one region that a bot knows until `aws::regions` is merged: nothing is ever switched.

use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::ports::{PortError, Regions, Site};
use async_trait::async_trait;
use jiff::Timestamp;

pub(super) struct OneRegion {
    names: [RegionName; 1],
    site: Site,
}

impl OneRegion {
    pub(super) fn new(site: Site) -> Self {
        Self { names: [site.region.clone()], site }
    }
}

fn not_yet() -> PortError {
    PortError::permanent("only one region is used on AWS yet; nothing was done")
}

#[async_trait]
impl Regions for OneRegion {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        (*region == self.site.region).then(|| self.site.clone())
    }

    async fn active(&self) -> Result<Active, PortError> {
        Ok(Active { region: self.site.region.clone(), epoch: 1, since: Timestamp::UNIX_EPOCH })
    }

    async fn switch(&self, _: u64, _: &RegionName) -> Result<Active, PortError> {
        Err(not_yet())
    }

    async fn replication(&self, _: &RegionName, _: &RegionName) -> Result<Replication, PortError> {
        Err(not_yet())
    }

    async fn sandbox(&self, _: &RegionName, _: &RequestId) -> Result<Site, PortError> {
        Err(not_yet())
    }

    async fn clear_sandbox(&self, _: &RequestId) -> Result<(), PortError> {
        Err(not_yet())
    }
}
