//! The record of a move that was approved: its states, and what became of each file.

use super::plan::{FailOverPlan, FileCase, Move, Treatment};
use crate::domain::actor::Actor;
use crate::domain::id::{ChannelId, FileName, RequestId};
use crate::domain::run::AttemptKey;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a move stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailOverState {
    /// Approved; the active region is being switched.
    Switching,
    /// Switched; unfinished files are being recovered.
    Recovering,
    /// Every file is accounted for.
    Finished,
    /// Somebody else switched first: nothing was done.
    Overtaken,
}

/// What can happen to a move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailOverEvent {
    Switched,
    /// Every file has its outcome.
    AllAccounted,
    /// The epoch was not the planned one.
    SwitchRefused,
}

/// What became of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "became")]
pub enum FileOutcome {
    /// Its turn has not come.
    Pending,
    /// Under way in the new region.
    Working {
        attempt: AttemptKey,
        percent: u8,
    },
    /// It was finished before, and is.
    Kept,
    /// Finished in the new region.
    Recovered {
        attempt: AttemptKey,
        how: Treatment,
    },
    /// Tried in the new region, and failed or was cancelled there.
    Failed {
        attempt: AttemptKey,
        why: String,
    },
    Lost {
        why: String,
    },
}

/// One line of the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    pub case: FileCase,
    pub outcome: FileOutcome,
}

/// What became of telling those by which requests are routed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Routed {
    /// What people call it.
    pub name: String,
    /// Why it does not know of the switch, and what to do by hand; `None`: it knows.
    pub failure: Option<String>,
}

/// The record of a move. `version` goes up by one at each write (compare and set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailOver {
    /// The request that was approved.
    pub id: RequestId,
    pub plan: FailOverPlan,
    pub state: FailOverState,
    pub channel: ChannelId,
    pub asked_by: Actor,
    /// When it was approved: the clock of the recovery time starts.
    pub approved_at: Timestamp,
    pub switched_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The epoch after the switch.
    pub epoch: Option<u64>,
    /// How much of the newest changes was behind when it was switched, as measured then.
    pub data_loss: Option<SignedDuration>,
    pub files: Vec<FileReport>,
    /// Who else was told of the switch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routed: Vec<Routed>,
    pub version: u64,
}

/// An event that a state does not allow.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("{event:?} cannot happen to a move that is {state:?}")]
pub struct IllegalMove {
    pub state: FailOverState,
    pub event: FailOverEvent,
}

impl FailOverState {
    pub const ALL: [Self; 4] = [Self::Switching, Self::Recovering, Self::Finished, Self::Overtaken];

    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Finished | Self::Overtaken)
    }

    /// The word people are shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Switching => "switching",
            Self::Recovering => "recovering",
            Self::Finished => "finished",
            Self::Overtaken => "overtaken by another switch",
        }
    }

    /// The state after `event`.
    pub fn next(self, event: FailOverEvent) -> Result<Self, IllegalMove> {
        match (self, event) {
            (Self::Switching, FailOverEvent::Switched) => Ok(Self::Recovering),
            (Self::Switching, FailOverEvent::SwitchRefused) => Ok(Self::Overtaken),
            (Self::Recovering, FailOverEvent::AllAccounted) => Ok(Self::Finished),
            (Self::Switching, FailOverEvent::AllAccounted)
            | (Self::Recovering, FailOverEvent::Switched | FailOverEvent::SwitchRefused)
            | (Self::Finished | Self::Overtaken, _) => Err(IllegalMove { state: self, event }),
        }
    }
}

impl FileOutcome {
    /// Whether nothing more will become of it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Pending | Self::Working { .. } => false,
            Self::Kept | Self::Recovered { .. } | Self::Failed { .. } | Self::Lost { .. } => true,
        }
    }
}

impl FailOver {
    pub fn is_open(&self) -> bool {
        !self.state.is_terminal()
    }

    pub fn is_drill(&self) -> bool {
        self.plan.kind == Move::Drill
    }

    /// From the approval until every file was accounted for.
    pub fn recovery_time(&self) -> Option<SignedDuration> {
        self.ended_at.map(|at| at.duration_since(self.approved_at))
    }

    /// The files of one outcome, for counting and naming.
    pub fn with_outcome(&self, wanted: impl Fn(&FileOutcome) -> bool) -> impl Iterator<Item = &FileReport> {
        self.files.iter().filter(move |report| wanted(&report.outcome))
    }

    /// The names of the files that were lost.
    pub fn lost(&self) -> Vec<&FileName> {
        self.with_outcome(|o| matches!(o, FileOutcome::Lost { .. })).map(|r| &r.case.file).collect()
    }

    pub fn all_accounted(&self) -> bool {
        self.files.iter().all(|report| report.outcome.is_final())
    }
}
