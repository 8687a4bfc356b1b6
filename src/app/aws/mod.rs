//! The ports on AWS, by the names of the configuration.

mod leading;
mod places;
mod probe;

pub(super) use crate::aws::ConfigFolder;
pub(super) use probe::probe;

use super::parts::{Beside, Parts};
use super::{App, Records, Setting};
use crate::aws::batch::PublishLease;
use crate::aws::regions::{ActiveRecord, Publishing};
use crate::aws::{
    BusNames, DynamoDirectory, DynamoRegions, DynamoStore, EventBus, ManagedSecrets, SdkConfig, SignalNames, Signals,
    SsmSettings, Wakes, connect, connect_here,
};
use crate::config::{AwsNames, Config};
use crate::embedded::{Alone, SystemClock};
use crate::ports::{Clock, Credentials, Directory, Lead, PortError, Secrets, Settings, Store};
use crate::workers::Tempo;
use anyhow::Context;
use async_trait::async_trait;
use jiff::SignedDuration;
use leading::Leading;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// A bot that stays renews its lead so often, and holds it for so long: after a loss another region waits for as long.
const RENEW: Duration = Duration::from_secs(10);
const HELD_BY_ONE_THAT_STAYS: SignedDuration = SignedDuration::from_secs(30);
/// Functions renew it at each tick, which comes every minute.
const HELD_BY_FUNCTIONS: SignedDuration = SignedDuration::from_secs(150);
/// So many renewals are one heartbeat, by which replication is measured.
const RENEWALS_PER_BEAT: u32 = 6;

/// The ports, before a bot is made of them.
pub(super) struct Ports {
    pub(super) config: SdkConfig,
    pub(super) store: Arc<dyn Store>,
    /// Typed, because functions hand it messages that AWS has taken already.
    pub(super) bus: Arc<EventBus>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) settings: Arc<dyn Settings>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) clock: Arc<dyn Clock>,
}

/// Nothing is asked of AWS before a port is used.
pub(super) async fn ports(names: &AwsNames, clock: Arc<dyn Clock>) -> Ports {
    let config = connect(&names.region).await;
    let bus = BusNames {
        table: names.table.clone(),
        bus: names.event_bus.clone(),
        queue_url: names.queue_url.clone(),
        dead_letter_url: names.dead_letter_url.clone(),
    };
    let managed = ManagedSecrets::new(&config, &names.slack_access, clock.clone());
    Ports {
        store: Arc::new(DynamoStore::new(&config, &names.table, clock.clone())),
        bus: Arc::new(EventBus::new(&config, &bus, clock.clone())),
        directory: Arc::new(DynamoDirectory::new(&config, &names.people_table, &clock)),
        settings: Arc::new(SsmSettings::new(&config, &names.channels_parameter, clock.clone())),
        credentials: Arc::new(managed.clone()),
        secrets: Arc::new(managed),
        clock,
        config,
    }
}

/// What a bot on AWS has besides its ports.
pub(super) struct Aws {
    pub(super) bus: Arc<EventBus>,
    pub(super) signals: Signals,
    pub(super) wakes: Wakes,
    regions: Arc<DynamoRegions>,
    /// `None`: there is only one region.
    leading: Option<Arc<Leading>>,
}

impl Aws {
    /// Renews the lead, and notes that this region lives if it has it.
    pub(super) async fn renew(&self) -> Result<(), PortError> {
        match &self.leading {
            Some(leading) => leading.renew().await.map(drop),
            None => Ok(()),
        }
    }

    /// Writes the heartbeat by which replication is measured.
    pub(super) async fn beat(&self) -> Result<(), PortError> {
        self.regions.beat().await
    }

    async fn keep_the_lead(&self, mut stop: watch::Receiver<bool>) {
        let mut turns: u32 = 0;
        while self.leading.is_some() && !*stop.borrow() {
            let beat = turns.is_multiple_of(RENEWALS_PER_BEAT);
            let done = self.renew().await.and(if beat { self.beat().await } else { Ok(()) });
            if let Err(error) = done {
                tracing::warn!(%error, "the lead or the heartbeat could not be renewed; this is tried again soon");
            }
            turns = turns.wrapping_add(1);
            tokio::select! {
                () = tokio::time::sleep(RENEW) => {}
                _ = stop.changed() => {}
            }
        }
    }
}

#[async_trait]
impl Beside for Aws {
    async fn work(&self, stop: watch::Receiver<bool>) {
        tokio::join!(self.signals.run(stop.clone()), self.keep_the_lead(stop));
    }

    async fn settle(&self) {
        if let Some(leading) = &self.leading {
            leading.give_up().await;
        }
    }
}

/// Connects everything. Nothing is asked of AWS before something comes in.
pub(super) async fn build(names: &AwsNames, setting: Setting<'_>) -> anyhow::Result<App<Aws>> {
    let ports = ports(names, Arc::new(SystemClock)).await;
    let wakes = Wakes::new(&ports.config, &names.table, &names.signals_url, ports.clock.clone());
    let signals = signals(names, setting.config, &ports);
    let regions = Arc::new(places::regions(names, setting.config, &ports.config, &ports.clock)?);
    let lasts = if setting.drains { HELD_BY_ONE_THAT_STAYS } else { HELD_BY_FUNCTIONS };
    let leading = places::leading(names, &ports.config, lasts, &ports.clock);
    let lead: Arc<dyn Lead> = match &leading {
        Some(leading) => leading.clone(),
        None => Arc::new(Alone),
    };
    let aws = Aws { bus: ports.bus.clone(), signals, wakes, regions: regions.clone(), leading };
    let parts = Parts {
        regions,
        store: ports.store,
        bus: ports.bus,
        directory: ports.directory,
        settings: ports.settings,
        credentials: ports.credentials,
        secrets: match setting.access.seal_keys.clone() {
            keys if keys.is_empty() => ports.secrets,
            keys => super::secrets(setting.config, keys),
        },
        lead,
        clock: ports.clock,
        tempo: Tempo::FAR,
        router: axum::Router::new(),
    };
    App::assemble(setting, parts, |ctx| ctx, |_| aws)
}

fn signals(names: &AwsNames, config: &Config, ports: &Ports) -> Signals {
    let here = names.here();
    let machines = config.machines.iter().map(|job| job.machine.clone());
    let names = SignalNames {
        region: here.name.clone(),
        queue_url: names.signals_url.clone(),
        dead_letter_url: names.signals_dead_letter_url.clone(),
        bucket: here.bucket.clone(),
        machines: std::iter::once(here.state_machine.clone()).chain(machines).collect(),
        on_arrival: config.jobs.iter().filter(|job| job.arrival.is_some()).map(|job| job.name.clone()).collect(),
    };
    Signals::new(&ports.config, names, ports.bus.clone(), ports.clock.clone())
}

/// Who gives leave to publish.
pub(super) fn publish_lease(names: &AwsNames, sdk: &SdkConfig, clock: &Arc<dyn Clock>) -> Arc<dyn PublishLease> {
    let first = names.regions[0].name.clone();
    Arc::new(Publishing::new(ActiveRecord::new(sdk, &names.active_table, first, clock.clone())))
}

/// The file of a configuration in a bucket, copied here with everything beside it.
pub(super) async fn fetch(bucket: &str, key: &str) -> anyhow::Result<ConfigFolder> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let folder = ConfigFolder::open(&connect_here().await, (bucket, key), &std::env::temp_dir(), &clock).await;
    folder.with_context(|| format!("s3://{bucket}/{key}"))
}

pub(super) async fn credentials(names: &AwsNames) -> anyhow::Result<Arc<dyn Credentials>> {
    Ok(ports(names, Arc::new(SystemClock)).await.credentials)
}

/// The keys of the secret, for tools.
pub(super) async fn secrets(names: &AwsNames) -> anyhow::Result<Arc<dyn Secrets>> {
    Ok(ports(names, Arc::new(SystemClock)).await.secrets)
}

pub(super) async fn open_store(names: &AwsNames) -> anyhow::Result<Records> {
    let ports = ports(names, Arc::new(SystemClock)).await;
    Ok((ports.store, ports.bus))
}
