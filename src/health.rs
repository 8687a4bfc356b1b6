//! `/healthz`, `/readyz` and `/metrics`. Ready means that the whole path works, the way back to Slack included: a bot that takes
//! commands and cannot answer is not ready.

use crate::ports::{Bus, Chat, Clock, Lead, Store, Turn};
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use metrics_exporter_prometheus::PrometheusHandle;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The bus counts as draining if somebody asked it for work this recently.
const BEAT_WITHIN: SignedDuration = SignedDuration::from_secs(15);
/// How long an answer about the token is believed: probes come every few seconds, and Slack limits how often it may be asked.
const TOKEN_FOR: SignedDuration = SignedDuration::from_secs(60);

/// When the processor last asked the bus for work.
#[derive(Debug, Default)]
pub struct Heartbeat {
    last: AtomicI64,
    /// How long the bus is asked to wait for something, in seconds.
    wait: i64,
}

impl Heartbeat {
    /// Of somebody who waits for so long at the bus each time.
    pub fn waiting(wait: Duration) -> Self {
        Self { last: AtomicI64::default(), wait: i64::try_from(wait.as_secs()).unwrap_or(0) }
    }

    pub fn beat(&self, now: Timestamp) {
        self.last.store(now.as_second(), Ordering::Relaxed);
    }

    fn alive(&self, now: Timestamp) -> bool {
        now.as_second() - self.last.load(Ordering::Relaxed) <= BEAT_WITHIN.as_secs() + self.wait
    }
}

/// How to tell that commands are taken off the bus.
pub enum Draining {
    /// This process does it.
    Here(Arc<Heartbeat>),
    /// Others do, which cannot be seen from here: whether the bus answers is all that can be told.
    Elsewhere,
}

/// What the probes look at.
pub struct Probed {
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub chat: Arc<dyn Chat>,
    pub clock: Arc<dyn Clock>,
    pub draining: Draining,
    pub lead: Arc<dyn Lead>,
    pub metrics: PrometheusHandle,
}

/// Answers the probes.
pub struct Health {
    probed: Probed,
    token: Mutex<Option<(Timestamp, Result<(), String>)>>,
}

impl Health {
    pub fn new(probed: Probed) -> Self {
        Self { probed, token: Mutex::new(None) }
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
        let now = self.probed.clock.now();
        let store = self.probed.store.ping().await.map_err(|e| e.to_string());
        let bus = match &self.probed.draining {
            Draining::Here(heartbeat) if heartbeat.alive(now) => Ok(()),
            Draining::Here(_) => Err("nobody takes commands off the bus".to_owned()),
            Draining::Elsewhere => self.probed.bus.depth().await.map(drop).map_err(|e| e.to_string()),
        };
        let slack = self.token(now).await;
        let mut parts = vec![("store", store), ("bus", bus), ("slack", slack)];
        match self.probed.lead.turn().await {
            Ok(Turn::Ours | Turn::Theirs(_)) => {}
            Ok(Turn::Nobodys) => parts.push(("lead", Err("no region has it, so commands wait".to_owned()))),
            Err(error) => parts.push(("lead", Err(error.to_string()))),
        }
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
        let result = self.probed.chat.identity().await.map(|_| ()).map_err(|e| e.to_string());
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, result.clone()));
        result
    }
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, String) {
    let (good, report) = health.report().await;
    (if good { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, report)
}

async fn scrape(State(health): State<Arc<Health>>) -> String {
    if let Ok(depth) = health.probed.bus.depth().await {
        set("switchman_bus_depth", depth);
    }
    if let Ok((waiting, given_up)) = health.probed.store.outbox_depth().await {
        set("switchman_outbox_depth", waiting);
        set("switchman_outbox_given_up", given_up);
    }
    if let Ok(dead) = health.probed.bus.dead(1000).await {
        set("switchman_dead_letters", dead.len() as u64);
    }
    health.probed.metrics.render()
}

fn set(name: &'static str, value: u64) {
    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; counts this large do not occur")]
    metrics::gauge!(name).set(value as f64);
}
