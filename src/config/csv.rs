//! The part of a `[[job]]` that says how its rows are read, checked and written: a [`Spec`] of `batch/`, whose loader then checks
//! what the schema and the lookups say.

use super::section::{Section, Text};
use super::values::bytes;
use super::{Depth, lookup};
use crate::batch::Spec;
use crate::batch::job::Job;
use crate::batch::spec::{Added, Dialect, LineEnd, LookupSpec};
use memchr::memchr_iter;
use std::fs::File;
use std::io::{BufRead, BufReader, Cursor, Read};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

const CHUNKS: RangeInclusive<u64> = (4 << 10)..=(1 << 30);
const RECORDS: RangeInclusive<u64> = (1 << 10)..=(1 << 28);
const PERCENT: RangeInclusive<f64> = 0.0..=100.0;

/// Reads these keys of a job; `None` where something of them is wrong. Paths stay relative to `folder`.
pub(super) fn read(section: &Section<'_>, folder: &Path, depth: Depth) -> Option<Spec> {
    let schema = section
        .required("schema", "name the Table Schema (JSON) of its input, such as \"jobs/sales/schema.json\"")
        .and_then(|text| file(section, "schema", &text, folder));
    let dialect = dialect(&section.section("dialect"));
    let sections = section.sections("lookup");
    let lookups: Vec<_> = sections.iter().map(|s| lookup::read(s, folder)).collect();
    let output = section.texts("columns").into_iter().map(|t| t.value).collect();
    let tolerated = section.number("tolerated_rejects_percent", PERCENT);
    let chunk = size(section, "chunk", &CHUNKS);
    let record = size(section, "max_record", &RECORDS);
    let workers = section.whole("workers", 1..=256);
    let pace = section.whole("max_rows_per_second", 1..=u64::from(u32::MAX));
    let usual = Spec::new(schema?);
    let spec = Spec {
        dialect: dialect?,
        lookups: lookups.into_iter().collect::<Option<_>>()?,
        output,
        tolerated_rejects_percent: tolerated.unwrap_or(usual.tolerated_rejects_percent),
        chunk_bytes: chunk.unwrap_or(usual.chunk_bytes),
        max_record_bytes: record.and_then(|n| n.try_into().ok()).unwrap_or(usual.max_record_bytes),
        workers: workers.and_then(|n| n.try_into().ok()).unwrap_or(usual.workers),
        max_rows_per_second: pace.and_then(|n| n.try_into().ok()),
        ..usual
    };
    check(section, &sections, &spec, folder, depth);
    Some(spec)
}

/// A file that must be there, by its name as the configuration gives it.
pub(super) fn file(section: &Section<'_>, key: &str, text: &Text, folder: &Path) -> Option<PathBuf> {
    let path = folder.join(&text.value);
    if path.is_file() {
        return Some(PathBuf::from(&text.value));
    }
    let what = if path.exists() { "is not a file" } else { "does not exist" };
    section.wrong(key, text.at, format!("{} {what}", path.display()), "paths count from the folder of this file");
    None
}

fn size(section: &Section<'_>, key: &'static str, range: &RangeInclusive<u64>) -> Option<u64> {
    let text = section.text(key)?;
    let size = bytes(&text.value).filter(|size| range.contains(size));
    if size.is_none() {
        let show = |n: u64| {
            if n >= 1 << 30 {
                format!("{} GiB", n >> 30)
            } else if n >= 1 << 20 {
                format!("{} MiB", n >> 20)
            } else {
                format!("{} KiB", n >> 10)
            }
        };
        let hint =
            format!("write a size from \"{}\" to \"{}\", such as \"4 MiB\"", show(*range.start()), show(*range.end()));
        section.wrong(key, text.at, format!("{:?} is not a size that fits here", text.value), hint);
    }
    size
}

/// How a CSV file is written.
pub(super) fn dialect(section: &Section<'_>) -> Option<Dialect> {
    let usual = Dialect::default();
    let delimiter = character(section, "delimiter", "such as \",\", \";\" or \"\\t\"", Some(usual.delimiter));
    let quote = character(section, "quote", "or \"\" for none", usual.quote);
    let header = section.flag("header").unwrap_or(usual.header);
    let encoding = section.text("encoding").map_or(usual.encoding, |text| text.value);
    let line_end = section.text("line_end");
    section.finish();
    let line_end = match line_end.as_ref().map(|text| text.value.as_str()) {
        None => usual.line_end,
        Some("lf") => LineEnd::Lf,
        Some("crlf") => LineEnd::Crlf,
        Some(_) => {
            section.unknown("line_end", &line_end?, "an end of lines", &["lf", "crlf"]);
            return None;
        }
    };
    if matches!(delimiter, Ok(None)) {
        let at = section.place("delimiter").unwrap_or(section.at);
        section.wrong("delimiter", at, "is empty", "write one character");
    }
    Some(Dialect { delimiter: delimiter.ok()??, quote: quote.ok()?, header, encoding, line_end })
}

/// One character, or none for an empty text.
fn character(section: &Section<'_>, key: &'static str, hint: &str, usual: Option<char>) -> Result<Option<char>, Noted> {
    let Some(text) = section.text(key) else { return Ok(usual) };
    let mut chars = text.value.chars();
    match (chars.next(), chars.next()) {
        (first, None) => Ok(first),
        _ => {
            section.wrong(key, text.at, format!("{:?} is not one character", text.value), hint);
            Err(Noted)
        }
    }
}

/// A mistake was noted, and there is no value.
struct Noted;

/// Has `batch/` load the job, and notes what it finds at the key it concerns.
fn check(section: &Section<'_>, lookups: &[Section<'_>], spec: &Spec, folder: &Path, depth: Depth) {
    let mut open = |name: &Path| -> std::io::Result<Box<dyn Read>> {
        let file = File::open(folder.join(name))?;
        let data = spec.lookups.iter().any(|lookup| lookup.file == name);
        Ok(if data && depth == Depth::Settings { Box::new(Cursor::new(first_record(file)?)) } else { Box::new(file) })
    };
    let Err(error) = Job::load_with(spec, &mut open) else { return };
    for problem in error.problems {
        let (section, key) = blame(section, lookups, spec, &problem);
        section.wrong(key, section.place(key).unwrap_or(section.at), problem, "");
    }
}

/// The first lines of a file, up to the end of its first record: its column names.
fn first_record(file: File) -> std::io::Result<Vec<u8>> {
    /// Column names do not take more.
    const MOST: u64 = 1 << 20;
    let mut reader = BufReader::new(file.take(MOST));
    let mut record = Vec::new();
    // A name with a line end in it stands in quotes, which come in pairs.
    while reader.read_until(b'\n', &mut record)? > 0 {
        if memchr_iter(b'"', &record).count().is_multiple_of(2) {
            break;
        }
    }
    Ok(record)
}

/// The key that a problem of the loader is about.
fn blame<'s, 'a>(
    job: &'s Section<'a>,
    lookups: &'s [Section<'a>],
    spec: &Spec,
    problem: &str,
) -> (&'s Section<'a>, &'static str) {
    let about = |lookup: &LookupSpec| problem.starts_with(&format!("lookup {}", lookup.file.display()));
    // Two lookups may read the same file: the one whose column or key is named is meant.
    let named = |lookup: &LookupSpec| {
        let mut words = lookup.columns.iter().map(Added::from).chain([lookup.key.as_str()]);
        words.any(|word| problem.contains(&format!("\"{word}\"")))
    };
    let pairs = || lookups.iter().zip(&spec.lookups);
    let found = pairs().find(|(_, l)| about(l) && named(l)).or_else(|| pairs().find(|(_, l)| about(l)));
    if let Some((section, _)) = found {
        return (section, if problem.contains(": key ") { "key" } else { "file" });
    }
    let of_schema = |l: &LookupSpec| l.schema.as_ref().is_some_and(|s| problem.starts_with(&s.display().to_string()));
    if let Some((section, _)) = pairs().find(|(_, l)| of_schema(l)) {
        return (section, "schema");
    }
    match problem {
        p if p.starts_with("output:") => (job, "columns"),
        p if p.starts_with("the column") && !lookups.is_empty() => (&lookups[lookups.len() - 1], "columns"),
        p if p.starts_with("dialect") => (job, "dialect"),
        _ => (job, "schema"),
    }
}
