//! One DynamoDB table: items by key, queries along an index, transactions. There is no way to scan it.

mod item;
mod query;
mod transaction;

pub(super) use item::{Item, Key, SORT};
pub(super) use query::{Query, Range};
pub(super) use transaction::{Check, Refused, Write};

use super::breaker::Breaker;
use super::errors::{Access, Failed};
use super::random::jitter;
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// DynamoDB reads this many items at once.
const BATCH: usize = 100;
/// Rounds of a batch that DynamoDB answers in parts.
const ROUNDS: u32 = 8;

/// A table that is there.
#[derive(Debug, Clone)]
pub(super) struct Table {
    client: Client,
    name: String,
    breaker: Arc<Breaker>,
}

impl Table {
    pub(super) fn new(config: &SdkConfig, name: &str, clock: &Arc<dyn Clock>) -> Self {
        Self { client: Client::new(config), name: name.to_owned(), breaker: Breaker::new(clock) }
    }

    /// One item, as it is now.
    pub(super) async fn get(&self, doing: &str, key: &Key) -> Result<Option<Item>, PortError> {
        let call = self.client.get_item().table_name(&self.name).set_key(Some(key.attributes())).consistent_read(true);
        let found = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
        Ok(found.item.map(Item::from))
    }

    /// Writes one item if the check holds; `false`: it did not.
    pub(super) async fn put(&self, doing: &str, item: Item, check: Check) -> Result<bool, PortError> {
        let (condition, names, values) = check.expression();
        let call = self
            .client
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item.into_attributes()))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        let done = self.breaker.call(call.send()).await.map(drop);
        done.map_or_else(|failed| refused(failed, doing), |()| Ok(true))
    }

    /// Deletes one item if the check holds; `false`: it did not.
    pub(super) async fn delete(&self, doing: &str, key: &Key, check: Check) -> Result<bool, PortError> {
        let (condition, names, values) = check.expression();
        let call = self
            .client
            .delete_item()
            .table_name(&self.name)
            .set_key(Some(key.attributes()))
            .set_condition_expression(condition)
            .set_expression_attribute_names(names)
            .set_expression_attribute_values(values);
        let done = self.breaker.call(call.send()).await.map(drop);
        done.map_or_else(|failed| refused(failed, doing), |()| Ok(true))
    }

    /// Items as they are now, in no order; those that are not there are left out.
    pub(super) async fn get_all(&self, doing: &str, keys: &[Key]) -> Result<Vec<Item>, PortError> {
        let mut found = Vec::with_capacity(keys.len());
        for part in keys.chunks(BATCH) {
            let keys = part.iter().map(Key::attributes).collect();
            let wanted = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true).build();
            let wanted = wanted.map_err(|error| PortError::permanent(doing).because(error))?;
            let mut rest = HashMap::from([(self.name.clone(), wanted)]);
            for round in 0.. {
                if round == ROUNDS {
                    return Err(PortError::transient(format!(
                        "{doing}: DynamoDB left some of it out; it can be tried again"
                    )));
                }
                if round > 0 {
                    tokio::time::sleep(jitter(Duration::from_millis(20), round, Duration::from_secs(1))).await;
                }
                let call = self.client.batch_get_item().set_request_items(Some(rest));
                let answer = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
                found.extend(answer.responses.into_iter().flatten().flat_map(|(_, items)| items).map(Item::from));
                rest = answer.unprocessed_keys.unwrap_or_default();
                if rest.is_empty() {
                    break;
                }
            }
        }
        Ok(found)
    }
}

fn refused<E>(failed: Failed<E>, doing: &str) -> Result<bool, PortError>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    if failed.is("ConditionalCheckFailedException") { Ok(false) } else { Err(failed.port(Access::Write, doing)) }
}
