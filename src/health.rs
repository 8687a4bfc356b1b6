//! `/healthz`, `/readyz` and `/metrics`. Ready means that the whole path works, the way back to Slack included: a bot that takes
//! commands and cannot answer is not ready.

use crate::ports::{Bus, Chat, Clock, Store};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The bus counts as draining if somebody asked it for work this recently.
const BEAT_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// How long an answer about the token is believed: probes come every few seconds, and Slack limits how often it may be asked.
const TOKEN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// When the processor last asked the bus for work.
#[derive(Debug, Default)]
pub struct Heartbeat(AtomicI64);

impl Heartbeat {
    pub fn beat(&self, now: Timestamp) {
        self.0.store(now.as_second(), Ordering::Relaxed);
    }

    fn alive(&self, now: Timestamp) -> bool {
        now.as_second() - self.0.load(Ordering::Relaxed) <= BEAT_WITHIN.as_secs()
    }
}

/// What the probes look at.
pub struct Health {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub chat: Arc<dyn Chat>,
    pub clock: Arc<dyn Clock>,
    pub heartbeat: Arc<Heartbeat>,
    pub metrics: PrometheusHandle,
    token: Mutex<Option<(Timestamp, Result<(), String>)>>,
}

impl Health {
    pub fn new(
        store: Arc<dyn Store>,
        bus: Arc<dyn Bus>,
        chat: Arc<dyn Chat>,
        clock: Arc<dyn Clock>,
        heartbeat: Arc<Heartbeat>,
        metrics: PrometheusHandle,
    ) -> Self {
        Self { store, bus, chat, clock, heartbeat, metrics, token: Mutex::new(None) }
    }

    /// The three routes.
    pub fn router(self) -> Router {
        Router::new()
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(ready))
            .route("/metrics", get(scrape))
            .with_state(Arc::new(self))
    }

    /// One line per part, and whether all of them work.
    async fn report(&self) -> (bool, String) {
        let now = self.clock.now();
        let store = self.store.ping().await.map_err(|e| e.to_string());
        let bus = if self.heartbeat.alive(now) { Ok(()) } else { Err("nobody takes commands off the bus".to_owned()) };
        let slack = self.token(now).await;
        let parts = [("store", store), ("bus", bus), ("slack", slack)];
        let good = parts.iter().all(|(_, r)| r.is_ok());
        let line = |(name, result): &(&str, Result<(), String>)| match result {
            Ok(()) => format!("{name}: ok\n"),
            Err(why) => format!("{name}: {why}\n"),
        };
        (good, parts.iter().map(line).collect())
    }

    async fn token(&self, now: Timestamp) -> Result<(), String> {
        let known = self.token.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, result)) = known
            && result.is_ok()
            && now.duration_since(at) < TOKEN_FOR
        {
            return result;
        }
        let result = self.chat.identity().await.map(|_| ()).map_err(|e| e.to_string());
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, result.clone()));
        result
    }
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    let (good, report) = health.report().await;
    (if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, report)
}

async fn scrape(State(health): State<Arc<Health>>) -> String {
    if let Ok(depth) = health.bus.depth().await {
        set("switchman_bus_depth", depth);
    }
    if let Ok((waiting, given_up)) = health.store.outbox_depth().await {
        set("switchman_outbox_depth", waiting);
        set("switchman_outbox_given_up", given_up);
    }
    if let Ok(dead) = health.bus.dead(1000).await {
        set("switchman_dead_letters", dead.len() as u64);
    }
    health.metrics.render()
}

fn set(name: &'static str, value: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts this large do not occur")]
    metrics::gauge!(name).set(value as f64);
}
