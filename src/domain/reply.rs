//! What a person is told. It says what, never how it looks: `slack/render` decides that.

use super::actor::Actor;
use super::approval::Request;
use super::command::{Action, Command};
use super::failover::FailOver;
use super::id::{ChannelId, JobName, RegionName, RequestId, RunId, UserId};
use super::policy::Decision;
use super::problem::Problem;
use super::region::{Active, Replication};
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
        /// What it has done stays done: there are no chunks.
        #[serde(default)]
        workflow: bool,
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
    /// The message of a request: its plan while it is open, who decided and why afterwards.
    RequestCard {
        request: Box<Request>,
        now: Timestamp,
    },
    /// In the request's thread: it still waits, for whom and how long. Mentions nobody.
    RequestReminder {
        request: Box<Request>,
        missing: Vec<Actor>,
        now: Timestamp,
    },
    /// To whoever asked: it was denied, has expired or is void.
    RequestEnded {
        request: Box<Request>,
    },
    /// To whoever voted: the vote counts.
    VoteCounted {
        request: Box<Request>,
    },
    /// To each approver who was passed over: somebody broke the glass.
    GlassBroken {
        request: Box<Request>,
    },
    /// The message of a move: counts up, ends with the outcome of every file.
    FailOverCard {
        record: Box<FailOver>,
        now: Timestamp,
    },
    /// The words beside the attached report of a move.
    FailOverReport {
        request: RequestId,
        files: usize,
        user: UserId,
    },
    Refused {
        problem: Problem,
    },
}

/// The state of things at one moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Board {
    /// Not ended yet, the newest first.
    pub open: Vec<Run>,
    /// Ended last, the newest first.
    pub ended: Vec<Run>,
    /// The active region, where there is more than one.
    pub active: Option<Active>,
    /// The other regions and how far each is behind; `None`: it cannot be asked.
    pub standby: Vec<(RegionName, Option<Replication>)>,
    /// Requests that wait for somebody: open ones, and reviews of broken glass. The newest first.
    pub requests: Vec<Request>,
    /// The move under way.
    pub moving: Option<Box<FailOver>>,
    /// The last drill that ended.
    pub last_drill: Option<Box<FailOver>>,
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
