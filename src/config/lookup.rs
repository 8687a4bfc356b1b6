//! `[[job.lookup]]`: columns that come from another file, by key.

use super::csv::{dialect, file};
use super::section::Section;
use crate::batch::spec::{Added, LookupSpec};
use std::path::Path;

/// Reads one lookup; `None` where something of it is wrong. Paths stay relative to `folder`.
pub(super) fn read(section: &Section<'_>, folder: &Path) -> Option<LookupSpec> {
    let key = section.required("key", "name the column of the input to look up");
    let data = section.required("file", "name the CSV file to look it up in");
    let file_key = section.text("file_key").map(|text| text.value);
    let columns = columns(section);
    let schema = section.text("schema");
    let dialect = dialect(&section.section("dialect"));
    let optional = section.flag("optional").unwrap_or(false);
    section.finish();
    let schema = match schema {
        Some(text) => Some(file(section, "schema", &text, folder)?),
        None => None,
    };
    let file = data.and_then(|text| file(section, "file", &text, folder));
    Some(LookupSpec { file: file?, key: key?.value, file_key, columns: columns?, schema, dialect: dialect?, optional })
}

/// Names, or `{ from = "…", to = "…" }` for a column that gets another name.
fn columns(section: &Section<'_>) -> Option<Vec<Added>> {
    let mixed = section.texts_or_sections("columns", "names or { from = \"…\", to = \"…\" }")?;
    if mixed.is_empty() {
        section.wrong("columns", section.place("columns").unwrap_or(section.at), "is empty", "name the columns to add");
        return None;
    }
    let mut columns = Vec::new();
    for item in mixed {
        match item {
            Ok(text) => columns.push(Added::Same(text.value)),
            Err(renamed) => {
                let from = renamed.required("from", "the column's name in the lookup file");
                let to = renamed.required("to", "the column's name in the output");
                renamed.finish();
                columns.push(Added::Renamed { from: from?.value, to: to?.value });
            }
        }
    }
    Some(columns)
}
