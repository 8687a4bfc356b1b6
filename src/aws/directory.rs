//! [`Directory`] on a DynamoDB table: one item for each person, by `team#user`, which alone says what they may; and one for each role,
//! `role#NAME`, which says where to look for those who have it. Read each time, so that a right that was taken away is gone at once.

use super::breaker::Breaker;
use super::errors::Access;
use crate::domain::actor::{Actor, Listed, Role};
use crate::domain::id::{TeamId, UserId};
use crate::ports::{Clock, Directory, Kind, PortError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The partition key of the table, a text: `T0LOCAL#U0OPERATOR`, `role#operator`.
pub const ACTOR: &str = "actor";
/// Whom the item of a role names, a set of texts.
const PEOPLE: &str = "people";

/// The list of people. An item has `name`, a text, and `roles`, a set or a list of texts. The item of a role has `people`, a set of
/// texts: the keys of those who have it. Who is missing there keeps the right but is not found by it; who is too many there has none.
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

    /// Puts somebody on the list, or changes what they may; the items of the roles with it, all or nothing.
    pub async fn put(&self, team: &TeamId, user: &UserId, listed: &Listed) -> Result<(), PortError> {
        let doing = "could not list a person";
        // What cannot be read any more is mended by this very write.
        let before = match self.find(team, user).await {
            Err(error) if error.kind == Kind::Permanent => None,
            found => found?,
        };
        let who = format!("{team}#{user}");
        let now: BTreeSet<&str> = listed.roles.iter().map(|role| role.0.as_str()).collect();
        let old = before.iter().flat_map(|listed| &listed.roles).map(|role| role.0.as_str());
        let gone: BTreeSet<&str> = old.filter(|role| !now.contains(role)).collect();
        let changes = now.iter().map(|role| ("ADD", *role)).chain(gone.into_iter().map(|role| ("DELETE", role)));
        let changes = changes.map(|(verb, role)| self.of_role(verb, role, &who));
        let writes = std::iter::once(self.person(&who, listed)).chain(changes).collect::<Result<Vec<_>, _>>();
        let writes = writes.map_err(|error| PortError::permanent(doing).because(error))?;
        let call = self.client.transact_write_items().set_transact_items(Some(writes)).send();
        self.breaker.call(call).await.map(drop).map_err(|failed| failed.port(Access::Write, doing))
    }

    fn person(&self, who: &str, listed: &Listed) -> Result<TransactWriteItem, BuildError> {
        let roles = listed.roles.iter().map(|role| AttributeValue::S(role.0.clone())).collect();
        let put = Put::builder()
            .table_name(&self.table)
            .item(ACTOR, AttributeValue::S(who.to_owned()))
            .item("name", AttributeValue::S(listed.name.clone()))
            .item("roles", AttributeValue::L(roles));
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    fn of_role(&self, verb: &str, role: &str, who: &str) -> Result<TransactWriteItem, BuildError> {
        let update = Update::builder()
            .table_name(&self.table)
            .key(ACTOR, AttributeValue::S(role_key(role)))
            .update_expression(format!("{verb} #p :who"))
            .expression_attribute_names("#p", PEOPLE)
            .expression_attribute_values(":who", AttributeValue::Ss(vec![who.to_owned()]));
        Ok(TransactWriteItem::builder().update(update.build()?).build())
    }

    async fn item(&self, doing: &str, key: String) -> Result<Option<HashMap<String, AttributeValue>>, PortError> {
        let key = AttributeValue::S(key);
        let call = self.client.get_item().table_name(&self.table).key(ACTOR, key).consistent_read(true).send();
        Ok(self.breaker.call(call).await.map_err(|failed| failed.port(Access::Read, doing))?.item)
    }

    /// Those whom the item of a role names.
    async fn named(&self, role: &Role) -> Result<Vec<(TeamId, UserId)>, PortError> {
        let doing = "could not look up who has a role";
        let key = role_key(&role.0);
        let wrong = || {
            let fix = format!("the entry {key} in table {} has no set of TEAM#USER in {PEOPLE}: mend it", self.table);
            PortError::permanent(format!("{doing}: {fix}"))
        };
        let Some(item) = self.item(doing, key.clone()).await? else { return Ok(Vec::new()) };
        // A set that has become empty is not there any more.
        let Some(people) = item.get(PEOPLE) else { return Ok(Vec::new()) };
        let people = texts(people).ok_or_else(wrong)?;
        people.iter().map(|who| actor(who).ok_or_else(wrong)).collect()
    }
}

#[async_trait]
impl Directory for DynamoDirectory {
    async fn find(&self, team: &TeamId, user: &UserId) -> Result<Option<Listed>, PortError> {
        let doing = "could not look a person up";
        let Some(item) = self.item(doing, format!("{team}#{user}")).await? else { return Ok(None) };
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

    /// In the order of their ids. Somebody whose entry cannot be read is left out, and said.
    async fn holders(&self, roles: &[Role]) -> Result<Vec<Actor>, PortError> {
        let mut named = BTreeSet::new();
        for role in roles {
            let people = self.named(role).await?;
            named.extend(people.into_iter().map(|(team, user)| (team.to_string(), user.to_string())));
        }
        let mut holders = Vec::new();
        for (team, user) in &named {
            let Some((team, user)) = actor(&format!("{team}#{user}")) else { continue };
            match self.find(&team, &user).await {
                Ok(Some(listed)) if listed.roles.iter().any(|role| roles.contains(role)) => {
                    holders.push(Actor { team, user, name: listed.name });
                }
                Ok(_) => {}
                Err(error) if error.kind == Kind::Permanent => {
                    tracing::error!(%error, "a person cannot be read and is left out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(holders)
    }
}

fn role_key(role: &str) -> String {
    format!("role#{role}")
}

fn actor(who: &str) -> Option<(TeamId, UserId)> {
    let (team, user) = who.split_once('#')?;
    Some((TeamId::parse(team).ok()?, UserId::parse(user).ok()?))
}

fn texts(value: &AttributeValue) -> Option<Vec<String>> {
    match value {
        AttributeValue::Ss(set) => Some(set.clone()),
        AttributeValue::L(list) => list.iter().map(|item| item.as_s().ok().cloned()).collect(),
        _ => None,
    }
}
