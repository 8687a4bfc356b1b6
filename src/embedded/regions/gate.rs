//! The way into a region: while it is cut off, every call from outside fails, and what works inside goes on alone.

use crate::domain::id::{FileName, JobName, RegionName};
use crate::domain::run::{AttemptKey, Input};
use crate::domain::task::{TaskAnswer, TaskToken};
use crate::embedded::{LocalEngine, LocalFiles};
use crate::ports::{Artifact, ArtifactKind, Engine, Execution, Files, PortError, RejectPage, Site, StartRun};
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

/// Open, unless somebody has cut the region off.
#[derive(Debug)]
pub(super) struct Gate {
    pub(super) region: RegionName,
    shut: AtomicBool,
}

impl Gate {
    pub(super) fn new(region: RegionName) -> Arc<Self> {
        Arc::new(Self { region, shut: AtomicBool::new(false) })
    }

    pub(super) fn shut(&self, shut: bool) {
        self.shut.store(shut, SeqCst);
    }

    pub(super) fn is_open(&self) -> bool {
        !self.shut.load(SeqCst)
    }

    pub(super) fn pass(&self) -> Result<(), PortError> {
        if self.is_open() {
            return Ok(());
        }
        Err(PortError::transient(format!("region {} does not answer", self.region)))
    }
}

/// An engine that can be replaced by one that starts afresh.
pub(super) type EngineCell = Arc<RwLock<LocalEngine>>;

/// What is in the cell now.
pub(super) fn current(cell: &EngineCell) -> LocalEngine {
    cell.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// A site behind a gate.
pub(super) fn site(gate: &Arc<Gate>, engine: EngineCell, files: LocalFiles) -> Site {
    Site {
        region: gate.region.clone(),
        engine: Arc::new(GatedEngine { gate: gate.clone(), engine }),
        files: Arc::new(GatedFiles { gate: gate.clone(), files }),
    }
}

struct GatedEngine {
    gate: Arc<Gate>,
    engine: EngineCell,
}

#[async_trait]
impl Engine for GatedEngine {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        self.gate.pass()?;
        current(&self.engine).start(run).await
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        self.gate.pass()?;
        current(&self.engine).describe(key).await
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        self.gate.pass()?;
        current(&self.engine).stop(key).await
    }

    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError> {
        self.gate.pass()?;
        current(&self.engine).answer(task).await
    }

    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError> {
        self.gate.pass()?;
        current(&self.engine).heartbeat(token).await
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        self.gate.pass()?;
        current(&self.engine).rejects(key, skip, max).await
    }
}

struct GatedFiles {
    gate: Arc<Gate>,
    files: LocalFiles,
}

#[async_trait]
impl Files for GatedFiles {
    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError> {
        self.gate.pass()?;
        self.files.inputs(job).await
    }

    fn input_folder(&self, job: &JobName) -> String {
        self.files.input_folder(job)
    }

    async fn put_input(&self, job: &JobName, name: &FileName, content: &[u8]) -> Result<(), PortError> {
        self.gate.pass()?;
        self.files.put_input(job, name, content).await
    }

    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        self.gate.pass()?;
        self.files.artifact(key, kind).await
    }

    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        self.gate.pass()?;
        self.files.read(artifact, offset, max).await
    }

    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError> {
        self.gate.pass()?;
        self.files.link(artifact, now, life).await
    }
}
