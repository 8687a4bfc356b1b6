//! Keys and items, without DynamoDB's way of writing numbers as text.

use crate::ports::PortError;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::Timestamp;
use std::collections::HashMap;

/// The attributes of every primary key.
pub(in crate::aws) const PARTITION: &str = "pk";
pub(in crate::aws) const SORT: &str = "sk";

/// Where an item lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::aws) struct Key {
    pub(in crate::aws) partition: String,
    pub(in crate::aws) sort: String,
}

impl Key {
    /// The only item of its partition: `run#r-7k3f`, of the kind `run`.
    pub(in crate::aws) fn one(kind: &str, name: &str) -> Self {
        Self { partition: format!("{kind}#{name}"), sort: kind.to_owned() }
    }

    pub(super) fn attributes(&self) -> HashMap<String, AttributeValue> {
        HashMap::from([
            (PARTITION.to_owned(), AttributeValue::S(self.partition.clone())),
            (SORT.to_owned(), AttributeValue::S(self.sort.clone())),
        ])
    }
}

/// An item: attributes by name.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::aws) struct Item(HashMap<String, AttributeValue>);

impl From<HashMap<String, AttributeValue>> for Item {
    fn from(attributes: HashMap<String, AttributeValue>) -> Self {
        Self(attributes)
    }
}

impl Item {
    /// One with nothing but its key.
    pub(in crate::aws) fn at(key: &Key) -> Self {
        Self(key.attributes())
    }

    #[must_use]
    pub(in crate::aws) fn with_text(mut self, name: &str, value: impl Into<String>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::S(value.into()));
        self
    }

    #[must_use]
    pub(in crate::aws) fn with_number(mut self, name: &str, value: impl Into<i128>) -> Self {
        self.0.insert(name.to_owned(), AttributeValue::N(value.into().to_string()));
        self
    }

    #[must_use]
    pub(in crate::aws) fn with_time(self, name: &str, at: Timestamp) -> Self {
        self.with_number(name, at.as_microsecond())
    }

    pub(super) fn into_attributes(self) -> HashMap<String, AttributeValue> {
        self.0
    }

    pub(in crate::aws) fn key(&self) -> Result<Key, PortError> {
        Ok(Key { partition: self.text(PARTITION)?.to_owned(), sort: self.text(SORT)?.to_owned() })
    }

    /// A text that must be there.
    pub(in crate::aws) fn text(&self, name: &str) -> Result<&str, PortError> {
        self.0.get(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or_else(|| self.lacks(name))
    }

    /// A number that must be there.
    pub(in crate::aws) fn number<T: std::str::FromStr>(&self, name: &str) -> Result<T, PortError> {
        self.optional(name)?.ok_or_else(|| self.lacks(name))
    }

    /// A number that may be missing.
    pub(in crate::aws) fn optional<T: std::str::FromStr>(&self, name: &str) -> Result<Option<T>, PortError> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let number = value.as_n().ok().and_then(|text| text.parse().ok());
        number.map(Some).ok_or_else(|| self.lacks(name))
    }

    /// A time that must be there.
    pub(in crate::aws) fn time(&self, name: &str) -> Result<Timestamp, PortError> {
        Timestamp::from_microsecond(self.number(name)?).map_err(|error| self.lacks(name).because(error))
    }

    fn lacks(&self, name: &str) -> PortError {
        let key = |name| self.0.get(name).and_then(|value| value.as_s().ok()).map_or("?", String::as_str);
        PortError::permanent(format!(
            "the stored item {} {} lacks or garbles {name}: it was changed by something else, or by a newer program",
            key(PARTITION),
            key(SORT)
        ))
    }
}
