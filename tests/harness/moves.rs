//! Regions and moves in tests: cut off, brought back, failed over with two approvers.

use super::bot::{Bot, OPERATOR};
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;
use switchman::config::Config;
use switchman::config::FILE_NAME;
use switchman::domain::approval::Request;
use switchman::domain::failover::FailOver;
use switchman::domain::id::{JobName, RegionName, RequestId};
use switchman::domain::run::{AttemptKey, Run};
use switchman::ports::{ExecutionState, load, move_key};

pub(crate) const EAST: &str = "east";
pub(crate) const WEST: &str = "west";
/// Rows per second of a batch that lasts some seconds.
pub(crate) const BRAKE: u32 = 400;

fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

impl Bot {
    pub(crate) fn cut_off(&self, name: &str) {
        self.regions().cut_off(&region(name), true).unwrap();
    }

    pub(crate) fn bring_back(&self, name: &str) {
        self.regions().cut_off(&region(name), false).unwrap();
    }

    pub(crate) fn set_replication_lag(&self, lag: Duration) {
        self.regions().set_lag(lag);
    }

    /// Everything that there is arrives.
    pub(crate) async fn catch_up(&self) {
        self.replicate().await;
        self.clock.advance(self.regions().lag());
        while self.replicate().await > 0 {}
    }

    /// The active region and its epoch.
    pub(crate) async fn active(&self) -> (String, u64) {
        let active = self.ports().regions.active().await.unwrap();
        (active.region.to_string(), active.epoch)
    }

    /// Works until so many chunks of the one run have arrived there.
    pub(crate) async fn until_chunks_arrived(&self, name: &str, chunks: u32) {
        for _ in 0..2_000 {
            self.drain().await;
            self.clock.advance(Duration::from_millis(300));
            self.listen().await;
            self.catch_up().await;
            let Some(run) = self.runs().await.pop() else { continue };
            assert!(run.is_open(), "the batch was too short for this test");
            let site = self.ports().regions.site(&region(name)).unwrap();
            if site.engine.describe(&run.key()).await.unwrap().progress.chunks >= chunks {
                return;
            }
        }
        panic!("never arrived\n{}", self.slack.transcript());
    }

    /// Asks for something that needs approval; what else is under way goes on.
    pub(crate) async fn asks(&self, line: &str) -> Request {
        let ack = self.person(OPERATOR).types(line).await;
        assert!(ack.is_ok(), "{ack:?}");
        self.drain().await;
        self.clock.advance(Duration::from_secs(3));
        self.drain().await;
        self.request().await
    }

    /// Asks for a move, has two people approve it, and sees it through.
    pub(crate) async fn move_to(&self, line: &str, target: &str) {
        let request = self.asks(line).await;
        for approver in [self.approver(), self.approver2()] {
            let ack = approver.types(&format!("approve {} {target} it has to be", request.id)).await;
            assert!(ack.is_ok(), "{ack:?}");
            self.drain().await;
        }
        self.until_moved().await;
    }

    /// The move of the newest request.
    pub(crate) async fn last_move(&self) -> FailOver {
        self.move_of(&self.request().await.id).await
    }

    async fn move_of(&self, id: &RequestId) -> FailOver {
        load(self.ports().store.as_ref(), &move_key(id)).await.unwrap().expect("it was approved")
    }

    /// One more input, of the same content as the first.
    pub(crate) async fn put_input(&self, name: &str) {
        let content = std::fs::read(self.path("input/sales.csv")).unwrap();
        let (_, site) = self.ports().regions.here().await.unwrap();
        let (job, name) = (JobName::parse("sales").unwrap(), switchman::domain::id::FileName::parse(name).unwrap());
        site.files.put_input(&job, &name, &content).await.unwrap();
    }

    fn folder(&self, name: &str, what: &str) -> PathBuf {
        if name == EAST { self.path(what) } else { self.path(&format!("var/regions/{name}/{what}")) }
    }

    /// What people find in a region's output folder for a run.
    pub(crate) fn output_of(&self, name: &str, run: &Run) -> Option<Vec<u8>> {
        let stem = run.input.name.as_str().trim_end_matches(".csv");
        let file = format!("{stem}.{}.csv", run.id);
        let folder = self.folder(name, "output");
        [folder.join("sales").join(&file), folder.join(&file)].iter().find_map(|path| std::fs::read(path).ok())
    }

    /// What the input comes to where nothing disturbs it.
    pub(crate) async fn undisturbed(&self) -> Vec<u8> {
        let config = Config::load(&self.path(FILE_NAME)).unwrap();
        let mut job = config.jobs[0].clone();
        job.spec.max_rows_per_second = None;
        let (job, input, dir) = (job.load().unwrap(), self.path("input/sales.csv"), self.path("undisturbed"));
        let run = move || {
            let task = switchman::batch::Task { job: &job, input: &input, dir: &dir, redo: None };
            let summary = switchman::batch::execute(&task, &switchman::batch::Control::default()).unwrap();
            std::fs::read(dir.join(summary.output)).unwrap()
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    }

    /// The attempts of a region whose result it has published itself.
    pub(crate) async fn published(&self, name: &str) -> BTreeSet<String> {
        let site = self.ports().regions.site(&region(name)).unwrap();
        let mut published = BTreeSet::new();
        for run in self.runs().await {
            for attempt in run.attempts.iter().filter(|a| a.region.as_ref() == Some(&site.region)) {
                let key = AttemptKey { run: run.id.clone(), attempt: attempt.number };
                if site.engine.describe(&key).await.unwrap().state == ExecutionState::Succeeded {
                    published.insert(key.to_string());
                }
            }
        }
        published
    }

    /// Sandboxes that are left.
    pub(crate) fn sandboxes(&self, name: &str) -> usize {
        std::fs::read_dir(self.folder(name, "drills")).map(Iterator::count).unwrap_or(0)
    }
}
