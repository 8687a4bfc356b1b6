//! Which bot works, where each of several regions has one.

use super::PortError;
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use async_trait::async_trait;

/// Whose turn it is to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Turn {
    /// Ours: everything may be done.
    Ours,
    /// That of the bot in another region: what people ask for here is handed over to it.
    Theirs(RegionName),
    /// Nobody's at the moment: what people ask for is kept.
    Nobodys,
}

/// The lead over the record: who does not have it handles no envelope, looks at no deadline and carries out no effect.
#[async_trait]
pub trait Lead: Send + Sync {
    /// Whose turn it is. Asked before each piece of work, so it may be answered from memory for as long as a lease allows.
    async fn turn(&self) -> Result<Turn, PortError>;

    /// Puts an envelope onto the bus of the region that has the lead. Doing it twice is harmless.
    async fn hand_over(&self, to: &RegionName, envelope: &Envelope) -> Result<(), PortError>;
}
