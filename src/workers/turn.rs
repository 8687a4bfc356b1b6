//! One piece of work at a time, by whoever's turn it is. What loops do here again and again, a function that is called for one event
//! does once.

use super::{Crew, DELIVERERS, WATCH_REST};
use crate::ports::{Delivery, PortError, Turn};
use crate::processor::{Received, Step};
use std::time::Duration;
use tokio::time::Instant;

impl Crew {
    /// Handles a delivery if it is our turn; hands it over to whose turn it is; keeps it where it is nobody's.
    pub async fn receive(&self, delivery: &Delivery) -> Result<Received, PortError> {
        match self.lead.turn().await? {
            Turn::Ours => self.processor.receive(delivery).await,
            Turn::Theirs(to) => self.processor.hand_over(delivery, &*self.lead, &to).await,
            Turn::Nobodys => self.processor.keep(delivery, "no region has the lead").await,
        }
    }

    async fn ours(&self) -> Result<bool, PortError> {
        Ok(self.lead.turn().await? == Turn::Ours)
    }

    /// Looks at what has come due, if it is our turn.
    pub(super) async fn tick(&self) -> Result<Step, PortError> {
        if self.ours().await? { self.processor.tick().await } else { Ok(Step::Idle) }
    }

    /// Carries one effect out, if one is due and it is our turn.
    pub(super) async fn deliver(&self) -> Result<Step, PortError> {
        if !self.ours().await? {
            return Ok(Step::Idle);
        }
        let Some(item) = self.processor.take_effect().await? else { return Ok(Step::Idle) };
        // There may be more: one wakes the next.
        self.due.notify_one();
        let done = self.processor.carry_out(&item).await;
        self.settled.notify_one();
        done.map(|()| Step::Did)
    }

    /// What is due now is delivered; nothing new is taken.
    pub(super) async fn deliver_all(&self) {
        while matches!(self.deliver().await, Ok(Step::Did)) {}
    }

    /// Does what is due, and says how long nothing will be, as far as it is known.
    pub(super) async fn look(&self) -> Result<Duration, PortError> {
        if !self.ours().await? {
            return Ok(self.tempo.tick);
        }
        let ctx = self.processor.ctx();
        let (next, now) = (ctx.store.next_due().await?, ctx.clock.now());
        match next {
            Some(due) if due <= now => {
                self.due.notify_one();
                self.processor.tick().await?;
                Ok(WATCH_REST)
            }
            Some(due) => Ok(Duration::try_from(due.duration_since(now)).unwrap_or_default().min(self.tempo.tick)),
            None => Ok(self.tempo.tick),
        }
    }

    /// Does what is due, until nothing is or until `until`. What is begun is finished: effects take some seconds at most.
    pub async fn catch_up(&self, until: Instant) -> Result<(), PortError> {
        while Instant::now() < until {
            let ticked = self.tick().await?;
            let delivered =
                futures_util::future::try_join_all((0..DELIVERERS).map(|_| self.deliver_until(until))).await?;
            if ticked == Step::Idle && !delivered.contains(&Step::Did) {
                break;
            }
        }
        Ok(())
    }

    async fn deliver_until(&self, until: Instant) -> Result<Step, PortError> {
        let mut done = Step::Idle;
        while Instant::now() < until && self.deliver().await? == Step::Did {
            done = Step::Did;
        }
        Ok(done)
    }
}
