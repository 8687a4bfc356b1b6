//! One value of a workflow.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A value and its type.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "type", content = "value")]
pub enum Value {
    Date(Date),
    /// Also one of a list of choices.
    #[serde(rename = "string")]
    Text(String),
    /// Within [`Value::INTEGERS`].
    Integer(i64),
    /// A decimal number as text, so that it stays what was typed: made by [`Value::number`].
    Number(String),
    Boolean(bool),
}

impl Value {
    /// What JSON readers that know only double precision numbers keep exactly.
    pub const INTEGERS: std::ops::RangeInclusive<i64> = -9_007_199_254_740_991..=9_007_199_254_740_991;
    /// The largest number, either way.
    pub const LARGEST: f64 = 1e15;

    /// A number as people write it, such as `-1.50` or `2e3`; `None`: it is none, or too large.
    pub fn number(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'));
        let number: f64 = text.parse().ok().filter(|_| plain)?;
        // Nothing is not less than nothing.
        let number = if number == 0.0 { 0.0 } else { number };
        (number.abs() <= Self::LARGEST).then(|| Self::Number(number.to_string()))
    }

    /// As the workflow reads it.
    pub fn json(&self) -> serde_json::Value {
        match self {
            Self::Date(date) => date.to_string().into(),
            Self::Text(text) => text.clone().into(),
            Self::Integer(number) => (*number).into(),
            Self::Number(text) => match (text.parse::<i64>(), text.parse::<f64>()) {
                (Ok(whole), _) => whole.into(),
                (Err(_), Ok(number)) => number.into(),
                (Err(_), Err(_)) => serde_json::Value::Null,
            },
            Self::Boolean(flag) => (*flag).into(),
        }
    }
}

/// As it is typed, without quotes.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => write!(f, "{date}"),
            Self::Text(text) | Self::Number(text) => f.write_str(text),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Boolean(flag) => write!(f, "{flag}"),
        }
    }
}
