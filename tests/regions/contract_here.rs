//! The regions of this machine.

use super::contract::RegionsBackend;
use crate::harness::clock::ManualClock;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::id::RegionName;
use switchman::domain::run::AttemptKey;
use switchman::embedded::engine::LocalJobs;
use switchman::embedded::regions::{LocalRegions, Place, RegionSetup};
use switchman::embedded::{Links, Sqlite};
use switchman::ports::Regions;
use tempfile::TempDir;

regions_contract!(Embedded);

struct Embedded {
    folder: TempDir,
    clock: ManualClock,
}

impl RegionsBackend for Embedded {
    fn fresh() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: ManualClock::new() }
    }

    fn regions(&self) -> Arc<dyn Regions> {
        let data = self.folder.path().join("data");
        let clock = Arc::new(self.clock.clone());
        let store = Arc::new(Sqlite::open(&data.join("switchman.db"), clock.clone()).unwrap());
        let place = |name: &str| Place {
            name: RegionName::parse(name).unwrap(),
            jobs: LocalJobs::default(),
            runs: data.join(name).join("runs"),
            data: data.join(name),
        };
        let setup = RegionSetup {
            places: vec![place("east"), place("west")],
            lag: Duration::ZERO,
            at_once: 1,
            links: Links::new([7; 32], "http://bot"),
            news: Arc::new(|_: &AttemptKey| {}),
            data,
        };
        Arc::new(LocalRegions::new(store, clock, setup))
    }
}
