//! The plan of a move to another region: what is known about every file, what would be done about it, and what is not known.

use crate::domain::command::{Action, Command};
use crate::domain::id::{FileName, JobName, RegionName};
use crate::domain::region::Replication;
use crate::domain::run::AttemptKey;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// What kind of move it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Move {
    FailOver,
    FailBack,
    /// Everything but the switch, with effects in a sandbox.
    Drill,
}

/// What is known about a file in the region it would be moved to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is")]
pub enum FileState {
    /// Neither its input nor any chunk has arrived there.
    NotReplicated,
    /// Its input is there, and no chunk is done.
    Untouched,
    /// Its input is there, and some chunks are done.
    MidFlight { chunks: u32, chunks_total: u32 },
    /// Chunks have arrived and the input has not: it cannot be finished there.
    InputMissing { chunks: u32, chunks_total: u32 },
    /// Its result is complete there, and nobody was told yet.
    Merged,
    /// Finished and told, and its result is there.
    Done,
    /// Finished and told, and its result has not arrived there.
    ResultMissing,
    /// It had failed, at some chunk.
    Failed { chunks: u32, chunks_total: u32 },
    /// No run was started on it; its input is there.
    Waiting,
    /// The region could not be asked.
    Unknown,
}

/// What would be done about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// Nothing is left to do.
    Keep,
    /// Its complete result is taken over and told.
    Adopt,
    /// It goes on from the chunks that have arrived.
    Resume,
    /// It starts from its input.
    Restart,
    /// Neither is there: it cannot be finished in the new region.
    Lose,
}

/// One file of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileCase {
    pub job: JobName,
    pub file: FileName,
    /// The attempt it is about; `None` where no run was started on it.
    pub attempt: Option<AttemptKey>,
    pub bytes: u64,
    pub state: FileState,
    pub treatment: Treatment,
}

/// What nobody can know before the move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "unknown")]
pub enum Unknown {
    /// The active region cannot be read: whatever arrived there after `since` is not in this plan.
    RegionUnreadable { region: RegionName, since: Option<Timestamp> },
    /// How far the copy is behind cannot be measured.
    LagUnmeasured,
    /// There are more files than a plan can name.
    NotListed { files: u64 },
}

/// What the jobs promise about a loss of their region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Targets {
    /// From the decision until every file is accounted for.
    pub recovery_time: SignedDuration,
    /// The longest stretch of newest changes that may be lost.
    pub data_loss: SignedDuration,
}

/// How far the world may move before the approval is void.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tolerance {
    /// Files that are unfinished now and were not when the plan was made.
    pub more_unfinished: u32,
    /// How much further behind the copy may be.
    pub more_lag: SignedDuration,
}

/// What would happen, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailOverPlan {
    pub kind: Move,
    pub from: RegionName,
    pub to: RegionName,
    /// The epoch of `from` when the plan was made.
    pub epoch: u64,
    pub made_at: Timestamp,
    pub replication: Replication,
    /// In the order of jobs and files.
    pub files: Vec<FileCase>,
    /// How long recovery is expected to take; `None`: nothing is known to judge by.
    pub expected: Option<SignedDuration>,
    pub targets: Targets,
    pub unknowns: Vec<Unknown>,
    pub tolerance: Tolerance,
}

/// How the world has left the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "drift")]
pub enum Drift {
    /// Somebody else has switched.
    EpochMoved {
        planned: u64,
        now: u64,
    },
    /// Files would be lost that the plan did not name.
    MoreLost {
        files: Vec<FileName>,
    },
    MoreUnfinished {
        planned: u32,
        now: u32,
    },
    LagGrew {
        planned: SignedDuration,
        now: Option<SignedDuration>,
    },
    /// Something is unknown now that was known.
    LessKnown,
}

impl FailOverPlan {
    pub fn action(&self) -> Action {
        match self.kind {
            Move::FailOver | Move::Drill => Action::FailOver,
            Move::FailBack => Action::FailBack,
        }
    }

    /// The command that asks for it.
    pub fn command(&self) -> Command {
        match self.kind {
            Move::FailBack => Command::FailBack,
            Move::FailOver | Move::Drill => {
                Command::FailOver { region: Some(self.to.clone()), drill: self.kind == Move::Drill }
            }
        }
    }

    /// Files that something would be done about.
    pub fn unfinished(&self) -> impl Iterator<Item = &FileCase> {
        self.files.iter().filter(|case| case.treatment != Treatment::Keep)
    }

    /// Files that would be lost.
    pub fn lost(&self) -> impl Iterator<Item = &FileCase> {
        self.files.iter().filter(|case| case.treatment == Treatment::Lose)
    }

    /// Whether the world, as a plan made now sees it, is still within what this plan states.
    pub fn still_holds(&self, now: &Self) -> Result<(), Drift> {
        if (self.epoch, &self.from) != (now.epoch, &now.from) {
            return Err(Drift::EpochMoved { planned: self.epoch, now: now.epoch });
        }
        let named = |case: &FileCase| self.lost().any(|c| (&c.job, &c.file) == (&case.job, &case.file));
        let more_lost: Vec<FileName> = now.lost().filter(|case| !named(case)).map(|case| case.file.clone()).collect();
        if !more_lost.is_empty() {
            return Err(Drift::MoreLost { files: more_lost });
        }
        let (planned, unfinished) = (count(self.unfinished()), count(now.unfinished()));
        if unfinished > planned.saturating_add(self.tolerance.more_unfinished) {
            return Err(Drift::MoreUnfinished { planned, now: unfinished });
        }
        match (self.replication.lag, now.replication.lag) {
            (Some(planned), lag) if lag.is_none_or(|lag| lag > planned + self.tolerance.more_lag) => {
                Err(Drift::LagGrew { planned, now: lag })
            }
            _ if now.unknowns.iter().any(|unknown| !self.knew_of(unknown)) => Err(Drift::LessKnown),
            _ => Ok(()),
        }
    }

    fn knew_of(&self, unknown: &Unknown) -> bool {
        let same_kind = |known: &Unknown| std::mem::discriminant(known) == std::mem::discriminant(unknown);
        self.unknowns.iter().any(same_kind)
    }
}

impl Move {
    /// The words people are shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::FailOver => "fail-over",
            Self::FailBack => "fail-back",
            Self::Drill => "drill",
        }
    }
}

impl FileState {
    /// What is done about a file in this state.
    pub fn treatment(&self) -> Treatment {
        match self {
            Self::NotReplicated | Self::InputMissing { .. } | Self::Unknown => Treatment::Lose,
            Self::Untouched | Self::ResultMissing => Treatment::Restart,
            Self::Failed { chunks: 0, .. } | Self::MidFlight { chunks: 0, .. } => Treatment::Restart,
            Self::MidFlight { .. } | Self::Failed { .. } => Treatment::Resume,
            Self::Merged => Treatment::Adopt,
            Self::Done | Self::Waiting => Treatment::Keep,
        }
    }
}

fn count<'a>(cases: impl Iterator<Item = &'a FileCase>) -> u32 {
    u32::try_from(cases.count()).unwrap_or(u32::MAX)
}
