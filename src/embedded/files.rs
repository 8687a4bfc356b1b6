//! Inputs in the jobs' folders, and what attempts left behind in theirs.

use super::engine::{Attempts, LocalJob, LocalJobs, io, unusable};
use super::links::Links;
use crate::batch::{self, ledger::result_name};
use crate::domain::id::{FileName, JobName};
use crate::domain::run::{AttemptKey, Input};
use crate::ports::{Artifact, ArtifactKind, Files, Kind, PortError};
use async_trait::async_trait;
use jiff::Timestamp;
use std::fs::{self, File};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The files of this machine.
#[derive(Clone)]
pub struct LocalFiles {
    jobs: Arc<LocalJobs>,
    attempts: Attempts,
    links: Links,
}

impl LocalFiles {
    pub fn new(jobs: Arc<LocalJobs>, attempts: Attempts, links: Links) -> Self {
        Self { jobs, attempts, links }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, PortError> + Send + 'static,
    ) -> Result<T, PortError> {
        let own = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&own)).await;
        done.map_err(|e| PortError::transient("reading a file broke off").because(e))?
    }

    fn path(&self, key: &AttemptKey, kind: ArtifactKind) -> PathBuf {
        let name = match kind {
            ArtifactKind::Output => batch::OUTPUT,
            ArtifactKind::Rejects => batch::REJECTS,
        };
        self.attempts.dir(key).join(name)
    }

    /// An output that is kept aside is no artifact: it is for the operator of the machine, not for a link.
    fn find(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        let Some(request) = self.attempts.request(key)? else { return Ok(None) };
        let ended = self.attempts.ended(key)?;
        if batch::summary(&self.attempts.dir(key)).map_err(unusable)?.is_none()
            || ended.is_none_or(|ended| kind == ArtifactKind::Output && !ended.has_succeeded())
        {
            return Ok(None);
        }
        let found = match fs::metadata(self.path(key, kind)) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found.map_err(|e| io("could not look at a result", e))?,
        };
        let name = result_name(key, &request, kind == ArtifactKind::Rejects);
        Ok(Some(Artifact { key: key.clone(), kind, name, bytes: found.len() }))
    }

    fn read_range(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        let read = || {
            let mut file = File::open(self.path(&artifact.key, artifact.kind))?;
            file.seek(SeekFrom::Start(offset))?;
            let mut bytes = Vec::new();
            file.take(max as u64).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        read().map_err(|error: std::io::Error| match error.kind() {
            ErrorKind::NotFound => PortError::new(Kind::Gone, format!("{} is not there any more", artifact.name)),
            _ => io(format!("could not read {}", artifact.name), error),
        })
    }
}

/// A job's input folder as people in Slack may see it: as the configuration names it, and never where it lies on this machine.
fn shown(job: &LocalJob) -> String {
    let folder = &job.input;
    if let Ok(named) = folder.strip_prefix(&job.folder) {
        return named.display().to_string();
    }
    // A region's folder elsewhere: the region, `input` and the job say which it is.
    let told = if *folder == job.identity { 1 } else { 3 };
    let names: Vec<_> = folder.components().rev().take(told).collect();
    names.into_iter().rev().collect::<PathBuf>().display().to_string()
}

/// Writes beside, then links: the name either does not exist or has the whole content, and is never taken over.
fn put(folder: &Path, name: &FileName, content: &[u8]) -> Result<(), PortError> {
    let failed = |e| io(format!("could not write {name}"), e);
    fs::create_dir_all(folder).map_err(failed)?;
    let target = folder.join(name.as_str());
    // A leading dot keeps it out of every list of inputs.
    let beside = tempfile_name(folder, name);
    let written = File::create_new(&beside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::hard_link(&beside, &target)
    });
    let _ = fs::remove_file(&beside);
    match written {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(PortError::new(Kind::Conflict, format!("there is a file {name} already; give it another name")))
        }
        Err(error) => Err(failed(error)),
        Ok(()) => File::open(folder).and_then(|folder| folder.sync_all()).map_err(failed),
    }
}

/// A name of its own for each upload of this process and of others.
fn tempfile_name(folder: &Path, name: &FileName) -> PathBuf {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    folder.join(format!(".{name}.{}-{number}.tmp", std::process::id()))
}

#[async_trait]
impl Files for LocalFiles {
    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError> {
        let job = job.clone();
        self.blocking(move |own| own.jobs.inputs(&job)).await
    }

    fn input_folder(&self, job: &JobName) -> String {
        self.jobs.get(job).map(shown).unwrap_or_default()
    }

    async fn put_input(&self, job: &JobName, name: &FileName, content: &[u8]) -> Result<(), PortError> {
        let (folder, name, content) = (self.jobs.get(job)?.input.clone(), name.clone(), content.to_vec());
        self.blocking(move |_| put(&folder, &name, &content)).await
    }

    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        let key = key.clone();
        self.blocking(move |own| own.find(&key, kind)).await
    }

    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        let artifact = artifact.clone();
        self.blocking(move |own| own.read_range(&artifact, offset, max)).await
    }

    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError> {
        Ok(self.links.make(artifact, now, life))
    }
}
