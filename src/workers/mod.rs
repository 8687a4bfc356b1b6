//! The loops that keep calling [`Processor`]: each does one piece of work at a time and knows when to stop.
//! Nothing in here decides what is done; it decides when.

mod courtesy;

pub use courtesy::Courtesy;

use crate::health::Heartbeat;
use crate::ports::PortError;
use crate::processor::{Processor, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// Envelopes handled side by side: enough that a slow lookup holds up nobody, few enough for two cores.
const CONSUMERS: usize = 4;
/// Effects carried out side by side: most of their time is waiting for Slack.
const DELIVERERS: usize = 4;
/// How long the bus is asked to wait for an envelope.
const BUS_WAIT: Duration = Duration::from_secs(1);
/// How often deadlines are looked for.
const TICK: Duration = Duration::from_millis(200);
/// How long an idle deliverer waits unless it is woken.
const DELIVERER_IDLE: Duration = Duration::from_millis(250);
/// How long a loop rests after a port failed.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// At shutdown, what is due is still delivered for this long; the rest is taken up at the next start.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs all loops until `stop` turns true, then drains.
pub async fn run(
    processor: Arc<Processor>,
    heartbeat: Arc<Heartbeat>,
    courtesy: Arc<Courtesy>,
    stop: watch::Receiver<bool>,
) {
    let mut loops = JoinSet::new();
    for _ in 0..CONSUMERS {
        loops.spawn(consume(processor.clone(), heartbeat.clone(), courtesy.clone(), stop.clone()));
    }
    for _ in 0..DELIVERERS {
        loops.spawn(deliver(processor.clone(), courtesy.clone(), stop.clone()));
    }
    loops.spawn(tick(processor.clone(), stop));
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker ended unexpectedly");
        }
    }
    if tokio::time::timeout(DRAIN, drain(&processor)).await.is_err() {
        tracing::warn!("not everything was delivered before the end; it will be at the next start");
    }
}

async fn consume(
    processor: Arc<Processor>,
    heartbeat: Arc<Heartbeat>,
    courtesy: Arc<Courtesy>,
    mut stop: watch::Receiver<bool>,
) {
    while !*stop.borrow() {
        courtesy.wait().await;
        heartbeat.beat(processor.ctx().clock.now());
        // Never broken off: what was taken is finished, and the wait is short.
        let step = processor.consume(BUS_WAIT).await;
        rest_after(step, Duration::ZERO, &mut stop).await;
    }
}

async fn tick(processor: Arc<Processor>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let step = processor.tick().await;
        rest_after(step.map(|_| Step::Idle), TICK, &mut stop).await;
    }
}

async fn deliver(processor: Arc<Processor>, courtesy: Arc<Courtesy>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        courtesy.wait().await;
        match processor.deliver().await {
            Ok(Step::Idle) => {
                tokio::select! {
                    () = processor.committed_something() => {}
                    () = tokio::time::sleep(DELIVERER_IDLE) => {}
                    _ = stop.changed() => {}
                }
            }
            step => rest_after(step, Duration::ZERO, &mut stop).await,
        }
    }
}

async fn rest_after(step: Result<Step, PortError>, idle: Duration, stop: &mut watch::Receiver<bool>) {
    let rest = match step {
        Ok(Step::Did) => return,
        Ok(Step::Idle) => idle,
        Err(error) => {
            tracing::error!(%error, "a worker could not go on and tries again soon");
            AFTER_ERROR
        }
    };
    if !rest.is_zero() {
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            _ = stop.changed() => {}
        }
    }
}

/// What is due now is delivered; nothing new is taken.
async fn drain(processor: &Processor) {
    while matches!(processor.deliver().await, Ok(Step::Did)) {}
}
