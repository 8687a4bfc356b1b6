//! A JSON value read by name: what is absent, null or of another type is simply not there.

use super::InboundError;
use serde_json::Value;

/// A value, or the absence of one.
#[derive(Debug)]
pub(super) struct Node(Value);

impl Node {
    /// Reads a JSON object.
    pub(super) fn parse(body: &[u8]) -> Result<Self, InboundError> {
        let value: Value = serde_json::from_slice(body).map_err(|_| InboundError::Malformed("the body is not JSON"))?;
        if value.is_object() { Ok(Self(value)) } else { Err(InboundError::Malformed("the body is not a JSON object")) }
    }

    /// The value at a JSON pointer.
    pub(super) fn at(&self, pointer: &str) -> Option<&Value> {
        self.0.pointer(pointer).filter(|value| !value.is_null())
    }

    /// The string at a JSON pointer, where there is one that is not empty.
    pub(super) fn text(&self, pointer: &str) -> Option<String> {
        self.at(pointer).and_then(Value::as_str).filter(|text| !text.is_empty()).map(ToOwned::to_owned)
    }

    /// The boolean at a JSON pointer; Slack writes some as strings. Absent is false.
    pub(super) fn flag(&self, pointer: &str) -> bool {
        match self.at(pointer) {
            Some(Value::Bool(flag)) => *flag,
            Some(Value::String(text)) => text == "true",
            _ => false,
        }
    }

    /// The items of the list at a JSON pointer; none where there is no list.
    pub(super) fn list(&self, pointer: &str) -> Vec<Self> {
        let items = self.at(pointer).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        items.iter().cloned().map(Self).collect()
    }

    /// The value at a JSON pointer as a node of its own.
    pub(super) fn child(&self, pointer: &str) -> Option<Self> {
        self.at(pointer).filter(|value| value.is_object()).cloned().map(Self)
    }

    pub(super) fn value(&self) -> &Value {
        &self.0
    }
}
