//! The suite on the local engine.

use super::support::{attempt, file};
use crate::contract::engine::{EngineBackend, Pace, spec};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchman::domain::command::Scope;
use switchman::domain::id::JobName;
use switchman::domain::run::AttemptKey;
use switchman::embedded::engine::{Attempts, LocalJobs};
use switchman::embedded::{Links, LocalEngine, LocalFiles, LocalJob};
use switchman::ports::{Engine, ExecutionState, Files, StartRun};
use tempfile::TempDir;
use tokio::sync::watch;

engine_contract!(Here);

struct Here {
    dir: TempDir,
    /// The process that is alive, and how often an engine has told of an attempt.
    process: Mutex<LocalEngine>,
    told: watch::Sender<Vec<AttemptKey>>,
}

impl Here {
    /// Another process, which is quick with every job if `hurry`.
    fn process(dir: &TempDir, told: &watch::Sender<Vec<AttemptKey>>, hurry: bool) -> LocalEngine {
        let told = told.clone();
        let news = Arc::new(move |key: &AttemptKey| told.send_modify(|all| all.push(key.clone())));
        LocalEngine::new(jobs(dir, hurry), Attempts::new(dir.path().join("attempts")), 1, news)
    }

    fn path(&self, pace: Pace, name: &str) -> PathBuf {
        self.dir.path().join("input").join(pace.job()).join(name)
    }

    fn alive(&self) -> LocalEngine {
        self.process.lock().unwrap().clone()
    }
}

fn jobs(dir: &TempDir, hurry: bool) -> Arc<LocalJobs> {
    let job = |pace: Pace| {
        let mut spec = spec(dir.path());
        // A row a second, which is endless for a test that waits for nothing.
        spec.max_rows_per_second = (pace == Pace::Endless && !hurry).then_some(1);
        let input = dir.path().join("input").join(pace.job());
        LocalJob {
            name: JobName::parse(pace.job()).unwrap(),
            spec,
            folder: dir.path().to_owned(),
            identity: input.clone(),
            input,
            takes: Arc::new(|_| true),
            output: dir.path().join("output"),
            on_arrival: false,
        }
    };
    Arc::new(LocalJobs::new(vec![job(Pace::Quick), job(Pace::Endless)]))
}

impl EngineBackend for Here {
    async fn fresh() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let told = watch::Sender::new(Vec::new());
        let process = Mutex::new(Self::process(&dir, &told, false));
        Self { dir, process, told }
    }

    fn engine(&self) -> Arc<dyn Engine> {
        Arc::new(self.alive())
    }

    async fn put(&self, pace: Pace, name: &str, text: &str) {
        let path = self.path(pace, name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    async fn remove(&self, pace: Pace, name: &str) {
        fs::remove_file(self.path(pace, name)).unwrap();
    }

    async fn start_run(&self, key: &str, pace: Pace, name: &str) -> StartRun {
        let attempts = Attempts::new(self.dir.path().join("attempts"));
        let files = LocalFiles::new(jobs(&self.dir, false), attempts, Links::new([7; 32], "http://bot"));
        let job = JobName::parse(pace.job()).unwrap();
        let inputs = files.inputs(&job).await.unwrap();
        let input = inputs.into_iter().find(|input| input.name == file(name)).unwrap();
        StartRun { key: attempt(key), job, input, scope: Scope::All, epoch: 1 }
    }

    async fn end(&self, run: &StartRun) {
        let mut told = self.told.subscribe();
        loop {
            let state = self.engine().describe(&run.key).await.unwrap().state;
            if !matches!(state, ExecutionState::Queued | ExecutionState::Running) {
                return;
            }
            tokio::time::timeout(Duration::from_secs(30), told.changed()).await.unwrap().unwrap();
        }
    }

    async fn interrupt(&self, _: &StartRun) {
        self.alive().shutdown().await;
        *self.process.lock().unwrap() = Self::process(&self.dir, &self.told, true);
    }

    async fn executions(&self, key: &AttemptKey) -> usize {
        // Once when it begins and once when it ends; one that waited for its place and was stopped there has only ended.
        self.told.borrow().iter().filter(|told| *told == key).count().div_ceil(2)
    }
}
