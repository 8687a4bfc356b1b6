//! Where a check stands (the JSON pointer), what it found, and what must be unique along the way.

use serde_json::Value;
use std::collections::HashSet;

/// Enough to mend a payload by; the bound keeps the answer to a hostile payload small.
const MOST_VIOLATIONS: usize = 100;

/// One limit that a payload breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// RFC 6901 pointer to the value, e.g. `/blocks/0/text/text`; empty for the payload itself.
    pub pointer: String,
    /// What the limit is and what was found.
    pub rule: String,
    /// Whether Slack refuses the payload for it. False for the few rules that are our own (blocks without a fallback text, text that Slack would cut).
    pub refused: bool,
}

impl std::fmt::Display for Violation {
    /// Slack's own way of naming a place: `… [json-pointer:/blocks/0/text]`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} [json-pointer:{}]", self.rule, self.pointer)
    }
}

/// The state of one check.
#[derive(Debug, Default)]
pub(super) struct Report {
    pointer: String,
    found: Vec<Violation>,
    block_ids: HashSet<String>,
    action_ids: HashSet<String>,
    focused: bool,
}

impl Report {
    /// Notes that the value at the current place breaks a rule of Slack's.
    pub(super) fn refuse(&mut self, rule: impl Into<String>) {
        self.note(rule.into(), true);
    }

    /// Notes a rule of our own.
    pub(super) fn advise(&mut self, rule: impl Into<String>) {
        self.note(rule.into(), false);
    }

    fn note(&mut self, rule: String, refused: bool) {
        if self.found.len() < MOST_VIOLATIONS {
            self.found.push(Violation { pointer: self.pointer.clone(), rule, refused });
        }
    }

    /// Runs `check` one step deeper.
    pub(super) fn at(&mut self, step: &str, check: impl FnOnce(&mut Self)) {
        let length = self.pointer.len();
        self.pointer.push('/');
        self.pointer.push_str(&step.replace('~', "~0").replace('/', "~1"));
        check(self);
        self.pointer.truncate(length);
    }

    /// Runs `check` on each item of a list.
    pub(super) fn each(&mut self, items: &[Value], mut check: impl FnMut(&mut Self, &Value)) {
        for (index, item) in items.iter().enumerate() {
            if self.found.len() >= MOST_VIOLATIONS {
                return;
            }
            self.at(&index.to_string(), |report| check(report, item));
        }
    }

    /// Starts a block: its id must be new in the payload, and its action ids are counted afresh.
    pub(super) fn begin_block(&mut self, block_id: Option<&str>) {
        self.action_ids.clear();
        if let Some(id) = block_id
            && !self.block_ids.insert(id.to_owned())
        {
            self.at("block_id", |report| {
                report.refuse(format!("must be unique in the payload, {} is used twice", quoted(id)));
            });
        }
    }

    /// Counts an element's action id: unique within its block.
    pub(super) fn action_id(&mut self, id: &str) {
        if !self.action_ids.insert(id.to_owned()) {
            self.at("action_id", |report| {
                report.refuse(format!("must be unique in its block, {} is used twice", quoted(id)));
            });
        }
    }

    /// Counts an element with `focus_on_load`: one per payload.
    pub(super) fn focus(&mut self) {
        if std::mem::replace(&mut self.focused, true) {
            self.at("focus_on_load", |report| report.refuse("only one element may take the focus"));
        }
    }

    pub(super) fn into_violations(self) -> Vec<Violation> {
        self.found
    }
}

/// A value from the payload, short enough for a message.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() == text.len() { format!("`{short}`") } else { format!("`{short}…`") }
}

/// What a JSON value is, in words.
pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}
