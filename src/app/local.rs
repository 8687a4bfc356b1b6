//! What an embedded bot is made of on this machine: its regions, their news, the key of its links.

use super::random;
use crate::config::{Backend, Config, JobConfig};
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{LocalJob, LocalJobs, News};
use crate::embedded::regions::{LocalRegions, ONLY_REGION, Place, RegionSetup};
use crate::embedded::{Links, Sqlite};
use crate::ports::{Bus, Clock};
use anyhow::Context;
use std::path::Path;
use std::sync::Arc;

/// Batches that run side by side in a region; each uses all its job's workers already.
const AT_ONCE: usize = 2;

/// The first region has the folders of the jobs and of the backend; each other one has a folder of its own.
pub(super) fn regions(
    config: &Config,
    links: Links,
    record: Arc<Sqlite>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<LocalRegions> {
    let Backend::Embedded { data } = &config.backend;
    let jobs = LocalJobs::new(config.jobs.iter().map(job).collect());
    let (first, others) = match config.regions.all.split_first() {
        Some((first, others)) => (first.name.clone(), others),
        None => (RegionName::parse(ONLY_REGION).context("the name of the one region")?, &[][..]),
    };
    let primary = Place { name: first, jobs: jobs.clone(), runs: data.join("runs"), data: data.clone() };
    let elsewhere = others.iter().map(|region| Place {
        name: region.name.clone(),
        jobs: jobs.moved_to(&region.data),
        runs: region.data.join("runs"),
        data: region.data.clone(),
    });
    let setup = RegionSetup {
        places: std::iter::once(primary).chain(elsewhere).collect(),
        data: data.clone(),
        lag: config.regions.lag,
        at_once: AT_ONCE,
        links,
        news: news(record.clone(), clock.clone()),
    };
    Ok(LocalRegions::new(record, clock, setup))
}

fn job(job: &JobConfig) -> LocalJob {
    let pattern = job.pattern.clone();
    LocalJob {
        name: job.name.clone(),
        spec: job.spec.clone(),
        folder: job.base.clone(),
        input: job.input.clone(),
        identity: job.input.clone(),
        takes: Arc::new(move |name| pattern.matches(name)),
        output: job.output.clone(),
    }
}

/// News of an execution goes onto the bus like everything else. A lost publish costs a second: the attempt's deadline comes anyway.
fn news(bus: Arc<dyn Bus>, clock: Arc<dyn Clock>) -> News {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |key: &AttemptKey| {
        let now = clock.now();
        let Ok(envelope) = Envelope::news(key.clone(), now) else {
            return;
        };
        let bus = bus.clone();
        runtime.spawn(async move {
            if let Err(error) = bus.publish(envelope).await {
                tracing::warn!(%error, "news of a run could not be published");
            }
        });
    })
}

/// The key of download links, made at the first start: links outlive a restart.
pub(super) fn link_key(data: &Path) -> anyhow::Result<[u8; 32]> {
    let path = data.join("links.key");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).with_context(|| {
            format!("{} is damaged; remove it to make a new one (links given out stop working)", path.display())
        })?;
        return Ok(key);
    }
    let key = random()?;
    write_private(&path, &hex::encode(key)).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
