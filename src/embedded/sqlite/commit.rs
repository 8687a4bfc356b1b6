//! One [`Commit`]: prepared where the caller runs, carried out inside the writer's transaction.

use super::errors::Fault;
use super::statements as sql;
use super::writer::Group;
use super::{micros, outbox};
use crate::domain::audit::AuditDraft;
use crate::domain::id::RunId;
use crate::domain::run::{Run, RunState};
use crate::ports::{Commit, Deadline, Kind, OutboxWrite, PortError, RecordWrite, RunWrite};
use jiff::Timestamp;
use rusqlite::{Connection, params};

/// A commit with everything turned into text, so that the writer thread only writes.
pub(super) struct Prepared {
    commit: Commit,
    /// The JSON of `commit.runs`, in order.
    runs: Vec<String>,
    /// The JSON of `commit.outbox`, in order.
    effects: Vec<String>,
    audit: Vec<(AuditDraft, String)>,
    now: i64,
}

impl Prepared {
    pub(super) fn new(mut commit: Commit, now: Timestamp) -> Result<Self, PortError> {
        for write in &mut commit.runs {
            write.run.version = write.expected + 1;
        }
        let runs = commit.runs.iter().map(|write| json(&write.run)).collect::<Result<_, _>>()?;
        let effects = commit.outbox.iter().map(|write| json(&write.effect)).collect::<Result<_, _>>()?;
        let drafts = std::mem::take(&mut commit.audit);
        let audit = drafts.into_iter().map(|d| json(&d).map(|text| (d, text))).collect::<Result<_, _>>()?;
        Ok(Self { commit, runs, effects, audit, now: micros(now) })
    }

    /// Writes all of it, or says why not; the caller undoes what was begun.
    pub(super) fn apply(self, group: &mut Group<'_>) -> Result<(), Fault> {
        let connection = group.connection;
        if let Some(key) = &self.commit.claim
            && connection.prepare_cached(sql::CLAIM)?.execute(params![key.as_str(), self.now])? == 0
        {
            return Err(PortError::new(Kind::Claimed, format!("envelope {key} was handled before")).into());
        }
        for (write, body) in self.commit.runs.iter().zip(&self.runs) {
            write_run(connection, write, body)?;
        }
        for write in &self.commit.records {
            write_record(connection, write)?;
        }
        for (name, run) in &self.commit.unlock {
            connection.prepare_cached(sql::UNLOCK)?.execute([name, run.as_str()])?;
        }
        for (name, run) in &self.commit.lock {
            lock(connection, name, run)?;
        }
        for key in &self.commit.clear {
            connection.prepare_cached(sql::DEADLINE_CLEAR)?.execute([key])?;
        }
        for deadline in &self.commit.deadlines {
            set_deadline(connection, deadline)?;
        }
        for (write, effect) in self.commit.outbox.iter().zip(&self.effects) {
            write_outbox(connection, write, effect, self.now)?;
        }
        Ok(group.audit(self.audit)?)
    }
}

fn write_run(connection: &Connection, write: &RunWrite, body: &str) -> Result<(), Fault> {
    let Run { id, input, channel, created_at, version, .. } = &write.run;
    let statement = if write.expected == 0 { sql::RUN_INSERT } else { sql::RUN_UPDATE };
    let values = params![
        id.as_str(),
        version.cast_signed(),
        channel.as_str(),
        input.key,
        standing(&write.run),
        micros(*created_at),
        body
    ];
    if connection.prepare_cached(statement)?.execute(values)? == 0 {
        let expected = write.expected;
        let what = format!("run {id} is not at version {expected}: somebody else wrote it first");
        return Err(PortError::new(Kind::Conflict, what).into());
    }
    Ok(())
}

/// Which of the partial indexes it stands in.
fn standing(run: &Run) -> i64 {
    match run.current().state {
        RunState::Failed => 2,
        _ => i64::from(run.is_open()),
    }
}

fn write_record(connection: &Connection, write: &RecordWrite) -> Result<(), Fault> {
    let RecordWrite { key, expected, list, at, body } = write;
    let statement = if *expected == 0 { sql::RECORD_INSERT } else { sql::RECORD_UPDATE };
    let values = params![key, (expected + 1).cast_signed(), list, micros(*at), body];
    if connection.prepare_cached(statement)?.execute(values)? == 0 {
        let what = format!("{key} is not at version {expected}: somebody else wrote it first");
        return Err(PortError::new(Kind::Conflict, what).into());
    }
    Ok(())
}

fn lock(connection: &Connection, name: &str, run: &RunId) -> Result<(), Fault> {
    if connection.prepare_cached(sql::LOCK)?.execute([name, run.as_str()])? == 1 {
        return Ok(());
    }
    let holder: String = connection.prepare_cached(sql::HOLDER)?.query_row([name], |row| row.get(0))?;
    if holder == run.as_str() {
        return Ok(());
    }
    Err(PortError::new(Kind::Conflict, format!("{name} is locked for run {holder}")).into())
}

fn set_deadline(connection: &Connection, deadline: &Deadline) -> rusqlite::Result<()> {
    let values = params![deadline.key, micros(deadline.due), deadline.subject.to_string()];
    connection.prepare_cached(sql::DEADLINE_SET)?.execute(values).map(drop)
}

fn write_outbox(connection: &Connection, write: &OutboxWrite, effect: &str, now: i64) -> rusqlite::Result<()> {
    let values = params![write.key, effect, outbox::rank(write.priority), micros(write.due), now];
    connection.prepare_cached(sql::OUTBOX_WRITE)?.execute(values).map(drop)
}

/// The JSON of a record, without bringing it into the text of an error.
pub(super) fn json(value: &impl serde::Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| {
        PortError::permanent("a record cannot be turned into json; nothing was written").because(error)
    })
}
