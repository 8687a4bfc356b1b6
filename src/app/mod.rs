//! Puts the program together: the only part that names concrete adapters.

#[cfg(feature = "aws")]
mod aws;
mod local;
mod panel;
mod playground;
#[cfg(not(feature = "aws"))]
mod without_aws;

pub use playground::{PlaygroundOptions, playground};

use crate::config::{Backend, Config, SlackAccess};
use crate::domain::seal::SealingKey;
use crate::embedded::regions::LocalRegions;
use crate::embedded::{
    Arrivals, GivenCredentials, GivenKeys, Links, Lists, LocalSecrets, Sqlite, SystemClock, links, sqlite,
};
use crate::health::{Health, Heartbeat};
use crate::ports::{Bus, Clock, Credentials, Kind, Secrets, StepUp, Store};
use crate::processor::{Ctx, Processor};
use crate::slack::client::{CALL_LIMIT, Client, ClientConfig};
use crate::slack::ingress::{Doors, Ingress};
use crate::slack::render::Renderer;
use crate::workers;
use crate::workers::Courtesy;
use anyhow::{Context, anyhow};
use axum::Router;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
#[cfg(not(feature = "aws"))]
use without_aws as aws;

/// The bot's name and version, for the audit trail.
const BOT: &str = concat!("switchman ", env!("CARGO_PKG_VERSION"));
/// Requests that are being answered get this long to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// Is called once, as soon as requests are answered.
pub type Ready = Box<dyn FnOnce(SocketAddr) + Send>;

/// The bot, put together and not yet running.
pub struct App {
    processor: Arc<Processor>,
    heartbeat: Arc<Heartbeat>,
    courtesy: Arc<Courtesy>,
    router: Router,
    regions: Arc<LocalRegions>,
    arrivals: Arc<Arrivals>,
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
        let links = Links::open(data, public_url)?;
        let renderer = renderer(config);
        let client = Arc::new(Client::new(&ClientConfig {
            api_url: access.api_url.clone(),
            credentials: given(access),
            limit: CALL_LIMIT,
            renderer: renderer.clone(),
        })?);
        let lists = Arc::new(Lists::new(config.listing(), config.channels.clone()));
        let (regions, folders) = local::regions(config, links.clone(), record.clone(), clock.clone())?;
        let regions = Arc::new(regions);
        let ctx = wrap(Ctx {
            store: record.clone(),
            bus: record.clone(),
            regions: regions.clone(),
            chat: client.clone(),
            directory: lists.clone(),
            settings: lists,
            clock: clock.clone(),
            catalog: Arc::new(config.catalog()),
            policy: Arc::new(config.policy.clone()),
            bot: BOT.to_owned(),
            list_suffices: false,
        });
        let arrivals = Arrivals::new(folders, ctx.regions.clone(), ctx.store.clone(), ctx.bus.clone(), clock.clone());
        let doors = doors(&ctx, config, access, renderer, client.clone());
        let heartbeat = Arc::new(Heartbeat::default());
        heartbeat.beat(clock.now());
        let health = Health::new(record.clone(), record, client, clock.clone(), heartbeat.clone(), metrics.clone());
        let courtesy = Arc::<Courtesy>::default();
        let router = announced(Ingress::router(doors), courtesy.clone()).merge(health.router()).merge(links::router(
            links,
            regions.clone(),
            clock,
        ));
        Ok(Self {
            processor: Arc::new(Processor::new(ctx)),
            heartbeat,
            courtesy,
            router,
            regions,
            arrivals: Arc::new(arrivals),
            metrics,
        })
    }

    /// What answers HTTP.
    pub fn router(&self) -> Router {
        self.router.clone()
    }

    /// What does the work; scenario tests step it by hand.
    pub fn processor(&self) -> &Arc<Processor> {
        &self.processor
    }

    /// What looks for new files; scenario tests have it look by hand.
    pub fn arrivals(&self) -> &Arc<Arrivals> {
        &self.arrivals
    }

    /// The regions as they are on this machine: steps replication by hand, and has switches for bad days.
    pub fn regions(&self) -> &Arc<LocalRegions> {
        &self.regions
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
        let looking = tokio::spawn(self.arrivals.clone().watch(stopped.clone()));
        let copies = tokio::spawn(LocalRegions::clone(&self.regions).keep_up(stopped.clone()));
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
        looking.await.context("the look for new files stopped")?;
        copies.await.context("copying to the other regions stopped")?;
        self.break_off().await;
        upkeep.abort();
        Ok(())
    }

    /// Breaks off the batches that are under way; the next start goes on from the chunks that are finished.
    pub async fn break_off(&self) {
        self.regions.break_off().await;
    }
}

fn renderer(config: &Config) -> Renderer {
    Renderer::new(&config.slash_command).across(config.region_names().len())
}

/// The front door uses the ports of the processor.
fn doors(ctx: &Ctx, config: &Config, access: &SlackAccess, renderer: Renderer, client: Arc<Client>) -> Doors {
    let ctx = ctx.clone();
    Doors {
        credentials: given(access),
        command: config.slash_command.clone(),
        renderer,
        client,
        step_up: step_up(config, access.seal_keys.clone(), ctx.store.clone(), ctx.clock.clone()),
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
    let step_up = step_up(config, seal_keys, store.clone(), clock.clone());
    Ok(Desk { store, bus, clock, step_up })
}

fn step_up(config: &Config, keys: Vec<SealingKey>, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> StepUp {
    let secrets: Arc<dyn Secrets> = match &config.backend {
        Backend::Embedded { data } => Arc::new(LocalSecrets::beside(data, keys)),
        Backend::Aws(_) => Arc::new(GivenKeys::new(keys)),
    };
    StepUp::new(store, secrets, clock, BOT.to_owned())
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

/// The credentials of the environment.
fn given(access: &SlackAccess) -> Arc<dyn Credentials> {
    Arc::new(GivenCredentials::new(&access.signing_secrets, access.bot_token.clone()))
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

/// Asks Slack whether the token works, and AWS for what the bot needs there. One line for each thing that was found to be
/// right; the error says what is not.
pub async fn probe_online(config: &Config, access: &SlackAccess) -> anyhow::Result<Vec<String>> {
    let client = Client::new(&ClientConfig {
        api_url: access.api_url.clone(),
        credentials: given(access),
        limit: CALL_LIMIT,
        renderer: renderer(config),
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
