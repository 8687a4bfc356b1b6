//! What people chose or typed: the value of one element, and the state of a whole form.

use serde_json::Value;
use std::collections::HashMap;

/// The value of an interactive element.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Chosen {
    /// Nothing chosen, nothing typed, or an element that has no value.
    #[default]
    Nothing,
    /// Text, a date, a time, one option, one person, one channel; a moment as its Unix seconds.
    One(String),
    /// Several options, people, channels; may be empty.
    Many(Vec<String>),
    /// What has no short form: rich text, uploaded files.
    Raw(Value),
}

/// Elements whose value is one string, by the field that holds it.
const ONE: &[&str] =
    &["value", "selected_user", "selected_channel", "selected_conversation", "selected_date", "selected_time"];
/// Elements whose value is a list of ids.
const MANY: &[&str] = &["selected_users", "selected_channels", "selected_conversations"];
/// Elements whose value is kept as it came.
const RAW: &[&str] = &["rich_text_value", "files"];

impl Chosen {
    /// Reads the value out of an action of `block_actions` or an element of a view's state: both name it alike.
    pub(super) fn read(element: &Value) -> Self {
        if let Some(option) = element.get("selected_option").filter(|option| !option.is_null()) {
            return option
                .get("value")
                .and_then(Value::as_str)
                .map_or(Self::Nothing, |value| Self::One(value.to_owned()));
        }
        if let Some(options) = element.get("selected_options").and_then(Value::as_array) {
            return Self::Many(texts(options.iter().filter_map(|option| option.get("value"))));
        }
        if let Some(text) = ONE.iter().find_map(|field| element.get(*field)?.as_str()) {
            return Self::One(text.to_owned());
        }
        if let Some(moment) = element.get("selected_date_time").and_then(Value::as_i64) {
            return Self::One(moment.to_string());
        }
        if let Some(ids) = MANY.iter().find_map(|field| element.get(*field)?.as_array()) {
            return Self::Many(texts(ids.iter()));
        }
        RAW.iter()
            .find_map(|field| element.get(*field).filter(|value| !value.is_null()))
            .map_or(Self::Nothing, |value| Self::Raw(value.clone()))
    }

    /// The one value.
    pub fn one(&self) -> Option<&str> {
        match self {
            Self::One(text) => Some(text),
            _ => None,
        }
    }

    /// All values: of several, of one, of nothing.
    pub fn all(&self) -> Vec<&str> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(texts) => texts.iter().map(String::as_str).collect(),
            Self::Nothing | Self::Raw(_) => Vec::new(),
        }
    }
}

fn texts<'a>(values: impl Iterator<Item = &'a Value>) -> Vec<String> {
    values.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

/// The values of a form, by block id and action id.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State(HashMap<String, HashMap<String, Chosen>>);

impl State {
    /// Reads `state.values`.
    pub(super) fn read(values: Option<&Value>) -> Self {
        let blocks = values.and_then(Value::as_object).into_iter().flatten();
        let elements = |block: &Value| {
            let elements = block.as_object().into_iter().flatten();
            elements.map(|(action, element)| (action.clone(), Chosen::read(element))).collect()
        };
        Self(blocks.map(|(block, found)| (block.clone(), elements(found))).collect())
    }

    /// The value of one element.
    pub fn get(&self, block: &str, action: &str) -> &Chosen {
        self.0.get(block).and_then(|elements| elements.get(action)).unwrap_or(&Chosen::Nothing)
    }

    /// Whether no element has a place in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
