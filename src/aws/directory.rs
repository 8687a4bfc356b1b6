//! [`Directory`] on a DynamoDB table: one item for each person, by `team#user`. Read each time, so that a right that was taken away is
//! gone at once.

use super::breaker::Breaker;
use super::errors::Access;
use crate::domain::actor::{Listed, Role};
use crate::domain::id::{TeamId, UserId};
use crate::ports::{Clock, Directory, PortError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use std::sync::Arc;

/// The partition key of the table, a text: `T0LOCAL#U0OPERATOR`.
pub const ACTOR: &str = "actor";

/// The list of people. An item has `name`, a text, and `roles`, a set or a list of texts.
#[derive(Debug, Clone)]
pub struct DynamoDirectory {
    client: Client,
    table: String,
    breaker: Arc<Breaker>,
}

impl DynamoDirectory {
    pub fn new(config: &SdkConfig, table: &str, clock: &Arc<dyn Clock>) -> Self {
        Self { client: Client::new(config), table: table.to_owned(), breaker: Breaker::new(clock) }
    }
}

#[async_trait]
impl Directory for DynamoDirectory {
    async fn find(&self, team: &TeamId, user: &UserId) -> Result<Option<Listed>, PortError> {
        let key = AttributeValue::S(format!("{team}#{user}"));
        let call = self.client.get_item().table_name(&self.table).key(ACTOR, key).consistent_read(true).send();
        let doing = "could not look a person up";
        let answer = self.breaker.call(call).await.map_err(|failed| failed.port(Access::Read, doing))?;
        let Some(item) = answer.item else { return Ok(None) };
        let wrong = |what: &str| {
            let fix = format!("the entry of {team}#{user} in table {} has {what}: mend it", self.table);
            PortError::permanent(format!("{doing}: {fix}; until then this person has no rights"))
        };
        let name = item
            .get("name")
            .map_or(Ok(String::new()), |name| name.as_s().cloned().map_err(|_| wrong("a name that is no text")))?;
        let roles = item.get("roles").ok_or_else(|| wrong("no roles"))?;
        let roles = texts(roles).ok_or_else(|| wrong("roles that are no set or list of texts"))?;
        let name = if name.trim().is_empty() { user.to_string() } else { name };
        Ok(Some(Listed { name, roles: roles.iter().map(|role| Role::new(role)).collect() }))
    }
}

fn texts(value: &AttributeValue) -> Option<Vec<String>> {
    match value {
        AttributeValue::Ss(set) => Some(set.clone()),
        AttributeValue::L(list) => list.iter().map(|item| item.as_s().ok().cloned()).collect(),
        _ => None,
    }
}
