//! A workflow that waits for people: its question, and the answer that goes back to it.

mod body;

pub use body::BadTask;

use super::id::{BadId, ChannelId, EnvelopeId, JobName, RegionName, RequestId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// What a waiting workflow is answered by. Whoever has it can answer: it is kept in records only, and never shown or logged.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskToken(String);

/// A workflow has stopped at a question and waits for its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskWaiting {
    pub token: TaskToken,
    /// Who asks: the job that started it, or another name that people know the workflow by.
    pub workflow: JobName,
    /// Where the workflow runs: only there the token is good for anything. `None`: in the active region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionName>,
    /// Where it is asked.
    pub channel: ChannelId,
    pub question: String,
    /// What there is to know before deciding, in order.
    #[serde(default)]
    pub details: Vec<Detail>,
    /// When the workflow stops waiting; `None`: it does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The workflow gives up when it has not heard a heartbeat for so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heartbeat: Option<SignedDuration>,
}

/// One thing to know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    pub name: String,
    pub value: String,
}

/// What a waiting workflow is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskAnswer {
    pub token: TaskToken,
    pub outcome: TaskOutcome,
}

/// How the question was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TaskOutcome {
    /// The workflow goes on with `output`.
    Success { output: serde_json::Value },
    /// The workflow's step fails; it can be caught by `error` (a word such as `Denied`). `cause` is for people.
    Failure { error: &'static str, cause: String },
}

/// How the answer to a workflow arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "told")]
pub enum Told {
    Answered,
    /// An earlier try may have answered: its receipt was lost, and now nobody waits any more.
    Unconfirmed,
    /// The workflow had ended before: the decision has no effect.
    TooLate,
    /// It could not be told, for good.
    Failed {
        why: String,
    },
}

/// The token of a question and whose it is: a record of its own, because a request is shown and told in many places. `version` goes up
/// by one at each write (compare and set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingTask {
    /// The request that decides it.
    pub request: RequestId,
    /// `None`: it was answered.
    pub token: Option<TaskToken>,
    pub region: Option<RegionName>,
    pub asked_at: Timestamp,
    /// Whether people were shown it.
    pub shown: bool,
    pub version: u64,
}

impl TaskToken {
    /// Longest token that is taken, in characters: that of Step Functions.
    pub const LONGEST: usize = 2048;

    /// `None`: it is empty, too long, or holds more than one word.
    pub fn parse(text: impl Into<String>) -> Option<Self> {
        let text = text.into();
        let valid = (1..=Self::LONGEST).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic());
        valid.then_some(Self(text))
    }

    /// For the engine only.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What names the question: the same token is the same question. The token cannot be told from it.
    pub fn key(&self) -> Result<EnvelopeId, BadId> {
        EnvelopeId::parse(format!("task:{}", hex::encode(&Sha256::digest(self.0.as_bytes())[..20])))
    }
}

impl fmt::Debug for TaskToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TaskToken(…)")
    }
}
