//! Input files, and what runs leave behind.

use super::PortError;
use crate::domain::id::{FileName, JobName};
use crate::domain::run::{AttemptKey, Input};
use async_trait::async_trait;
use jiff::Timestamp;
use std::time::Duration;

/// What an attempt left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ArtifactKind {
    Output,
    Rejects,
}

/// A file an attempt left behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    pub key: AttemptKey,
    pub kind: ArtifactKind,
    /// The name a person sees when they save it.
    pub name: String,
    pub bytes: u64,
}

/// The files of one region.
#[async_trait]
pub trait Files: Send + Sync {
    /// The inputs of a job, the newest first.
    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError>;

    /// Where people put inputs of this job, for messages.
    fn input_folder(&self, job: &JobName) -> String;

    /// Puts an input there, whole or not at all. `Conflict`: the name is taken.
    async fn put_input(&self, job: &JobName, name: &FileName, content: &[u8]) -> Result<(), PortError>;

    /// The artifact, or `None` where the attempt left none of that kind.
    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError>;

    /// Up to `max` bytes of it from `offset`.
    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError>;

    /// An address that gives it to whoever holds the address, until `now + life`.
    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError>;
}
