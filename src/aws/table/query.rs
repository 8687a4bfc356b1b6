//! Queries: one partition of the table or of an index, in order.

use super::item::{PARTITION, SORT};
use super::{Item, Key, Table};
use crate::aws::errors::Access;
use crate::ports::PortError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, Select};

/// Which part of a partition.
#[derive(Debug, Clone)]
pub(in crate::aws) enum Range {
    All,
    /// Sort keys that are texts and come after this one.
    After(String),
    /// Sort keys that are numbers, up to this one.
    UpTo(i64),
}

/// A question about one partition.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Query {
    /// The index with its sort key; `None`: the table itself.
    pub(in crate::aws) index: Option<(&'static str, &'static str)>,
    pub(in crate::aws) partition: String,
    pub(in crate::aws) range: Range,
    pub(in crate::aws) newest_first: bool,
}

impl Query {
    /// A partition of the table itself.
    pub(in crate::aws) fn partition(partition: impl Into<String>) -> Self {
        Self { index: None, partition: partition.into(), range: Range::All, newest_first: false }
    }

    fn start(&self, table: &Table) -> QueryFluentBuilder {
        let (partition, sort) = self.index.map_or((PARTITION, SORT), |index| index);
        let mut call = table
            .client
            .query()
            .table_name(&table.name)
            .set_index_name(self.index.map(|(name, _)| name.to_owned()))
            .scan_index_forward(!self.newest_first)
            .expression_attribute_names("#p", partition)
            .expression_attribute_values(":p", AttributeValue::S(self.partition.clone()));
        if self.index.is_none() {
            call = call.consistent_read(true);
        }
        let (condition, value) = match &self.range {
            Range::All => return call.key_condition_expression("#p = :p"),
            Range::After(text) => ("#p = :p AND #s > :s", AttributeValue::S(text.clone())),
            Range::UpTo(number) => ("#p = :p AND #s <= :s", AttributeValue::N(number.to_string())),
        };
        call.key_condition_expression(condition)
            .expression_attribute_names("#s", sort)
            .expression_attribute_values(":s", value)
    }
}

impl Table {
    /// Up to `max` items, in the order of the sort key. An index gives keys only, and may be some milliseconds late.
    pub(in crate::aws) async fn query(&self, doing: &str, query: &Query, max: usize) -> Result<Vec<Item>, PortError> {
        let mut found: Vec<Item> = Vec::new();
        let mut from = None;
        while found.len() < max {
            let room = i32::try_from(max - found.len()).unwrap_or(i32::MAX);
            let call = query.start(self).set_exclusive_start_key(from).limit(room);
            let page = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
            found.extend(page.items.into_iter().flatten().map(Item::from));
            from = page.last_evaluated_key;
            if from.is_none() {
                break;
            }
        }
        Ok(found)
    }

    /// The items that a query along an index finds, whole and as they are now, in its order; those gone meanwhile are left out.
    pub(in crate::aws) async fn query_whole(
        &self,
        doing: &str,
        query: &Query,
        max: usize,
    ) -> Result<Vec<Item>, PortError> {
        let found = self.query(doing, query, max).await?;
        let keys = found.iter().map(Item::key).collect::<Result<Vec<Key>, _>>()?;
        let mut items = std::collections::HashMap::new();
        for item in self.get_all(doing, &keys).await? {
            items.insert(item.key()?, item);
        }
        Ok(keys.iter().filter_map(|key| items.remove(key)).collect())
    }

    /// How many items a query finds: reads the whole partition of the index, so it is for those that hold only what waits.
    pub(in crate::aws) async fn count(&self, doing: &str, query: &Query) -> Result<u64, PortError> {
        let (mut count, mut from) = (0, None);
        loop {
            let call = query.start(self).select(Select::Count).set_exclusive_start_key(from);
            let page = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
            count += u64::try_from(page.count).unwrap_or(0);
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(count);
            }
        }
    }
}
