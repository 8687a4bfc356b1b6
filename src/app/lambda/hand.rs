//! What a function does with one event: handle it, then do what is due in the time that is left, then see to being woken for the rest.

use super::queue::{Answer, Message, Messages};
use crate::app::App;
use crate::app::aws::Aws;
use crate::aws::{EventBus, Handed};
use crate::ports::{PortError, Turn};
use crate::processor::Received;
use crate::workers::Crew;
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Nothing new is begun so long before the function is ended: longer than an effect takes. What is ended all the same is done again
/// once its lease is over.
const MARGIN: SignedDuration = SignedDuration::from_secs(15);

pub(super) struct Hand {
    crew: Arc<Crew>,
    aws: Arc<Aws>,
}

impl Hand {
    pub(super) fn new(app: App<Aws>) -> Self {
        let (crew, aws) = app.into_hand_parts();
        Self { crew, aws }
    }

    /// When the function is ended, from Lambda's milliseconds.
    pub(super) fn end(&self, deadline: u64) -> Timestamp {
        let end = i64::try_from(deadline).ok().and_then(|deadline| Timestamp::from_millisecond(deadline).ok());
        end.unwrap_or_else(|| self.crew.processor.ctx().clock.now())
    }

    /// Messages of the queue of commands. One that fails is kept, and holds up no other.
    pub(super) async fn commands(&self, messages: Messages, end: Timestamp) -> Answer {
        let kept = join_all(messages.records.into_iter().map(|message| self.command(message, end))).await;
        self.carry_on(end).await;
        Answer::keeping(kept.into_iter().flatten())
    }

    /// Its id, if it stays in the queue.
    async fn command(&self, message: Message, end: Timestamp) -> Option<String> {
        let message = Handed::from(message);
        let received = match self.bus().delivery(&message, end).await {
            Ok(Some(delivery)) => self.crew.receive(&delivery).await,
            Ok(None) => Ok(Received::Done),
            Err(error) => Err(error),
        };
        match received {
            Ok(Received::Done) => None,
            Ok(Received::GivenBack) => Some(message.id),
            Err(error) => {
                tracing::error!(message = message.id, %error, "a message could not be handled and comes again");
                Some(message.id)
            }
        }
    }

    /// Messages of the queue of signals.
    pub(super) async fn signals(&self, messages: Messages, end: Timestamp) -> Answer {
        let kept = join_all(messages.records.into_iter().map(|message| self.signal(message))).await;
        self.carry_on(end).await;
        Answer::keeping(kept.into_iter().flatten())
    }

    async fn signal(&self, message: Message) -> Option<String> {
        let sent = message.sent();
        let message = Handed::from(message);
        // Whoever is woken does what is due in any case.
        match self.aws.signals.take_in(&message.body, sent).await {
            Ok(_) => None,
            Err(error) => {
                tracing::warn!(message = message.id, %error, "a signal could not be taken in and comes again");
                Some(message.id)
            }
        }
    }

    /// What has to be done again and again.
    pub(super) async fn tick(&self, end: Timestamp) -> Result<(), PortError> {
        // Each of them matters without the others.
        let renewed = self.aws.renew().await;
        let beaten = self.aws.beat().await;
        let swept = self.bus().sweep().await;
        self.carry_on(end).await;
        renewed.and(beaten).and(swept)
    }

    /// Does what is due, and sees to being woken for what will be. Where that fails, the next tick does it.
    async fn carry_on(&self, end: Timestamp) {
        let until = end.saturating_sub(MARGIN).unwrap_or(Timestamp::MIN);
        let left = until.duration_since(self.crew.processor.ctx().clock.now());
        let until = Instant::now() + Duration::try_from(left).unwrap_or_default();
        let done = match self.crew.catch_up(until).await {
            Ok(()) => self.ask_to_be_woken().await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            tracing::warn!(%error, "not everything that is due could be done; the next tick goes on");
        }
    }

    async fn ask_to_be_woken(&self) -> Result<(), PortError> {
        if self.crew.lead.turn().await? != Turn::Ours {
            return Ok(());
        }
        match self.crew.processor.ctx().store.next_due().await? {
            Some(due) => self.aws.wakes.at(due).await.map(drop),
            None => Ok(()),
        }
    }

    fn bus(&self) -> &EventBus {
        &self.aws.bus
    }
}
