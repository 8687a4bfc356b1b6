//! A job as its configuration describes it, before anything is loaded.
use super::split::Syntax;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What to do with a file: one `[[job]]` table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// The Table Schema of the input, relative to the configuration.
    pub schema: PathBuf,
    #[serde(default)]
    pub dialect: Dialect,
    #[serde(default, rename = "lookup")]
    pub lookups: Vec<LookupSpec>,
    /// Output columns in order; empty: all of the input, then all that the lookups add.
    #[serde(default)]
    pub output: Vec<String>,
    /// More rejects than this (percent of all rows) and the run fails, with its output kept aside.
    #[serde(default = "all")]
    pub tolerated_rejects_percent: f64,
    /// Bytes of input in a chunk.
    #[serde(default = "one_mebibyte")]
    pub chunk_bytes: u64,
    /// Threads; 0: one for each core.
    #[serde(default)]
    pub workers: usize,
    /// Rows per second over all workers; none: as fast as it goes.
    #[serde(default)]
    pub max_rows_per_second: Option<u32>,
    /// A longer record is a reject.
    #[serde(default = "sixteen_mebibytes")]
    pub max_record_bytes: usize,
}

impl Spec {
    /// A job with a schema and nothing else.
    pub fn new(schema: impl Into<PathBuf>) -> Self {
        Self {
            schema: schema.into(),
            dialect: Dialect::default(),
            lookups: Vec::new(),
            output: Vec::new(),
            tolerated_rejects_percent: all(),
            chunk_bytes: one_mebibyte(),
            workers: 0,
            max_rows_per_second: None,
            max_record_bytes: sixteen_mebibytes(),
        }
    }
}

/// How a CSV file is written (a part of the Frictionless CSV Dialect).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Dialect {
    pub delimiter: char,
    /// Absent in a file where a quote is an ordinary character: `quote = ""`.
    #[serde(with = "optional_char")]
    pub quote: Option<char>,
    /// Whether the first record has the column names.
    pub header: bool,
    pub encoding: String,
    /// How output lines end; input may have either.
    pub line_end: LineEnd,
}

/// The end of a line in what is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LineEnd {
    Lf,
    Crlf,
}

/// Columns that come from another file, by key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookupSpec {
    /// The file, relative to the configuration.
    pub file: PathBuf,
    /// The field of the input to look up.
    pub key: String,
    /// The column of the file with the key, if it has another name.
    #[serde(default)]
    pub file_key: Option<String>,
    /// What to add.
    pub columns: Vec<Added>,
    /// The file's own Table Schema: its columns are checked when it is loaded.
    #[serde(default)]
    pub schema: Option<PathBuf>,
    #[serde(default)]
    pub dialect: Dialect,
    /// A row without an entry gets empty columns instead of being a reject.
    #[serde(default)]
    pub optional: bool,
}

/// A column to add, under its own or another name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Added {
    Same(String),
    Renamed { from: String, to: String },
}

impl Added {
    /// `column`, or `column as another name`.
    pub fn parse(text: &str) -> Self {
        match text.split_once(" as ") {
            Some((from, to)) => Self::Renamed { from: from.trim().to_owned(), to: to.trim().to_owned() },
            None => Self::Same(text.to_owned()),
        }
    }

    /// The column in the lookup file.
    pub fn from(&self) -> &str {
        match self {
            Self::Same(name) | Self::Renamed { from: name, .. } => name,
        }
    }

    /// The column in the output.
    pub fn to(&self) -> &str {
        match self {
            Self::Same(name) | Self::Renamed { to: name, .. } => name,
        }
    }
}

impl Default for Dialect {
    fn default() -> Self {
        Self { delimiter: ',', quote: Some('"'), header: true, encoding: "utf-8".to_owned(), line_end: LineEnd::Lf }
    }
}

impl Dialect {
    /// The characters, or everything that is wrong with them.
    pub(crate) fn syntax(&self, place: &str, problems: &mut Vec<String>) -> Syntax {
        let mut byte = |what: &str, c: char| {
            let byte = u8::try_from(c).ok().filter(|b| b.is_ascii() && !matches!(b, b'\n' | b'\r' | 0));
            byte.unwrap_or_else(|| {
                problems.push(format!("{place}: {what} {c:?} must be one ASCII character that is no line end"));
                b','
            })
        };
        let syntax =
            Syntax { delimiter: byte("delimiter", self.delimiter), quote: self.quote.map(|c| byte("quote", c)) };
        if self.quote == Some(self.delimiter) {
            problems.push(format!("{place}: delimiter and quote are the same"));
        }
        if !matches!(self.encoding.to_ascii_lowercase().as_str(), "utf-8" | "utf8" | "utf-8-sig") {
            problems.push(format!(
                "{place}: encoding \"{}\" is not supported (only utf-8, with or without BOM)",
                self.encoding
            ));
        }
        syntax
    }

    /// The bytes at the end of a written line.
    pub(crate) fn newline(&self) -> &'static [u8] {
        match self.line_end {
            LineEnd::Lf => b"\n",
            LineEnd::Crlf => b"\r\n",
        }
    }
}

fn all() -> f64 {
    100.0
}

fn one_mebibyte() -> u64 {
    1 << 20
}

fn sixteen_mebibytes() -> usize {
    16 << 20
}

mod optional_char {
    use serde::{Deserialize, Deserializer, Serializer, de};

    #[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "the signature serde asks for")]
    pub(super) fn serialize<S: Serializer>(value: &Option<char>, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&value.map(String::from).unwrap_or_default())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<char>, D::Error> {
        let text = String::deserialize(from)?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (first, None) => Ok(first),
            _ => Err(de::Error::custom("quote must be one character, or \"\" for none")),
        }
    }
}
