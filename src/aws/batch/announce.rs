//! The step `announce`: says how it ended. It asks nobody but the bucket, so it may be called at any time and by anyone.

use super::Worker;
use super::error::{Halt, WorkerError};
use super::layout::Place;
use crate::batch::ledger::{ENDED, End, Ended};
use crate::batch::plan::Plan;
use crate::batch::{self, Control, Progress, durable};
use crate::ports::Kind;
use serde_json::{Value, json};

impl Worker {
    pub(super) async fn announce(&self, place: &Place) -> Result<Value, Halt> {
        let key = place.at(ENDED);
        let ended: Ended = match self.bucket.json(&key).await? {
            Some(ended) => ended,
            None => {
                let ended = self.ending(place).await?;
                if self.bucket.put_new(&key, durable::json(&ended)?).await? {
                    ended
                } else {
                    self.bucket.json(&key).await?.unwrap_or(ended)
                }
            }
        };
        if ended.has_succeeded() && !place.is_sandboxed() {
            self.mail(place, &ended).await?;
        }
        self.clear(place).await;
        Ok(match ended.state {
            End::Succeeded => json!({"outcome": "succeeded"}),
            End::Cancelled => json!({"outcome": "stopped"}),
            End::Failed => json!({"outcome": "failed", "why": ended.failure}),
        })
    }

    async fn ending(&self, place: &Place) -> Result<Ended, Halt> {
        if let Some(summary) = self.summary(place).await? {
            return Ok(Ended::of(&summary, &summary.progress()));
        }
        if let Some(why) = self.mistake(place).await? {
            // A late copy of the merge must not publish what is called failed. Where it was decided to, the lease has said no.
            self.decide_against(place).await?;
            return Ok(Ended::failed(why, &self.reached(place).await?));
        }
        if self.is_stopped(place).await? && self.decide_against(place).await? {
            return Ok(Ended::cancelled(&self.reached(place).await?));
        }
        Err(WorkerError::Call(format!("{} has not ended", place.key)).into())
    }

    /// How far an attempt has come that is not finished.
    pub(super) async fn reached(&self, place: &Place) -> Result<Progress, Halt> {
        let control = Control::default();
        let Some(plan) = self.bucket.json::<Plan>(&place.at(batch::PLAN)).await? else { return Ok(control.progress()) };
        let [first, second] = self.markers(place).await?;
        let done = plan.chunks.iter().filter_map(|chunk| second.get(&chunk.index).or_else(|| first.get(&chunk.index)));
        Ok(batch::apart::progress(&plan, done))
    }

    /// The parts of what has a summary are not needed any more.
    async fn clear(&self, place: &Place) {
        let clear = async {
            if self.summary(place).await?.is_none() {
                return Ok::<_, Halt>(());
            }
            let parts = self.bucket.list(&place.at("parts/")).await?;
            Ok(self.bucket.delete(parts.into_iter().map(|(key, _)| key).collect()).await?)
        };
        if let Err(error) = clear.await {
            let denied = matches!(&error, Halt::Error(WorkerError::Outage(error)) if error.kind == Kind::Denied);
            tracing::warn!(attempt = %place.key, ?error, denied, "the parts of a finished attempt could not be removed");
        }
    }
}
