//! What an embedded bot is made of on this machine: its regions and their news.

use crate::config::{Config, JobConfig};
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{LocalJob, LocalJobs, News};
use crate::embedded::regions::{LocalRegions, ONLY_REGION, Place, RegionSetup};
use crate::embedded::{Links, Sqlite};
use crate::ports::{Bus, Clock};
use anyhow::Context;
use std::sync::Arc;

/// Batches that run side by side in a region; each uses all its job's workers already.
const AT_ONCE: usize = 2;

/// The jobs with their folders, region by region.
type Folders = Vec<(RegionName, Arc<LocalJobs>)>;

/// The first region has the folders of the jobs and of the backend; each other one has a folder of its own.
pub(super) fn regions(
    config: &Config,
    links: Links,
    record: Arc<Sqlite>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(LocalRegions, Folders)> {
    let data = super::embedded_data(config)?;
    let jobs = LocalJobs::new(config.jobs.iter().map(job).collect());
    let (first, others) = match config.regions.all.split_first() {
        Some((first, others)) => (first.name.clone(), others),
        None => (RegionName::parse(ONLY_REGION).context("the name of the one region")?, &[][..]),
    };
    let primary = Place { name: first, jobs: jobs.clone(), runs: data.join("runs"), data: data.to_owned() };
    let elsewhere = others.iter().map(|region| Place {
        name: region.name.clone(),
        jobs: jobs.moved_to(&region.data),
        runs: region.data.join("runs"),
        data: region.data.clone(),
    });
    let places: Vec<Place> = std::iter::once(primary).chain(elsewhere).collect();
    let folders = places.iter().map(|place| (place.name.clone(), Arc::new(place.jobs.clone()))).collect();
    let setup = RegionSetup {
        places,
        data: data.to_owned(),
        lag: config.regions.lag,
        at_once: AT_ONCE,
        links,
        news: news(record.clone(), clock.clone()),
    };
    Ok((LocalRegions::new(record, clock, setup), folders))
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
        on_arrival: job.arrival.is_some(),
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
