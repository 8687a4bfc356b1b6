//! What the local page needs to know of the bot: its configuration, its address, its commands, and where dropped files go.

use crate::config::starter::Starter;
use crate::config::{Config, FILE_NAME};
use crate::domain;
use crate::domain::id::{FileName, JobName};
use crate::playground::Hint;
use crate::ports::Files;
use anyhow::{Context, anyhow};
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// The port of the page, unless it is taken.
const PLAYGROUND_PORT: u16 = 4242;
/// The data folder is a starter configuration with a large input; what a user changed in it stays.
pub(super) fn config(data: &Path) -> anyhow::Result<Config> {
    Starter::playground().write_once(data).with_context(|| format!("{} cannot be filled", data.display()))?;
    Config::load(&data.join(FILE_NAME)).map_err(|mistakes| anyhow!("{mistakes}"))
}

pub(super) async fn listener(port: Option<u16>) -> anyhow::Result<TcpListener> {
    let bind = |port| TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, port));
    match port {
        Some(port) => {
            bind(port).await.with_context(|| format!("port {port} is taken; name another, or 0 for a free one"))
        }
        None => match bind(PLAYGROUND_PORT).await {
            Ok(listener) => Ok(listener),
            Err(_) => bind(0).await.context("no free port"),
        },
    }
}

/// A dropped file becomes an input of the first job.
pub(super) fn upload_to(config: &Config, files: Arc<dyn Files>) -> Option<crate::playground::OnUpload> {
    let job: JobName = config.jobs.first()?.name.clone();
    let runtime = tokio::runtime::Handle::current();
    let command = config.slash_command.clone();
    Some(Arc::new(move |name, content| {
        let file = FileName::parse(name).map_err(|e| format!("{name} cannot be taken: {e}."))?;
        runtime
            .block_on(files.put_input(&job, &file, &content))
            .map_err(|error| format!("{name} was not taken: {error}."))?;
        let line = format!("{command} start-batch {job} {}", domain::grammar::quote(name));
        Ok(format!("{name} is in the input folder. Start it with: {line}"))
    }))
}

pub(super) fn hints() -> Vec<Hint> {
    let hint = |spec: &domain::grammar::Spec| Hint {
        text: spec.action.name().to_owned(),
        usage: spec.usage(),
        summary: spec.summary.to_owned(),
    };
    domain::grammar::SPECS.iter().map(hint).collect()
}

pub(super) fn examples(config: &Config) -> Vec<String> {
    let job = config.jobs.first().map_or("JOB", |j| j.name.as_str());
    let lines = [format!("start-batch {job}"), "status".to_owned(), "help".to_owned()];
    lines.iter().map(|line| format!("{} {line}", config.slash_command)).collect()
}
