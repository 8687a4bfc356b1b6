//! The regions of this machine: a folder each, and one record that says which of them is active. What is done in the active one is copied
//! to the others; nothing is ever published under an epoch that is over.

mod gate;
mod record;
mod region;

use super::Links;
use super::engine::{LocalJobs, News};
use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::ports::{Clock, PortError, Regions, Site, Store};
use async_trait::async_trait;
use record::ActiveRecord;
use region::Region;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a region lies.
pub struct Place {
    pub name: RegionName,
    /// The jobs with their folders in this region.
    pub jobs: LocalJobs,
    /// The folder of the attempts.
    pub runs: PathBuf,
    /// Its own folder; the sandboxes of drills lie in it.
    pub data: PathBuf,
}

/// What regions are made of.
pub struct RegionSetup {
    /// The first is active until somebody switches. Never empty.
    pub places: Vec<Place>,
    /// The folder of the records; what several processes share lies in it.
    pub data: PathBuf,
    /// How long a change waits before it is copied.
    pub lag: Duration,
    /// Batches that run side by side in each region.
    pub at_once: usize,
    pub links: Links,
    pub news: News,
}

/// The regions of a configuration.
pub struct LocalRegions {
    record: Arc<ActiveRecord>,
    names: Vec<RegionName>,
    regions: Vec<Arc<Region>>,
}

impl LocalRegions {
    /// Within a runtime. A single region is not fenced, and nothing is copied.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, setup: RegionSetup) -> Self {
        let RegionSetup { places, data, lag: _, at_once, links, news } = setup;
        let names: Vec<_> = places.iter().map(|place| place.name.clone()).collect();
        let record = Arc::new(ActiveRecord::new(store, clock, names[0].clone(), &data));
        let asked = (names.len() > 1).then(|| record.clone());
        let region = |place| Arc::new(Region::new(place, links.clone(), at_once, &news, asked.clone()));
        let regions = places.into_iter().map(region).collect();
        Self { record, names, regions }
    }

    /// Breaks off the batches of all regions; the next start goes on from the chunks that are finished.
    pub async fn break_off(&self) {
        for region in &self.regions {
            region.engine().shutdown().await;
        }
    }

    fn region(&self, name: &RegionName) -> Option<&Arc<Region>> {
        self.regions.iter().find(|region| &region.name == name)
    }
}

#[async_trait]
impl Regions for LocalRegions {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        // What was begun before there were regions lies where the first one is.
        let before = || (region.as_str() == ONLY_REGION).then(|| &self.regions[0]);
        self.region(region).or_else(before).map(|region| region.site.clone())
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.record.read().await.map(|(active, _)| active)
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        if self.region(to).is_none() {
            return Err(PortError::permanent(format!("there is no region {to}")));
        }
        self.record.switch(expected, to).await
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

/// What a configuration without regions works in.
pub const ONLY_REGION: &str = "local";
