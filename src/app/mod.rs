//! Puts the program together: the only place that names concrete adapters.

#[cfg(feature = "aws")]
mod aws;
mod page;
#[cfg(not(feature = "aws"))]
mod without_aws;

use crate::config::{Backend, Config, JobConfig, SlackAccess};
use crate::domain::envelope::Envelope;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{Attempts, LocalEngine, LocalJob, LocalJobs};
use crate::embedded::{GivenSecrets, Links, Lists, LocalFiles, Sqlite, SystemClock, links, sqlite};
use crate::health::{Health, Heartbeat};
use crate::playground::{Claim, Playground, PlaygroundConfig};
use crate::ports::{Bus, Clock, Kind, Secrets, Store};
use crate::processor::{Ctx, Processor};
use crate::slack::client::{CALL_LIMIT, Client, ClientConfig};
use crate::slack::ingress::{Doors, Ingress};
use crate::slack::render::Renderer;
use crate::workers;
use crate::workers::Courtesy;
use anyhow::{Context, anyhow};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
#[cfg(not(feature = "aws"))]
use without_aws as aws;

/// Batches that run side by side; each uses all its job's workers already.
const AT_ONCE: usize = 2;
/// Requests that are being answered get this long to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

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

/// The bot, put together and not yet running.
pub struct App {
    processor: Arc<Processor>,
    heartbeat: Arc<Heartbeat>,
    courtesy: Arc<Courtesy>,
    router: Router,
    engine: Arc<LocalEngine>,
    metrics: PrometheusHandle,
}

impl App {
    /// Opens the records and connects everything. `public_url` is where people reach the bot, for links.
    pub fn build(
        config: &Config,
        access: &SlackAccess,
        public_url: &str,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
    ) -> anyhow::Result<Self> {
        Self::build_with(config, access, public_url, clock, metrics, |ports| ports)
    }

    /// The same with other ports in between: `wrap` gets what the configuration asks for, and what it gives is used by everything
    /// that takes and handles requests. For whoever wants to watch, count or disturb them.
    pub fn build_with(
        config: &Config,
        access: &SlackAccess,
        public_url: &str,
        clock: Arc<dyn Clock>,
        metrics: PrometheusHandle,
        wrap: impl FnOnce(Ctx) -> Ctx,
    ) -> anyhow::Result<Self> {
        let data = embedded_data(config)?;
        let record = Arc::new(Sqlite::open_for_bot(&data.join(sqlite::FILE_NAME), clock.clone())?);
        let links = Links::new(link_key(data)?, public_url);
        let renderer = Renderer::new(&config.slash_command);
        let secrets = given(access);
        let client = Arc::new(Client::new(&ClientConfig {
            api_url: access.api_url.clone(),
            secrets: secrets.clone(),
            limit: CALL_LIMIT,
            renderer: renderer.clone(),
        })?);
        let lists = Arc::new(Lists::new(config.listing(), config.channels.clone()));
        let jobs = Arc::new(LocalJobs::new(config.jobs.iter().map(local_job).collect()));
        let attempts = Attempts::new(data.join("runs"));
        let files = Arc::new(LocalFiles::new(jobs.clone(), attempts.clone(), links.clone()));
        let engine = Arc::new(LocalEngine::new(jobs, attempts, AT_ONCE, news(record.clone(), clock.clone())));
        let ctx = wrap(Ctx {
            store: record.clone(),
            bus: record.clone(),
            engine: engine.clone(),
            files: files.clone(),
            chat: client.clone(),
            directory: lists.clone(),
            settings: lists,
            clock: clock.clone(),
            catalog: Arc::new(config.catalog()),
            policy: Arc::new(config.policy.clone()),
            bot: format!("switchman {}", env!("CARGO_PKG_VERSION")),
        });
        let doors = doors(&ctx, secrets, config.slash_command.clone(), renderer, client.clone());
        let heartbeat = Arc::new(Heartbeat::default());
        heartbeat.beat(clock.now());
        let health = Health::new(record.clone(), record, client, clock.clone(), heartbeat.clone(), metrics.clone());
        let courtesy = Arc::<Courtesy>::default();
        let router = announced(Ingress::router(doors), courtesy.clone())
            .merge(health.router())
            .merge(links::router(links, files, clock));
        Ok(Self { processor: Arc::new(Processor::new(ctx)), heartbeat, courtesy, router, engine, metrics })
    }

    /// What answers HTTP.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What does the work; scenario tests step it by hand.
    pub fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// Answers requests on `listener` and works, until `stop`; then drains: no new requests, what was taken is finished.
    pub async fn run(
        self,
        listener: TcpListener,
        beside: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let (stopping, stopped) = watch::channel(false);
        let upkeep = tokio::spawn(crate::telemetry::keep_up(self.metrics.clone()));
        let (processor, heartbeat) = (self.processor.clone(), self.heartbeat.clone());
        let work = tokio::spawn(workers::run(processor, heartbeat, self.courtesy.clone(), stopped.clone()));
        let mut http_stop = stopped;
        let server = axum::serve(listener, self.router().merge(beside)).with_graceful_shutdown(async move {
            let _ = http_stop.wait_for(|stopping| *stopping).await;
        });
        let server = tokio::spawn(server.into_future());
        stop.await;
        tracing::info!("stopping: what was taken is finished, the rest is kept for the next start");
        stopping.send_replace(true);
        if let Ok(served) = tokio::time::timeout(CLOSE_WITHIN, server).await {
            served.context("the server stopped")??;
        }
        work.await.context("the workers stopped")?;
        self.break_off().await;
        upkeep.abort();
        Ok(())
    }

    /// Breaks off the batches that are under way; the next start goes on from the chunks that are finished.
    pub async fn break_off(&self) {
        self.engine.shutdown().await;
    }
}

/// The secrets of the environment.
fn given(access: &SlackAccess) -> Arc<dyn Secrets> {
    Arc::new(GivenSecrets::new(&access.signing_secrets, access.bot_token.clone()))
}

/// The front door uses the ports of the processor.
fn doors(ctx: &Ctx, secrets: Arc<dyn Secrets>, command: String, renderer: Renderer, client: Arc<Client>) -> Doors {
    let ctx = ctx.clone();
    Doors {
        secrets,
        command,
        renderer,
        client,
        catalog: ctx.catalog,
        policy: ctx.policy,
        store: ctx.store,
        bus: ctx.bus,
        engine: ctx.engine,
        files: ctx.files,
        chat: ctx.chat,
        directory: ctx.directory,
        settings: ctx.settings,
        clock: ctx.clock,
        bot: ctx.bot,
    }
}

/// The two faces of the records.
pub type Records = (Arc<dyn Store>, Arc<dyn Bus>);

/// The records of a configuration, for tools: they must be there already. A bot may use them at the same time.
pub async fn open_store(config: &Config) -> anyhow::Result<Records> {
    match &config.backend {
        Backend::Embedded { data } => {
            let records = Sqlite::open_existing(&data.join(sqlite::FILE_NAME), Arc::new(SystemClock))?;
            Ok((Arc::new(records.clone()), Arc::new(records)))
        }
        Backend::Aws(names) => aws::open_store(names).await,
    }
}

/// The folder of the embedded backend.
fn embedded_data(config: &Config) -> anyhow::Result<&Path> {
    match &config.backend {
        Backend::Embedded { data } => Ok(data),
        Backend::Aws(_) => {
            Err(anyhow!("backend.kind: nothing runs batches on AWS yet, only tools work; write \"embedded\""))
        }
    }
}

/// The bot alone, until SIGTERM or SIGINT.
pub async fn serve(config: Config, access: SlackAccess, metrics: PrometheusHandle, ready: Ready) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.server.listen).await.with_context(|| {
        format!("{} cannot be listened on; name another address under [server]", config.server.listen)
    })?;
    let address = listener.local_addr()?;
    let public_url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let app = App::build(&config, &access, &public_url, Arc::new(SystemClock), metrics)?;
    ready(address);
    app.run(listener, Router::new(), terminated()?).await
}

/// The bot and the local Slack page, until SIGTERM or SIGINT.
pub async fn playground(options: PlaygroundOptions, metrics: PrometheusHandle, ready: Ready) -> anyhow::Result<()> {
    let mut claim = Claim::take(&options.data)?;
    let config = page::config(&options.data)?;
    let listener = page::listener(options.port).await?;
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
    };
    let app = App::build(&config, &access, &base, clock.clone(), metrics)?;
    let files = app.processor().ctx().files.clone();
    let wall = clock.clone();
    let page = Playground::new(PlaygroundConfig {
        command: config.slash_command.clone(),
        hints: page::hints(),
        examples: page::examples(&config),
        journal: Some(options.data.join("workspace.jsonl")),
        files_dir: Some(options.data.join("workspace-files")),
        on_upload: page::upload_to(&config, files),
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

/// Asks Slack whether the token works, and AWS for what the bot needs there. One line for each thing that was found to be right; the error says what is not.
pub async fn probe_online(config: &Config, access: &SlackAccess) -> anyhow::Result<Vec<String>> {
    let client = Client::new(&ClientConfig {
        api_url: access.api_url.clone(),
        secrets: given(access),
        limit: CALL_LIMIT,
        renderer: Renderer::new(&config.slash_command),
    })?;
    let bot = client.probe().await.map_err(|error| match (&error.code, error.kind) {
        (Some(code), Kind::Denied) => anyhow!("Slack refused the token: {code}"),
        (Some(_), _) => anyhow!("Slack did not say who the bot is: {error}"),
        (None, _) => anyhow!("Slack could not be reached at {}: {}", access.api_url, error.said),
    })?;
    let mut found = vec![format!("Slack knows the bot as {} in team {}", bot.user, bot.team)];
    if let Backend::Aws(names) = &config.backend {
        found.extend(aws::probe(config, names).await?);
    }
    Ok(found)
}

/// Tells the workers of every request, so that they let it go first.
fn announced(router: Router, courtesy: Arc<Courtesy>) -> Router {
    router.layer(axum::middleware::map_request(move |request: axum::extract::Request| {
        courtesy.request();
        std::future::ready(request)
    }))
}

/// News of an execution goes onto the bus like everything else. A lost publish costs a second: the attempt's deadline comes anyway.
fn news(bus: Arc<dyn Bus>, clock: Arc<dyn Clock>) -> crate::embedded::engine::News {
    let runtime = tokio::runtime::Handle::current();
    Arc::new(move |key: &AttemptKey| {
        let now = clock.now();
        let Ok(envelope) = Envelope::news(key.clone(), now) else {
            return;
        };
        let bus = bus.clone();
        runtime.spawn(async move {
            if let Err(error) = bus.publish(envelope).await {
                tracing::warn!(%error, "news of a run could not be published");
            }
        });
    })
}

fn local_job(job: &JobConfig) -> LocalJob {
    let pattern = job.pattern.clone();
    LocalJob {
        name: job.name.clone(),
        spec: job.spec.clone(),
        folder: job.base.clone(),
        input: job.input.clone(),
        takes: Arc::new(move |name| pattern.matches(name)),
        output: job.output.clone(),
    }
}

/// The key of download links, made at the first start: links outlive a restart.
fn link_key(data: &Path) -> anyhow::Result<[u8; 32]> {
    let path = data.join("links.key");
    if let Ok(text) = std::fs::read_to_string(&path) {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).with_context(|| {
            format!("{} is damaged; remove it to make a new one (links given out stop working)", path.display())
        })?;
        return Ok(key);
    }
    let key = random()?;
    write_private(&path, &hex::encode(key)).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(key)
}

fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn random() -> anyhow::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    Ok(bytes)
}

/// Ends at SIGTERM or SIGINT.
fn terminated() -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate())?;
    let mut int = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = term.recv() => {}
            _ = int.recv() => {}
        }
    })
}
