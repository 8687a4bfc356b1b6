//! The catalog: what may be run.

use super::approval::{ApprovalRule, Guarded};
use super::command::Action;
use super::failover::{Targets, Tolerance};
use super::id::{ChannelId, JobName};
use super::parameter::Inputs;
use jiff::SignedDuration;

/// An entry of the catalog. How its rows are processed is the engine's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub name: JobName,
    /// One line for menus and forms.
    pub summary: String,
    /// Changes when its definition or schema changes: approvals are bound to it.
    pub definition: String,
    /// Where the runs are reported that start because a file arrived; `None`: a file that arrives starts nothing.
    pub arrival: Option<ChannelId>,
    /// What it takes, where it is a workflow; `None`: it takes files.
    pub workflow: Option<Inputs>,
}

/// All jobs, in the order of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    jobs: Vec<Job>,
    names: Vec<JobName>,
    guarded: Vec<Guarded>,
    moves: MoveSettings,
}

/// What holds for every move to another region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MoveSettings {
    pub targets: Targets,
    pub tolerance: Tolerance,
}

impl Default for MoveSettings {
    /// A quarter of an hour to recover, a minute of data: what the systems before us could at best.
    fn default() -> Self {
        Self {
            targets: Targets { recovery_time: SignedDuration::from_mins(15), data_loss: SignedDuration::from_mins(1) },
            tolerance: Tolerance { more_unfinished: 5, more_lag: SignedDuration::from_mins(1) },
        }
    }
}

impl Catalog {
    pub fn new(jobs: Vec<Job>) -> Self {
        let names = jobs.iter().map(|j| j.name.clone()).collect();
        Self { jobs, names, ..Self::default() }
    }

    /// The same with what needs approval; the first rule that covers something holds.
    #[must_use]
    pub fn guarded_by(mut self, guarded: Vec<Guarded>) -> Self {
        self.guarded = guarded;
        self
    }

    #[must_use]
    pub fn with_moves(mut self, moves: MoveSettings) -> Self {
        self.moves = moves;
        self
    }

    pub fn moves(&self) -> MoveSettings {
        self.moves
    }

    /// How this action on this job is approved; `None`: it needs no approval. A move to another region always does.
    pub fn approval(&self, action: Action, job: Option<&JobName>) -> Option<ApprovalRule> {
        let named = self.guarded.iter().find(|g| g.covers(action, job)).map(|g| g.rule.clone());
        let always = matches!(action, Action::FailOver | Action::FailBack);
        named.or_else(|| always.then(ApprovalRule::for_regions))
    }

    /// How the question of a waiting workflow is decided. The workflow need not be a job of the catalog.
    pub fn workflow_approval(&self, workflow: &JobName) -> ApprovalRule {
        let named = self.guarded.iter().find(|g| g.covers_workflow(workflow)).map(|g| g.rule.clone());
        named.unwrap_or_else(ApprovalRule::for_workflows)
    }

    pub fn get(&self, name: &JobName) -> Option<&Job> {
        self.jobs.iter().find(|j| &j.name == name)
    }

    /// What a workflow takes; `None`: it is none, or unknown.
    pub fn workflow(&self, name: &JobName) -> Option<&Inputs> {
        self.get(name).and_then(|job| job.workflow.as_ref())
    }

    /// The jobs that take files.
    pub fn with_files(&self) -> impl Iterator<Item = &JobName> {
        self.jobs.iter().filter(|job| job.workflow.is_none()).map(|job| &job.name)
    }

    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    pub fn names(&self) -> &[JobName] {
        &self.names
    }
}
