//! Transactions: all writes or none, each with its condition.

use super::item::PARTITION;
use super::{Item, Key, Table};
use crate::aws::errors::Access;
use crate::ports::{Kind, PortError};
use aws_sdk_dynamodb::error::BuildError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, CancellationReason, Delete, Put, TransactWriteItem};
use std::collections::HashMap;

/// DynamoDB writes this many items in one transaction.
const MOST: usize = 100;

/// What must hold of the item before it is written.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aws) enum Check {
    Nothing,
    /// It is not there.
    Absent,
    /// Its attribute has this number.
    Number(&'static str, u64),
    /// Its attribute has this text.
    Text(&'static str, String),
    /// It is not there, or its attribute has no number between these two (both included).
    Outside(&'static str, i64, i64),
}

/// One write of a transaction.
#[derive(Debug, Clone)]
pub(in crate::aws) enum Write {
    Put(Item, Check),
    Delete(Key, Check),
}

/// Why a transaction wrote nothing.
#[derive(Debug)]
pub(in crate::aws) enum Refused {
    /// The conditions of these writes (by place) did not hold.
    Conditions(Vec<usize>),
    /// Another transaction was at the same items in the same moment, or DynamoDB had no room: try again.
    Again(PortError),
    Failed(PortError),
}

/// A condition as DynamoDB reads it.
pub(super) type Expression = (Option<String>, Option<HashMap<String, String>>, Option<HashMap<String, AttributeValue>>);

impl Check {
    pub(super) fn expression(&self) -> Expression {
        let equal = |name: &str, value| {
            let names = HashMap::from([("#c".to_owned(), name.to_owned())]);
            (Some("#c = :c".to_owned()), Some(names), Some(HashMap::from([(":c".to_owned(), value)])))
        };
        match self {
            Self::Nothing => (None, None, None),
            Self::Absent => (Some(format!("attribute_not_exists({PARTITION})")), None, None),
            Self::Number(name, value) => equal(name, AttributeValue::N(value.to_string())),
            Self::Text(name, value) => equal(name, AttributeValue::S(value.clone())),
            Self::Outside(name, low, high) => {
                let number = |value: &i64| AttributeValue::N(value.to_string());
                let condition = format!("attribute_not_exists({PARTITION}) OR #c < :low OR #c > :high");
                let names = HashMap::from([("#c".to_owned(), (*name).to_owned())]);
                let values = HashMap::from([(":low".to_owned(), number(low)), (":high".to_owned(), number(high))]);
                (Some(condition), Some(names), Some(values))
            }
        }
    }
}

impl Write {
    fn build(self, table: &str) -> Result<TransactWriteItem, BuildError> {
        let write = TransactWriteItem::builder();
        Ok(match self {
            Self::Put(item, check) => {
                let (condition, names, values) = check.expression();
                let put = Put::builder()
                    .table_name(table)
                    .set_item(Some(item.into_attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                write.put(put.build()?).build()
            }
            Self::Delete(key, check) => {
                let (condition, names, values) = check.expression();
                let delete = Delete::builder()
                    .table_name(table)
                    .set_key(Some(key.attributes()))
                    .set_condition_expression(condition)
                    .set_expression_attribute_names(names)
                    .set_expression_attribute_values(values);
                write.delete(delete.build()?).build()
            }
        })
    }
}

impl Table {
    /// The same where it only matters whether somebody else was quicker: `false`.
    pub(in crate::aws) async fn try_transact(&self, doing: &str, writes: Vec<Write>) -> Result<bool, PortError> {
        match self.transact(doing, writes).await {
            Ok(()) => Ok(true),
            Err(Refused::Conditions(_) | Refused::Again(_)) => Ok(false),
            Err(Refused::Failed(error)) => Err(error),
        }
    }

    /// Writes all of it or nothing. The SDK gives each call a token, so a try whose answer was lost is not done twice.
    pub(in crate::aws) async fn transact(&self, doing: &str, writes: Vec<Write>) -> Result<(), Refused> {
        if writes.is_empty() {
            return Ok(());
        }
        if writes.len() > MOST {
            let what = format!(
                "{doing}: {} records at once are more than the {MOST} of a transaction; nothing was written",
                writes.len()
            );
            return Err(Refused::Failed(PortError::permanent(what)));
        }
        let items = writes.into_iter().map(|write| write.build(&self.name)).collect::<Result<Vec<_>, _>>();
        let items = items.map_err(|error| Refused::Failed(PortError::permanent(doing).because(error)))?;
        let call = self.client.transact_write_items().set_transact_items(Some(items));
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(()),
            Err(failed) => {
                if let Some(TransactWriteItemsError::TransactionCanceledException(canceled)) = failed.service()
                    && let Some(refused) = refusal(doing, canceled.cancellation_reasons())
                {
                    return Err(refused);
                }
                let again = failed.is("TransactionInProgressException");
                let error = failed.port(Access::Write, doing);
                Err(if again { Refused::Again(error) } else { Refused::Failed(error) })
            }
        }
    }
}

/// What the reasons of a cancelled transaction mean together; there is one for each write.
fn refusal(doing: &str, reasons: &[CancellationReason]) -> Option<Refused> {
    let code = |reason: &CancellationReason| reason.code().unwrap_or("None").to_owned();
    let places = reasons.iter().enumerate();
    let failed: Vec<usize> =
        places.filter(|(_, r)| code(r) == "ConditionalCheckFailed").map(|(place, _)| place).collect();
    if !failed.is_empty() {
        return Some(Refused::Conditions(failed));
    }
    let worst = reasons.iter().map(code).find(|code| code != "None")?;
    let (kind, said) = crate::aws::errors::by_code(&worst, 400, (Kind::Ambiguous, ""));
    let error = |kind| PortError::new(kind, format!("{doing}: {said}"));
    Some(match kind {
        Kind::Conflict | Kind::Transient { .. } => Refused::Again(error(Kind::Transient { after: None })),
        _ => Refused::Failed(error(kind)),
    })
}
