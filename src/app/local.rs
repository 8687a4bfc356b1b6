//! What an embedded bot is made of on this machine: its regions and their news.

use super::parts::{Beside, Parts};
use super::{App, Setting};
use crate::config::{Backend, Config, JobConfig, SlackAccess};
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{LocalJob, LocalJobs, News};
use crate::embedded::regions::{LocalRegions, ONLY_REGION, Place, RegionSetup};
use crate::embedded::{Alone, Arrivals, GivenCredentials, Links, Lists, Sqlite, links, sqlite};
use crate::ports::{Bus, Clock, Credentials};
use crate::processor::Ctx;
use crate::workers::Tempo;
use anyhow::{Context, anyhow};
use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusHandle;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// Batches that run side by side in a region; each uses all its job's workers already.
const AT_ONCE: usize = 2;

/// The jobs with their folders, region by region.
type Folders = Vec<(RegionName, Arc<LocalJobs>)>;

/// What an embedded bot has besides its ports.
pub struct Local {
    regions: Arc<LocalRegions>,
    arrivals: Arc<Arrivals>,
}

#[async_trait]
impl Beside for Local {
    async fn work(&self, stop: watch::Receiver<bool>) {
        let looking = tokio::spawn(self.arrivals.clone().watch(stop.clone()));
        let copies = tokio::spawn(LocalRegions::clone(&self.regions).keep_up(stop));
        for (what, task) in [("the look for new files", looking), ("copying to the other regions", copies)] {
            if let Err(error) = task.await {
                tracing::error!(%error, "{what} ended unexpectedly");
            }
        }
    }

    async fn settle(&self) {
        self.regions.break_off().await;
    }
}

impl App<Local> {
    /// Opens the records and connects everything. `public_url` is where people reach the bot, for links.
    pub fn build(
        config: &Config,
        access: &SlackAccess,
        public_url: &str,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        Self::build_with(config, access, public_url, clock, metrics, |ports| ports)
    }

    /// The same with other ports in between: `wrap` gets what the configuration asks for, and what it gives is used by everything
    /// that takes and handles requests. For whoever wants to watch, count or disturb them.
    pub fn build_with(
        config: &Config,
        access: &SlackAccess,
        public_url: &str,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
        wrap: impl FnOnce(Ctx) -> Ctx,
    ) -> anyhow::Result<Self> {
        let data = data(config)?;
        let record = Arc::new(Sqlite::open_for_bot(&data.join(sqlite::FILE_NAME), clock.clone())?);
        let links = Links::open(data, public_url)?;
        let lists = Arc::new(Lists::new(config.listing(), config.channels.clone()));
        let (regions, folders) = regions(config, links.clone(), record.clone(), clock.clone())?;
        let regions = Arc::new(regions);
        let parts = Parts {
            store: record.clone(),
            bus: record,
            regions: regions.clone(),
            directory: lists.clone(),
            settings: lists,
            credentials: credentials(access),
            secrets: super::secrets(config, access.seal_keys.clone()),
            lead: Arc::new(Alone),
            clock: clock.clone(),
            tempo: Tempo::NEAR,
            router: links::router(links, regions.clone(), clock),
        };
        Self::assemble(Setting { config, access, metrics, drains: true }, parts, wrap, |ctx| {
            let (store, bus) = (ctx.store.clone(), ctx.bus.clone());
            let arrivals = Arrivals::new(folders, ctx.regions.clone(), store, bus, ctx.clock.clone());
            Local { regions, arrivals: Arc::new(arrivals) }
        })
    }

    /// What looks for new files; scenario tests have it look by hand.
    pub fn arrivals(&self) -> &Arc<Arrivals> {
        &self.backend.arrivals
    }

    /// The regions as they are on this machine: steps replication by hand, and has switches for bad days.
    pub fn regions(&self) -> &Arc<LocalRegions> {
        &self.backend.regions
    }
}

/// The credentials of the environment.
pub(super) fn credentials(access: &SlackAccess) -> Arc<dyn Credentials> {
    Arc::new(GivenCredentials::new(&access.signing_secrets, access.bot_token.clone()))
}

/// The folder of the embedded backend.
fn data(config: &Config) -> anyhow::Result<&Path> {
    match &config.backend {
        Backend::Embedded { data } => Ok(data),
        Backend::Aws(_) => Err(anyhow!("backend.kind: only a bot with the embedded backend runs here")),
    }
}

/// The first region has the folders of the jobs and of the backend; each other one has a folder of its own.
fn regions(
    config: &Config,
    links: Links,
    record: Arc<Sqlite>,
    clock: Arc<dyn Clock>,
) -> anyhow::Result<(LocalRegions, Folders)> {
    let data = data(config)?;
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
