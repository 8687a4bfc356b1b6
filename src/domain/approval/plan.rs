//! The plan of a request: what exactly will happen. Approvers decide about its digest.

use crate::domain::command::{Action, Command, Scope};
use crate::domain::failover::FailOverPlan;
use crate::domain::grammar;
use crate::domain::id::{BadId, EnvelopeId, JobName, RegionName, RunId};
use crate::domain::parameter::Parameters;
use crate::domain::run::{AttemptKey, Input};
use crate::domain::task::{Detail, TaskWaiting};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// What will happen once a request is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan")]
pub enum Plan {
    Command(CommandPlan),
    FailOver(Box<FailOverPlan>),
    /// A waiting workflow goes on, or does not.
    Task(Box<TaskPlan>),
}

/// The question of a workflow, exactly as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskPlan {
    pub workflow: JobName,
    pub question: String,
    pub details: Vec<Detail>,
    /// Where it waits; `None`: in the active region.
    pub region: Option<RegionName>,
    /// When it stops waiting, if it says.
    pub expires_at: Option<Timestamp>,
    /// It gives up when it hears nothing for so long.
    pub heartbeat: Option<SignedDuration>,
    /// Names this very question: the same words asked again are another one.
    pub task: EnvelopeId,
}

/// A command on a job, with everything that its effect depends on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandPlan {
    pub action: Action,
    pub job: JobName,
    /// Changes when the job's definition or schema changes.
    pub definition: String,
    /// The input as it was when the plan was made.
    pub input: Input,
    /// The attempt that is done again or cancelled; `None` for a start.
    pub attempt: Option<AttemptKey>,
    pub scope: Option<Scope>,
}

/// SHA-256 over a plan, in hex. People see the first eight characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(String);

impl Plan {
    /// The digest that approvals are bound to: the same plan always has the same one.
    pub fn digest(&self) -> Digest {
        let json = serde_json::to_vec(self).expect("a plan is plain data");
        Digest(hex::encode(Sha256::digest(json)))
    }

    /// The job or workflow it concerns, where it concerns one.
    pub fn job(&self) -> Option<&JobName> {
        match self {
            Self::Command(plan) => Some(&plan.job),
            Self::Task(plan) => Some(&plan.workflow),
            Self::FailOver(_) => None,
        }
    }

    /// The word that approvers must type, so that nobody approves it by habit.
    pub fn confirmation(&self) -> Option<&str> {
        match self {
            Self::Command(_) | Self::Task(_) => None,
            Self::FailOver(plan) => Some(plan.to.as_str()),
        }
    }

    /// The command that asks for it again; `None`: no person can.
    pub fn command(&self) -> Option<Command> {
        match self {
            Self::Command(plan) => Some(plan.command()),
            Self::FailOver(plan) => Some(plan.command()),
            Self::Task(_) => None,
        }
    }

    /// It in one line: the command, or whose question is answered.
    pub fn line(&self) -> String {
        match self {
            Self::Command(plan) => grammar::render(&plan.command()),
            Self::FailOver(plan) => grammar::render(&plan.command()),
            Self::Task(plan) => format!("answer workflow {}: {}", plan.workflow, plan.question),
        }
    }
}

/// The longest and the usual share of what is left of a workflow's patience that is kept back, so that its answer is there in time.
const KEPT_BACK: SignedDuration = SignedDuration::from_mins(1);
const KEPT_BACK_SHARE: i32 = 10;

impl TaskPlan {
    pub fn of(task: &TaskWaiting, named: EnvelopeId) -> Self {
        let TaskWaiting { workflow, region, question, details, expires_at, heartbeat, .. } = task.clone();
        Self { workflow, question, details, region, expires_at, heartbeat, task: named }
    }

    /// Until when it can be decided, having been asked at `asked_at`: a little before the workflow stops waiting.
    pub fn last_moment(&self, asked_at: Timestamp) -> Option<Timestamp> {
        let expires_at = self.expires_at?;
        let patience = expires_at.duration_since(asked_at).max(SignedDuration::ZERO);
        Some(expires_at - (patience / KEPT_BACK_SHARE).min(KEPT_BACK))
    }

    /// How often it is told that people are still at it: twice as often as it needs.
    pub fn beat_every(&self) -> Option<SignedDuration> {
        self.heartbeat.map(|heartbeat| heartbeat / 2)
    }
}

impl CommandPlan {
    fn command(&self) -> Command {
        let run = || self.attempt.as_ref().map(|key| key.run.clone());
        match (self.action, run()) {
            (Action::ReprocessBatch, run) => Command::ReprocessBatch { run, scope: self.scope },
            (Action::CancelBatch, Some(run)) => Command::CancelBatch { run },
            _ => {
                let values = self.input.parameters.as_ref().map(Parameters::given);
                let file = values.is_none().then(|| self.input.name.clone());
                Command::StartBatch { job: self.job.clone(), file, values: values.unwrap_or_default() }
            }
        }
    }

    /// The run it goes on with.
    pub fn run(&self) -> Option<&RunId> {
        self.attempt.as_ref().map(|key| &key.run)
    }
}

impl Digest {
    /// Reads what `Display` wrote.
    pub fn parse(text: impl Into<String>) -> Result<Self, BadId> {
        let text = text.into();
        let valid = text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        if valid { Ok(Self(text)) } else { Err(BadId { kind: "a digest", rule: "64 hex digits" }) }
    }

    /// What people compare.
    pub fn short(&self) -> &str {
        &self.0[..8]
    }
}

impl TryFrom<String> for Digest {
    type Error = BadId;
    fn try_from(text: String) -> Result<Self, BadId> {
        Self::parse(text)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> Self {
        digest.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
