//! [`Engine`] on Step Functions: each attempt is an execution named by its key, and a folder in the bucket of its region.
//!
//! - A batch runs on the site's own state machine. What it was asked, how far it is and how it ended stand in its folder, and Step
//!   Functions says whether somebody works on it. An execution that failed is an outage, not an answer: it is redriven, or where it
//!   cannot be, one more execution goes on from the chunks that are done.
//! - A job with a state machine of its own is that machine's execution: how it ends is the answer, and its folder only remembers it.
//!
//! `start` writes the request before it looks for the stop flag, and `stop` writes the flag before it looks for the request: whichever
//! comes first, one of them sees the other.

mod answer;
mod describe;
mod folder;
mod input;
mod machine;
mod names;
mod rejects;
mod start;
mod stop;

pub use names::ExecutionName;

use crate::batch::ledger::{ENDED, End, Ended, REQUEST, Request};
use crate::domain::id::{JobName, RegionName, RequestId};
use crate::domain::run::{AttemptKey, Progress};
use crate::domain::task::{TaskAnswer, TaskToken};
use crate::ports::{Clock, Engine, Execution, ExecutionState, PortError, RejectPage, StartRun};
use async_trait::async_trait;
use aws_config::SdkConfig;
use folder::Folders;
use machine::Machine;
use moka::sync::Cache;
use std::collections::HashMap;
use std::sync::Arc;

/// So many attempts are remembered: what does not change of them is not asked for again.
const REMEMBERED: u64 = 1_000;

/// Where an engine works.
#[derive(Debug, Clone)]
pub struct EngineSite {
    pub region: RegionName,
    pub bucket: String,
    /// The ARN of the state machine that runs batches.
    pub state_machine: String,
    /// The drill in whose sandbox it works.
    pub sandbox: Option<RequestId>,
}

impl EngineSite {
    /// Where the names of its folders begin: nothing, or `sandbox/DRILL/`.
    pub fn root(&self) -> String {
        self.sandbox.as_ref().map(|drill| format!("sandbox/{drill}/")).unwrap_or_default()
    }
}

/// A job and what runs it.
#[derive(Debug, Clone)]
pub struct EngineJob {
    pub name: JobName,
    pub runs_on: RunsOn,
}

/// What runs a job.
#[derive(Debug, Clone)]
pub enum RunsOn {
    /// The site's own state machine, with so many chunks at once.
    Batch { concurrency: u32 },
    /// The state machine of this ARN (Standard), wherever it is.
    Machine { arn: String },
}

/// The engine of one region, or of one sandbox in it. Several processes may use it at once.
pub struct StepFunctionsEngine {
    site: EngineSite,
    root: String,
    folders: Folders,
    batches: Machine,
    jobs: HashMap<JobName, Work>,
    ended: Cache<AttemptKey, Arc<Ended>>,
    requests: Cache<AttemptKey, Arc<Request>>,
    totals: Cache<AttemptKey, Totals>,
}

/// What runs a job, ready to be asked.
#[derive(Debug, Clone)]
enum Work {
    Batch { concurrency: u32 },
    Machine(Machine),
}

/// The size of an attempt's plan.
#[derive(Debug, Clone, Copy)]
struct Totals {
    chunks: u64,
    bytes: u64,
}

impl StepFunctionsEngine {
    /// Nothing is asked of AWS before it is used. Errors: `Permanent` where an ARN is none.
    pub fn new(
        config: &SdkConfig,
        site: EngineSite,
        jobs: Vec<EngineJob>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let root = site.root();
        let work = |job: EngineJob| {
            Ok(match job.runs_on {
                RunsOn::Batch { concurrency } => (job.name, Work::Batch { concurrency }),
                RunsOn::Machine { arn } => (job.name, Work::Machine(Machine::new(config, &arn, clock)?)),
            })
        };
        Ok(Self {
            folders: Folders::new(config, &site.bucket, root.clone(), clock),
            batches: Machine::new(config, &site.state_machine, clock)?,
            jobs: jobs.into_iter().map(work).collect::<Result<_, PortError>>()?,
            ended: Cache::new(REMEMBERED),
            requests: Cache::new(REMEMBERED),
            totals: Cache::new(REMEMBERED),
            root,
            site,
        })
    }

    /// What runs this job; `Permanent` where there is none of that name.
    fn work(&self, job: &JobName) -> Result<&Work, PortError> {
        let gone = || PortError::permanent(format!("there is no job {job} in the configuration"));
        self.jobs.get(job).ok_or_else(gone)
    }

    /// The machine of its executions. A batch needs no entry in the catalog to be looked at or stopped.
    fn machine(&self, request: &Request) -> Result<&Machine, PortError> {
        match self.work(&request.job) {
            Ok(Work::Machine(machine)) => Ok(machine),
            Err(error) if input::is_of_a_machine(&request.input) => Err(error),
            _ => Ok(&self.batches),
        }
    }

    fn is_batch(&self, request: &Request) -> bool {
        !matches!(self.work(&request.job), Ok(Work::Machine(_))) && !input::is_of_a_machine(&request.input)
    }

    fn name(&self, key: &AttemptKey, nth: u32) -> ExecutionName {
        ExecutionName { sandbox: self.site.sandbox.clone(), key: key.clone(), nth }
    }

    /// How it ended. Once written it never changes.
    async fn ended(&self, key: &AttemptKey) -> Result<Option<Arc<Ended>>, PortError> {
        if let Some(known) = self.ended.get(key) {
            return Ok(Some(known));
        }
        let found = self.folders.json::<Ended>(key, ENDED).await?.map(Arc::new);
        if let Some(found) = &found {
            self.ended.insert(key.clone(), found.clone());
        }
        Ok(found)
    }

    /// What was asked for. Once written it never changes.
    async fn request(&self, key: &AttemptKey) -> Result<Option<Arc<Request>>, PortError> {
        if let Some(known) = self.requests.get(key) {
            return Ok(Some(known));
        }
        let found = self.folders.json::<Request>(key, REQUEST).await?.map(Arc::new);
        if let Some(found) = &found {
            self.requests.insert(key.clone(), found.clone());
        }
        Ok(found)
    }

    /// Keeps how it ended, unless that is kept already; what counts is what stands there then.
    async fn end(&self, key: &AttemptKey, ended: Ended) -> Result<Arc<Ended>, PortError> {
        if self.folders.create_json(key, ENDED, &ended).await? {
            let ended = Arc::new(ended);
            self.ended.insert(key.clone(), ended.clone());
            return Ok(ended);
        }
        let vanished = || PortError::transient(format!("the end of {key} was there a moment ago and is not now"));
        self.ended(key).await?.ok_or_else(vanished)
    }
}

/// An execution of which no more is known than where it stands.
fn execution(state: ExecutionState, progress: Progress) -> Execution {
    Execution { state, progress, reasons: Vec::new(), failure: None }
}

/// An end as the port tells it.
fn told(ended: &Ended) -> Execution {
    let state = match ended.state {
        End::Succeeded => ExecutionState::Succeeded,
        End::Failed => ExecutionState::Failed,
        End::Cancelled => ExecutionState::Cancelled,
    };
    let Ended { progress, reasons, failure, .. } = ended.clone();
    Execution { state, progress, reasons, failure }
}

#[async_trait]
impl Engine for StepFunctionsEngine {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        start::start(self, run).await
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        describe::describe(self, key).await
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        stop::stop(self, key).await
    }

    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError> {
        answer::answer(&self.batches, task).await
    }

    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError> {
        answer::heartbeat(&self.batches, token).await
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        rejects::rejects(self, key, skip, max).await
    }
}
