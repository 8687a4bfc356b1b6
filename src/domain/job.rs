//! The catalog: what may be run.

use super::id::{ChannelId, JobName};

/// An entry of the catalog. How its rows are processed is the engine's business.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    pub name: JobName,
    /// One line for menus and forms.
    pub summary: String,
    /// Where the runs are reported that start because a file arrived; `None`: a file that arrives starts nothing.
    pub arrival: Option<ChannelId>,
}

/// All jobs, in the order of the configuration.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    jobs: Vec<Job>,
    names: Vec<JobName>,
}

impl Catalog {
    pub fn new(jobs: Vec<Job>) -> Self {
        let names = jobs.iter().map(|j| j.name.clone()).collect();
        Self { jobs, names }
    }

    pub fn get(&self, name: &JobName) -> Option<&Job> {
        self.jobs.iter().find(|j| &j.name == name)
    }

    pub fn jobs(&self) -> &[Job] {
        &self.jobs
    }

    pub fn names(&self) -> &[JobName] {
        &self.names
    }
}
