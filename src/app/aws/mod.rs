//! The ports on AWS, by the names of the configuration.

mod one_region;
mod probe;
mod unleased;

pub(super) use probe::probe;

use super::parts::{Beside, Parts};
use super::{App, Records, Setting};
pub(super) use crate::aws::ConfigFolder;
use crate::aws::batch::PublishLease;
use crate::aws::{
    BusNames, DynamoDirectory, DynamoStore, EngineJob, EngineSite, EventBus, ManagedSecrets, RunsOn, S3Files, S3Job,
    SdkConfig, SignalNames, Signals, SsmSettings, StepFunctionsEngine, Wakes, connect, connect_here,
};
use crate::config::{AwsNames, Config, JobConfig};
use crate::embedded::{Alone, SystemClock};
use crate::ports::{Clock, Credentials, Directory, Files, Lead, Regions, Settings, Site, Store};
use crate::workers::Tempo;
use anyhow::Context;
use async_trait::async_trait;
use one_region::OneRegion;
use std::sync::Arc;
use tokio::sync::watch;

/// Chunks of a run that are worked on at the same time.
const CHUNKS_AT_ONCE: u32 = 16;

/// The ports, before a bot is made of them.
pub(super) struct Ports {
    pub(super) config: SdkConfig,
    pub(super) store: Arc<dyn Store>,
    /// Typed, because functions hand it messages that AWS has taken already.
    pub(super) bus: Arc<EventBus>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) settings: Arc<dyn Settings>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) files: Arc<dyn Files>,
    pub(super) lead: Arc<dyn Lead>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Nothing is asked of AWS before a port is used.
pub(super) async fn ports(names: &AwsNames, jobs: &[JobConfig], clock: Arc<dyn Clock>) -> Ports {
    let config = connect(&names.region).await;
    let bus = BusNames {
        table: names.table.clone(),
        bus: names.event_bus.clone(),
        queue_url: names.queue_url.clone(),
        dead_letter_url: names.dead_letter_url.clone(),
    };
    Ports {
        store: Arc::new(DynamoStore::new(&config, &names.table, clock.clone())),
        bus: Arc::new(EventBus::new(&config, &bus, clock.clone())),
        directory: Arc::new(DynamoDirectory::new(&config, &names.people_table, &clock)),
        settings: Arc::new(SsmSettings::new(&config, &names.channels_parameter, clock.clone())),
        credentials: Arc::new(ManagedSecrets::new(&config, &names.slack_access, clock.clone())),
        files: Arc::new(S3Files::new(&config, &names.here().bucket, jobs.iter().map(job).collect(), &clock)),
        lead: Arc::new(Alone),
        clock,
        config,
    }
}

fn job(job: &JobConfig) -> S3Job {
    let pattern = job.pattern.clone();
    S3Job { name: job.name.clone(), takes: Arc::new(move |name| pattern.matches(name)) }
}

/// What a bot on AWS has besides its ports.
pub(super) struct Aws {
    pub(super) bus: Arc<EventBus>,
    pub(super) signals: Signals,
    pub(super) wakes: Wakes,
}

#[async_trait]
impl Beside for Aws {
    async fn work(&self, stop: watch::Receiver<bool>) {
        self.signals.run(stop).await;
    }

    async fn settle(&self) {}
}

/// Connects everything. Nothing is asked of AWS before something comes in.
pub(super) async fn build(names: &AwsNames, setting: Setting<'_>) -> anyhow::Result<App<Aws>> {
    let ports = ports(names, &setting.config.jobs, Arc::new(SystemClock)).await;
    let wakes = Wakes::new(&ports.config, &names.table, &names.signals_url, ports.clock.clone());
    let signals = signals(names, setting.config, &ports);
    let aws = Aws { bus: ports.bus.clone(), signals, wakes };
    let parts = Parts {
        regions: regions(names, setting.config, &ports)?,
        store: ports.store,
        bus: ports.bus,
        directory: ports.directory,
        settings: ports.settings,
        credentials: ports.credentials,
        secrets: super::secrets(setting.config, setting.access.seal_keys.clone()),
        lead: ports.lead,
        clock: ports.clock,
        tempo: Tempo::FAR,
        router: axum::Router::new(),
    };
    App::assemble(setting, parts, |ctx| ctx, |_| aws)
}

/// The engine and the files of this bot's region.
fn regions(names: &AwsNames, config: &Config, ports: &Ports) -> anyhow::Result<Arc<dyn Regions>> {
    let here = names.here();
    let site = EngineSite {
        region: here.name.clone(),
        bucket: here.bucket.clone(),
        state_machine: here.state_machine.clone(),
        sandbox: None,
    };
    let jobs = config.jobs.iter().map(engine_job).collect();
    let engine = StepFunctionsEngine::new(&ports.config, site, jobs, &ports.clock)?;
    let site = Site { region: here.name.clone(), engine: Arc::new(engine), files: ports.files.clone() };
    Ok(Arc::new(OneRegion::new(site)))
}

fn engine_job(job: &JobConfig) -> EngineJob {
    EngineJob { name: job.name.clone(), runs_on: RunsOn::Batch { concurrency: CHUNKS_AT_ONCE } }
}

fn signals(names: &AwsNames, config: &Config, ports: &Ports) -> Signals {
    let here = names.here();
    let names = SignalNames {
        region: here.name.clone(),
        queue_url: names.signals_url.clone(),
        // One place for everything that nobody could take: people look there.
        dead_letter_url: names.dead_letter_url.clone(),
        bucket: here.bucket.clone(),
        machines: vec![here.state_machine.clone()],
        on_arrival: config.jobs.iter().filter(|job| job.arrival.is_some()).map(|job| job.name.clone()).collect(),
    };
    Signals::new(&ports.config, names, ports.bus.clone(), ports.clock.clone())
}

/// Who gives leave to publish.
pub(super) fn publish_lease(_: &AwsNames, _: &SdkConfig, clock: &Arc<dyn Clock>) -> Arc<dyn PublishLease> {
    Arc::new(unleased::Unleased(clock.clone()))
}

/// The file of a configuration in a bucket, copied here with everything beside it.
pub(super) async fn fetch(bucket: &str, key: &str) -> anyhow::Result<ConfigFolder> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let folder = ConfigFolder::open(&connect_here().await, (bucket, key), &std::env::temp_dir(), &clock).await;
    folder.with_context(|| format!("s3://{bucket}/{key}"))
}

pub(super) async fn credentials(names: &AwsNames) -> anyhow::Result<Arc<dyn Credentials>> {
    Ok(ports(names, &[], Arc::new(SystemClock)).await.credentials)
}

pub(super) async fn open_store(names: &AwsNames) -> anyhow::Result<Records> {
    let ports = ports(names, &[], Arc::new(SystemClock)).await;
    Ok((ports.store, ports.bus))
}
