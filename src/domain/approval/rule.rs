//! What needs approval, by whom and how.

use crate::domain::actor::Role;
use crate::domain::command::Action;
use crate::domain::id::JobName;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// How something is approved. An empty list of roles means nobody, never anybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApprovalRule {
    /// Who approves: people with one of these roles whom the policy allows it.
    pub roles: Vec<Role>,
    /// How many different people must approve; at least 1.
    pub quorum: u32,
    /// Whether whoever asked may be one of them.
    pub self_approval: bool,
    /// How long the request stays open, from the moment it is posted.
    pub expires: SignedDuration,
    /// Whether an approval needs a reason. A denial always does.
    pub reason: bool,
    /// Whether each vote needs a one-time code.
    pub step_up: bool,
    /// Who may, alone and for a reason, do it at once. Empty: nobody.
    pub break_glass: Vec<Role>,
}

/// A rule of the catalog and what it guards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guarded {
    pub actions: Vec<Action>,
    /// Whether it says how the questions of waiting workflows are decided.
    pub workflows: bool,
    /// Empty: every job. Fail-over and fail-back concern no job.
    pub jobs: Vec<JobName>,
    pub rule: ApprovalRule,
}

impl Guarded {
    /// Whether it guards this action on this job.
    pub fn covers(&self, action: Action, job: Option<&JobName>) -> bool {
        let job_fits = job.is_none_or(|job| self.jobs.is_empty() || self.jobs.contains(job));
        self.actions.contains(&action) && job_fits
    }

    /// Whether it says how a question of this workflow is decided.
    pub fn covers_workflow(&self, workflow: &JobName) -> bool {
        self.workflows && (self.jobs.is_empty() || self.jobs.contains(workflow))
    }
}

impl ApprovalRule {
    /// What guards fail-over and fail-back where the catalog names nothing: two approvers, a reason, half an hour.
    pub fn for_regions() -> Self {
        Self {
            roles: vec![Role::new("approver")],
            quorum: 2,
            self_approval: false,
            expires: SignedDuration::from_mins(30),
            reason: true,
            step_up: false,
            break_glass: Vec::new(),
        }
    }

    /// How the questions of workflows are decided where the catalog says nothing: by one approver, within a day.
    pub fn for_workflows() -> Self {
        Self { quorum: 1, expires: SignedDuration::from_hours(24), reason: false, ..Self::for_regions() }
    }
}
