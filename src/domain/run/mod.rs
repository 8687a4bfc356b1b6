//! A run: one execution of a job on one input, in one or more attempts.

mod progress;
mod state;

pub use progress::{Progress, ReasonCount};
pub use state::{IllegalTransition, RunEvent, RunState};

use super::actor::Actor;
use super::command::Scope;
use super::id::{ChannelId, FileName, JobName, RunId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// An input file as it was when the run was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub name: FileName,
    /// Where it lies, unique over all jobs: one run at a time holds it.
    pub key: String,
    pub bytes: u64,
    /// Changes when the content changes.
    pub fingerprint: String,
}

/// One pass of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    pub scope: Scope,
    pub state: RunState,
    pub asked_by: Actor,
    pub asked_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub progress: Progress,
    /// Rejects by reason, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Why it failed, for people.
    pub failure: Option<String>,
    pub cancelled_by: Option<Actor>,
}

/// The record of a run. `version` goes up by one at each write (compare and set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    pub id: RunId,
    pub job: JobName,
    pub input: Input,
    /// Where it was asked for and is reported.
    pub channel: ChannelId,
    pub created_at: Timestamp,
    /// In order; never empty.
    pub attempts: Vec<Attempt>,
    pub version: u64,
}

/// Names one attempt of a run: the idempotency key of the engine's execution and of its message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AttemptKey {
    pub run: RunId,
    pub attempt: u32,
}

impl std::fmt::Display for AttemptKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.run, self.attempt)
    }
}

impl AttemptKey {
    /// Reads what `Display` wrote; buttons carry it.
    pub fn parse(text: &str) -> Option<Self> {
        let (run, attempt) = text.rsplit_once('.')?;
        Some(Self { run: RunId::parse(run).ok()?, attempt: attempt.parse().ok().filter(|n| *n > 0)? })
    }
}

impl Attempt {
    /// A pass that was asked for and has not started.
    pub fn asked(number: u32, scope: Scope, by: Actor, at: Timestamp) -> Self {
        Self {
            number,
            scope,
            state: RunState::Starting,
            asked_by: by,
            asked_at: at,
            started_at: None,
            ended_at: None,
            progress: Progress::default(),
            reasons: Vec::new(),
            failure: None,
            cancelled_by: None,
        }
    }
}

impl Run {
    /// The newest attempt.
    pub fn current(&self) -> &Attempt {
        self.attempts.last().expect("a run has at least one attempt")
    }

    pub fn current_mut(&mut self) -> &mut Attempt {
        self.attempts.last_mut().expect("a run has at least one attempt")
    }

    /// The attempt of that number.
    pub fn attempt(&self, number: u32) -> Option<&Attempt> {
        self.attempts.iter().find(|a| a.number == number)
    }

    pub fn key(&self) -> AttemptKey {
        AttemptKey { run: self.id.clone(), attempt: self.current().number }
    }

    pub fn is_open(&self) -> bool {
        !self.current().state.is_terminal()
    }

    /// What a reprocess without a scope would do again: rejected rows first, else what failed.
    pub fn to_redo(&self) -> Option<Scope> {
        let last = self.current();
        match last.state {
            RunState::Failed | RunState::Cancelled => Some(Scope::Chunks),
            RunState::Succeeded if last.progress.rejected > 0 => Some(Scope::Rows),
            RunState::Succeeded | RunState::Starting | RunState::Running | RunState::Cancelling => None,
        }
    }
}
