//! What the local engine may run, and where its inputs lie.

use super::io;
use crate::batch::Spec;
use crate::domain::id::{FileName, JobName};
use crate::domain::run::Input;
use crate::ports::{Kind, PortError};
use std::fs::{self, Metadata};
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

/// A job with its folders.
#[derive(Clone)]
pub struct LocalJob {
    pub name: JobName,
    pub spec: Spec,
    /// What the paths of `spec` count from.
    pub folder: PathBuf,
    /// Where its inputs lie.
    pub input: PathBuf,
    /// What its inputs are known by: the folder in the first region, so that a file is the same in each.
    pub identity: PathBuf,
    /// Which of the files there are its own.
    pub takes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
    /// Where people find its results.
    pub output: PathBuf,
    /// A file that arrives starts it.
    pub on_arrival: bool,
}

/// All jobs.
#[derive(Clone, Default)]
pub struct LocalJobs {
    jobs: Vec<LocalJob>,
}

impl LocalJobs {
    pub fn new(jobs: Vec<LocalJob>) -> Self {
        Self { jobs }
    }

    /// The jobs that a file starts by arriving.
    pub(crate) fn on_arrival(&self) -> impl Iterator<Item = &JobName> {
        self.jobs.iter().filter(|job| job.on_arrival).map(|job| &job.name)
    }

    /// The same jobs in a region that has its own folders, in `data`.
    #[must_use]
    pub fn moved_to(&self, data: &Path) -> Self {
        let moved = |job: &LocalJob| LocalJob {
            input: data.join("input").join(job.name.as_str()),
            output: data.join("output").join(job.name.as_str()),
            ..job.clone()
        };
        Self { jobs: self.jobs.iter().map(moved).collect() }
    }

    pub(in crate::embedded) fn all(&self) -> &[LocalJob] {
        &self.jobs
    }

    /// A job by name; `Permanent` where there is none.
    pub fn get(&self, name: &JobName) -> Result<&LocalJob, PortError> {
        let found = self.jobs.iter().find(|job| &job.name == name);
        found.ok_or_else(|| PortError::permanent(format!("there is no job {name} in the configuration")))
    }

    /// Whether the input is still what it was when the run was asked for.
    pub(crate) fn check_input(&self, job: &JobName, input: &Input) -> Result<(), PortError> {
        let path = self.get(job)?.input.join(input.name.as_str());
        let found = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(PortError::new(Kind::Gone, format!("the file {} is not there any more", input.name)));
            }
            found => found.map_err(|e| io(format!("could not look at the file {}", input.name), e))?,
        };
        if found.len() == input.bytes && is_still(&input.fingerprint, &found) {
            return Ok(());
        }
        let what = format!("the file {} changed after the run was asked for; start a new run", input.name);
        Err(PortError::new(Kind::Gone, what))
    }

    /// The inputs of a job, the newest first.
    pub(crate) fn inputs(&self, name: &JobName) -> Result<Vec<Input>, PortError> {
        let job = self.get(name)?;
        let failed = |e| io(format!("could not list the inputs of {name}"), e);
        let entries = match fs::read_dir(&job.input) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Some(file) = entry.file_name().to_str().and_then(|text| FileName::parse(text).ok()) else { continue };
            // A file may go while we look: then it is not there.
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if metadata.is_file() && (job.takes)(file.as_str()) {
                found.push((metadata.modified().unwrap_or(UNIX_EPOCH), input(&job.identity, file, &metadata)));
            }
        }
        found.sort_by(|(a, a_input), (b, b_input)| b.cmp(a).then_with(|| a_input.key.cmp(&b_input.key)));
        Ok(found.into_iter().map(|(_, input)| input).collect())
    }
}

fn input(folder: &Path, name: FileName, metadata: &Metadata) -> Input {
    let key = folder.join(name.as_str()).to_string_lossy().into_owned();
    Input { name, key, bytes: metadata.len(), fingerprint: fingerprint(metadata), parameters: None }
}

/// Size and time of the last change, which a copy in another region keeps. The batch itself pins the content by checksum.
fn fingerprint(metadata: &Metadata) -> String {
    let (seconds, nanos) = (metadata.mtime(), metadata.mtime_nsec());
    format!("{:x}-{seconds:x}.{nanos:x}", metadata.len())
}

/// Whether a file is what it was. Fingerprints of earlier versions had the inode behind a second dash.
fn is_still(then: &str, found: &Metadata) -> bool {
    let now = fingerprint(found);
    then == now || then.strip_prefix(&now).is_some_and(|rest| rest.starts_with('-'))
}
