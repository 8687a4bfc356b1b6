//! Places beside a region for drills: a copy of what has arrived there, and an engine that publishes within it only.

use super::Place;
use super::gate;
use super::pair::inputs;
use super::region::Region;
use crate::batch::{self, ledger::ENDED};
use crate::domain::id::RequestId;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{Attempts, LocalEngine, LocalJobs, io, unusable};
use crate::embedded::{Links, LocalFiles};
use crate::ports::{PortError, Site};
use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

/// The folder of a region's sandboxes.
const FOLDER: &str = "drills";
/// Stands in a sandbox once it is complete.
const READY: &str = "ready";

/// The sandboxes that are in use.
pub(super) struct Sandboxes {
    links: Links,
    at_once: usize,
    open: Mutex<HashMap<RequestId, Sandbox>>,
}

struct Sandbox {
    engine: LocalEngine,
    site: Site,
}

impl Sandboxes {
    pub(super) fn new(links: Links, at_once: usize) -> Self {
        Self { links, at_once, open: Mutex::default() }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<RequestId, Sandbox>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The sandbox of a drill, made when it is asked for first. Within a runtime's blocking thread.
    pub(super) fn open(&self, region: &Arc<Region>, id: &RequestId) -> Result<Site, PortError> {
        region.gate.pass()?;
        let mut all = self.all();
        if let Some(found) = all.get(id).filter(|found| found.site.region == region.name) {
            return Ok(found.site.clone());
        }
        let dir = dir(region, id);
        let place = place(region, &dir);
        if !dir.join(READY).exists() {
            remove(region, id)?;
            fill(region, &place)?;
            fs::write(dir.join(READY), "").map_err(|e| io("could not make the sandbox of the drill", e))?;
        }
        let (jobs, attempts) = (Arc::new(place.jobs), Attempts::new(place.runs));
        // A drill is looked at from time to time: it needs no news.
        let engine = LocalEngine::new(jobs.clone(), attempts.clone(), self.at_once, Arc::new(|_: &AttemptKey| {}));
        let files = LocalFiles::new(jobs, attempts, self.links.clone());
        let site = gate::site(&region.gate, Arc::new(RwLock::new(engine.clone())), files);
        all.insert(id.clone(), Sandbox { engine, site: site.clone() });
        Ok(site)
    }

    /// Ends the work in a sandbox.
    pub(super) async fn close(&self, id: &RequestId) {
        let found = self.all().remove(id);
        if let Some(found) = found {
            found.engine.shutdown().await;
        }
    }

    pub(super) async fn break_off(&self) {
        let all: Vec<_> = self.all().drain().collect();
        for (_, sandbox) in all {
            sandbox.engine.shutdown().await;
        }
    }
}

fn dir(region: &Region, id: &RequestId) -> PathBuf {
    region.data.join(FOLDER).join(id.as_str())
}

fn place(region: &Region, dir: &Path) -> Place {
    Place {
        name: region.name.clone(),
        jobs: LocalJobs::moved_to(&region.jobs, dir),
        runs: dir.join("runs"),
        data: dir.to_owned(),
    }
}

/// Removes a sandbox with all that is in it.
pub(super) fn remove(region: &Region, id: &RequestId) -> Result<(), PortError> {
    match fs::remove_dir_all(dir(region, id)) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(io("could not remove the sandbox of the drill", error))
        }
        _ => {
            // With the last sandbox their folder goes.
            let _ = fs::remove_dir(region.data.join(FOLDER));
            Ok(())
        }
    }
}

/// The sandboxes that are there.
pub(super) fn left(region: &Region) -> Vec<RequestId> {
    let entries = fs::read_dir(region.data.join(FOLDER)).into_iter().flatten().flatten();
    entries.filter_map(|entry| RequestId::parse(entry.file_name().to_str()?).ok()).collect()
}

fn fill(region: &Region, place: &Place) -> Result<(), PortError> {
    let failed = |e| io("could not copy the region for the drill", e);
    for (job, there) in region.jobs.all().iter().zip(place.jobs.all()) {
        fs::create_dir_all(&there.input).map_err(failed)?;
        for (name, _) in inputs(&job.input, &*job.takes).map_err(failed)? {
            link(&job.input.join(name.as_str()), &there.input.join(name.as_str())).map_err(failed)?;
        }
    }
    fs::create_dir_all(&place.runs).map_err(failed)?;
    let attempts = Attempts::new(&place.runs);
    for key in region.attempts.keys(&mut None).map_err(failed)?.unwrap_or_default() {
        let (from, to) = (region.attempts.dir(&key), attempts.dir(&key));
        let ended = from.join(ENDED).exists();
        if ended && batch::summary(&from).map_err(unusable)?.is_some() {
            // Nothing in it changes any more.
            fs::create_dir(&to).map_err(failed)?;
            for (name, _) in batch::trace(&from).map_err(failed)?.unwrap_or_default().files {
                if !name.contains('/') {
                    link(&from.join(&name), &to.join(&name)).map_err(failed)?;
                }
            }
        } else {
            batch::carry(&from, &to, ENDED).map_err(unusable)?;
            if ended {
                batch::whole(&from.join(ENDED), &to.join(ENDED)).map_err(failed)?;
            }
        }
    }
    Ok(())
}

/// A link costs nothing; between file systems it takes a copy.
fn link(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::hard_link(from, to).or_else(|_| batch::whole(from, to))
}
