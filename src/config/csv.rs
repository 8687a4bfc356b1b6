//! The part of a `[[job]]` that says how its rows are read, checked and written.

use super::section::{Section, Text};
use super::values::bytes;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

/// How rows are read, checked and written.
#[derive(Debug, Clone, PartialEq)]
pub struct Csv {
    /// The Table Schema of the input.
    pub schema: PathBuf,
    pub dialect: Dialect,
    pub lookups: Vec<Lookup>,
    /// Output columns in order; empty: all of the input, then all that the lookups add.
    pub columns: Vec<String>,
    /// More rejects than this (percent of all rows) and the run fails.
    pub tolerated_rejects_percent: f64,
    pub chunk_bytes: u64,
    /// Threads; 0: one for each core.
    pub workers: usize,
    /// Rows per second over all workers; none: as fast as it goes.
    pub max_rows_per_second: Option<u32>,
}

/// How a CSV file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialect {
    pub delimiter: char,
    /// `None`: a quote is an ordinary character.
    pub quote: Option<char>,
    /// Whether the first record has the column names.
    pub header: bool,
}

/// Columns that come from another file, by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The column of the input to look up.
    pub key: String,
    pub file: PathBuf,
    /// The columns to add.
    pub columns: Vec<String>,
    pub schema: Option<PathBuf>,
}

const CHUNK: u64 = 4 << 20;
const CHUNKS: RangeInclusive<u64> = (4 << 10)..=(1 << 30);
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;

/// Reads these keys of a job; `None` where something of them is wrong.
pub(super) fn read(section: &Section<'_>, folder: &Path) -> Option<Csv> {
    let schema = section
        .required("schema", "name the Table Schema (JSON) of its input, such as \"jobs/sales/schema.json\"")
        .and_then(|text| file(section, "schema", &text, folder));
    let dialect = dialect(&section.section("dialect"));
    let lookups: Vec<Option<Lookup>> = section.sections("lookup").iter().map(|s| lookup(s, folder)).collect();
    let columns = section.texts("columns").into_iter().map(|t| t.value).collect();
    let tolerated_rejects_percent = section.number("tolerated_rejects_percent", PERCENT).unwrap_or(100.0);
    let chunk_bytes = section.text("chunk").map_or(CHUNK, |text| chunk(section, &text));
    let workers = section.whole("workers", 1..=256).unwrap_or(0);
    let max_rows_per_second = section.whole("max_rows_per_second", 1..=u64::from(u32::MAX));
    Some(Csv {
        schema: schema?,
        dialect: dialect?,
        lookups: lookups.into_iter().collect::<Option<_>>()?,
        columns,
        tolerated_rejects_percent,
        chunk_bytes,
        workers: usize::try_from(workers).unwrap_or(0),
        max_rows_per_second: max_rows_per_second.and_then(|n| u32::try_from(n).ok()),
    })
}

fn chunk(section: &Section<'_>, text: &Text) -> u64 {
    let size = bytes(&text.value).filter(|size| CHUNKS.contains(size));
    if size.is_none() {
        let hint = "write a size from \"4 KiB\" to \"1 GiB\", such as \"4 MiB\"";
        section.wrong("chunk", text.at, format!("{:?} is not a size of chunks", text.value), hint);
    }
    size.unwrap_or(CHUNK)
}

/// A file that must be there.
fn file(section: &Section<'_>, key: &str, text: &Text, folder: &Path) -> Option<PathBuf> {
    let path = folder.join(&text.value);
    if path.is_file() {
        return Some(path);
    }
    let what = if path.exists() { "is not a file" } else { "does not exist" };
    let hint = "paths count from the folder of this file";
    section.wrong(key, text.at, format!("{} {what}", path.display()), hint);
    None
}

fn lookup(section: &Section<'_>, folder: &Path) -> Option<Lookup> {
    let key = section.required("key", "name the column of the input to look up");
    let named = section.required("file", "name the CSV file to look it up in");
    let columns = section.texts("columns");
    if section.place("columns").is_none() || (columns.is_empty() && section.place("columns").is_some()) {
        section.wrong(
            "columns",
            section.place("columns").unwrap_or(section.at),
            "is missing",
            "name the columns to add",
        );
    }
    let schema = section.text("schema");
    section.finish();
    let schema = match schema {
        Some(text) => Some(file(section, "schema", &text, folder)?),
        None => None,
    };
    let file = named.and_then(|text| file(section, "file", &text, folder));
    Some(Lookup { key: key?.value, file: file?, columns: columns.into_iter().map(|t| t.value).collect(), schema })
}

fn dialect(section: &Section<'_>) -> Option<Dialect> {
    let character = |key: &'static str, default: char, none: bool| -> Option<Option<char>> {
        let Some(text) = section.text(key) else { return Some(Some(default)) };
        let mut chars = text.value.chars();
        match (chars.next(), chars.next()) {
            (Some(c), None) if c.is_ascii() && !matches!(c, '\n' | '\r' | '\0') => Some(Some(c)),
            (None, None) if none => Some(None),
            _ => {
                let hint = if none { "or \"\" for none" } else { "such as \",\", \";\" or \"\\t\"" };
                section.wrong(key, text.at, format!("{:?} is not one ASCII character", text.value), hint);
                None
            }
        }
    };
    let delimiter = character("delimiter", ',', false);
    let quote = character("quote", '"', true);
    let header = section.flag("header").unwrap_or(true);
    section.finish();
    let (delimiter, quote) = (delimiter??, quote?);
    if quote == Some(delimiter) {
        section.wrong("quote", section.place("quote").unwrap_or(section.at), "is the delimiter too", "choose another");
        return None;
    }
    Some(Dialect { delimiter, quote, header })
}
