//! What runs batches.

use super::PortError;
use crate::domain::command::Scope;
use crate::domain::id::JobName;
use crate::domain::run::{AttemptKey, Input, Progress, ReasonCount};
use crate::domain::task::{TaskAnswer, TaskToken};
use async_trait::async_trait;

/// What to run. The key is the idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartRun {
    pub key: AttemptKey,
    pub job: JobName,
    pub input: Input,
    pub scope: Scope,
    /// The epoch it was begun in: its result is published only while this is the active one.
    pub epoch: u64,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExecutionState {
    /// The engine has never heard of the key.
    Absent,
    /// Accepted, and waiting for a free place.
    Queued,
    Running,
    /// Started, but nobody is working on it (the process died): `start` with the same key goes on from the finished chunks.
    Interrupted,
    Succeeded,
    Failed,
    Cancelled,
}

/// What the engine knows about an execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    pub state: ExecutionState,
    pub progress: Progress,
    /// Rejects by reason, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Why it failed, for people.
    pub failure: Option<String>,
}

/// One rejected row, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// The line of the input file where the record starts.
    pub line: u64,
    pub column: String,
    /// The reason's code.
    pub reason: String,
    /// The reason in words; empty where it is not known.
    pub explanation: String,
    pub value: String,
}

/// Some of the rejected rows, in input order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RejectPage {
    pub rows: Vec<RejectedRow>,
    /// How many there are in all.
    pub total: u64,
}

/// Runs batches. Each call may be repeated without harm.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Starts an execution, or goes on with an interrupted one. The same key twice is the same execution.
    /// `Permanent`, `Gone`: it can never start (the input changed or went away, the schema is broken); the text is for people.
    async fn start(&self, run: &StartRun) -> Result<(), PortError>;

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError>;

    /// Asks an execution to stop: it becomes `Cancelled` unless it ends before. A key that was never started can then never start
    /// and is `Cancelled` at once.
    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError>;

    /// Answers a workflow that waits. `Gone`: it does not wait any more, or was answered before; nothing was changed.
    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError>;

    /// Tells a workflow that waits that people are still at it. `Gone`: it does not wait any more.
    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError>;

    /// Rejected rows of an ended execution, from `skip` on.
    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError>;
}
