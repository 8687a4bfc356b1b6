//! Two regions with one job, a clock that the test turns, and engines that can be waited for.

use crate::harness::clock::ManualClock;
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use switchman::batch::Spec;
use switchman::domain::command::Scope;
use switchman::domain::id::{JobName, RegionName};
use switchman::domain::region::Replication;
use switchman::domain::run::AttemptKey;
use switchman::embedded::engine::LocalJobs;
use switchman::embedded::regions::{LocalRegions, Place, RegionSetup};
use switchman::embedded::{Links, LocalJob, Sqlite};
use switchman::ports::{Execution, ExecutionState, Regions, Site, StartRun};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(super) const LAG: Duration = Duration::from_secs(2);

/// The folders; outlive each process on them.
pub(super) struct Land {
    dir: TempDir,
    pub(super) clock: ManualClock,
    pub(super) brake: Option<u32>,
}

/// One process.
pub(super) struct World {
    pub(super) regions: LocalRegions,
    news: UnboundedReceiver<AttemptKey>,
}

pub(super) fn east() -> RegionName {
    RegionName::parse("east").unwrap()
}

pub(super) fn west() -> RegionName {
    RegionName::parse("west").unwrap()
}

pub(super) fn job() -> JobName {
    JobName::parse("shop").unwrap()
}

pub(super) fn attempt(key: &str) -> AttemptKey {
    AttemptKey::parse(key).unwrap()
}

/// Rows for several chunks.
pub(super) fn rows(n: u32) -> String {
    (0..n).fold("id,n\n".to_owned(), |text, i| {
        text + &format!("{i},{}\n", if i % 7 == 0 { "x".into() } else { i.to_string() })
    })
}

/// What [`rows`] come to.
pub(super) fn result(n: u32) -> String {
    (0..n).filter(|i| i % 7 != 0).fold("id,n\n".to_owned(), |text, i| text + &format!("{i},{i}\n"))
}

/// Everything below a folder, by name.
pub(super) fn tree(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut left = vec![dir.to_owned()];
    while let Some(next) = left.pop() {
        for entry in fs::read_dir(next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else {
                found.push((path.strip_prefix(dir).unwrap().display().to_string(), fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

impl Land {
    pub(super) fn new() -> Self {
        let land = Self { dir: tempfile::tempdir().unwrap(), clock: ManualClock::new(), brake: None };
        let schema = json!({"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]});
        fs::write(land.path("schema.json"), schema.to_string()).unwrap();
        land
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn input(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path("input")).unwrap();
        fs::write(self.path("input").join(name), text).unwrap();
    }

    pub(super) fn west(&self, name: &str) -> PathBuf {
        self.path("data/regions/west").join(name)
    }

    /// Opens the folders as one more process would.
    pub(super) fn open(&self) -> World {
        let mut spec = Spec::new("schema.json");
        spec.chunk_bytes = 4096;
        spec.tolerated_rejects_percent = 50.0;
        spec.max_rows_per_second = self.brake;
        let jobs = LocalJobs::new(vec![LocalJob {
            on_arrival: false,
            name: job(),
            spec,
            folder: self.dir.path().to_owned(),
            input: self.path("input"),
            identity: self.path("input"),
            takes: Arc::new(|name| Path::new(name).extension().is_some_and(|e| e == "csv")),
            output: self.path("output"),
        }]);
        let (data, other) = (self.path("data"), self.path("data/regions/west"));
        let places = vec![
            Place { name: east(), jobs: jobs.clone(), runs: data.join("runs"), data: data.clone() },
            Place { name: west(), jobs: jobs.moved_to(&other), runs: other.join("runs"), data: other },
        ];
        let (tell, news) = unbounded_channel();
        let clock = Arc::new(self.clock.clone());
        let store = Arc::new(Sqlite::open(&data.join("switchman.db"), clock.clone()).unwrap());
        let told = move |key: &AttemptKey| drop(tell.send(key.clone()));
        let links = Links::new([7; 32], "http://bot");
        let setup = RegionSetup { places, data, lag: LAG, at_once: 2, links, news: Arc::new(told) };
        World { regions: LocalRegions::new(store, clock, setup), news }
    }
}

impl World {
    pub(super) fn site(&self, region: &RegionName) -> Site {
        self.regions.site(region).unwrap()
    }

    /// Has a region begin an attempt on a file as it is there now.
    pub(super) async fn start(&self, region: &RegionName, key: &str, file: &str, scope: Scope, epoch: u64) {
        let site = self.site(region);
        let inputs = site.files.inputs(&job()).await.unwrap();
        let input = inputs.into_iter().find(|input| input.name.as_str() == file).unwrap();
        site.engine.start(&StartRun { key: attempt(key), job: job(), input, scope, epoch }).await.unwrap();
    }

    pub(super) async fn ended(&mut self, region: &RegionName, key: &str) -> Execution {
        let engine = self.site(region).engine;
        loop {
            let execution = engine.describe(&attempt(key)).await.unwrap();
            if !matches!(execution.state, ExecutionState::Queued | ExecutionState::Running) {
                return execution;
            }
            tokio::time::timeout(Duration::from_secs(30), self.news.recv()).await.unwrap().unwrap();
        }
    }

    /// Everything that is due now and after the lag arrives.
    pub(super) async fn catch_up(&self, land: &Land) {
        self.regions.replicate_once().await.unwrap();
        land.clock.advance(self.regions.lag());
        self.regions.replicate_once().await.unwrap();
    }

    pub(super) async fn behind(&self) -> Replication {
        self.regions.replication(&east(), &west()).await.unwrap()
    }
}
