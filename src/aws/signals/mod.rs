//! What AWS tells us unasked, from one SQS queue: executions that started or ended, files that arrived, workflows that wait for an
//! answer, and that it is time to look at deadlines. Each becomes an envelope on the bus, under a key made of what happened, so that a
//! message that comes twice or late changes nothing.
//!
//! A message that cannot be read is put with the queue's dead letters, with the reason on it: it is neither lost nor in anybody's way.
//! One about something else, such as an execution that somebody started by hand, is passed over.

mod event;

use super::breaker::Breaker;
use super::queue::{Note, Queue, Received};
use super::random;
use crate::domain::envelope::Envelope;
use crate::domain::id::{JobName, RegionName};
use crate::ports::{Bus, Clock, Kind, PortError};
use aws_config::SdkConfig;
use event::Message;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// The queue hands out so many at once.
const BATCH: usize = 10;
/// How long a message is ours. One that is taken again before it was finished changes nothing.
const LEASE: Duration = Duration::from_mins(1);
/// How long the queue is asked to wait for a message. SQS waits for no longer.
const WAIT: Duration = Duration::from_secs(20);
/// The wait before a message is tried again: it doubles, with jitter, up to the longest.
const AGAIN: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_mins(5);
/// How long the loop rests when the queue itself does not answer.
const REST: Duration = Duration::from_secs(2);

/// What is listened to.
#[derive(Debug, Clone)]
pub struct SignalNames {
    /// Where the queue is.
    pub region: RegionName,
    pub queue_url: String,
    /// Where messages go that cannot be read.
    pub dead_letter_url: String,
    /// The bucket of the region.
    pub bucket: String,
    /// The ARNs of the state machines whose executions are ours.
    pub machines: Vec<String>,
    /// The jobs that a file starts by arriving.
    pub on_arrival: Vec<JobName>,
}

/// What a message came to.
#[derive(Debug)]
pub enum Signal {
    /// These are on the bus now, or were before.
    Told(Vec<Envelope>),
    /// It is time to look at deadlines: where no loop does that, whoever hosts this has to.
    Wake,
    /// It is about nothing of ours: why.
    Passed(&'static str),
    /// It cannot be read, and lies with the dead letters: why.
    Buried(String),
}

/// Listens to one region's queue.
#[derive(Clone)]
pub struct Signals {
    queue: Queue,
    dead: Queue,
    names: SignalNames,
    bus: Arc<dyn Bus>,
    clock: Arc<dyn Clock>,
}

impl Signals {
    pub fn new(config: &SdkConfig, names: SignalNames, bus: Arc<dyn Bus>, clock: Arc<dyn Clock>) -> Self {
        let breaker = Breaker::new(&clock);
        Self {
            queue: Queue::new(config, &names.queue_url, breaker.clone()),
            dead: Queue::new(config, &names.dead_letter_url, breaker),
            names,
            bus,
            clock,
        }
    }

    /// Takes messages and does what they ask, until `stop` turns true. What was taken is finished first.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            let taken = tokio::select! {
                taken = self.queue.receive("could not take signals", BATCH, LEASE, WAIT) => taken,
                _ = stop.wait_for(|stopping| *stopping) => return,
            };
            match taken {
                Ok(messages) => {
                    for message in &messages {
                        self.handle(message).await;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "signals cannot be taken; this is tried again soon, and meanwhile deadlines find what has changed");
                    tokio::select! {
                        () = tokio::time::sleep(REST) => {}
                        _ = stop.wait_for(|stopping| *stopping) => return,
                    }
                }
            }
        }
    }

    /// Takes up to ten messages that are there and handles them; how many there were.
    pub async fn step(&self) -> Result<usize, PortError> {
        let messages = self.queue.receive("could not take signals", BATCH, LEASE, Duration::ZERO).await?;
        for message in &messages {
            self.handle(message).await;
        }
        Ok(messages.len())
    }

    /// Does what one message asks, or gives it back. A message that is given back too often goes to the dead letters by the queue's own rule.
    async fn handle(&self, message: &Received) {
        let done = match self.take(&message.body, message.sent_at, message.attempts).await {
            Ok(_) => self.queue.delete("could not acknowledge a signal", &message.handle).await,
            Err(error) => {
                tracing::warn!(message = message.id, attempts = message.attempts, %error, "a signal is tried again later");
                let wait = AGAIN + random::jitter(AGAIN, message.attempts, LONGEST);
                self.queue.hide("could not give a signal back", &message.handle, wait).await
            }
        };
        if let Err(error) = done {
            // It comes again when its lease ends, and changes nothing then.
            tracing::warn!(message = message.id, %error, "a signal may come once more");
        }
    }

    /// Does what a message asks that AWS has handed over, as to a Lambda function. When this returns `Ok` it is done with: whoever handed it
    /// over may delete it. Errors: it has to come again. `sent`: when it was sent to the queue (its attribute `SentTimestamp`).
    pub async fn take_in(&self, body: &str, sent: Timestamp) -> Result<Signal, PortError> {
        self.take(body, sent, 1).await
    }

    async fn take(&self, body: &str, sent: Timestamp, attempts: u32) -> Result<Signal, PortError> {
        let why = match Message::read(body, &self.names.region, sent) {
            Ok(message) => match self.follow(message).await {
                // It will never be taken, whoever asks.
                Err(error) if error.kind == Kind::Permanent => error.to_string(),
                done => return done,
            },
            Err(why) => why,
        };
        tracing::error!(why, "a signal cannot be followed and is put with the dead letters");
        let note = Note { why: why.clone(), attempts, at: self.clock.now() };
        self.dead.send("could not put a signal with the dead letters", body, Some(&note)).await?;
        Ok(Signal::Buried(why))
    }

    async fn follow(&self, message: Message) -> Result<Signal, PortError> {
        let now = self.clock.now();
        match message {
            Message::Wake => Ok(Signal::Wake),
            Message::Task(task) => {
                let bad = |error| PortError::permanent("could not name a workflow's question").because(error);
                self.tell(vec![Envelope::task_waiting(task, now).map_err(bad)?]).await
            }
            Message::Other(name) => {
                tracing::debug!(name, "an event that nothing here is about");
                Ok(Signal::Passed("nothing here is about events of this name"))
            }
            Message::Status(change) => match change.attempt(&self.names.machines) {
                Some(key) => self.tell(vec![change.envelope(key, now)]).await,
                None => Ok(Signal::Passed("the execution is none of ours")),
            },
            Message::Written(written) => match written.envelopes(&self.names.bucket, &self.names.on_arrival, now) {
                none if none.is_empty() => Ok(Signal::Passed("the object is no input of a job that files start")),
                envelopes => self.tell(envelopes).await,
            },
        }
    }

    async fn tell(&self, envelopes: Vec<Envelope>) -> Result<Signal, PortError> {
        for envelope in &envelopes {
            self.bus.publish(envelope.clone()).await?;
        }
        Ok(Signal::Told(envelopes))
    }
}
