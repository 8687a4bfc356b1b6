//! Who is on the list, where the bot may work, and what time it is.

use super::PortError;
use crate::domain::actor::{Actor, Listed, Role};
use crate::domain::id::{ChannelId, TeamId, UserId};
use async_trait::async_trait;
use jiff::Timestamp;

/// The list of people and their roles, by team id + user id.
#[async_trait]
pub trait Directory: Send + Sync {
    /// The person, or `None` where they are on no list.
    async fn find(&self, team: &TeamId, user: &UserId) -> Result<Option<Listed>, PortError>;

    /// Everybody who has one of these roles, in the order of the list. No roles: nobody.
    async fn holders(&self, roles: &[Role]) -> Result<Vec<Actor>, PortError>;
}

/// Settings that an administrator changes without a new release.
#[async_trait]
pub trait Settings: Send + Sync {
    /// The channels the bot works in.
    async fn channels(&self) -> Result<Vec<ChannelId>, PortError>;
}

/// The time. Tests turn it by hand.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}
