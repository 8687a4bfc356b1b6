//! A shop with one job, and engines that can be waited for.
use serde_json::json;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use switchman::batch::{Spec, stored_progress};
use switchman::domain::command::Scope;
use switchman::domain::id::{FileName, JobName};
use switchman::domain::run::AttemptKey;
use switchman::embedded::engine::{Attempts, LocalJobs};
use switchman::embedded::{Links, LocalEngine, LocalFiles, LocalJob};
use switchman::ports::{Engine, Execution, ExecutionState, Files, StartRun};
use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub(super) struct Shop {
    dir: TempDir,
    spec: Spec,
}

pub(super) fn attempt(key: &str) -> AttemptKey {
    AttemptKey::parse(key).unwrap()
}

pub(super) fn job() -> JobName {
    JobName::parse("shop").unwrap()
}

pub(super) fn file(name: &str) -> FileName {
    FileName::parse(name).unwrap()
}

impl Shop {
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let schema = json!({"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]});
        let mut spec = Spec::new("schema.json");
        let lookup = json!({"file": "names.csv", "key": "id", "columns": ["name"]});
        spec.lookups = vec![serde_json::from_value(lookup).unwrap()];
        spec.chunk_bytes = 4096;
        let shop = Self { dir, spec };
        shop.write("schema.json", &schema.to_string());
        shop.write("names.csv", "id,name\n1,one\n3,three\n");
        shop
    }

    /// A shop whose batches would take hours.
    pub(super) fn slow() -> Self {
        let mut shop = Self::new();
        shop.spec.max_rows_per_second = Some(1);
        shop
    }

    pub(super) fn hurry(&mut self) {
        self.spec.max_rows_per_second = None;
    }

    pub(super) fn tolerate(&mut self, percent: f64) {
        self.spec.tolerated_rejects_percent = percent;
    }

    pub(super) fn many_rows(&self) -> String {
        assert!(self.spec.max_rows_per_second.is_some(), "for slow shops");
        format!("id,n\n{}", "1,1\n".repeat(2_000))
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    pub(super) fn input(&self, name: &str, text: &str) {
        fs::create_dir_all(self.path("input")).unwrap();
        fs::write(self.path("input").join(name), text).unwrap();
    }

    fn jobs(&self) -> Arc<LocalJobs> {
        let job = LocalJob {
            name: job(),
            spec: self.spec.clone(),
            folder: self.dir.path().to_owned(),
            input: self.path("input"),
            identity: self.path("input"),
            takes: Arc::new(|name| PathBuf::from(name).extension().is_some_and(|e| e == "csv")),
            output: self.path("output"),
            on_arrival: false,
        };
        Arc::new(LocalJobs::new(vec![job]))
    }

    fn attempts(&self) -> Attempts {
        Attempts::new(self.path("data/attempts"))
    }

    pub(super) fn files(&self) -> LocalFiles {
        LocalFiles::new(self.jobs(), self.attempts(), Links::new([7; 32], "http://bot"))
    }

    /// An engine of its own, as another process would have it.
    pub(super) fn engine(&self, at_once: usize) -> Waited {
        let (tell, news) = unbounded_channel();
        let told = Arc::new(move |key: &AttemptKey| {
            // A test that has seen enough does not listen any more.
            let _ = tell.send(key.clone());
        });
        let engine = LocalEngine::new(self.jobs(), self.attempts(), at_once, told);
        Waited { port: Arc::new(engine.clone()), engine, news, attempts: self.path("data/attempts") }
    }

    /// A start of the file as it is now.
    pub(super) async fn start_run(&self, key: &str, name: &str, scope: Scope) -> StartRun {
        let inputs = self.files().inputs(&job()).await.unwrap();
        let input = inputs.into_iter().find(|input| input.name.as_str() == name).unwrap();
        StartRun { key: attempt(key), job: job(), input, scope, epoch: 1 }
    }
}

/// An engine and its news.
pub(super) struct Waited {
    pub(super) port: Arc<dyn Engine>,
    pub(super) engine: LocalEngine,
    news: UnboundedReceiver<AttemptKey>,
    attempts: PathBuf,
}

impl Waited {
    pub(super) async fn state(&self, key: &str) -> ExecutionState {
        self.port.describe(&attempt(key)).await.unwrap().state
    }

    /// Waits for news until the attempt is in this state.
    pub(super) async fn reaches(&mut self, key: &str, state: ExecutionState) {
        while self.state(key).await != state {
            self.hear().await;
        }
    }

    pub(super) async fn ended(&mut self, key: &str) -> Execution {
        loop {
            let execution = self.port.describe(&attempt(key)).await.unwrap();
            if !matches!(execution.state, ExecutionState::Queued | ExecutionState::Running) {
                return execution;
            }
            self.hear().await;
        }
    }

    /// Waits until rows of the attempt are being processed.
    pub(super) async fn planned(&mut self, key: &str) {
        self.reaches(key, ExecutionState::Running).await;
        while stored_progress(&self.attempts.join(key)).unwrap().is_none() {
            tokio::task::yield_now().await;
        }
    }

    /// Waits until this engine has begun with an attempt and let go of it.
    pub(super) async fn settles(&mut self, key: &str) {
        for _ in 0..2 {
            assert_eq!(self.hear().await, attempt(key));
        }
    }

    async fn hear(&mut self) -> AttemptKey {
        tokio::time::timeout(Duration::from_secs(30), self.news.recv()).await.unwrap().unwrap()
    }
}
