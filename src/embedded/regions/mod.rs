//! The regions of this machine: a folder each, and one record that says which of them is active. What is done in the active one is copied
//! to the others; nothing is ever published under an epoch that is over.

mod gate;
mod look;
mod pair;
mod record;
mod region;
mod replicate;
mod sandbox;

pub use look::{FileKind, RegionFile, RegionLook, RegionsLook};

use super::Links;
use super::engine::{LocalJobs, News};
use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::ports::{Clock, PortError, Regions, Site, Store};
use async_trait::async_trait;
use record::ActiveRecord;
use region::Region;
use replicate::Replicator;
use sandbox::Sandboxes;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

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

/// The regions of a configuration. Clones are the same.
#[derive(Clone)]
pub struct LocalRegions {
    inner: Arc<Inner>,
}

struct Inner {
    record: Arc<ActiveRecord>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    names: Vec<RegionName>,
    regions: Vec<Arc<Region>>,
    replicator: Replicator,
    sandboxes: Sandboxes,
}

impl LocalRegions {
    /// Within a runtime. A single region is not fenced, and nothing is copied.
    pub fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, setup: RegionSetup) -> Self {
        let RegionSetup { places, data, lag, at_once, links, news } = setup;
        let names: Vec<_> = places.iter().map(|place| place.name.clone()).collect();
        let record = Arc::new(ActiveRecord::new(store.clone(), clock.clone(), names[0].clone(), &data));
        let asked = (names.len() > 1).then(|| record.clone());
        let region = |place| Arc::new(Region::new(place, links.clone(), at_once, &news, asked.clone()));
        let regions = places.into_iter().map(region).collect();
        let (replicator, sandboxes) = (Replicator::new(&data, lag), Sandboxes::new(links.clone(), at_once));
        Self { inner: Arc::new(Inner { record, store, clock, names, regions, replicator, sandboxes }) }
    }

    /// Breaks off the batches of all regions; the next start goes on from the chunks that are finished.
    pub async fn break_off(&self) {
        for region in &self.inner.regions {
            region.engine().shutdown().await;
        }
        self.inner.sandboxes.break_off().await;
    }

    /// Cuts a region off: nobody reaches it, nothing is copied from or to it, and its engine works on alone. `false` brings it back.
    pub fn cut_off(&self, region: &RegionName, cut: bool) -> Result<(), PortError> {
        let region = self.inner.known(region)?;
        if !cut && region.engine().is_closing() {
            region.renew_engine();
        }
        self.inner.replicator.reached(&region.name);
        region.gate.shut(cut);
        Ok(())
    }

    /// Has a region die: it is cut off, and what ran there is broken off.
    pub async fn stop(&self, region: &RegionName) -> Result<(), PortError> {
        self.cut_off(region, true)?;
        self.inner.known(region)?.engine().shutdown().await;
        Ok(())
    }

    /// From now on a change waits this long before it is copied.
    pub fn set_lag(&self, lag: Duration) {
        self.inner.replicator.set_lag(lag);
    }

    pub fn lag(&self) -> Duration {
        self.inner.replicator.lag()
    }

    /// Copies what is due from the active region to the others; gives how many files arrived.
    pub async fn replicate_once(&self) -> Result<u64, PortError> {
        if self.inner.regions.len() < 2 {
            return Ok(0);
        }
        self.blocking(replicate::step).await
    }

    /// Keeps the copies up to date until `stop` turns true.
    pub async fn keep_up(self, mut stop: watch::Receiver<bool>) {
        while self.inner.regions.len() > 1 && !*stop.borrow() {
            if let Err(error) = self.replicate_once().await {
                tracing::warn!(%error, "nothing was copied to the other regions; tried again soon");
            }
            tokio::select! {
                () = tokio::time::sleep(COPY_EVERY) => {}
                _ = stop.changed() => {}
            }
        }
    }

    /// What people are shown.
    pub async fn look(&self) -> Result<RegionsLook, PortError> {
        self.blocking(look::look).await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|e| PortError::transient("work on the regions broke off").because(e))?
    }
}

impl Inner {
    fn region(&self, name: &RegionName) -> Option<&Arc<Region>> {
        self.regions.iter().find(|region| &region.name == name)
    }

    fn known(&self, name: &RegionName) -> Result<&Arc<Region>, PortError> {
        self.region(name).ok_or_else(|| PortError::permanent(format!("there is no region {name}")))
    }
}

#[async_trait]
impl Regions for LocalRegions {
    fn names(&self) -> &[RegionName] {
        &self.inner.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        // What was begun before there were regions lies where the first one is.
        let before = || (region.as_str() == ONLY_REGION).then(|| &self.inner.regions[0]);
        self.inner.region(region).or_else(before).map(|region| region.site.clone())
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.inner.record.read().await.map(|(active, _)| active)
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        self.inner.known(to)?;
        self.inner.record.switch(expected, to).await
    }

    async fn replication(&self, from: &RegionName, to: &RegionName) -> Result<Replication, PortError> {
        let (from, to) = (from.clone(), to.clone());
        self.blocking(move |inner| replicate::measure(inner, &from, &to)).await
    }

    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError> {
        if self.inner.regions.len() < 2 {
            return Err(PortError::permanent("there is only one region: nothing can be tried elsewhere"));
        }
        let (region, id) = (self.inner.known(region)?.clone(), id.clone());
        self.blocking(move |inner| inner.sandboxes.open(&region, &id)).await
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.inner.sandboxes.close(id).await;
        let id = id.clone();
        self.blocking(move |inner| inner.regions.iter().try_for_each(|region| sandbox::remove(region, &id))).await
    }
}

/// What a configuration without regions works in.
pub const ONLY_REGION: &str = "local";
/// How often it is looked for changes.
const COPY_EVERY: Duration = Duration::from_millis(500);
