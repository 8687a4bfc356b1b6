//! Run records.

use super::schema::{ALL, CHANNEL, FAILED, INPUT, OPEN, SortedBy};
use super::{json, read_json};
use crate::aws::table::{Check, Item, Key, Table, Write};
use crate::domain::id::RunId;
use crate::domain::run::{Run, RunState};
use crate::ports::{Kind, PortError, RunQuery, RunWrite};

/// DynamoDB's limit of an item, less what the keys of a run take.
pub(super) const LARGEST: usize = 390_000;

/// Versions that this process knows to be stored. A write that expects an older one has lost already and need not be sent.
#[derive(Debug, Clone)]
pub(super) struct Known(moka::sync::Cache<RunId, u64>);

impl Known {
    pub(super) fn new() -> Self {
        Self(moka::sync::Cache::new(10_000))
    }

    /// The write that cannot succeed any more.
    pub(super) fn outdated<'w>(&self, writes: &'w [RunWrite]) -> Option<&'w RunWrite> {
        writes.iter().find(|write| self.0.get(&write.run.id).is_some_and(|version| version > write.expected))
    }

    pub(super) fn stored(&self, writes: &[RunWrite]) {
        for write in writes {
            self.0.insert(write.run.id.clone(), write.expected + 1);
        }
    }
}

/// The write of one record, at its new version.
pub(super) fn put(write: &RunWrite) -> Result<Write, PortError> {
    let run = Run { version: write.expected + 1, ..write.run.clone() };
    let body = json(&run)?;
    if body.len() > LARGEST {
        let what = format!(
            "run {} has grown to {} bytes, more than a record may have; nothing was written",
            run.id,
            body.len()
        );
        return Err(PortError::permanent(what));
    }
    let mut item = Item::at(&Key::one("run", run.id.as_str()))
        .with_text("body", body)
        .with_number("version", run.version)
        .with_time(SortedBy::Created.name(), run.created_at)
        .with_text(ALL.name, "run")
        .with_text(CHANNEL.name, of_channel(run.channel.as_str()))
        .with_text(INPUT.name, of_input(&run.input.key));
    if run.is_open() {
        item = item.with_text(OPEN.name, "run");
    }
    if has_failed(&run) {
        item = item.with_text(FAILED.name, "run");
    }
    let check = if write.expected == 0 { Check::Absent } else { Check::Number("version", write.expected) };
    Ok(Write::Put(item, check))
}

/// The error of a write that came too late.
pub(super) fn conflict(write: &RunWrite) -> PortError {
    let what = format!("run {} is not at version {}: somebody else wrote it first", write.run.id, write.expected);
    PortError::new(Kind::Conflict, what)
}

pub(super) fn read(item: &Item) -> Result<Run, PortError> {
    let run: Run = read_json(item, "body")?;
    if item.number::<u64>("version")? != run.version || item.key()? != Key::one("run", run.id.as_str()) {
        let what =
            format!("the stored run {} does not agree with its own keys: it was changed by something else", run.id);
        return Err(PortError::permanent(what));
    }
    Ok(run)
}

/// At most `max` runs, the newest first. One that cannot be read is left out, and said.
pub(super) async fn list(table: &Table, query: RunQuery, max: usize) -> Result<Vec<Run>, PortError> {
    let (open, failed) = (query == RunQuery::Open, query == RunQuery::Failed);
    let query = match query {
        RunQuery::All => ALL.newest("run"),
        RunQuery::Open => OPEN.newest("run"),
        RunQuery::Failed => FAILED.newest("run"),
        RunQuery::Channel(channel) => CHANNEL.newest(of_channel(channel.as_str())),
        RunQuery::Input(key) => INPUT.newest(of_input(&key)),
    };
    let items = table.query_whole("could not list runs", &query, max).await?;
    let runs = items.iter().filter_map(|item| match read(item) {
        // The index may be a moment late.
        Ok(run) => ((!open || run.is_open()) && (!failed || has_failed(&run))).then_some(run),
        Err(error) => {
            tracing::error!(%error, "a run cannot be read and is left out");
            None
        }
    });
    Ok(runs.collect())
}

fn has_failed(run: &Run) -> bool {
    run.current().state == RunState::Failed
}

fn of_channel(channel: &str) -> String {
    format!("run#{channel}")
}

fn of_input(key: &str) -> String {
    format!("run#{key}")
}
