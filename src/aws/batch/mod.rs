//! The batch on Step Functions: what its Lambda function does. The state machine (`infra/asl/batch.asl.json`) calls one step after the other;
//! what lies where in the bucket is in `layout.rs`.
//!
//! Rows are worked on by the code of `batch/`, as on one machine: a step brings what it needs to the function's disk, lets `batch/` do its
//! part, and takes away what came of it. Each step may be repeated at any point, and two copies of one may run at once: what they write is
//! the same, parts are written before the marker that names them, and what decides is written only if it is not there. What never happens
//! here: an outage that becomes an answer, or a result under its name that is not complete.

mod announce;
mod assemble;
mod bucket;
mod chunk;
mod compare;
mod error;
mod layout;
mod lease;
mod mail;
mod merge;
mod mirror;
mod plan;
mod publish;
mod ranges;
mod scratch;
mod session;

pub use error::WorkerError;
pub use layout::{CANCELLED, DECIDED, DoneName, MAP, PUBLISH, Place, STOP};
pub use lease::{Leave, PublishLease};
pub use mail::Mail;
pub use session::{JobFiles, Jobs};

use crate::batch::parts::Round;
use crate::ports::Clock;
use aws_config::SdkConfig;
use bucket::Bucket;
use error::Halt;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use session::Loaded;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

/// Chunks on AWS have at least so many bytes: a call costs the same whatever it is for.
pub const LEAST_CHUNK: u64 = 16 << 20;

/// Where a worker works.
#[derive(Debug, Clone)]
pub struct Workplace {
    /// The bucket of the region.
    pub bucket: String,
    /// A folder on the function's disk with room for some chunks.
    pub scratch: PathBuf,
    /// [`LEAST_CHUNK`]; no byte of a result depends on it.
    pub least_chunk: u64,
}

/// Does the steps of batches. Clones are the same worker.
#[derive(Clone)]
pub struct Worker {
    bucket: Bucket,
    place: Workplace,
    jobs: Arc<dyn Jobs>,
    lease: Arc<dyn PublishLease>,
    clock: Arc<dyn Clock>,
    mailer: aws_sdk_sesv2::Client,
    mail_breaker: Arc<super::breaker::Breaker>,
    loaded: Arc<Mutex<Loaded>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    Plan,
    Chunk,
    Compare,
    Merge,
    Announce,
}

/// What the state machine sends. It may send more: each step is given what the others need, too.
#[derive(Debug, Deserialize)]
struct Call {
    step: Step,
    #[serde(default)]
    root: String,
    key: String,
    chunk: Option<usize>,
    round: Option<u8>,
}

#[derive(Serialize, Deserialize)]
struct Mistake {
    why: String,
}

impl Worker {
    pub fn new(
        config: &SdkConfig,
        place: Workplace,
        jobs: Arc<dyn Jobs>,
        lease: Arc<dyn PublishLease>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            bucket: Bucket::new(config, &place.bucket, clock),
            place,
            jobs,
            lease,
            clock: clock.clone(),
            mailer: aws_sdk_sesv2::Client::new(config),
            mail_breaker: super::breaker::Breaker::new(clock),
            loaded: Arc::default(),
        }
    }

    /// Does one step. The answer's `outcome` is what the state machine chooses by: `failed` (a mistake of the input or the job, with
    /// `why`) and `stopped` lead to the announcement. An error is to be tried again.
    pub async fn handle(&self, call: Value) -> Result<Value, WorkerError> {
        let call: Call = serde_json::from_value(call).map_err(|e| WorkerError::Call(e.to_string()))?;
        let place = Place::parse(&call.root, &call.key)?;
        match self.step(&call, &place).await {
            Ok(answer) => Ok(answer),
            Err(Halt::Error(error)) => Err(error),
            Err(Halt::Stopped) => Ok(json!({"outcome": "stopped"})),
            Err(Halt::Mistake(why)) => {
                let text = json!({"why": why});
                self.bucket.put_new(&place.at(layout::MISTAKE), text.to_string().into_bytes()).await?;
                Ok(json!({"outcome": "failed", "why": why}))
            }
        }
    }

    async fn step(&self, call: &Call, place: &Place) -> Result<Value, Halt> {
        if call.step == Step::Announce {
            return self.announce(place).await;
        }
        self.look(place).await?;
        match call.step {
            Step::Plan => self.plan(place).await,
            Step::Compare => self.compare(place).await,
            Step::Merge => self.merge(place).await,
            Step::Chunk | Step::Announce => {
                let chunk = call.chunk.ok_or_else(|| WorkerError::Call("it names no chunk".to_owned()))?;
                let round = match call.round {
                    Some(1) => Round::First,
                    Some(2) => Round::Second,
                    other => return Err(WorkerError::Call(format!("round {other:?} is neither 1 nor 2")).into()),
                };
                self.chunk(place, chunk, round).await?;
                Ok(json!({"outcome": "done"}))
            }
        }
    }

    /// Before each step: whether it was stopped, or cannot be done.
    async fn look(&self, place: &Place) -> Result<(), Halt> {
        let (stopped, mistake) = tokio::try_join!(self.is_stopped(place), self.mistake(place))?;
        if stopped {
            return Err(Halt::Stopped);
        }
        mistake.map_or(Ok(()), |why| Err(Halt::Mistake(why)))
    }

    /// Who stops an attempt puts the flag there before anything is decided. Where it was decided to publish, the flag came too late: what
    /// was begun is finished.
    async fn is_stopped(&self, place: &Place) -> Result<bool, Halt> {
        if self.bucket.read(&place.at(STOP)).await?.is_none() {
            return Ok(false);
        }
        Ok(self.bucket.read(&place.at(DECIDED)).await?.as_deref() != Some(PUBLISH))
    }

    /// Makes sure that nothing is published any more; false where it was decided to publish.
    async fn decide_against(&self, place: &Place) -> Result<bool, Halt> {
        let key = place.at(DECIDED);
        Ok(self.bucket.put_new(&key, CANCELLED.to_vec()).await?
            || self.bucket.read(&key).await?.as_deref() != Some(PUBLISH))
    }

    async fn mistake(&self, place: &Place) -> Result<Option<String>, Halt> {
        Ok(self.bucket.json::<Mistake>(&place.at(layout::MISTAKE)).await?.map(|mistake| mistake.why))
    }
}
