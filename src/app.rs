//! Puts the program together: the only file that names concrete adapters.

use crate::config::{Backend, Config, SlackAccess};
use crate::embedded::{Sqlite, SystemClock, sqlite};
use crate::ports::{Bus, Store};
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

/// How to run the playground.
#[derive(Debug, Clone)]
pub struct PlaygroundOptions {
    /// `None`: the usual port, or a free one where that is taken. 0: a free one.
    pub port: Option<u16>,
    /// Where its configuration, inputs and records lie; made when needed.
    pub data: PathBuf,
}

/// Is called once, as soon as requests are answered.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send>;

/// The two faces of the records.
pub type Records = (Arc<dyn Store>, Arc<dyn Bus>);

/// The records of a configuration, for tools: they must be there already. A bot may use them at the same time.
pub fn open_store(config: &Config) -> anyhow::Result<Records> {
    let Backend::Embedded { data } = &config.backend;
    let records = Sqlite::open_existing(&data.join(sqlite::FILE_NAME), Arc::new(SystemClock))?;
    Ok((Arc::new(records.clone()), Arc::new(records)))
}

/// The bot alone, until SIGTERM or SIGINT.
#[expect(clippy::unused_async, reason = "what is put together here waits for Slack and for signals")]
pub async fn serve(
    _config: Config,
    _access: SlackAccess,
    _metrics: PrometheusHandle,
    _ready: Ready,
) -> anyhow::Result<()> {
    anyhow::bail!("this build cannot serve yet")
}

/// The bot and the local Slack page, until SIGTERM or SIGINT.
#[expect(clippy::unused_async, reason = "what is put together here waits for Slack and for signals")]
pub async fn playground(_options: PlaygroundOptions, _metrics: PrometheusHandle, _ready: Ready) -> anyhow::Result<()> {
    anyhow::bail!("this build has no playground yet")
}

/// Asks Slack whether the token works. One line for each thing that was found to be right; the error says what is not.
#[expect(clippy::unused_async, reason = "what is put together here waits for Slack and for signals")]
pub async fn probe_online(_config: &Config, _access: &SlackAccess) -> anyhow::Result<Vec<String>> {
    anyhow::bail!("this build cannot ask Slack yet")
}
