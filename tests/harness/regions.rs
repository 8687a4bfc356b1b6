//! Regions whose sites are changed on their way to the core.

use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
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

/// More regions than there are, in name: each is the first one seen from a little behind. For what is said before anything moves.
pub(crate) fn with_names(regions: Arc<dyn Regions>, more: &[RegionName]) -> Arc<dyn Regions> {
    let names = regions.names().iter().chain(more).cloned().collect();
    Arc::new(Named { regions, names })
}

struct Named {
    regions: Arc<dyn Regions>,
    names: Vec<RegionName>,
}

#[async_trait]
impl Regions for Named {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        let first = self.regions.site(&self.names[0])?;
        self.names.contains(region).then(|| Site { region: region.clone(), ..first })
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.regions.active().await
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        self.regions.switch(expected, to).await
    }

    async fn replication(&self, _from: &RegionName, _to: &RegionName) -> Result<Replication, PortError> {
        let lag = Some(jiff::SignedDuration::from_secs(4));
        Ok(Replication { lag, pending: Some(0), complete_at: None })
    }

    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError> {
        self.regions.sandbox(region, id).await
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.regions.clear_sandbox(id).await
    }
}

/// The same with something by which requests are routed: each name with what it says when it is told, by how often it was told before.
pub(crate) fn with_routes(
    regions: Arc<dyn Regions>,
    names: &[&str],
    told: impl Fn(&str, usize) -> Result<(), PortError> + Send + Sync + 'static,
) -> Arc<dyn Regions> {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    Arc::new(Gates { regions, names, told, asked: Mutex::default() })
}

struct Gates<F> {
    regions: Arc<dyn Regions>,
    names: Vec<String>,
    told: F,
    asked: Mutex<HashMap<String, usize>>,
}

#[async_trait]
impl<F: Fn(&str, usize) -> Result<(), PortError> + Send + Sync> Regions for Gates<F> {
    fn names(&self) -> &[RegionName] {
        self.regions.names()
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        self.regions.site(region)
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
        self.regions.sandbox(region, id).await
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.regions.clear_sandbox(id).await
    }

    fn routes(&self) -> &[String] {
        &self.names
    }

    async fn route(&self, name: &str, _: &Active) -> Result<(), PortError> {
        let before = {
            let mut asked = self.asked.lock().unwrap();
            let count = asked.entry(name.to_owned()).or_default();
            *count += 1;
            *count - 1
        };
        (self.told)(name, before)
    }
}
