//! The loops that keep calling [`Processor`]: each does one piece of work at a time and knows when to stop.
//! Nothing in here decides what is done; it decides when, and whether it is our turn.

mod courtesy;
mod tempo;
mod turn;

pub use courtesy::Courtesy;
pub use tempo::Tempo;

use crate::health::Heartbeat;
use crate::ports::{Lead, PortError, Turn};
use crate::processor::{Processor, Step};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

/// Envelopes handled side by side: enough that a slow lookup holds up nobody, few enough for two cores.
const CONSUMERS: usize = 4;
/// Effects carried out side by side: most of their time is waiting for Slack.
const DELIVERERS: usize = 4;
/// How long a loop rests after a port failed.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// How long a loop rests while it is not our turn to do what it does.
const NOT_OUR_TURN: Duration = Duration::from_secs(1);
/// The watch rests for so long at least, where something is due all the time.
const WATCH_REST: Duration = Duration::from_millis(200);
/// At shutdown, what is due is still delivered for this long; the rest is taken up at the next start.
const DRAIN: Duration = Duration::from_secs(5);

/// Who works: the processor, and everything that says when it may.
pub struct Crew {
    pub processor: Arc<Processor>,
    pub lead: Arc<dyn Lead>,
    pub heartbeat: Arc<Heartbeat>,
    pub courtesy: Arc<Courtesy>,
    tempo: Tempo,
    /// Those who may ask the bus at the same time.
    at_the_bus: Semaphore,
    /// There may be something to deliver.
    due: Notify,
    /// What comes due next may have changed.
    settled: Notify,
}

impl Crew {
    pub fn new(processor: Arc<Processor>, lead: Arc<dyn Lead>, tempo: Tempo) -> Self {
        let heartbeat = Arc::new(Heartbeat::waiting(tempo.bus_wait));
        heartbeat.beat(processor.ctx().clock.now());
        let at_the_bus = Semaphore::new(tempo.at_the_bus);
        Self {
            processor,
            lead,
            heartbeat,
            courtesy: Arc::default(),
            tempo,
            at_the_bus,
            due: Notify::new(),
            settled: Notify::new(),
        }
    }
}

/// Runs all loops until `stop` turns true, then drains.
pub async fn run(crew: Arc<Crew>, stop: watch::Receiver<bool>) {
    let mut loops = JoinSet::new();
    for _ in 0..CONSUMERS {
        loops.spawn(consume(crew.clone(), stop.clone()));
    }
    for _ in 0..DELIVERERS {
        loops.spawn(deliver(crew.clone(), stop.clone()));
    }
    if crew.tempo.watched {
        loops.spawn(watch_over(crew.clone(), stop));
    } else {
        loops.spawn(tick(crew.clone(), stop));
    }
    while let Some(ended) = loops.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a worker ended unexpectedly");
        }
    }
    if tokio::time::timeout(DRAIN, crew.deliver_all()).await.is_err() {
        tracing::warn!("not everything was delivered before the end; it will be at the next start");
    }
}

async fn consume(crew: Arc<Crew>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        crew.courtesy.wait().await;
        crew.heartbeat.beat(crew.processor.ctx().clock.now());
        let step = take_one(&crew, &mut stop).await;
        rest_after(step, Duration::ZERO, &mut stop).await;
    }
}

/// Never broken off once it asks the bus: what was taken is finished, and the wait is short.
async fn take_one(crew: &Crew, stop: &mut watch::Receiver<bool>) -> Result<Step, PortError> {
    let delivery = {
        let _place = tokio::select! {
            place = crew.at_the_bus.acquire() => place,
            _ = stop.wait_for(|stopping| *stopping) => return Ok(Step::Idle),
        };
        if crew.lead.turn().await? == Turn::Nobodys {
            rest_after(Ok(Step::Idle), NOT_OUR_TURN, stop).await;
            return Ok(Step::Idle);
        }
        crew.processor.take(crew.tempo.bus_wait).await?
    };
    let Some(delivery) = delivery else { return Ok(Step::Idle) };
    crew.receive(&delivery).await.map(|_| Step::Did)
}

async fn tick(crew: Arc<Crew>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let step = crew.tick().await;
        rest_after(step.map(|_| Step::Idle), crew.tempo.tick, &mut stop).await;
    }
}

/// Looks at deadlines when they come due, and wakes a deliverer when an effect does.
async fn watch_over(crew: Arc<Crew>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        let rest = crew.look().await.unwrap_or_else(|error| {
            tracing::error!(%error, "what comes due could not be looked for; this is tried again soon");
            AFTER_ERROR
        });
        tokio::select! {
            () = tokio::time::sleep(rest) => {}
            () = crew.processor.committed_something() => {}
            () = crew.settled.notified() => {}
            _ = stop.changed() => {}
        }
    }
}

async fn deliver(crew: Arc<Crew>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow() {
        crew.courtesy.wait().await;
        match crew.deliver().await {
            Ok(Step::Idle) => {
                tokio::select! {
                    () = crew.processor.committed_something() => {}
                    () = crew.due.notified() => {}
                    () = tokio::time::sleep(crew.tempo.deliverer_idle) => {}
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
