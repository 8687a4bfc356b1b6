//! `switchman check --online`: asks AWS for everything that a bot needs there.

use super::ports;
use crate::config::{AwsNames, Config};
use crate::domain::id::{TeamId, UserId};
use crate::embedded::SystemClock;
use crate::ports::Bus;
use anyhow::Context;
use std::sync::Arc;

/// Asks for each thing once. One line for each that was found to be right; the error says what is not.
pub(in crate::app) async fn probe(config: &Config, names: &AwsNames) -> anyhow::Result<Vec<String>> {
    let ports = ports(names, &config.jobs, Arc::new(SystemClock)).await;
    ports.store.ping().await.with_context(|| format!("table {}", names.table))?;
    let waiting = ports.bus.depth().await.with_context(|| format!("queue {}", names.queue_url))?;
    let channels =
        ports.settings.channels().await.with_context(|| format!("parameter {}", names.channels_parameter))?;
    ports.credentials.signing().await.with_context(|| format!("secret {}", names.slack_access))?;
    let nobody = (TeamId::parse("T0NOBODY")?, UserId::parse("U0NOBODY")?);
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
