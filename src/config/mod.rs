//! The configuration: `switchman.toml` as types, every mistake of it at once, and the secrets and switches of the environment.
//! The only place that reads the environment. No secret is ever read from the file.

mod approvals;
mod aws;
mod cases;
mod csv;
mod deployed;
mod environment;
mod failover;
mod hosted;
mod jobs;
mod leak;
mod lookup;
mod machines;
mod mistake;
mod people;
mod read;
mod regions;
mod rules;
mod section;
mod server;
pub mod starter;
mod values;
mod warnings;

pub use aws::{AwsNames, AwsRegion, Routing};
pub use cases::{PolicyCase, policy_cases};
pub use environment::{Environment, LogSettings, SLACK_API_URL, SlackAccess, Strings, seal_keys};
pub use hosted::{ConfigPlace, LambdaSettings, Role};
pub use jobs::JobConfig;
pub use machines::MachineConfig;
pub use mistake::{Mistake, Mistakes};
pub use people::Person;
pub use regions::Region;
pub use values::Pattern;

use crate::domain::actor::Listed;
use crate::domain::approval::Guarded;
use crate::domain::id::{ChannelId, JobName, RegionName, TeamId, UserId};
use crate::domain::job::{Catalog, Job, MoveSettings};
use crate::domain::policy::Policy;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The file's usual name.
pub const FILE_NAME: &str = "switchman.toml";

/// How much is read of the files that the configuration names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Depth {
    /// Schemas and column names. What lookups hold changes while the bot runs and is no reason not to start.
    Settings,
    /// Everything.
    Data,
}

/// A configuration without mistakes.
#[derive(Debug, Clone)]
pub struct Config {
    /// The file it was read from, absolute.
    pub file: PathBuf,
    pub server: Server,
    /// The slash command, with its slash.
    pub slash_command: String,
    pub backend: Backend,
    pub regions: Regions,
    /// Where the bot works.
    pub channels: Vec<ChannelId>,
    /// Who is on the list.
    pub people: Vec<Person>,
    /// The jobs on files.
    pub jobs: Vec<JobConfig>,
    /// The workflows.
    pub machines: Vec<MachineConfig>,
    /// All of both, in the order of the file.
    order: Vec<JobName>,
    pub policy: Policy,
    /// Whether the file has rules of its own.
    pub own_rules: bool,
    /// What needs approval; the first that covers something holds.
    pub approvals: Vec<Guarded>,
    /// What holds for every move to another region.
    pub moves: MoveSettings,
}

/// Where requests come in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    pub listen: SocketAddr,
    /// The address under which people and Slack reach `listen`, without a trailing slash; `None`: `http://` and `listen`.
    pub public_url: Option<String>,
}

/// What keeps the records and runs the batches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "a program has one")]
pub enum Backend {
    /// SQLite and the local engine, in this folder (absolute).
    Embedded { data: PathBuf },
    /// An AWS account. Only in a build with the feature `aws`.
    Aws(AwsNames),
}

impl Backend {
    /// The names of what was deployed.
    fn names_mut(&mut self) -> Option<&mut AwsNames> {
        match self {
            Self::Aws(names) => Some(names),
            Self::Embedded { .. } => None,
        }
    }
}

/// Where work can be done on this machine; the regions of AWS are among [`AwsNames`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Regions {
    /// In their order, the first is where work belongs when nothing is wrong. Empty: there is one place, without a name.
    pub all: Vec<Region>,
    /// How long a change waits before it is copied to the other regions.
    pub lag: Duration,
}

impl Config {
    /// Reads a file, and the schemas and column names of the files it names. All mistakes come at once.
    pub fn load(file: &Path) -> Result<Self, Mistakes> {
        read::load(file, Depth::Settings)
    }

    /// The same, and every line of the lookups too.
    pub fn load_with_data(file: &Path) -> Result<Self, Mistakes> {
        read::load(file, Depth::Data)
    }

    /// What the bot can run.
    pub fn catalog(&self) -> Catalog {
        let files = self.jobs.iter().map(|job| Job {
            name: job.name.clone(),
            summary: job.summary.clone(),
            definition: job.definition(),
            arrival: job.arrival.clone(),
            workflow: None,
        });
        let machines = self.machines.iter().map(|job| Job {
            name: job.name.clone(),
            summary: job.summary.clone(),
            definition: job.definition(),
            arrival: None,
            workflow: Some(job.inputs.clone()),
        });
        let mut jobs: Vec<Job> = files.chain(machines).collect();
        jobs.sort_by_key(|job| self.order.iter().position(|name| *name == job.name));
        Catalog::new(jobs).guarded_by(self.approvals.clone()).with_moves(self.moves)
    }

    /// The names of all jobs, in the order of the file.
    pub fn job_names(&self) -> &[JobName] {
        &self.order
    }

    pub fn job(&self, name: &JobName) -> Option<&JobConfig> {
        self.jobs.iter().find(|job| &job.name == name)
    }

    /// What the list says about somebody.
    pub fn listed(&self, team: &TeamId, user: &UserId) -> Option<Listed> {
        let person = self.people.iter().find(|p| &p.team == team && &p.user == user)?;
        Some(Listed { name: person.name.clone(), roles: person.roles.clone() })
    }

    /// Everybody on the list, as a directory takes them.
    pub fn listing(&self) -> impl Iterator<Item = (TeamId, UserId, Listed)> {
        self.people.iter().map(|person| {
            let listed = Listed { name: person.name.clone(), roles: person.roles.clone() };
            (person.team.clone(), person.user.clone(), listed)
        })
    }

    /// The names of the regions, in their order; none where there is one place without a name.
    pub fn region_names(&self) -> Vec<&RegionName> {
        match &self.backend {
            Backend::Embedded { .. } => self.regions.all.iter().map(|region| &region.name).collect(),
            Backend::Aws(names) => names.regions.iter().map(|region| &region.name).collect(),
        }
    }

    /// Where links in messages lead, without a trailing slash.
    pub fn public_url(&self) -> String {
        self.server.public_url.clone().unwrap_or_else(|| format!("http://{}", self.server.listen))
    }

    /// What is permitted but risky or pointless, one text each.
    pub fn warnings(&self) -> Vec<String> {
        warnings::of(self)
    }
}

#[cfg(test)]
mod tests;
