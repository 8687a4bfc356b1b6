//! Regions whose sites are changed on their way to the core.

use async_trait::async_trait;
use std::sync::Arc;
use switchman::domain::id::{RegionName, RequestId};
use switchman::domain::region::{Active, Replication};
use switchman::ports::{PortError, Regions, Site};

/// Changes every site that the core is given.
pub(crate) fn with_sites(
    regions: Arc<dyn Regions>,
    change: impl Fn(Site) -> Site + Send + Sync + 'static,
) -> Arc<dyn Regions> {
    Arc::new(Changed { regions, change })
}

struct Changed<F> {
    regions: Arc<dyn Regions>,
    change: F,
}

#[async_trait]
impl<F: Fn(Site) -> Site + Send + Sync> Regions for Changed<F> {
    fn names(&self) -> &[RegionName] {
        self.regions.names()
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        self.regions.site(region).map(&self.change)
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.regions.active().await
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        self.regions.switch(expected, to).await
    }

    async fn replication(&self, from: &RegionName, to: &RegionName) -> Result<Replication, PortError> {
        self.regions.replication(from, to).await
    }

    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError> {
        self.regions.sandbox(region, id).await.map(&self.change)
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.regions.clear_sandbox(id).await
    }
}
