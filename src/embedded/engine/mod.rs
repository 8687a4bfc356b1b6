//! The local engine: batches on this machine's threads, one directory for each attempt. What never happens here: two
//! processes working on one attempt, or an attempt that is done twice.

mod attempts;
mod execution;
mod fence;
mod jobs;

pub use attempts::Attempts;
pub(super) use attempts::{keep_text, unusable};
pub(super) use execution::show;
pub use fence::{Fence, Permit, Refusal};
pub use jobs::{LocalJob, LocalJobs};

use crate::batch::ledger::{Ended, Request, counted, progress};
use crate::batch::{self, Control};
use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::domain::task::{TaskAnswer, TaskToken};
use crate::ports::{Engine, Execution, ExecutionState, Kind, PortError, RejectPage, RejectedRow, StartRun};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, Semaphore};

/// Is told that an attempt has started or ended; asks `describe` for the rest.
pub type News = Arc<dyn Fn(&AttemptKey) + Send + Sync>;

/// Runs batches on this machine. Clones are the same engine.
#[derive(Clone)]
pub struct LocalEngine {
    inner: Arc<Inner>,
}

struct Inner {
    jobs: Arc<LocalJobs>,
    attempts: Attempts,
    live: Mutex<HashMap<AttemptKey, Arc<Live>>>,
    places: Arc<Semaphore>,
    news: News,
    /// Where it works; `None`: there is only one place.
    region: Option<RegionName>,
    fence: Fence,
    closing: AtomicBool,
    quiet: Notify,
}

/// An execution that this process works on or is going to.
#[derive(Default)]
struct Live {
    control: Control,
    running: AtomicBool,
    stopped: AtomicBool,
    wake: Notify,
    leave: Arc<Leave>,
}

/// Whether it may publish, once it was asked.
#[derive(Default)]
struct Leave(Mutex<Option<Result<Permit, Refusal>>>);

impl Leave {
    /// Asks, unless a permit is held already.
    fn ask(&self, fence: &Fence, epoch: u64) -> Result<(), batch::BatchError> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*held, Some(Ok(_))) {
            *held = Some(fence(epoch));
        }
        match &*held {
            Some(Err(Refusal::Over(why) | Refusal::Unknown(why))) => Err(batch::BatchError::Fenced(why.clone())),
            _ => Ok(()),
        }
    }

    /// Lets go of it; the refusal, if it was one.
    fn end(&self) -> Option<Refusal> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().and_then(Result::err)
    }
}

impl Live {
    fn new(fence: &Fence, epoch: u64) -> Self {
        let leave = Arc::<Leave>::default();
        let (asked, fence) = (leave.clone(), fence.clone());
        let control = Control::default().with_fence(move || asked.ask(&fence, epoch));
        Self { control, leave, ..Self::default() }
    }

    fn stop(&self) {
        self.control.cancel();
        self.wake.notify_one();
    }
}

impl LocalEngine {
    /// `at_once` batches run side by side; the others wait in the order they came.
    pub fn new(jobs: Arc<LocalJobs>, attempts: Attempts, at_once: usize, news: News) -> Self {
        let inner = Inner {
            jobs,
            attempts,
            live: Mutex::default(),
            places: Arc::new(Semaphore::new(at_once.max(1))),
            news,
            region: None,
            fence: fence::none(),
            closing: AtomicBool::new(false),
            quiet: Notify::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// The same in a region: it publishes only what `fence` permits. Before the first start.
    #[must_use]
    pub(super) fn within(self, region: RegionName, fence: Fence) -> Self {
        let Inner { jobs, attempts, live, places, news, closing, quiet, .. } = match Arc::try_unwrap(self.inner) {
            Ok(inner) => inner,
            Err(inner) => return Self { inner },
        };
        let region = Some(region);
        let inner = Inner { jobs, attempts, live, places, news, region, fence, closing, quiet };
        Self { inner: Arc::new(inner) }
    }

    /// Breaks off what runs; finished chunks stay, and `start` goes on from them after the next start of the program.
    pub async fn shutdown(&self) {
        self.inner.closing.store(true, SeqCst);
        loop {
            let quiet = self.inner.quiet.notified();
            {
                let live = self.inner.live();
                if live.is_empty() {
                    return;
                }
                live.values().for_each(|live| live.stop());
            }
            quiet.await;
        }
    }

    /// Whether it was shut down.
    pub(super) fn is_closing(&self) -> bool {
        self.inner.closing.load(SeqCst)
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let inner = self.inner.clone();
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.map_err(|e| PortError::transient("the engine broke off").because(e))?
    }
}

impl Inner {
    /// Held while it is decided who works on an attempt, so that start and stop never pass each other unseen.
    fn live(&self) -> MutexGuard<'_, HashMap<AttemptKey, Arc<Live>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an execution on; `None` where there is nothing to do (any more).
    fn accept(&self, run: &StartRun) -> Result<Option<(Arc<Live>, Request)>, PortError> {
        let mut live = self.live();
        if self.closing.load(SeqCst) {
            return Err(PortError::transient("the engine is shutting down"));
        }
        if live.contains_key(&run.key) || self.attempts.ended(&run.key)?.is_some() {
            return Ok(None);
        }
        let request = match self.attempts.request(&run.key)? {
            Some(request) => request,
            None => {
                self.jobs.check_input(&run.job, &run.input)?;
                let request = Request {
                    job: run.job.clone(),
                    input: run.input.clone(),
                    scope: run.scope,
                    region: self.region.clone(),
                    epoch: Some(run.epoch),
                };
                self.attempts.accept(&run.key, &request)?;
                request
            }
        };
        let new = Arc::new(Live::new(&self.fence, request.epoch.unwrap_or(run.epoch)));
        live.insert(run.key.clone(), new.clone());
        Ok(Some((new, request)))
    }

    fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        if let Some(live) = self.live().get(key) {
            let state = if live.running.load(SeqCst) { ExecutionState::Running } else { ExecutionState::Queued };
            return Ok(execution(state, &live.control.progress()));
        }
        if let Some(ended) = self.attempts.ended(key)? {
            return Ok(attempts::execution(ended));
        }
        if self.attempts.request(key)?.is_none() {
            return Ok(execution(ExecutionState::Absent, &batch::Progress::default()));
        }
        let dir = self.attempts.dir(key);
        let stored = batch::stored_progress(&dir).map_err(attempts::unusable)?.unwrap_or_default();
        let running = batch::is_running(&dir);
        Ok(execution(if running { ExecutionState::Running } else { ExecutionState::Interrupted }, &stored))
    }

    fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        let live = self.live();
        if let Some(live) = live.get(key) {
            live.stopped.store(true, SeqCst);
            live.stop();
            return Ok(());
        }
        if self.attempts.ended(key)?.is_some() {
            return Ok(());
        }
        let dir = self.attempts.dir(key);
        if batch::is_running(&dir) {
            return Err(PortError::transient("another process works on this attempt; stop it there"));
        }
        let stored = batch::stored_progress(&dir).map_err(attempts::unusable)?.unwrap_or_default();
        self.attempts.end(key, &Ended::cancelled(&stored))
    }

    fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        let dir = self.attempts.dir(key);
        let Some(summary) = batch::summary(&dir).map_err(attempts::unusable)? else {
            return Ok(RejectPage::default());
        };
        let rows = batch::read_rejects(&dir, skip, max).map_err(attempts::unusable)?;
        let row = |row: batch::Rejected| RejectedRow {
            line: row.line,
            column: row.column,
            explanation: batch::Reason::parse(&row.reason).map_or("", batch::Reason::explain).to_owned(),
            reason: row.reason,
            value: row.value,
        };
        Ok(RejectPage { rows: rows.into_iter().map(row).collect(), total: summary.rejected })
    }

    /// Waits for a place and works; afterwards the attempt has ended or is interrupted.
    async fn work(self: Arc<Self>, key: AttemptKey, live: Arc<Live>, request: Request) {
        let place = tokio::select! {
            place = self.places.clone().acquire_owned() => place.ok(),
            () = live.wake.notified() => None,
        };
        if place.is_some() {
            live.running.store(true, SeqCst);
            (self.news)(&key);
        }
        let (inner, own, own_key) = (self.clone(), live.clone(), key.clone());
        let done = tokio::task::spawn_blocking(move || inner.finish(&own_key, &own, &request)).await;
        if let Err(error) = done {
            tracing::error!(attempt = %key, %error, "an execution broke off");
            let inner = self.clone();
            let ended =
                Ended::failed("the program made a mistake; its log says which".to_owned(), &live.control.progress());
            let own_key = key.clone();
            let _ = tokio::task::spawn_blocking(move || inner.end(&own_key, &ended)).await;
        }
        drop(place);
        self.live().remove(&key);
        self.quiet.notify_waiters();
        (self.news)(&key);
    }

    fn finish(&self, key: &AttemptKey, live: &Live, request: &Request) {
        let running = live.running.load(SeqCst);
        let outcome =
            if running { execution::run(self, key, request, live) } else { Err(batch::BatchError::Cancelled) };
        let refused = live.leave.end();
        let reached = live.control.progress();
        let ended = match outcome {
            Ok(summary) => Ended::of(&summary, &reached),
            Err(batch::BatchError::Cancelled) if live.stopped.load(SeqCst) => Ended::cancelled(&reached),
            // Shutting down, or another process has it: whoever starts it next goes on.
            Err(batch::BatchError::Cancelled | batch::BatchError::Running) => return,
            Err(batch::BatchError::Fenced(why)) => match refused {
                Some(Refusal::Over(why)) => Ended::failed(why, &reached),
                Some(Refusal::Unknown(_)) | None => {
                    tracing::warn!(attempt = %key, why, "an attempt may not publish now and is interrupted");
                    return;
                }
            },
            Err(error) => Ended::failed(error.to_string(), &reached),
        };
        self.end(key, &ended);
    }

    fn end(&self, key: &AttemptKey, ended: &Ended) {
        if let Err(error) = self.attempts.end(key, ended) {
            tracing::error!(attempt = %key, %error, "the end of an attempt could not be kept; it is interrupted");
        }
    }
}

fn execution(state: ExecutionState, reached: &batch::Progress) -> Execution {
    Execution { state, progress: progress(reached), reasons: counted(&reached.reasons), failure: None }
}

#[async_trait]
impl Engine for LocalEngine {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        let own = run.clone();
        if let Some((live, request)) = self.blocking(move |inner| inner.accept(&own)).await? {
            tokio::spawn(self.inner.clone().work(run.key.clone(), live, request));
        }
        Ok(())
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        let key = key.clone();
        self.blocking(move |inner| inner.describe(&key)).await
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        let key = key.clone();
        self.blocking(move |inner| inner.stop(&key)).await
    }

    async fn answer(&self, _: &TaskAnswer) -> Result<(), PortError> {
        Err(no_workflows())
    }

    async fn heartbeat(&self, _: &TaskToken) -> Result<(), PortError> {
        Err(no_workflows())
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        let key = key.clone();
        self.blocking(move |inner| inner.rejects(&key, skip, max)).await
    }
}

fn no_workflows() -> PortError {
    PortError::permanent(
        "there are no workflows on the embedded backend, so none can wait for an answer; they need kind = \"aws\" under [backend]",
    )
}

/// An error of the file system: worth another try.
pub(super) fn io(what: impl Into<String>, error: std::io::Error) -> PortError {
    PortError::new(Kind::Transient { after: None }, what).because(error)
}
