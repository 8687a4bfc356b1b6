//! Whose turn it is among the bots of several regions, and the way to the one whose turn it is.

use crate::aws::OtherBus;
use crate::aws::regions::{Held, Lead as Lease};
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::ports::{Clock, Lead, PortError, Turn};
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long it is believed that another region leads.
const BELIEVED: SignedDuration = SignedDuration::from_secs(5);

/// The lead as this process has it.
pub(super) struct Leading {
    pub(super) lease: Lease,
    pub(super) others: HashMap<RegionName, OtherBus>,
    pub(super) clock: Arc<dyn Clock>,
    /// Who leads instead, and since when we know.
    pub(super) elsewhere: Mutex<Option<(RegionName, Timestamp)>>,
}

impl Leading {
    /// Takes the lead or renews it, where it is ours or nobody's.
    pub(super) async fn renew(&self) -> Result<Turn, PortError> {
        let now = self.clock.now();
        let held = self.lease.hold(now).await?;
        let mut elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        match held {
            Held::Mine { .. } => {
                *elsewhere = None;
                Ok(Turn::Ours)
            }
            Held::Other { region, .. } => {
                *elsewhere = Some((region.clone(), now));
                Ok(Turn::Theirs(region))
            }
        }
    }

    /// For a bot that stops: another region need not wait.
    pub(super) async fn give_up(&self) {
        if let Err(error) = self.lease.give_up(self.clock.now()).await {
            tracing::warn!(%error, "the lead was not given up; it runs out by itself");
        }
    }

    fn known(&self, now: Timestamp) -> Option<RegionName> {
        let elsewhere = self.elsewhere.lock().unwrap_or_else(PoisonError::into_inner);
        elsewhere.as_ref().filter(|(_, since)| now.duration_since(*since) < BELIEVED).map(|(region, _)| region.clone())
    }
}

#[async_trait]
impl Lead for Leading {
    async fn turn(&self) -> Result<Turn, PortError> {
        let now = self.clock.now();
        if self.lease.may_act(now) {
            return Ok(Turn::Ours);
        }
        match self.known(now) {
            Some(region) => Ok(Turn::Theirs(region)),
            None => self.renew().await,
        }
    }

    async fn hand_over(&self, to: &RegionName, envelope: &Envelope) -> Result<(), PortError> {
        let gone = || PortError::transient(format!("the region {to} has the lead and is not in the configuration"));
        self.others.get(to).ok_or_else(gone)?.put(envelope).await
    }
}
