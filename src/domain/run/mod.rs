//! A run: one execution of a job on one input, in one or more attempts.

mod progress;
mod state;

pub use progress::{Progress, ReasonCount};
pub use state::{IllegalTransition, RunEvent, RunState};

use super::actor::{Actor, Asker};
use super::command::Scope;
use super::id::{ChannelId, FileName, JobName, RegionName, RunId};
use super::parameter::Parameters;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What a run works on, as it was when the run was asked for: a file, or the values that a workflow was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    pub name: FileName,
    /// Where it lies, unique over all jobs: one run at a time holds it.
    pub key: String,
    pub bytes: u64,
    /// Changes when the content changes.
    pub fingerprint: String,
    /// What a workflow was given; `None`: the input is a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<Parameters>,
}

/// One pass of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    pub scope: Scope,
    pub state: RunState,
    pub asked_by: Asker,
    pub asked_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub progress: Progress,
    /// Rejects by reason, the most frequent first.
    pub reasons: Vec<ReasonCount>,
    /// Why it failed, for people.
    pub failure: Option<String>,
    pub cancelled_by: Option<Actor>,
    /// Where it is worked on; `None` in records from before there were regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionName>,
    /// Since when its engine has not answered; what is known of it is from before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_since: Option<Timestamp>,
    /// The epoch it was begun in: with an older one than the active region's it cannot publish.
    #[serde(default)]
    pub epoch: u64,
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
    pub fn asked(number: u32, scope: Scope, by: impl Into<Asker>, at: Timestamp) -> Self {
        Self {
            number,
            scope,
            state: RunState::Starting,
            asked_by: by.into(),
            asked_at: at,
            started_at: None,
            ended_at: None,
            progress: Progress::default(),
            reasons: Vec::new(),
            failure: None,
            cancelled_by: None,
            region: None,
            silent_since: None,
            epoch: 0,
        }
    }

    /// The same, worked on in the active region.
    #[must_use]
    pub fn within(self, active: &super::region::Active) -> Self {
        Self { region: Some(active.region.clone()), epoch: active.epoch, ..self }
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

    /// What a reprocess without a scope would do again: rejected rows where every chunk is done, else what is not done.
    /// A workflow is done again as a whole, and only one that did not succeed asks for it.
    pub fn to_redo(&self) -> Option<Scope> {
        if self.input.parameters.is_some() {
            let ended_badly = !self.is_open() && self.current().state != RunState::Succeeded;
            return ended_badly.then_some(Scope::All);
        }
        if self.has_to_redo(Scope::Rows) {
            Some(Scope::Rows)
        } else if self.failed_before_its_first_chunk() {
            Some(Scope::All)
        } else {
            self.has_to_redo(Scope::Chunks).then_some(Scope::Chunks)
        }
    }

    /// Whether that scope holds anything to do again now. The whole input of a run that has ended always does.
    pub fn has_to_redo(&self, scope: Scope) -> bool {
        let Attempt { state, progress, .. } = self.current();
        let only_rows_are_left =
            progress.rejected > 0 && (*state == RunState::Succeeded || progress.every_chunk_is_done());
        match scope {
            _ if self.is_open() => false,
            Scope::All => true,
            _ if self.input.parameters.is_some() => false,
            Scope::Rows => only_rows_are_left,
            Scope::Chunks => *state != RunState::Succeeded && !only_rows_are_left,
        }
    }

    /// Nothing is there to go on from, and without a change (to the file, the job) it would only fail again.
    fn failed_before_its_first_chunk(&self) -> bool {
        self.current().state == RunState::Failed && self.current().progress.chunks == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{EnvelopeId, TeamId, UserId};

    fn run(state: RunState, chunks: (u32, u32), rejected: u64) -> Run {
        let at = Timestamp::UNIX_EPOCH;
        let by = Actor {
            team: TeamId::parse("T0LOCAL").unwrap(),
            user: UserId::parse("U0OPERATOR").unwrap(),
            name: String::new(),
        };
        let progress = Progress { chunks: chunks.0, chunks_total: chunks.1, rejected, ..Progress::default() };
        Run {
            id: RunId::derive(&EnvelopeId::parse("one").unwrap(), 0),
            job: JobName::parse("sales").unwrap(),
            input: Input {
                name: FileName::parse("sales.csv").unwrap(),
                key: "sales/sales.csv".into(),
                bytes: 1,
                fingerprint: "f".into(),
                parameters: None,
            },
            channel: ChannelId::parse("C0BATCH").unwrap(),
            created_at: at,
            attempts: vec![Attempt { state, progress, ..Attempt::asked(1, Scope::All, by, at) }],
            version: 1,
        }
    }

    #[test]
    fn a_workflow_is_done_again_as_a_whole_or_not_at_all() {
        for (state, redo) in [
            (RunState::Succeeded, None),
            (RunState::Failed, Some(Scope::All)),
            (RunState::Cancelled, Some(Scope::All)),
            (RunState::Running, None),
        ] {
            let mut run = run(state, (0, 0), 0);
            run.input = Parameters::default().input(&run.job);
            assert_eq!(run.to_redo(), redo, "{state:?}");
            assert_eq!(run.has_to_redo(Scope::All), !run.is_open(), "{state:?}");
            assert!(!run.has_to_redo(Scope::Rows) && !run.has_to_redo(Scope::Chunks), "{state:?}");
        }
    }

    #[test]
    fn what_is_offered_to_be_done_again_is_what_there_is_to_do() {
        use RunState::{Cancelled, Cancelling, Failed, Running, Starting, Succeeded};
        for (state, chunks, rejected, redo) in [
            (Succeeded, (5, 5), 0, None),
            (Succeeded, (5, 5), 3, Some(Scope::Rows)),
            // More rejects than tolerated: every chunk is done, and only the rows are left.
            (Failed, (5, 5), 3, Some(Scope::Rows)),
            (Failed, (3, 5), 3, Some(Scope::Chunks)),
            // Putting the parts together failed.
            (Failed, (5, 5), 0, Some(Scope::Chunks)),
            (Failed, (0, 0), 0, Some(Scope::All)),
            (Failed, (0, 5), 0, Some(Scope::All)),
            (Cancelled, (0, 5), 0, Some(Scope::Chunks)),
            (Cancelled, (3, 5), 3, Some(Scope::Chunks)),
            (Starting, (0, 0), 0, None),
            (Running, (5, 5), 3, None),
            (Cancelling, (3, 5), 3, None),
        ] {
            let run = run(state, chunks, rejected);
            assert_eq!(run.to_redo(), redo, "{state:?} {chunks:?} {rejected}");
            assert!(redo.is_none_or(|scope| run.has_to_redo(scope)), "{state:?} {chunks:?} {rejected}");
        }
    }
}
