//! The ports on AWS, by the names of the configuration.

mod engine_to_come;
mod probe;

pub(super) use probe::probe;

use super::parts::{Beside, Parts};
use super::{App, Records, Setting};
use crate::aws::{
    BusNames, ConfigFolder, DynamoDirectory, DynamoStore, EventBus, ManagedSecrets, S3Files, S3Job, SdkConfig,
    SsmSettings, Wakes, connect, connect_here,
};
use crate::config::{AwsNames, JobConfig};
use crate::domain::id::RegionName;
use crate::embedded::{Alone, SystemClock};
use crate::ports::{Clock, Credentials, Directory, Files, Lead, Regions, Settings, Store};
use crate::workers::Tempo;
use anyhow::Context;
use async_trait::async_trait;
use engine_to_come::OneRegion;
use std::sync::Arc;
use tokio::sync::watch;

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
pub struct Aws {
    pub(super) bus: Arc<EventBus>,
    pub(super) wakes: Wakes,
}

#[async_trait]
impl Beside for Aws {
    async fn work(&self, mut stop: watch::Receiver<bool>) {
        let _ = stop.wait_for(|stopping| *stopping).await;
    }

    async fn settle(&self) {}
}

/// Connects everything. Nothing is asked of AWS before something comes in.
pub(super) async fn build(names: &AwsNames, setting: Setting<'_>) -> anyhow::Result<App<Aws>> {
    let ports = ports(names, &setting.config.jobs, Arc::new(SystemClock)).await;
    let wakes = Wakes::new(&ports.config, &names.table, &names.signals_url, ports.clock.clone());
    let aws = Aws { bus: ports.bus.clone(), wakes };
    let parts = Parts {
        regions: regions(names, &ports)?,
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

fn regions(names: &AwsNames, ports: &Ports) -> anyhow::Result<Arc<dyn Regions>> {
    let name = RegionName::parse(&names.region).context("backend.region")?;
    Ok(Arc::new(OneRegion::new(name, ports.files.clone())))
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
