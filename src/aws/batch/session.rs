//! What a step has to know first: what was asked for, the job as it is configured now, and the plan.

use super::error::Halt;
use super::layout::Place;
use super::mail::Mail;
use super::{Worker, layout};
use crate::batch::ledger::{REQUEST, Request};
use crate::batch::parts::{Marker, Round};
use crate::batch::plan::Plan;
use crate::batch::{self, Job, Spec};
use crate::domain::command::Scope;
use crate::domain::id::JobName;
use crate::domain::run::AttemptKey;
use crate::ports::PortError;
use async_trait::async_trait;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

/// A job of the catalog with its files.
#[derive(Debug, Clone)]
pub struct JobFiles {
    pub spec: Spec,
    /// What the paths of `spec` count from, on this function's disk.
    pub folder: PathBuf,
    /// Changes with every file of the job: then it is loaded again. `None`: it is loaded for each step.
    pub version: Option<String>,
    /// Who is told by mail when a run has succeeded.
    pub mail: Option<Mail>,
}

/// The catalog, as it is now.
#[async_trait]
pub trait Jobs: Send + Sync {
    /// A job by name; `None` where there is none.
    async fn get(&self, name: &JobName) -> Result<Option<JobFiles>, PortError>;
}

/// What the last steps have loaded, so that a warm function does not load it again.
#[derive(Default)]
pub(super) struct Loaded {
    job: Option<(JobName, String, Arc<Job>)>,
    plan: Option<(String, Arc<Plan>)>,
}

/// A chunk goes to one object and comes back as a part of it: S3 takes 10,000 parts.
const MOST_CHUNKS: u64 = 9_000;
/// S3 takes no part with more than 5 GiB; a chunk's output can be some times its input.
const LARGEST_CHUNK: u64 = 1 << 30;

impl Worker {
    pub(super) async fn request(&self, place: &Place) -> Result<Request, Halt> {
        let found = self.bucket.json(&place.at(REQUEST)).await?;
        found.ok_or_else(|| Halt::outage(format!("nothing was asked for under {}", place.key)))
    }

    /// The job of a request, with the chunks that it has here.
    pub(super) async fn job(&self, request: &Request) -> Result<Arc<Job>, Halt> {
        let name = &request.job;
        let missing = || Halt::Mistake(format!("there is no job {name} in the configuration"));
        let files = self.jobs.get(name).await?.ok_or_else(missing)?;
        let version = files.version.map(|version| format!("{version} {}", request.input.bytes));
        if let (Some((known, at, job)), Some(version)) = (&self.loaded().job, &version)
            && known == name
            && at == version
        {
            return Ok(job.clone());
        }
        let (mut spec, folder) = (files.spec, files.folder);
        // Where rows per second are limited, a chunk of our size might not be done within a function's fifteen minutes.
        let least = if spec.max_rows_per_second.is_some() { 1 } else { self.place.least_chunk };
        let chunk = spec.chunk_bytes.max(least).max(request.input.bytes.div_ceil(MOST_CHUNKS));
        spec.chunk_bytes = chunk.min(LARGEST_CHUNK);
        let job = blocking(move || Ok(Job::load(&spec, &folder).map_err(batch::BatchError::from)?)).await?;
        let job = Arc::new(job);
        if let Some(version) = version {
            self.loaded().job = Some((name.clone(), version, job.clone()));
        }
        Ok(job)
    }

    /// The plan, which never changes once it stands.
    pub(super) async fn planned(&self, place: &Place, job: &Job) -> Result<Arc<Plan>, Halt> {
        let key = place.at(batch::PLAN);
        let known = self.loaded().plan.clone().filter(|(at, _)| *at == key);
        let plan = match known {
            Some((_, plan)) => plan,
            None => {
                let plan: Option<Plan> = self.bucket.json(&key).await?;
                let plan = Arc::new(plan.ok_or_else(|| Halt::outage(format!("{} is not planned yet", place.key)))?);
                self.loaded().plan = Some((key, plan.clone()));
                plan
            }
        };
        plan.check(job)?;
        Ok(plan)
    }

    /// The attempts to build on, the newest first: back to the last one that did everything. Settled once.
    pub(super) async fn earlier(&self, place: &Place, request: &Request) -> Result<Vec<Place>, Halt> {
        if request.scope == Scope::All {
            return Ok(Vec::new());
        }
        let key = place.at(layout::EARLIER);
        let numbers = match self.bucket.json::<Vec<u32>>(&key).await? {
            Some(numbers) => numbers,
            None => {
                let found = self.find_earlier(&place.key, place).await?;
                let text = serde_json::json!(found).to_string().into_bytes();
                if self.bucket.put_new(&key, text).await? {
                    found
                } else {
                    self.bucket.json(&key).await?.unwrap_or(found)
                }
            }
        };
        Ok(numbers.into_iter().map(|number| place.other(number)).collect())
    }

    async fn find_earlier(&self, key: &AttemptKey, place: &Place) -> Result<Vec<u32>, Halt> {
        let mut found = Vec::new();
        for number in (1..key.attempt).rev() {
            let older = place.other(number);
            if self.bucket.head(&older.at(batch::PLAN)).await?.is_some() {
                found.push(number);
            }
            let request: Option<Request> = self.bucket.json(&older.at(REQUEST)).await?;
            if request.is_some_and(|request| request.scope == Scope::All) {
                break;
            }
        }
        Ok(found)
    }

    /// What is marked as done in a round, by chunk.
    pub(super) async fn markers(&self, place: &Place) -> Result<[BTreeMap<usize, Marker>; 2], Halt> {
        let listed = self.bucket.list(&place.at("done/")).await?;
        let (mut keys, mut names) = (Vec::new(), Vec::new());
        for (key, _) in listed {
            if let Some(name) = layout::DoneName::parse(&key) {
                keys.push(key);
                names.push(name);
            }
        }
        let markers: Vec<Marker> = self.bucket.all_json(&keys).await?;
        let mut found: [BTreeMap<usize, Marker>; 2] = Default::default();
        for (name, marker) in names.into_iter().zip(markers) {
            found[usize::from(name.second)].insert(name.chunk, marker);
        }
        Ok(found)
    }

    /// The marker of one chunk.
    pub(super) async fn marker(&self, place: &Place, chunk: usize, round: Round) -> Result<Option<Marker>, Halt> {
        match self.bucket.list(&place.done_prefix(chunk, round)).await?.pop() {
            Some((key, _)) => self.bucket.json(&key).await,
            None => Ok(None),
        }
    }

    fn loaded(&self) -> std::sync::MutexGuard<'_, Loaded> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has a thread that may block do something.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Halt> + Send + 'static,
) -> Result<T, Halt> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Halt::from(PortError::transient("a step broke off").because(error)))?
}
