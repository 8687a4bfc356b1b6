//! The table that is strongly consistent over regions (DynamoDB's MRSC). Such tables know no transactions and no time to live, only
//! conditional writes of one item. Its items have the partition key `pk` and no sort key.

use crate::aws::breaker::Breaker;
use crate::aws::errors::{Access, Failed};
use crate::aws::random::jitter;
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// The attribute of the key.
const KEY: &str = "pk";
/// Tries of a write while the same item is written in another region too.
const TRIES: u32 = 8;

pub(super) type Attributes = HashMap<String, AttributeValue>;

/// A write of one item: an update expression, the condition it depends on, and what `:x` and `#x` stand for in both. A name that is not
/// given stands for itself: so no attribute is ever one of DynamoDB's many reserved words.
#[derive(Debug, Clone, Default)]
pub(super) struct Update {
    pub(super) expression: &'static str,
    pub(super) condition: &'static str,
    pub(super) names: Vec<(&'static str, String)>,
    pub(super) values: Vec<(&'static str, AttributeValue)>,
}

impl Update {
    fn all_names(&self) -> HashMap<String, String> {
        let places = [self.expression, self.condition].into_iter().flat_map(|text| text.split('#').skip(1));
        let words = places.map(|rest| rest.split(|c: char| !c.is_ascii_lowercase()).next().unwrap_or(rest));
        let own = words.map(|word| (format!("#{word}"), word.to_owned()));
        let given = self.names.iter().map(|(name, stands_for)| ((*name).to_owned(), stands_for.clone()));
        own.chain(given).collect()
    }
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    client: Client,
    table: String,
    breaker: Arc<Breaker>,
}

impl Rows {
    pub(super) fn new(config: &SdkConfig, table: &str, clock: &Arc<dyn Clock>) -> Self {
        Self { client: Client::new(config), table: table.to_owned(), breaker: Breaker::new(clock) }
    }

    /// The item as it is now in every region.
    pub(super) async fn read(&self, doing: &str, item: &str) -> Result<Option<Attributes>, PortError> {
        let call = self.client.get_item().table_name(&self.table).key(KEY, text(item)).consistent_read(true);
        let found = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
        Ok(found.item)
    }

    /// Writes the item; `false`: the condition did not hold.
    pub(super) async fn write(&self, doing: &str, item: &str, update: &Update) -> Result<bool, PortError> {
        let mut tries = 1;
        loop {
            let values = update.values.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let (names, values) = (update.all_names(), values.collect::<HashMap<_, _>>());
            let call = self
                .client
                .update_item()
                .table_name(&self.table)
                .key(KEY, text(item))
                .update_expression(update.expression)
                .condition_expression(update.condition)
                .set_expression_attribute_names(Some(names))
                .set_expression_attribute_values(Some(values));
            match self.breaker.call(call.send()).await {
                Ok(_) => return Ok(true),
                Err(failed) if failed.is("ConditionalCheckFailedException") => return Ok(false),
                Err(failed) if is_conflict(&failed) && tries < TRIES => {
                    tokio::time::sleep(jitter(Duration::from_millis(20), tries, Duration::from_secs(1))).await;
                    tries += 1;
                }
                Err(failed) => return Err(failed.port(Access::Write, doing)),
            }
        }
    }
}

/// Another region was writing the item in the same moment: nothing was written, and the next try sees what stands.
fn is_conflict<E>(failed: &Failed<E>) -> bool
where
    E: aws_sdk_dynamodb::error::ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    failed.is("ReplicatedWriteConflictException")
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

pub(super) fn time(at: jiff::Timestamp) -> AttributeValue {
    number(at.as_microsecond())
}
