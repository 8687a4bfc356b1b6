//! The ports on AWS, by the names of the configuration.

use super::Records;
use crate::aws::{
    BusNames, DynamoDirectory, DynamoStore, EventBus, ManagedSecrets, S3Files, S3Job, SsmSettings, connect,
};
use crate::config::{AwsNames, Config, JobConfig};
use crate::embedded::SystemClock;
use crate::ports::{Bus, Clock, Credentials, Directory, Files, Settings, Store};
use anyhow::Context;
use std::sync::Arc;

/// Everything but the engine.
pub(super) struct Ports {
    pub(super) store: Arc<dyn Store>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) settings: Arc<dyn Settings>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) files: Arc<dyn Files>,
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
    }
}

fn job(job: &JobConfig) -> S3Job {
    let pattern = job.pattern.clone();
    S3Job { name: job.name.clone(), takes: Arc::new(move |name| pattern.matches(name)) }
}

pub(super) async fn open_store(names: &AwsNames) -> anyhow::Result<Records> {
    let ports = ports(names, &[], Arc::new(SystemClock)).await;
    Ok((ports.store, ports.bus))
}

/// Asks for each thing once. One line for each that was found to be right; the error says what is not.
pub(super) async fn probe(config: &Config, names: &AwsNames) -> anyhow::Result<Vec<String>> {
    let ports = ports(names, &config.jobs, Arc::new(SystemClock)).await;
    ports.store.ping().await.with_context(|| format!("table {}", names.table))?;
    let waiting = ports.bus.depth().await.with_context(|| format!("queue {}", names.queue_url))?;
    let channels =
        ports.settings.channels().await.with_context(|| format!("parameter {}", names.channels_parameter))?;
    ports.credentials.signing().await.with_context(|| format!("secret {}", names.slack_access))?;
    let nobody = (crate::domain::id::TeamId::parse("T0NOBODY")?, crate::domain::id::UserId::parse("U0NOBODY")?);
    ports.directory.find(&nobody.0, &nobody.1).await.with_context(|| format!("table {}", names.people_table))?;
    for job in &config.jobs {
        ports.files.inputs(&job.name).await.with_context(|| format!("bucket {}", names.here().bucket))?;
    }
    Ok(vec![
        format!("table {} can be written, {waiting} commands wait", names.table),
        format!("{} channels are permitted by {}", channels.len(), names.channels_parameter),
        format!(
            "the secrets of {} can be read, and so can {} and {}",
            names.slack_access,
            names.people_table,
            names.here().bucket
        ),
    ])
}
