//! Why something was not done: for the person who reads it, with what was not lost and what to do next.

use super::approval::Refusal;
use super::command::Action;
use super::grammar::Usage;
use super::id::{FileName, JobName, RegionName, RequestId, RunId};
use super::policy::Decision;
use super::region::Replication;
use super::run::RunState;
use serde::{Deserialize, Serialize};

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Only the person who asked.
    Asker,
    /// Everybody in the channel.
    Channel,
}

/// A refusal or a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "problem")]
pub enum Problem {
    /// Policy says no.
    NotPermitted {
        action: Option<Action>,
        decision: Decision,
    },
    /// A slash command that is not this bot's.
    OtherCommand {
        given: String,
    },
    /// The line could not be read.
    Usage {
        usage: Usage,
    },
    UnknownRun {
        run: RunId,
        nearest: Option<String>,
    },
    UnknownFile {
        job: JobName,
        file: FileName,
        nearest: Option<String>,
    },
    /// Every input of the job has a finished run, or there is none.
    NoInput {
        job: JobName,
        folder: String,
        finished: usize,
    },
    /// Another run has the input.
    InputBusy {
        file: FileName,
        run: RunId,
    },
    /// A run of the workflow is at the very same values.
    SameValues {
        run: RunId,
    },
    /// What a job was given is not what it takes (any more).
    ValuesUnfit {
        job: JobName,
        what: String,
    },
    /// A finished run has done this very input.
    AlreadyFinished {
        file: FileName,
        run: RunId,
    },
    /// No run of this channel has anything to redo, or this one has not.
    NothingToRedo {
        run: Option<RunId>,
    },
    /// This scope has nothing to redo in that run.
    ScopeIsEmpty {
        run: RunId,
        scope: super::command::Scope,
    },
    StillRunning {
        run: RunId,
    },
    /// It ended before it could be cancelled.
    AlreadyEnded {
        run: RunId,
        state: RunState,
    },
    /// The same click or request came before.
    AlreadyAsked {
        what: String,
    },
    /// The attempt left no such file behind.
    NothingToDownload {
        run: RunId,
    },
    /// The job left the catalog.
    UnknownJob {
        job: JobName,
    },
    UnknownRequest {
        request: RequestId,
        nearest: Option<String>,
    },
    /// A vote that was not counted.
    VoteRefused {
        request: RequestId,
        refusal: Refusal,
    },
    /// The very same is waiting for approval.
    AlreadyRequested {
        request: RequestId,
    },
    /// Too few people could approve: nothing was asked for.
    NoQuorum {
        need: u32,
        /// Who could, by name.
        can: Vec<String>,
        /// Who has the role and cannot, with the reason.
        cannot: Vec<(String, String)>,
        /// Whether somebody may break the glass instead.
        roles: Vec<super::actor::Role>,
    },
    UnknownRegion {
        region: RegionName,
        known: Vec<RegionName>,
    },
    /// There is only one region.
    OneRegion,
    AlreadyActive {
        region: RegionName,
    },
    /// A move is under way.
    MoveUnderWay {
        request: RequestId,
    },
    /// The region to go back to has not caught up.
    NotCaughtUp {
        region: RegionName,
        replication: Replication,
    },
    /// The active region does not answer.
    RegionUnreachable {
        region: RegionName,
    },
    /// Ours to mend: the command was given up after many tries and lies with the dead letters.
    GivenUp {
        request: String,
    },
    /// The request was not taken: storage did not answer.
    NotTaken,
    /// The form could not be opened in time.
    FormExpired {
        action: Option<Action>,
    },
}

impl Problem {
    /// A stable word for audit, metrics and support.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPermitted { decision, .. } => decision.code(),
            Self::OtherCommand { .. } => "other-command",
            Self::Usage { .. } => "usage",
            Self::UnknownRun { .. } => "unknown-run",
            Self::UnknownFile { .. } => "unknown-file",
            Self::NoInput { .. } => "no-input",
            Self::InputBusy { .. } => "input-busy",
            Self::SameValues { .. } => "same-values",
            Self::ValuesUnfit { .. } => "values-unfit",
            Self::AlreadyFinished { .. } => "already-finished",
            Self::NothingToRedo { .. } => "nothing-to-redo",
            Self::ScopeIsEmpty { .. } => "scope-is-empty",
            Self::StillRunning { .. } => "still-running",
            Self::AlreadyEnded { .. } => "already-ended",
            Self::AlreadyAsked { .. } => "already-asked",
            Self::NothingToDownload { .. } => "nothing-to-download",
            Self::UnknownJob { .. } => "unknown-job",
            Self::UnknownRequest { .. } => "unknown-request",
            Self::VoteRefused { refusal, .. } => refusal.code(),
            Self::AlreadyRequested { .. } => "already-requested",
            Self::NoQuorum { .. } => "no-quorum",
            Self::UnknownRegion { .. } => "unknown-region",
            Self::OneRegion => "one-region",
            Self::AlreadyActive { .. } => "already-active",
            Self::MoveUnderWay { .. } => "move-under-way",
            Self::NotCaughtUp { .. } => "not-caught-up",
            Self::RegionUnreachable { .. } => "region-unreachable",
            Self::GivenUp { .. } => "given-up",
            Self::NotTaken => "not-taken",
            Self::FormExpired { .. } => "form-expired",
        }
    }

    /// Refusals are private: nobody is shown up before the channel.
    pub fn audience(&self) -> Audience {
        Audience::Asker
    }

    /// Whether the same request may work later without anything else being changed.
    pub fn worth_retrying(&self) -> bool {
        matches!(
            self,
            Self::InputBusy { .. }
                | Self::SameValues { .. }
                | Self::StillRunning { .. }
                | Self::NotTaken
                | Self::FormExpired { .. }
                | Self::MoveUnderWay { .. }
                | Self::NotCaughtUp { .. }
                | Self::RegionUnreachable { .. }
        )
    }
}
