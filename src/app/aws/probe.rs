//! `switchman check --online`: asks AWS for everything that a bot needs there.

use super::{places, ports};
use crate::config::{AwsNames, Config};
use crate::domain::id::{TeamId, UserId};
use crate::embedded::SystemClock;
use crate::ports::{Bus, Regions};
use anyhow::Context;
use std::sync::Arc;

/// Asks for each thing once. One line for each that was found to be right; the error says what is not.
pub(in crate::app) async fn probe(config: &Config, names: &AwsNames) -> anyhow::Result<Vec<String>> {
    let ports = ports(names, Arc::new(SystemClock)).await;
    ports.store.ping().await.with_context(|| format!("table {}", names.table))?;
    let waiting = ports.bus.depth().await.with_context(|| format!("queue {}", names.queue_url))?;
    let channels =
        ports.settings.channels().await.with_context(|| format!("parameter {}", names.channels_parameter))?;
    ports.credentials.signing().await.with_context(|| format!("secret {}", names.slack_access))?;
    let nobody = (TeamId::parse("T0NOBODY")?, UserId::parse("U0NOBODY")?);
    ports.directory.find(&nobody.0, &nobody.1).await.with_context(|| format!("table {}", names.people_table))?;
    let regions = places::regions(names, config, &ports.config, &ports.clock)?;
    let active = regions.active().await.with_context(|| format!("table {}", names.active_table))?;
    for region in &names.regions {
        let site = regions.site(&region.name).with_context(|| format!("region {}", region.name))?;
        for job in &config.jobs {
            site.files.inputs(&job.name).await.with_context(|| format!("bucket {}", region.bucket))?;
        }
    }
    Ok(vec![
        format!("table {} can be written, {waiting} commands wait", names.table),
        format!("permitted channels in {}: {}", names.channels_parameter, channels.len()),
        format!("the secrets of {} and the people of {} can be read", names.slack_access, names.people_table),
        format!(
            "{} is the active region, epoch {}, and every region's bucket can be read",
            active.region, active.epoch
        ),
    ])
}
