//! Puts the program together: the only part that names concrete adapters.

#[cfg(feature = "aws")]
mod aws;
#[cfg(feature = "aws")]
mod lambda;
mod local;
mod panel;
mod parts;
mod playground;
#[cfg(not(feature = "aws"))]
mod without_aws;

#[cfg(feature = "aws")]
pub use lambda::lambda;
pub use local::Local;
pub use parts::Beside;
pub use playground::{PlaygroundOptions, playground};

use crate::config::{Backend, Config, ConfigPlace, SlackAccess};
use crate::domain::seal::SealingKey;
use crate::embedded::{GivenKeys, LocalSecrets, Sqlite, SystemClock, sqlite};
use crate::health::{Draining, Health, Probed};
use crate::ports::{Bus, Clock, Credentials, Kind, Secrets, StepUp, Store};
use crate::processor::{Ctx, Processor};
use crate::slack::client::{CALL_LIMIT, Client, ClientConfig};
use crate::slack::ingress::{Doors, Ingress};
use crate::slack::render::Renderer;
use crate::workers::{self, Courtesy, Crew};
use anyhow::{Context, anyhow};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use parts::Parts;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
#[cfg(not(feature = "aws"))]
use without_aws as aws;
#[cfg(not(feature = "aws"))]
pub use without_aws::lambda;

/// The bot's name and version, for the audit trail.
const BOT: &str = concat!("switchman ", env!("CARGO_PKG_VERSION"));
/// Requests that are being answered get this long to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Is called once, as soon as requests are answered.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send>;

/// The bot, put together and not yet running. `B` is what its backend needs besides: by default that of this machine.
pub struct App<B = Local> {
    crew: Arc<Crew>,
    router: Router,
    metrics: PrometheusHandle,
    backend: Arc<B>,
}

/// What a bot is put together from, besides its ports.
struct Setting<'a> {
    config: &'a Config,
    access: &'a SlackAccess,
    metrics: PrometheusHandle,
    /// Whether this process takes commands off the bus.
    drains: bool,
}

impl<B> App<B> {
    /// Connects everything. `wrap` puts other ports in between; `backend` is made of what comes out.
    fn assemble(
        setting: Setting<'_>,
        parts: Parts,
        wrap: impl FnOnce(Ctx) -> Ctx,
        backend: impl FnOnce(&Ctx) -> B,
    ) -> anyhow::Result<Self> {
        let Setting { config, access, metrics, drains } = setting;
        let renderer = renderer(config);
        let client = Arc::new(client(access, parts.credentials.clone(), &renderer)?);
        let (store, bus, clock) = (parts.store.clone(), parts.bus.clone(), parts.clock.clone());
        let ctx = wrap(Ctx {
            store: parts.store,
            bus: parts.bus,
            regions: parts.regions,
            chat: client.clone(),
            directory: parts.directory,
            settings: parts.settings,
            clock: parts.clock,
            catalog: Arc::new(config.catalog()),
            policy: Arc::new(config.policy.clone()),
            bot: BOT.to_owned(),
            list_suffices: false,
        });
        let backend = Arc::new(backend(&ctx));
        let step_up = StepUp::new(ctx.store.clone(), parts.secrets, ctx.clock.clone(), BOT.to_owned());
        let doors =
            doors(&ctx, Desks { config, renderer, client: client.clone(), step_up, credentials: parts.credentials });
        let crew = Arc::new(Crew::new(Arc::new(Processor::new(ctx)), parts.lead.clone(), parts.tempo));
        let draining = if drains { Draining::Here(crew.heartbeat.clone()) } else { Draining::Elsewhere };
        let probed = Probed { store, bus, chat: client, clock, draining, lead: parts.lead, metrics: metrics.clone() };
        let router = announced(Ingress::router(doors), crew.courtesy.clone())
            .merge(Health::new(probed).router())
            .merge(parts.router);
        Ok(Self { crew, router, metrics, backend })
    }

    /// What answers HTTP.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What does the work; scenario tests step it by hand.
    pub fn processor(&self) -> &Arc<Processor> {
        &self.crew.processor
    }
}

impl<B: Beside> App<B> {
    /// Answers requests on `listener` and works, until `stop`; then drains: no new requests, what was taken is finished.
    pub async fn run(
        self,
        listener: TcpListener,
        beside: Router,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> anyhow::Result<()> {
        let (stopping, stopped) = watch::channel(false);
        let upkeep = tokio::spawn(crate::telemetry::keep_up(self.metrics.clone()));
        let work = tokio::spawn(workers::run(self.crew.clone(), stopped.clone()));
        let (backend, backend_stop) = (self.backend.clone(), stopped.clone());
        let companions = tokio::spawn(async move { backend.work(backend_stop).await });
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
        companions.await.context("what works beside them stopped")?;
        self.break_off().await;
        upkeep.abort();
        Ok(())
    }

    /// Breaks off the batches that are under way; the next start goes on from the chunks that are finished.
    pub async fn break_off(&self) {
        self.backend.settle().await;
    }
}

fn renderer(config: &Config) -> Renderer {
    Renderer::new(&config.slash_command).across(config.region_names().len())
}

fn client(access: &SlackAccess, credentials: Arc<dyn Credentials>, renderer: &Renderer) -> anyhow::Result<Client> {
    let (api_url, renderer) = (access.api_url.clone(), renderer.clone());
    Ok(Client::new(&ClientConfig { api_url, credentials, limit: CALL_LIMIT, renderer })?)
}

/// What the front door needs besides the ports of the processor.
struct Desks<'a> {
    config: &'a Config,
    renderer: Renderer,
    client: Arc<Client>,
    step_up: StepUp,
    credentials: Arc<dyn Credentials>,
}

fn doors(ctx: &Ctx, desks: Desks<'_>) -> Doors {
    let ctx = ctx.clone();
    Doors {
        credentials: desks.credentials,
        command: desks.config.slash_command.clone(),
        renderer: desks.renderer,
        client: desks.client,
        step_up: desks.step_up,
        catalog: ctx.catalog,
        policy: ctx.policy,
        store: ctx.store,
        bus: ctx.bus,
        regions: ctx.regions,
        chat: ctx.chat,
        directory: ctx.directory,
        settings: ctx.settings,
        clock: ctx.clock,
        bot: ctx.bot,
    }
}

/// The copy of a configuration that lies elsewhere: its schemas and lookups are there until this is dropped.
pub struct Copied(#[expect(dead_code, reason = "it is only kept")] Option<aws::ConfigFolder>);

/// Reads the configuration wherever it lies.
pub async fn config_at(place: &ConfigPlace) -> anyhow::Result<(Config, Copied)> {
    let (loaded, copied) = match place {
        ConfigPlace::File(file) => (Config::load(file), None),
        ConfigPlace::Bucket { bucket, key } => {
            let folder = aws::fetch(bucket, key).await?;
            (Config::load(folder.file()), Some(folder))
        }
    };
    let config = loaded.map_err(|mistakes| anyhow!("{mistakes}"))?;
    Ok((config, Copied(copied)))
}

/// What tools need to vote and to enrol people. A bot may work on the same records.
pub struct Desk {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub clock: Arc<dyn Clock>,
    pub step_up: StepUp,
}

/// Opens the records for them.
pub async fn open_desk(config: &Config, seal_keys: Vec<SealingKey>) -> anyhow::Result<Desk> {
    let ((store, bus), clock) = (open_store(config).await?, Arc::new(SystemClock));
    let step_up = StepUp::new(store.clone(), secrets(config, seal_keys), clock.clone(), BOT.to_owned());
    Ok(Desk { store, bus, clock, step_up })
}

/// The keys that seal what must not lie in the clear.
fn secrets(config: &Config, keys: Vec<SealingKey>) -> Arc<dyn Secrets> {
    match &config.backend {
        Backend::Embedded { data } => Arc::new(LocalSecrets::beside(data, keys)),
        Backend::Aws(_) => Arc::new(GivenKeys::new(keys)),
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

/// The bot alone, until SIGTERM or SIGINT.
pub async fn serve(config: Config, access: SlackAccess, metrics: PrometheusHandle, ready: Ready) -> anyhow::Result<()> {
    let listener = TcpListener::bind(config.server.listen).await.with_context(|| {
        format!("{} cannot be listened on; name another address under [server]", config.server.listen)
    })?;
    let address = listener.local_addr()?;
    let public_url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let stop = terminated()?;
    match &config.backend {
        Backend::Embedded { .. } => {
            let app = App::build(&config, &access, &public_url, Arc::new(SystemClock), metrics)?;
            ready(address);
            app.run(listener, Router::new(), stop).await
        }
        Backend::Aws(names) => {
            let app = aws::build(names, Setting { config: &config, access: &access, metrics, drains: true }).await?;
            ready(address);
            app.run(listener, Router::new(), stop).await
        }
    }
}

/// Asks Slack whether the token works, and AWS for what the bot needs there. One line for each thing that was found to be
/// right; the error says what is not.
pub async fn probe_online(config: &Config, access: &SlackAccess) -> anyhow::Result<Vec<String>> {
    let credentials = match &config.backend {
        Backend::Embedded { .. } => local::credentials(access),
        Backend::Aws(names) => aws::credentials(names).await?,
    };
    let client = client(access, credentials, &renderer(config))?;
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
