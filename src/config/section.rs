//! A table of the file, read key by key: each question registers its key, and what nobody asked about is an unknown key.

use super::mistake::Notes;
use super::values;
use crate::domain::grammar::nearest;
use crate::domain::id::BadId;
use jiff::SignedDuration;
use std::cell::RefCell;
use std::ops::RangeInclusive;
use toml::de::{DeTable, DeValue};

/// A string of the file and the byte at which it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) at: usize,
}

/// One table of the file.
pub(super) struct Section<'a> {
    pub(super) notes: &'a Notes,
    /// What its keys are called in messages, such as `job.sales`.
    pub(super) path: String,
    /// The byte at which its header stands.
    pub(super) at: usize,
    table: Option<&'a DeTable<'a>>,
    known: RefCell<Vec<&'static str>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(notes: &'a Notes, path: &str, at: usize, table: Option<&'a DeTable<'a>>) -> Self {
        Self { notes, path: path.to_owned(), at, table, known: RefCell::default() }
    }

    /// The full name of one of its keys.
    pub(super) fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Notes a mistake about one of its keys.
    pub(super) fn wrong(&self, key: &str, at: usize, what: impl Into<String>, hint: impl Into<String>) {
        self.notes.add(at, &self.key(key), what, hint);
    }

    /// Whether the file gives the key, without asking for its value.
    pub(super) fn place(&self, key: &str) -> Option<usize> {
        self.table?.iter().find(|(name, _)| name.get_ref() == key).map(|(name, _)| name.span().start)
    }

    fn value(&self, key: &'static str) -> Option<(&'a DeValue<'a>, usize)> {
        self.known.borrow_mut().push(key);
        let (name, value) = self.table?.iter().find(|(name, _)| name.get_ref() == key)?;
        // Noted before anything was read; what follows must not repeat it.
        if value.get_ref().as_str().is_some_and(super::leak::looks_secret) {
            return None;
        }
        // The key's own place: a table's value has the place of its first line, which may be elsewhere.
        Some((value.get_ref(), name.span().start))
    }

    fn mistyped(&self, key: &str, at: usize, expected: &str, found: &DeValue<'_>) {
        self.wrong(key, at, format!("expected {expected}, found {}", describe(found)), "");
    }

    /// A string.
    pub(super) fn text(&self, key: &'static str) -> Option<Text> {
        let (value, at) = self.value(key)?;
        let DeValue::String(text) = value else {
            self.mistyped(key, at, "a text in quotes", value);
            return None;
        };
        Some(Text { value: text.to_string(), at })
    }

    /// A text, a number, a date, `true` or `false`: as somebody would type it.
    pub(super) fn scalar(&self, key: &'static str) -> Option<Text> {
        let (value, at) = self.value(key)?;
        let value = match value {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) if number.radix() == 10 => number.as_str().to_owned(),
            DeValue::Float(number) => number.as_str().to_owned(),
            DeValue::Boolean(flag) => flag.to_string(),
            DeValue::Datetime(when) => when.to_string(),
            DeValue::Integer(_) | DeValue::Array(_) | DeValue::Table(_) => {
                self.mistyped(key, at, "one value", value);
                return None;
            }
        };
        Some(Text { value, at })
    }

    /// A string that must be there and not be blank.
    pub(super) fn required(&self, key: &'static str, hint: &str) -> Option<Text> {
        if self.place(key).is_none() {
            self.known.borrow_mut().push(key);
            self.wrong(key, self.at, "is missing", hint);
            return None;
        }
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.wrong(key, text.at, "is empty", hint);
            return None;
        }
        Some(text)
    }

    /// A list of strings, without repetition; empty where it is not given.
    pub(super) fn texts(&self, key: &'static str) -> Vec<Text> {
        let Some((value, at)) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            self.mistyped(key, at, "a list of texts such as [\"one\", \"two\"]", value);
            return Vec::new();
        };
        let mut texts: Vec<Text> = Vec::new();
        for item in items {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::String(text) if super::leak::looks_secret(text) => {}
                DeValue::String(text) if texts.iter().any(|t| t.value == *text) => {
                    self.wrong(key, at, format!("{text:?} stands twice"), "remove one");
                }
                DeValue::String(text) => texts.push(Text { value: text.to_string(), at }),
                other => self.mistyped(key, at, "texts only", other),
            }
        }
        texts
    }

    /// A whole number within a range.
    pub(super) fn whole(&self, key: &'static str, range: RangeInclusive<u64>) -> Option<u64> {
        let (value, at) = self.value(key)?;
        let bounds = format!("a whole number from {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = value else {
            self.mistyped(key, at, &bounds, value);
            return None;
        };
        let parsed = u64::from_str_radix(number.as_str(), number.radix()).ok().filter(|n| range.contains(n));
        if parsed.is_none() {
            self.wrong(key, at, format!("expected {bounds}, found {number}"), "");
        }
        parsed
    }

    /// A number within a range, with or without decimals.
    pub(super) fn number(&self, key: &'static str, range: RangeInclusive<f64>) -> Option<f64> {
        let (value, at) = self.value(key)?;
        let bounds = format!("a number from {} to {}", range.start(), range.end());
        let text = match value {
            DeValue::Integer(number) if number.radix() == 10 => number.as_str(),
            DeValue::Float(number) => number.as_str(),
            other => {
                self.mistyped(key, at, &bounds, other);
                return None;
            }
        };
        let parsed = text.parse().ok().filter(|n| range.contains(n));
        if parsed.is_none() {
            self.wrong(key, at, format!("expected {bounds}, found {text}"), "");
        }
        parsed
    }

    /// A length of time within a range.
    pub(super) fn duration(&self, key: &'static str, range: RangeInclusive<SignedDuration>) -> Option<SignedDuration> {
        let text = self.text(key)?;
        let parsed = values::duration(&text.value).filter(|length| range.contains(length));
        if parsed.is_none() {
            let bounds = format!("from {} to {}", values::shown(*range.start()), values::shown(*range.end()));
            let hint = "write a whole number and one of s, min, h, d, such as \"15min\"";
            self.wrong(key, text.at, format!("{:?} is not a length of time {bounds}", text.value), hint);
        }
        parsed
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        let (value, at) = self.value(key)?;
        if let DeValue::Boolean(flag) = value {
            return Some(*flag);
        }
        self.mistyped(key, at, "true or false", value);
        None
    }

    /// A table of its own; one without keys where it is not given.
    pub(super) fn section(&self, key: &'static str) -> Self {
        let path = self.key(key);
        match self.value(key) {
            Some((DeValue::Table(table), at)) => Section::new(self.notes, &path, at, Some(table)),
            Some((other, at)) => {
                self.mistyped(key, at, &format!("a table [{path}]"), other);
                Section::new(self.notes, &path, at, None)
            }
            None => Section::new(self.notes, &path, self.at, None),
        }
    }

    /// Tables that may be there many times.
    pub(super) fn sections(&self, key: &'static str) -> Vec<Self> {
        let Some((value, at)) = self.value(key) else { return Vec::new() };
        let DeValue::Array(items) = value else {
            let hint = format!("write [[{key}]] with two brackets: there may be several");
            self.wrong(key, at, format!("expected a list of tables, found {}", describe(value)), hint);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let path = format!("{}[{}]", self.key(key), number + 1);
            match item.get_ref() {
                DeValue::Table(table) => {
                    sections.push(Section::new(self.notes, &path, item.span().start, Some(table)));
                }
                other => self.mistyped(key, item.span().start, "tables only", other),
            }
        }
        sections
    }

    /// A list of which each item is a string or a table; `None` where it is something else.
    pub(super) fn texts_or_sections(&self, key: &'static str, expected: &str) -> Option<Vec<Result<Text, Self>>> {
        let Some((value, at)) = self.value(key) else {
            self.wrong(key, self.at, "is missing", format!("write a list of {expected}"));
            return None;
        };
        let DeValue::Array(items) = value else {
            self.mistyped(key, at, &format!("a list of {expected}"), value);
            return None;
        };
        let mut found = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let at = item.span().start;
            match item.get_ref() {
                DeValue::String(text) => found.push(Ok(Text { value: text.to_string(), at })),
                DeValue::Table(table) => {
                    let path = format!("{}[{}]", self.key(key), number + 1);
                    found.push(Err(Self::new(self.notes, &path, at, Some(table))));
                }
                other => self.mistyped(key, at, expected, other),
            }
        }
        Some(found)
    }

    /// The text as an identifier.
    pub(super) fn id<T>(&self, key: &str, text: &Text, parse: fn(String) -> Result<T, BadId>) -> Option<T> {
        match parse(text.value.clone()) {
            Ok(id) => Some(id),
            Err(bad) => {
                self.wrong(
                    key,
                    text.at,
                    format!("{:?} is not {}", text.value, bad.kind),
                    format!("write {}", bad.rule),
                );
                None
            }
        }
    }

    /// What each text stands for; those that stand for nothing are noted, with the nearest possible word.
    pub(super) fn pick<T>(
        &self,
        key: &str,
        texts: &[Text],
        what: &str,
        possible: &[&str],
        find: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let known = |text: &Text| {
            let found = find(&text.value);
            if found.is_none() {
                self.unknown(key, text, what, possible);
            }
            found
        };
        texts.iter().filter_map(known).collect()
    }

    /// Notes that a word is none of those that are possible, with the nearest of them.
    pub(super) fn unknown(&self, key: &str, text: &Text, what: &str, possible: &[&str]) {
        let hint = hint(&text.value, possible);
        self.wrong(key, text.at, format!("{:?} is not {what}", text.value), hint);
    }

    /// Notes every key that nobody asked about.
    pub(super) fn finish(&self) {
        let known = self.known.borrow();
        for (name, _) in self.table.into_iter().flatten() {
            let word = name.get_ref().as_ref();
            if !known.contains(&word) && !super::leak::names_a_secret(word) {
                self.wrong(word, name.span().start, "unknown key", hint(word, &known));
            }
        }
    }
}

/// The nearest of the possible words, or all of them where they are few.
fn hint(word: &str, possible: &[&str]) -> String {
    match nearest(word, possible.iter().copied()) {
        Some(near) => format!("did you mean {near:?}?"),
        None if possible.is_empty() => String::new(),
        None => format!("possible: {}", possible[..possible.len().min(16)].join(", ")),
    }
}

fn describe(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the text {text:?}"),
        DeValue::Integer(number) => format!("the number {number}"),
        DeValue::Float(number) => format!("the number {number}"),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(when) => format!("the date {when}"),
        DeValue::Array(_) => "a list".to_owned(),
        DeValue::Table(_) => "a table".to_owned(),
    }
}
