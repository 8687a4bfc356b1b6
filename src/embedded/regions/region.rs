//! One region: its folders, its engine, and the gate before them.

use super::gate::{self, EngineCell, Gate};
use super::record::ActiveRecord;
use super::{News, Place};
use crate::domain::id::RegionName;
use crate::embedded::engine::{Attempts, LocalEngine, LocalJobs};
use crate::embedded::{Links, LocalFiles};
use crate::ports::Site;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

/// A region of this machine.
pub(super) struct Region {
    pub(super) name: RegionName,
    pub(super) gate: Arc<Gate>,
    pub(super) jobs: Arc<LocalJobs>,
    pub(super) attempts: Attempts,
    pub(super) data: PathBuf,
    engine: EngineCell,
    pub(super) site: Site,
    make: Box<dyn Fn() -> LocalEngine + Send + Sync>,
}

impl Region {
    /// `record`: asked before anything is published; `None` where the region is alone.
    pub(super) fn new(
        place: Place,
        links: Links,
        at_once: usize,
        news: &News,
        record: Option<Arc<ActiveRecord>>,
    ) -> Self {
        let gate = Gate::new(place.name.clone());
        let (jobs, attempts) = (Arc::new(place.jobs), Attempts::new(place.runs));
        let tell = told(news.clone(), gate.clone());
        let (own_jobs, own_attempts, own_gate) = (jobs.clone(), attempts.clone(), gate.clone());
        let make = move || {
            let engine = LocalEngine::new(own_jobs.clone(), own_attempts.clone(), at_once, tell.clone());
            let Some(record) = record.clone() else { return engine };
            let gate = own_gate.clone();
            engine.within(gate.region.clone(), Arc::new(move |epoch| record.permit(&gate, epoch)))
        };
        let engine: EngineCell = Arc::new(RwLock::new(make()));
        let files = LocalFiles::new(jobs.clone(), attempts.clone(), links);
        let site = gate::site(&gate, engine.clone(), files);
        Self { name: place.name, gate, jobs, attempts, data: place.data, engine, site, make: Box::new(make) }
    }

    pub(super) fn engine(&self) -> LocalEngine {
        gate::current(&self.engine)
    }

    /// Puts an engine in place that starts afresh, as after the death of the old one.
    pub(super) fn renew_engine(&self) {
        *self.engine.write().unwrap_or_else(PoisonError::into_inner) = (self.make)();
    }
}

/// A region that is cut off sends no news either.
fn told(news: News, gate: Arc<Gate>) -> News {
    Arc::new(move |key| {
        if gate.is_open() {
            news(key);
        }
    })
}
