//! A drill's place in a region's bucket: `sandbox/q-7k3f/`. Inputs are the real ones; what attempts left is copied there, run by run, when
//! it is asked for first, within the bucket and never back.

use super::bucket::Bucket;
use crate::domain::id::{FileName, JobName, RequestId, RunId};
use crate::domain::run::{AttemptKey, Input};
use crate::domain::task::{TaskAnswer, TaskToken};
use crate::ports::{Artifact, ArtifactKind, Engine, Execution, Files, PortError, RejectPage, Site, StartRun};
use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt};
use jiff::Timestamp;
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

const DOING: &str = "could not copy what a run has left into the sandbox of the drill";
/// Copies that are under way at once.
const AT_ONCE: usize = 16;

/// What stands before all names of a drill.
pub(super) fn root(id: &RequestId) -> String {
    format!("sandbox/{id}/")
}

/// The runs of a region as a drill has them.
struct Copies {
    bucket: Arc<Bucket>,
    root: String,
    done: Mutex<HashSet<RunId>>,
}

impl Copies {
    /// Copies what the attempts of a run have left, once.
    async fn have(&self, run: &RunId) -> Result<(), PortError> {
        let mut done = self.done.lock().await;
        if done.contains(run) {
            return Ok(());
        }
        let marker = format!("{}copied/{run}", self.root);
        if !self.bucket.has(DOING, &marker).await? {
            let mut found = self.bucket.list(DOING, &format!("runs/{run}.")).await?;
            // What names other data comes after it, whatever breaks off in between.
            found.sort_by_key(|(key, _)| rank(key));
            for same in found.chunk_by(|(a, _), (b, _)| rank(a) == rank(b)) {
                let copies: Vec<_> = same.iter().cloned().map(|object| self.copy(object)).collect();
                futures_util::stream::iter(copies).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
            }
            self.bucket.put(DOING, &marker, Vec::new()).await?;
        }
        done.insert(run.clone());
        Ok(())
    }

    async fn copy(&self, (key, bytes): (String, u64)) -> Result<(), PortError> {
        self.bucket.copy(DOING, &key, &format!("{}{key}", self.root), bytes).await
    }
}

/// Parts, then what says that they are whole, then what says that the attempt is.
fn rank(key: &str) -> u8 {
    let name = key.rsplit('/').next().unwrap_or(key);
    match name {
        "request.json" => 3,
        "ended.json" => 4,
        _ if key.contains("/parts/") => 0,
        _ if key.contains("/done/") => 2,
        _ => 1,
    }
}

/// The site of a drill, over the one that the region has under the drill's root.
pub(super) fn site(inner: Site, bucket: Arc<Bucket>, id: &RequestId) -> Site {
    let copies = Arc::new(Copies { bucket, root: root(id), done: Mutex::default() });
    Site {
        region: inner.region,
        engine: Arc::new(DrillEngine { inner: inner.engine, copies: copies.clone() }),
        files: Arc::new(DrillFiles { inner: inner.files, copies }),
    }
}

struct DrillEngine {
    inner: Arc<dyn Engine>,
    copies: Arc<Copies>,
}

#[async_trait]
impl Engine for DrillEngine {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        self.copies.have(&run.key.run).await?;
        self.inner.start(run).await
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        self.copies.have(&key.run).await?;
        self.inner.describe(key).await
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        self.copies.have(&key.run).await?;
        self.inner.stop(key).await
    }

    async fn answer(&self, _: &TaskAnswer) -> Result<(), PortError> {
        Err(PortError::permanent("a drill answers no workflow; nothing was sent"))
    }

    async fn heartbeat(&self, _: &TaskToken) -> Result<(), PortError> {
        Err(PortError::permanent("a drill answers no workflow; nothing was sent"))
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        self.copies.have(&key.run).await?;
        self.inner.rejects(key, skip, max).await
    }
}

struct DrillFiles {
    inner: Arc<dyn Files>,
    copies: Arc<Copies>,
}

#[async_trait]
impl Files for DrillFiles {
    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError> {
        self.inner.inputs(job).await
    }

    fn input_folder(&self, job: &JobName) -> String {
        self.inner.input_folder(job)
    }

    async fn put_input(&self, _: &JobName, name: &FileName, _: &[u8]) -> Result<(), PortError> {
        Err(PortError::permanent(format!("a drill puts no inputs anywhere: {name} was not written")))
    }

    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        self.copies.have(&key.run).await?;
        self.inner.artifact(key, kind).await
    }

    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        self.inner.read(artifact, offset, max).await
    }

    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError> {
        self.inner.link(artifact, now, life).await
    }
}
