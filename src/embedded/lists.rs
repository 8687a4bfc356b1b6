//! The directory and the settings of a configuration file.

use crate::domain::actor::{Actor, Listed, Role};
use crate::domain::id::{ChannelId, TeamId, UserId};
use crate::ports::{Directory, PortError, Settings};
use async_trait::async_trait;
use std::collections::HashMap;

/// People by team + user id, and the channels the bot works in.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    people: HashMap<(TeamId, UserId), Listed>,
    /// In the order of the file.
    order: Vec<(TeamId, UserId)>,
    channels: Vec<ChannelId>,
}

impl Lists {
    pub fn new(people: impl IntoIterator<Item = (TeamId, UserId, Listed)>, channels: Vec<ChannelId>) -> Self {
        let people: Vec<_> = people.into_iter().map(|(team, user, listed)| ((team, user), listed)).collect();
        let order = people.iter().map(|(who, _)| who.clone()).collect();
        Self { people: people.into_iter().collect(), order, channels }
    }
}

#[async_trait]
impl Directory for Lists {
    async fn find(&self, team: &TeamId, user: &UserId) -> Result<Option<Listed>, PortError> {
        Ok(self.people.get(&(team.clone(), user.clone())).cloned())
    }

    async fn holders(&self, roles: &[Role]) -> Result<Vec<Actor>, PortError> {
        let has = |listed: &Listed| listed.roles.iter().any(|role| roles.contains(role));
        let actor = |(team, user): &(TeamId, UserId)| {
            let listed = self.people.get(&(team.clone(), user.clone())).filter(|listed| has(listed))?;
            Some(Actor { team: team.clone(), user: user.clone(), name: listed.name.clone() })
        };
        Ok(self.order.iter().filter_map(actor).collect())
    }
}

#[async_trait]
impl Settings for Lists {
    async fn channels(&self) -> Result<Vec<ChannelId>, PortError> {
        Ok(self.channels.clone())
    }
}
