//! What a waiting workflow is told once its question is decided.

use super::{Decision, Request, RequestState, Verdict, Void};
use crate::domain::task::TaskOutcome;
use serde_json::json;

impl Request {
    /// The answer to the workflow that asked; `None`: it is not decided.
    /// The words `Denied`, `Expired` and `Refused` are what a workflow catches.
    pub fn outcome(&self) -> Option<TaskOutcome> {
        let failure = |error, cause| Some(TaskOutcome::Failure { error, cause });
        match self.state {
            RequestState::Open => None,
            RequestState::Approved | RequestState::Done => Some(TaskOutcome::Success { output: self.approval() }),
            RequestState::Denied => failure("Denied", self.denial()),
            RequestState::Expired => {
                let need = self.rule.quorum;
                let cause = format!("request {} expired with {} of {need} approvals", self.id, self.counted(&[]));
                failure("Expired", cause)
            }
            RequestState::Void => {
                let why = match &self.void {
                    Some(Void::Changed { what }) => what.as_str(),
                    Some(Void::Drifted { .. }) | None => "it does not hold any more",
                };
                failure("Refused", format!("request {} was not put to anybody: {why}", self.id))
            }
        }
    }

    fn approval(&self) -> serde_json::Value {
        let by: Vec<_> =
            self.approvals().map(|d| json!({"id": d.by.user, "team": d.by.team, "name": d.by.name})).collect();
        let reason = self.approvals().filter_map(|d| d.reason.as_deref()).last();
        json!({"approved": true, "by": by, "reason": reason, "request": self.id, "digest": self.digest})
    }

    fn denial(&self) -> String {
        let last: Option<&Decision> = self.decisions.iter().rfind(|d| d.verdict == Verdict::Deny);
        let who = last.map_or_else(|| "somebody".to_owned(), |d| format!("{} ({})", d.by.name, d.by.user));
        let why = last.and_then(|d| d.reason.as_deref()).unwrap_or("no reason given");
        format!("{who} denied request {}: {why}", self.id)
    }
}
