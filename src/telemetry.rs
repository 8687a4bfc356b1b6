//! Logs on stderr and the metrics recorder. Nothing here knows what is logged or counted.

use crate::config::LogSettings;
use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// Sends logs to stderr from now on, as the settings say. The second call of a process fails.
pub fn logs(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.filter).with_context(|| {
        format!("SWITCHMAN_LOG: {:?} is not a log filter such as info or switchman=debug", settings.filter)
    })?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(settings.colour);
    if settings.json { builder.json().try_init() } else { builder.with_target(false).try_init() }
        .map_err(|error| anyhow::anyhow!("logs cannot be set up: {error}"))
}

/// Counts metrics from now on; the handle renders them for `/metrics`. Somebody has to run [`keep_up`] with it.
pub fn metrics() -> anyhow::Result<PrometheusHandle> {
    PrometheusBuilder::new().set_buckets(SECONDS)?.install_recorder().context("metrics cannot be set up")
}

/// A handle of metrics that nobody counts: for a process that lives for one event at a time, and that nobody can ask for them.
pub fn unread() -> PrometheusHandle {
    PrometheusBuilder::new().build_recorder().handle()
}

/// Buckets of every histogram, in seconds: from a local acknowledgement to Slack's limit of three seconds and beyond.
const SECONDS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 3.0, 10.0, 30.0];

/// Folds what was counted into its buckets again and again: without it, memory grows where nobody asks for `/metrics`. Never ends.
pub async fn keep_up(metrics: PrometheusHandle) {
    let mut turn = tokio::time::interval(UPKEEP);
    loop {
        turn.tick().await;
        metrics.run_upkeep();
    }
}

const UPKEEP: Duration = Duration::from_secs(5);
