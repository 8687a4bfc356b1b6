//! The little language the limit tables are written in: what a field must be, and which fields an object has.

use super::report::Report;
use serde_json::{Map, Value};

/// What a value must be. Lengths count characters (Unicode scalar values), not bytes.
#[derive(Debug)]
pub(super) enum Kind {
    /// `true` or `false`.
    Flag,
    /// A whole number within bounds, both included.
    Whole { min: i64, max: i64 },
    /// Any JSON number.
    Number,
    /// A string with at least `min` and at most `max` characters.
    Chars { min: usize, max: usize },
    /// A string that is a number, e.g. the bounds of a `number_input`.
    Digits,
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:mm`, 24 hours.
    Time,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A text object of one of the two types, 1 to `max` characters long.
    Text { plain: bool, mrkdwn: bool, max: usize },
    /// An array with bounds on its length, both included.
    List { min: usize, max: usize, item: &'static Self },
    /// An object of one shape.
    Object(&'static Shape),
    /// An object whose `type` picks its shape from a table; only the named types are allowed in this place.
    Typed { noun: &'static str, table: Table, allowed: &'static [&'static str] },
    /// Not modelled: parts of Slack's format that Switchman does not send.
    Open,
}

/// The shapes that a `type` picks from. A function, because the tables refer to each other.
pub(super) type Table = fn() -> &'static [Shape];

/// The name of a field that stands for every other one, in shapes that are not modelled.
pub(super) const ANY_FIELD: &str = "*";

/// A field of an object.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) required: bool,
    pub(super) kind: Kind,
}

/// An object: its fields, and the rules that look at more than one of them.
#[derive(Debug)]
pub(super) struct Shape {
    /// The `type` it is chosen by; for objects without one, the word that messages use.
    pub(super) name: &'static str,
    pub(super) groups: &'static [&'static [Field]],
    pub(super) also: fn(&mut Report, &Map<String, Value>),
}

pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field { name, required: true, kind }
}

pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field { name, required: false, kind }
}

/// A string with 1 to `max` characters.
pub(super) const fn chars(max: usize) -> Kind {
    Kind::Chars { min: 1, max }
}

/// A `plain_text` object.
pub(super) const fn plain(max: usize) -> Kind {
    Kind::Text { plain: true, mrkdwn: false, max }
}

/// A `mrkdwn` object.
pub(super) const fn mrkdwn(max: usize) -> Kind {
    Kind::Text { plain: false, mrkdwn: true, max }
}

/// Either text object.
pub(super) const fn text(max: usize) -> Kind {
    Kind::Text { plain: true, mrkdwn: true, max }
}

/// A string without a documented bound; the payload's own size limits it.
pub(super) const ANY_STRING: Kind = Kind::Chars { min: 0, max: usize::MAX };

/// The `also` of a shape without such rules.
pub(super) fn nothing(_: &mut Report, _: &Map<String, Value>) {}
