//! Files that arrive in the input folders of jobs that start by themselves. A look is a list and the metadata of each file. What has not
//! changed for some seconds is complete; it is read once for its checksum and told on the bus, under a key made of it. That nothing is
//! done twice is the key's doing; what is kept in memory here only saves work.

use super::engine::{LocalJobs, io};
use crate::domain::envelope::{Envelope, arrival_key};
use crate::domain::id::{EnvelopeId, FileName, JobName, RegionName};
use crate::domain::run::Input;
use crate::ports::{Bus, Clock, PortError, Regions, RunQuery, Store, input_lock};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::{Mutex, watch};

/// How often the folders are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A file whose size and time of change have stayed the same for so long is complete. A writer that rests for longer has to write
/// under another name and rename at the end.
const QUIET: SignedDuration = SignedDuration::from_secs(3);
/// At most so many files are told of in one look, so that a full folder does not flood the bus.
const AT_ONCE: usize = 16;

/// Looks for files that arrive, for as many jobs as there are with `on_arrival`.
pub struct Arrivals {
    folders: Vec<(RegionName, Arc<LocalJobs>)>,
    regions: Arc<dyn Regions>,
    watched: Vec<JobName>,
    store: Arc<dyn Store>,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
    seen: Mutex<HashMap<(JobName, FileName), Seen>>,
    /// A large file is not read to its end when the program has to stop.
    stopping: Arc<AtomicBool>,
}

/// A file as it was when it was last looked at.
#[derive(Clone)]
struct Seen {
    fingerprint: String,
    /// Since when it has had this fingerprint, or when it was last told of.
    since: Timestamp,
    /// The key of its content, once that was read.
    key: Option<EnvelopeId>,
    /// There is nothing more to do about it.
    done: bool,
}

impl Arrivals {
    /// Watches the folders of the jobs that files start, in the active region. `folders`: the jobs of each.
    pub fn new(
        folders: Vec<(RegionName, Arc<LocalJobs>)>,
        regions: Arc<dyn Regions>,
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let watched = folders.iter().take(1).flat_map(|(_, jobs)| jobs.on_arrival().cloned()).collect();
        Self { folders, regions, watched, store, bus, clock, seen: Mutex::default(), stopping: Arc::default() }
    }

    /// Looks again and again, until `stop` turns true.
    pub async fn watch(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        if self.watched.is_empty() {
            return;
        }
        let looking = async {
            loop {
                self.look().await;
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::select! {
            () = looking => {}
            _ = stop.wait_for(|stopping| *stopping) => self.stopping.store(true, SeqCst),
        }
    }

    /// Looks once. One folder that cannot be read holds up no other.
    pub async fn look(&self) {
        let jobs = match self.regions.active().await {
            Ok(active) => self.folders.iter().find(|(name, _)| *name == active.region).map(|(_, jobs)| jobs.clone()),
            Err(error) => {
                tracing::warn!(%error, "the active region is not known; the next look for new files comes soon");
                None
            }
        };
        let Some(jobs) = jobs.or_else(|| self.only_folder()) else { return };
        let mut seen = self.seen.lock().await;
        for job in &self.watched {
            if let Err(error) = self.look_at(&jobs, job, &mut seen).await {
                tracing::warn!(%job, %error, "could not look for new files of {job}; the next look comes soon");
            }
        }
    }

    /// Where there is one region, it is the active one, whatever the record called it once.
    fn only_folder(&self) -> Option<Arc<LocalJobs>> {
        if let [(_, jobs)] = self.folders.as_slice() { Some(jobs.clone()) } else { None }
    }

    async fn look_at(
        &self,
        jobs: &Arc<LocalJobs>,
        job: &JobName,
        seen: &mut HashMap<(JobName, FileName), Seen>,
    ) -> Result<(), PortError> {
        let (own, name) = (jobs.clone(), job.clone());
        let inputs = blocking(move || own.inputs(&name)).await?;
        let there: HashSet<&FileName> = inputs.iter().map(|input| &input.name).collect();
        seen.retain(|(of, file), _| of != job || there.contains(file));
        let now = self.clock.now();
        let mut told = 0;
        // The newest come first; what waits longest starts first.
        for input in inputs.into_iter().rev() {
            let new = Seen { fingerprint: input.fingerprint.clone(), since: now, key: None, done: false };
            let known = seen.entry((job.clone(), input.name.clone())).or_insert_with(|| new.clone());
            if known.fingerprint != input.fingerprint {
                *known = new;
            }
            if !known.done && now.duration_since(known.since) >= QUIET {
                told += usize::from(self.tell(jobs, job, &input, known).await?);
            }
            if told >= AT_ONCE {
                break;
            }
        }
        Ok(())
    }

    /// Tells of a complete file, unless that is done or has to wait. Handled is what counts: the next looks see to it that it was.
    async fn tell(
        &self,
        jobs: &Arc<LocalJobs>,
        job: &JobName,
        input: &Input,
        known: &mut Seen,
    ) -> Result<bool, PortError> {
        let last = self.store.runs(RunQuery::Input(input.key.clone()), 1).await?.pop();
        if last.is_some_and(|run| run.input.fingerprint == input.fingerprint) {
            known.done = true;
            return Ok(false);
        }
        if self.store.holder(&input_lock(&input.key)).await?.is_some() {
            return Ok(false);
        }
        let key = match &known.key {
            Some(key) => key.clone(),
            None => {
                let Some(content) = self.content(jobs, job, input).await? else { return Ok(false) };
                let bad = |e| PortError::permanent("could not name the arrival of a file").because(e);
                known.key.insert(arrival_key(job, &input.name, &content).map_err(bad)?).clone()
            }
        };
        if self.store.claimed(&key).await? {
            known.done = true;
            return Ok(false);
        }
        let now = self.clock.now();
        let envelope = Envelope::arrived(job.clone(), input.name.clone(), input.fingerprint.clone(), key, now);
        self.bus.publish(envelope).await?;
        known.since = now;
        Ok(true)
    }

    /// A checksum of the whole file; `None` where it changed or went away meanwhile.
    async fn content(&self, jobs: &Arc<LocalJobs>, job: &JobName, input: &Input) -> Result<Option<String>, PortError> {
        let (jobs, job, input, stopping) = (jobs.clone(), job.clone(), input.clone(), self.stopping.clone());
        blocking(move || {
            let path = jobs.get(&job)?.input.join(input.name.as_str());
            let Ok(file) = File::open(path) else { return Ok(None) };
            let sum = checksum(file, &stopping).map_err(|e| io(format!("could not read {}", input.name), e))?;
            Ok(sum.filter(|_| jobs.check_input(&job, &input).is_ok()))
        })
        .await
    }
}

/// `None`: broken off.
fn checksum(mut file: File, stopping: &AtomicBool) -> std::io::Result<Option<String>> {
    let (mut hash, mut buffer) = (Sha256::new(), vec![0; 256 * 1024]);
    while !stopping.load(SeqCst) {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(Some(hex::encode(hash.finalize()))),
            Ok(n) => hash.update(&buffer[..n]),
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(None)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PortError> + Send + 'static,
) -> Result<T, PortError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|e| PortError::transient("looking for new files broke off").because(e))?
}
