//! What a person is told. It says what, never how it looks: `slack/render` decides that.

use super::command::{Action, Command};
use super::id::{ChannelId, JobName, RunId, UserId};
use super::policy::Decision;
use super::problem::Problem;
use super::run::Run;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything a person can be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "reply")]
pub enum Reply {
    /// The message of one attempt: counts up, ends with totals, mentions who asked.
    RunCard {
        run: Box<Run>,
        attempt: u32,
        now: Timestamp,
    },
    /// The same for one reader, on `status RUN`: nobody is mentioned.
    RunStatus {
        run: Box<Run>,
        now: Timestamp,
    },
    /// `status` without arguments.
    Board {
        board: Board,
    },
    /// The App Home tab: the board and what this person may do.
    Home {
        board: Board,
        permitted: Vec<Action>,
    },
    /// `list-batches`.
    Runs {
        channel: ChannelId,
        runs: Vec<Run>,
        now: Timestamp,
    },
    /// No text: what this person may do here.
    Menu {
        permitted: Vec<Action>,
    },
    Help {
        about: Option<Action>,
        permitted: Vec<Action>,
    },
    /// `why`.
    Why {
        user: UserId,
        command: String,
        decision: Decision,
        roles: Vec<String>,
        channel: ChannelId,
    },
    /// `cancel-batch` was taken; the run's own message says when it has stopped.
    CancelAsked {
        run: RunId,
        job: JobName,
    },
    /// The words beside the attached rejected rows; mentions who asked, who is notified by it, where a person did.
    RejectsFile {
        run: RunId,
        attempt: u32,
        user: Option<UserId>,
        rejected: u64,
    },
    Refused {
        problem: Problem,
    },
}

/// The state of things at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// Not ended yet, the newest first.
    pub open: Vec<Run>,
    /// Ended last, the newest first.
    pub ended: Vec<Run>,
    /// Envelopes that were given up and wait for somebody.
    pub dead_letters: usize,
    pub now: Timestamp,
}

impl Reply {
    /// A refusal.
    pub fn refused(problem: Problem) -> Self {
        Self::Refused { problem }
    }

    /// The answer to `why`.
    pub fn why(user: UserId, command: &Command, decision: Decision, roles: Vec<String>, channel: ChannelId) -> Self {
        Self::Why { user, command: super::grammar::render(command), decision, roles, channel }
    }
}
