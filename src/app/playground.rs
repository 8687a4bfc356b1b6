//! The bot and the local Slack page in one process.

use super::{App, Ready, panel, terminated};
use crate::config::starter::Starter;
use crate::config::{Config, FILE_NAME, SlackAccess};
use crate::domain;
use crate::domain::id::{FileName, JobName};
use crate::embedded::{SystemClock, random};
use crate::playground::{Claim, Hint, Playground, PlaygroundConfig};
use crate::ports::{Clock, Regions};
use anyhow::{Context, anyhow};
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpListener;

/// The port of the page, unless it is taken.
const PLAYGROUND_PORT: u16 = 4242;

/// How to run the playground.
#[derive(Debug, Clone)]
pub struct PlaygroundOptions {
    /// `None`: the usual port, or a free one where that is taken. 0: a free one.
    pub port: Option<u16>,
    /// Where its configuration, inputs and records lie; made when needed.
    pub data: PathBuf,
}

/// The bot and the local Slack page, until SIGTERM or SIGINT.
pub async fn playground(options: PlaygroundOptions, metrics: PrometheusHandle, ready: Ready) -> anyhow::Result<()> {
    let mut claim = Claim::take(&options.data)?;
    let config = playground_config(&options.data)?;
    let listener = playground_listener(options.port).await?;
    let address = listener.local_addr()?;
    let base = format!("http://{address}");
    claim.answers_at(&base).context("the lock of the data folder cannot be written")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let secret = SecretString::from(hex::encode(random()?));
    let token = SecretString::from(format!("xoxb-{}", hex::encode(random()?)));
    let access = SlackAccess {
        signing_secrets: vec![secret.clone()],
        bot_token: token.clone(),
        app_token: None,
        api_url: format!("{base}/api"),
        seal_keys: Vec::new(),
    };
    let app = App::build(&config, &access, &base, clock.clone(), metrics)?;
    let regions = app.processor().ctx().regions.clone();
    let wall = clock.clone();
    let page = Playground::new(PlaygroundConfig {
        command: config.slash_command.clone(),
        hints: hints(),
        examples: examples(&config),
        journal: Some(options.data.join("workspace.jsonl")),
        files_dir: Some(options.data.join("workspace-files")),
        on_upload: upload_to(&config, regions),
        regions: panel::panel(app.regions()),
        ..PlaygroundConfig::new(&format!("{base}/slack/events"), secret, token, Arc::new(move || wall.now()))
    })?;
    page.set_base_url(&base);
    let router = page.router();
    ready(address);
    let stop = terminated()?;
    let ended = async move {
        stop.await;
        page.shut_down();
    };
    app.run(listener, router, ended).await?;
    drop(claim);
    Ok(())
}

/// The data folder is a starter configuration with a large input; what a user changed in it stays.
fn playground_config(data: &Path) -> anyhow::Result<Config> {
    Starter::playground().write_once(data).with_context(|| format!("{} cannot be filled", data.display()))?;
    Config::load(&data.join(FILE_NAME)).map_err(|mistakes| anyhow!("{mistakes}"))
}

async fn playground_listener(port: Option<u16>) -> anyhow::Result<TcpListener> {
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
fn upload_to(config: &Config, regions: Arc<dyn Regions>) -> Option<crate::playground::OnUpload> {
    let job: JobName = config.jobs.first()?.name.clone();
    let starts_itself = config.jobs.first()?.arrival.is_some();
    let runtime = tokio::runtime::Handle::current();
    let command = config.slash_command.clone();
    Some(Arc::new(move |name, content| {
        let file = FileName::parse(name).map_err(|e| format!("{name} cannot be taken: {e}."))?;
        let put = async { regions.here().await?.1.files.put_input(&job, &file, &content).await };
        runtime.block_on(put).map_err(|error| format!("{name} was not taken: {error}."))?;
        if starts_itself {
            return Ok(format!("{name} is in the input folder. The job {job} starts by itself in some seconds."));
        }
        let line = format!("{command} start-batch {job} {}", domain::grammar::quote(name));
        Ok(format!("{name} is in the input folder. Start it with: {line}"))
    }))
}

fn hints() -> Vec<Hint> {
    let hint = |spec: &domain::grammar::Spec| Hint {
        text: spec.action.name().to_owned(),
        usage: spec.usage(),
        summary: spec.summary.to_owned(),
    };
    domain::grammar::SPECS.iter().map(hint).collect()
}

fn examples(config: &Config) -> Vec<String> {
    let job = config.jobs.first().map_or("JOB", |j| j.name.as_str());
    let lines = [format!("start-batch {job}"), "status".to_owned(), "help".to_owned()];
    lines.iter().map(|line| format!("{} {line}", config.slash_command)).collect()
}
