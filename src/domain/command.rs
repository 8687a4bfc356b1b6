//! The commands people can give, as data.

use super::id::{FileName, JobName, RegionName, RequestId, RunId, UserId};
use super::parameter::Given;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The word a command starts with; also the detail-type of its envelope and what policy rules name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    StartBatch,
    ReprocessBatch,
    CancelBatch,
    Status,
    ListBatches,
    FailOver,
    FailBack,
    Approve,
    Deny,
    Why,
    Help,
}

impl Action {
    /// All actions, in the order people are shown them.
    pub const ALL: [Self; 11] = [
        Self::StartBatch,
        Self::ReprocessBatch,
        Self::CancelBatch,
        Self::Status,
        Self::ListBatches,
        Self::FailOver,
        Self::FailBack,
        Self::Approve,
        Self::Deny,
        Self::Why,
        Self::Help,
    ];

    /// The word as typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::StartBatch => "start-batch",
            Self::ReprocessBatch => "reprocess-batch",
            Self::CancelBatch => "cancel-batch",
            Self::Status => "status",
            Self::ListBatches => "list-batches",
            Self::FailOver => "fail-over",
            Self::FailBack => "fail-back",
            Self::Approve => "approve",
            Self::Deny => "deny",
            Self::Why => "why",
            Self::Help => "help",
        }
    }

    /// The action of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|a| a.name() == text)
    }

    /// Whether it changes anything; the others only look.
    pub fn changes_something(self) -> bool {
        match self {
            Self::StartBatch
            | Self::ReprocessBatch
            | Self::CancelBatch
            | Self::FailOver
            | Self::FailBack
            | Self::Approve
            | Self::Deny => true,
            Self::Status | Self::ListBatches | Self::Why | Self::Help => false,
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What part of a run is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Only the rejected rows, with today's schema and lookup.
    Rows,
    /// Only the chunks that failed.
    Chunks,
    /// The whole input.
    All,
}

impl Scope {
    pub const ALL: [Self; 3] = [Self::Rows, Self::Chunks, Self::All];

    /// The word as typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rows => "rows",
            Self::Chunks => "chunks",
            Self::All => "all",
        }
    }

    /// The scope of that name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.name() == text)
    }
}

/// One command with everything it needs. [`super::grammar::parse`] makes it, [`super::grammar::render`] writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Start `job` on `file`; without one, on the newest input that has no finished run. A workflow is given `values` instead.
    StartBatch {
        job: JobName,
        file: Option<FileName>,
        values: Vec<Given>,
    },
    /// Do part of a run again; without one, of the newest run of the channel with something to redo.
    ReprocessBatch {
        run: Option<RunId>,
        scope: Option<Scope>,
    },
    CancelBatch {
        run: RunId,
    },
    /// One run, or the board.
    Status {
        run: Option<RunId>,
    },
    ListBatches,
    /// Make `region` the active one; without one, the other of two. A drill does everything but the switch, in a sandbox.
    FailOver {
        region: Option<RegionName>,
        drill: bool,
    },
    /// Back to the region that was active before the last switch.
    FailBack,
    /// Vote for a request. `words`: the reason; before it what has to be typed to confirm, or `break-glass`.
    Approve {
        request: RequestId,
        words: Option<String>,
    },
    /// Vote against a request, or withdraw one's own.
    Deny {
        request: RequestId,
        reason: Option<String>,
    },
    /// May `user` give `command` here, and which rule says so.
    Why {
        user: UserId,
        command: Box<Self>,
    },
    Help {
        about: Option<Action>,
    },
}

impl Command {
    pub fn action(&self) -> Action {
        match self {
            Self::StartBatch { .. } => Action::StartBatch,
            Self::ReprocessBatch { .. } => Action::ReprocessBatch,
            Self::CancelBatch { .. } => Action::CancelBatch,
            Self::Status { .. } => Action::Status,
            Self::ListBatches => Action::ListBatches,
            Self::FailOver { .. } => Action::FailOver,
            Self::FailBack => Action::FailBack,
            Self::Approve { .. } => Action::Approve,
            Self::Deny { .. } => Action::Deny,
            Self::Why { .. } => Action::Why,
            Self::Help { .. } => Action::Help,
        }
    }

    /// The job it names, where it names one itself.
    pub fn job(&self) -> Option<&JobName> {
        match self {
            Self::StartBatch { job, .. } => Some(job),
            _ => None,
        }
    }

    /// The run it names.
    pub fn run(&self) -> Option<&RunId> {
        match self {
            Self::ReprocessBatch { run, .. } | Self::Status { run } => run.as_ref(),
            Self::CancelBatch { run } => Some(run),
            _ => None,
        }
    }

    /// The request it names.
    pub fn request(&self) -> Option<&RequestId> {
        match self {
            Self::Approve { request, .. } | Self::Deny { request, .. } => Some(request),
            _ => None,
        }
    }
}
