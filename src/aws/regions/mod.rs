//! [`Regions`] on AWS: the record of the active region in a table that is strongly consistent over regions, a bucket and an engine in each.
//! S3 copies from bucket to bucket; nothing here does. The lead says which region's bots write.

mod active;
mod bucket;
mod heartbeat;
mod lead;
mod publishing;
mod routing;
mod rows;
mod sandbox;

pub use active::{ActiveRecord, Lease, NoLease, PUBLISH_WITHIN, SKEW};
pub use lead::{Held, Lead};
pub use publishing::Publishing;
pub use routing::Routes;

use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::ports::{Clock, PortError, Regions, Site};
use async_trait::async_trait;
use aws_config::SdkConfig;
use bucket::Bucket;
use routing::Router;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// What lies in one region.
pub struct Place {
    /// Its engine and files.
    pub site: Site,
    /// The way to it.
    pub config: SdkConfig,
    pub bucket: String,
}

/// Makes the engine and the files of a region again, below a root of its bucket such as `sandbox/q-7k3f/`.
pub type Under = Arc<dyn Fn(&RegionName, &str) -> Result<Site, PortError> + Send + Sync>;

/// What regions are made of.
pub struct RegionSetup {
    /// The first is active until somebody switches. Never empty.
    pub places: Vec<Place>,
    /// The way to the region this bot runs in.
    pub here: SdkConfig,
    /// The table of the active region.
    pub table: String,
    pub under: Under,
    pub routes: Routes,
    pub clock: Arc<dyn Clock>,
}

/// The regions of a configuration.
pub struct DynamoRegions {
    record: ActiveRecord,
    names: Vec<RegionName>,
    places: Vec<(Site, Arc<Bucket>)>,
    under: Under,
    router: Router,
    clock: Arc<dyn Clock>,
    drills: Mutex<HashMap<(RegionName, RequestId), Site>>,
}

impl DynamoRegions {
    /// Nothing is asked of AWS yet.
    pub fn new(setup: RegionSetup) -> Self {
        let RegionSetup { places, here, table, under, routes, clock } = setup;
        let names: Vec<_> = places.iter().map(|place| place.site.region.clone()).collect();
        let buckets = places.iter().map(|place| (place.site.region.clone(), place.bucket.clone())).collect();
        let router = Router::new(routes, &here, buckets, &clock);
        let record = ActiveRecord::new(&here, &table, names[0].clone(), clock.clone());
        let place = |place: Place| (place.site, Arc::new(Bucket::new(&place.config, &place.bucket, &clock)));
        let places = places.into_iter().map(place).collect();
        Self { record, names, places, under, router, drills: Mutex::default(), clock }
    }

    /// The record, for those who publish.
    pub fn record(&self) -> &ActiveRecord {
        &self.record
    }

    /// Writes a heartbeat into the active region's bucket, by which replication is measured. Every minute or more often.
    pub async fn beat(&self) -> Result<(), PortError> {
        if self.names.len() < 2 {
            return Ok(());
        }
        let active = self.record.active().await?;
        heartbeat::beat(&self.known(&active.region)?.1, self.clock.now()).await
    }

    fn known(&self, region: &RegionName) -> Result<&(Site, Arc<Bucket>), PortError> {
        let found = self.places.iter().find(|(site, _)| site.region == *region);
        found.ok_or_else(|| PortError::permanent(format!("there is no region {region}")))
    }
}

#[async_trait]
impl Regions for DynamoRegions {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        self.known(region).ok().map(|(site, _)| site.clone())
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.record.active().await
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        self.known(to)?;
        self.record.switch(expected, to).await
    }

    async fn replication(&self, from: &RegionName, to: &RegionName) -> Result<Replication, PortError> {
        let (from, to) = (&self.known(from)?.1, &self.known(to)?.1);
        Ok(heartbeat::measure(from, to, self.clock.now()).await)
    }

    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError> {
        if self.names.len() < 2 {
            return Err(PortError::permanent("there is only one region: nothing can be tried elsewhere"));
        }
        let (_, bucket) = self.known(region)?;
        let key = (region.clone(), id.clone());
        let mut drills = self.drills.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(site) = drills.get(&key) {
            return Ok(site.clone());
        }
        let site = sandbox::site((self.under)(region, &sandbox::root(id))?, bucket.clone(), id);
        drills.insert(key, site.clone());
        Ok(site)
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.drills.lock().unwrap_or_else(PoisonError::into_inner).retain(|(_, drill), _| drill != id);
        for (_, bucket) in &self.places {
            bucket.clear("could not remove the sandbox of the drill", &sandbox::root(id)).await?;
        }
        Ok(())
    }

    fn routes(&self) -> &[String] {
        self.router.names()
    }

    async fn route(&self, name: &str, active: &Active) -> Result<(), PortError> {
        self.router.route(name, active).await
    }
}
