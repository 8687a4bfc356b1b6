//! The directory and the settings of a configuration file.

use crate::domain::actor::Listed;
use crate::domain::id::{ChannelId, TeamId, UserId};
use crate::ports::{Directory, PortError, Settings};
use async_trait::async_trait;
use std::collections::HashMap;

/// People by team + user id, and the channels the bot works in.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    people: HashMap<(TeamId, UserId), Listed>,
    channels: Vec<ChannelId>,
}

impl Lists {
    pub fn new(people: impl IntoIterator<Item = (TeamId, UserId, Listed)>, channels: Vec<ChannelId>) -> Self {
        Self { people: people.into_iter().map(|(team, user, listed)| ((team, user), listed)).collect(), channels }
    }
}

#[async_trait]
impl Directory for Lists {
    async fn find(&self, team: &TeamId, user: &UserId) -> Result<Option<Listed>, PortError> {
        Ok(self.people.get(&(team.clone(), user.clone())).cloned())
    }
}

#[async_trait]
impl Settings for Lists {
    async fn channels(&self) -> Result<Vec<ChannelId>, PortError> {
        Ok(self.channels.clone())
    }
}
