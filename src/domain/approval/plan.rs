//! The plan of a request: what exactly will happen. Approvers decide about its digest.

use crate::domain::command::{Action, Command, Scope};
use crate::domain::failover::FailOverPlan;
use crate::domain::id::{BadId, JobName, RunId};
use crate::domain::run::{AttemptKey, Input};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// What will happen once a request is approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "plan")]
pub enum Plan {
    Command(CommandPlan),
    FailOver(Box<FailOverPlan>),
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

    /// The action that the plan carries out.
    pub fn action(&self) -> Action {
        match self {
            Self::Command(plan) => plan.action,
            Self::FailOver(plan) => plan.action(),
        }
    }

    /// The job it concerns, where it concerns one.
    pub fn job(&self) -> Option<&JobName> {
        match self {
            Self::Command(plan) => Some(&plan.job),
            Self::FailOver(_) => None,
        }
    }

    /// The word that approvers must type, so that nobody approves it by habit.
    pub fn confirmation(&self) -> Option<&str> {
        match self {
            Self::Command(_) => None,
            Self::FailOver(plan) => Some(plan.to.as_str()),
        }
    }

    /// The command that asks for it again.
    pub fn command(&self) -> Command {
        match self {
            Self::Command(plan) => plan.command(),
            Self::FailOver(plan) => plan.command(),
        }
    }
}

impl CommandPlan {
    fn command(&self) -> Command {
        let run = || self.attempt.as_ref().map(|key| key.run.clone());
        match (self.action, run()) {
            (Action::ReprocessBatch, run) => Command::ReprocessBatch { run, scope: self.scope },
            (Action::CancelBatch, Some(run)) => Command::CancelBatch { run },
            _ => Command::StartBatch { job: self.job.clone(), file: Some(self.input.name.clone()) },
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
