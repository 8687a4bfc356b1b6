//! [`Lead`] where there is only one bot's record: on this machine, whoever can open it may work.

use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::ports::{Lead, PortError, Turn};
use async_trait::async_trait;

/// It is always our turn.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

#[async_trait]
impl Lead for Alone {
    async fn turn(&self) -> Result<Turn, PortError> {
        Ok(Turn::Ours)
    }

    async fn hand_over(&self, to: &RegionName, _: &Envelope) -> Result<(), PortError> {
        Err(PortError::permanent(format!("there is no other bot, so nothing can be handed over to {to}")))
    }
}
