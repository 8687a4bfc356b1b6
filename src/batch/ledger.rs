//! What an engine keeps of each attempt besides its rows: what was asked for, and how it ended. Both are written once and never
//! changed, with the same text on every backend.
use super::reason::{Reason, Tally};
use super::run::{Outcome, Scope, Summary};
use crate::domain::command;
use crate::domain::id::{JobName, RegionName};
use crate::domain::run::{AttemptKey, Input, Progress, ReasonCount};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The name of the request; where it stands, the attempt exists.
pub const REQUEST: &str = "request.json";
/// The name of the end. Written last: what it says holds for everything else there.
pub const ENDED: &str = "ended.json";

/// What was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub job: JobName,
    pub input: Input,
    pub scope: command::Scope,
    /// Where it was begun, and in which epoch; `None` before there were regions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub state: End,
    pub progress: Progress,
    pub reasons: Vec<ReasonCount>,
    /// Why it failed, for people.
    pub failure: Option<String>,
}

/// The ways to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum End {
    Succeeded,
    Failed,
    Cancelled,
}

impl Ended {
    /// It has a summary.
    pub fn of(summary: &Summary, reached: &super::Progress) -> Self {
        let ended =
            |state, failure| Self { state, progress: progress(reached), reasons: counted(&summary.reasons), failure };
        match summary.outcome {
            Outcome::Succeeded => ended(End::Succeeded, None),
            Outcome::TooManyRejects => {
                let text = format!(
                    "{} % of the rows were rejected and the job tolerates {} %; the output is kept aside",
                    percent(summary.rejected_percent),
                    percent(summary.tolerated_percent),
                );
                ended(End::Failed, Some(text))
            }
        }
    }

    /// It was stopped.
    pub fn cancelled(reached: &super::Progress) -> Self {
        let (progress, reasons) = (progress(reached), counted(&reached.reasons));
        Self { state: End::Cancelled, progress, reasons, failure: None }
    }

    /// It cannot be done; `why` is for people.
    pub fn failed(why: String, reached: &super::Progress) -> Self {
        let (progress, reasons) = (progress(reached), counted(&reached.reasons));
        Self { state: End::Failed, progress, reasons, failure: Some(why) }
    }

    /// Whether its result may be handed out.
    pub fn has_succeeded(&self) -> bool {
        self.state == End::Succeeded
    }
}

/// The counters in the domain's words.
pub fn progress(reached: &super::Progress) -> Progress {
    let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
    Progress {
        rows: reached.rows(),
        accepted: reached.accepted,
        rejected: reached.rejected,
        bytes: reached.bytes,
        bytes_total: reached.bytes_total,
        chunks: small(reached.chunks),
        chunks_total: small(reached.chunks_total),
    }
}

/// Rejects by reason, the most frequent first.
pub fn counted(reasons: &Tally) -> Vec<ReasonCount> {
    let count = |(reason, count): (Reason, u64)| ReasonCount { reason: reason.code().to_owned(), count };
    reasons.ranked().into_iter().map(count).collect()
}

/// How much of the earlier attempts is done again.
pub fn scope(asked: command::Scope) -> Scope {
    match asked {
        command::Scope::Rows => Scope::Rows,
        command::Scope::Chunks => Scope::Chunks,
        command::Scope::All => Scope::All,
    }
}

/// The name under which people get a result: `sales.r-7k3f.csv`, `sales.r-7k3f.rejects.csv`.
pub fn result_name(key: &AttemptKey, request: &Request, rejects: bool) -> String {
    let name = Path::new(request.input.name.as_str());
    let stem = name.file_stem().and_then(|stem| stem.to_str()).unwrap_or("result");
    format!("{stem}.{}{}.csv", key.run, if rejects { ".rejects" } else { "" })
}

/// At most two digits behind the point.
fn percent(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
