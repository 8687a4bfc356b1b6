//! [`Store`] on SQLite.

use super::commit::Prepared;
use super::outbox::{self, Settling, Taken};
use super::writer::Parts;
use super::{Sqlite, audit, limit, micros, statements as sql, time};
use crate::domain::audit::{AuditHead, AuditRecord};
use crate::domain::id::{EnvelopeId, RunId};
use crate::domain::run::Run;
use crate::ports::{
    Commit, Deadline, GivenUp, MessageRef, OutboxItem, PortError, RunQuery, Settled, Store, StoredRecord, Subject,
};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::time::Duration;

#[async_trait]
impl Store for Sqlite {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        let prepared = Prepared::new(commit, self.clock.now())?;
        self.writer.write("could not commit", Parts::Many, move |group| prepared.apply(group)).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, PortError> {
        let id = id.clone();
        let query = move |connection: &rusqlite::Connection| {
            let found =
                connection.prepare_cached(sql::RUN)?.query_row([id.as_str()], StoredRun::from_row).optional()?;
            Ok(found)
        };
        match self.readers.read("could not read a run", query).await? {
            Some(stored) => stored.read().map(Some),
            None => Ok(None),
        }
    }

    async fn runs(&self, query: RunQuery, max: usize) -> Result<Vec<Run>, PortError> {
        let (statement, value) = match query {
            RunQuery::Channel(channel) => (sql::RUNS_CHANNEL, Some(String::from(channel))),
            RunQuery::Input(key) => (sql::RUNS_INPUT, Some(key)),
            RunQuery::Open => (sql::RUNS_OPEN, None),
            RunQuery::Failed => (sql::RUNS_FAILED, None),
            RunQuery::All => (sql::RUNS_ALL, None),
        };
        let query = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(statement)?;
            let rows = match value {
                Some(value) => statement.query_map(params![limit(max), value], StoredRun::from_row)?,
                None => statement.query_map([limit(max)], StoredRun::from_row)?,
            };
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        let stored = self.readers.read("could not list runs", query).await?;
        Ok(stored.into_iter().filter_map(|run| unless_broken(run.read())).collect())
    }

    async fn record(&self, key: &str) -> Result<Option<StoredRecord>, PortError> {
        let key = key.to_owned();
        let query = move |connection: &rusqlite::Connection| {
            Ok(connection.prepare_cached(sql::RECORD)?.query_row([key], stored_record).optional()?)
        };
        self.readers.read("could not read a record", query).await
    }

    async fn records(&self, list: &str, max: usize) -> Result<Vec<StoredRecord>, PortError> {
        let list = list.to_owned();
        let query = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql::RECORDS)?;
            let rows = statement.query_map(params![limit(max), list], stored_record)?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        self.readers.read("could not list records", query).await
    }

    async fn holder(&self, lock: &str) -> Result<Option<RunId>, PortError> {
        let found = self.text("could not read a lock", sql::HOLDER, lock).await?;
        found.map(RunId::parse).transpose().map_err(|error| broken("a lock", lock).because(error))
    }

    async fn claimed(&self, key: &EnvelopeId) -> Result<bool, PortError> {
        let key = key.clone();
        let query = move |connection: &rusqlite::Connection| {
            Ok(connection.prepare_cached(sql::CLAIMED)?.exists([key.as_str()])?)
        };
        self.readers.read("could not read a claim", query).await
    }

    async fn due(&self, now: Timestamp, max: usize) -> Result<Vec<Deadline>, PortError> {
        let query = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql::DEADLINES_DUE)?;
            let rows = statement.query_map([micros(now), limit(max)], |row| {
                Ok((row.get::<_, String>(0)?, row.get(1)?, row.get::<_, String>(2)?))
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        let rows = self.readers.read("could not read deadlines", query).await?;
        let deadline = |(key, due, subject): (String, i64, String)| {
            let subject = Subject::parse(&subject).ok_or_else(|| broken("a deadline", &key));
            unless_broken(subject.map(|subject| Deadline { key, due: time(due), subject }))
        };
        Ok(rows.into_iter().filter_map(deadline).collect())
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, PortError> {
        let query = |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql::NEXT_DUE)?;
            let firsts: [Option<i64>; 3] =
                statement.query_row([], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?]))?;
            Ok(firsts.into_iter().flatten().min())
        };
        Ok(self.readers.read("could not look for what comes due", query).await?.map(time))
    }

    async fn outbox_take(&self, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<OutboxItem>, PortError> {
        let work = move |group: &mut super::writer::Group<'_>| outbox::take(group, now, lease, max);
        let taken = self.writer.write("could not take from the outbox", Parts::Many, work).await?;
        let mut items = Vec::with_capacity(taken.len());
        for item in taken {
            match item.read() {
                Ok(item) => items.push(item),
                Err(error) => self.give_up_unreadable(item, &error).await?,
            }
        }
        Ok(items)
    }

    async fn outbox_settle(&self, item: &OutboxItem, settled: Settled) -> Result<(), PortError> {
        let settling = Settling::new(item, settled, self.clock.now())?;
        self.writer.write("could not settle an outbox item", Parts::Many, move |group| settling.apply(group)).await
    }

    async fn outbox_depth(&self) -> Result<(u64, u64), PortError> {
        let query = |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql::OUTBOX_DEPTH)?;
            let counts: (i64, i64) = statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?)))?;
            Ok((counts.0.cast_unsigned(), counts.1.cast_unsigned()))
        };
        self.readers.read("could not count the outbox", query).await
    }

    async fn given_up(&self, max: usize) -> Result<Vec<GivenUp>, PortError> {
        let query = move |connection: &rusqlite::Connection| outbox::given_up(connection, limit(max));
        self.readers.read("could not list the effects that were given up", query).await
    }

    async fn outbox_replay(&self, key: &str) -> Result<bool, PortError> {
        let (key, now) = (key.to_owned(), micros(self.clock.now()));
        let work = move |group: &mut super::writer::Group<'_>| {
            group.connection.prepare_cached(sql::GIVEN_UP_REPLAY)?.execute(rusqlite::params![key, now])?;
            Ok(group.connection.prepare_cached(sql::GIVEN_UP_DROP)?.execute([key])? > 0)
        };
        self.writer.write("could not replay an effect", Parts::Many, work).await
    }

    async fn receipt(&self, key: &str) -> Result<Option<MessageRef>, PortError> {
        let found = self.text("could not read a receipt", sql::RECEIPT, key).await?;
        let read = |text: String| serde_json::from_str(&text).map_err(|error| broken("a receipt", key).because(error));
        found.map(read).transpose()
    }

    async fn audit(&self, after: u64, max: usize) -> Result<Vec<AuditRecord>, PortError> {
        let query = move |connection: &rusqlite::Connection| audit::after(connection, after, limit(max));
        self.readers.read("could not read the audit trail", query).await
    }

    async fn audit_head(&self) -> Result<AuditHead, PortError> {
        let head = self.head.clone();
        let read = tokio::task::spawn_blocking(move || head.read()).await;
        read.map_err(|error| PortError::transient("could not read the audit head").because(error))?
    }

    async fn ping(&self) -> Result<(), PortError> {
        let work = |group: &mut super::writer::Group<'_>| {
            group.connection.prepare_cached(sql::PING)?.execute([])?;
            Ok(())
        };
        self.writer.write("could not write", Parts::One, work).await
    }
}

impl Sqlite {
    /// One text by its key.
    async fn text(&self, doing: &'static str, sql: &'static str, key: &str) -> Result<Option<String>, PortError> {
        let key = key.to_owned();
        let query = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row([key], |row| row.get::<_, String>(0)).optional()?)
        };
        self.readers.read(doing, query).await
    }

    async fn give_up_unreadable(&self, item: Taken, error: &serde_json::Error) -> Result<(), PortError> {
        tracing::error!(key = item.key, %error, "an outbox item cannot be read and is given up");
        let settled = Settled::GivenUp { why: format!("the effect cannot be read: {error}") };
        let now = micros(self.clock.now());
        let settling =
            Settling { key: item.key, lease: item.lease, version: item.version, settled, receipt: None, now };
        self.writer.write("could not settle an outbox item", Parts::Many, move |group| settling.apply(group)).await
    }
}

fn stored_record(row: &Row<'_>) -> rusqlite::Result<StoredRecord> {
    let version: i64 = row.get(1)?;
    Ok(StoredRecord { key: row.get(0)?, version: version.cast_unsigned(), body: row.get(2)? })
}

struct StoredRun {
    id: String,
    version: i64,
    body: String,
}

impl StoredRun {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { id: row.get(0)?, version: row.get(1)?, body: row.get(2)? })
    }

    fn read(self) -> Result<Run, PortError> {
        let mut run: Run = serde_json::from_str(&self.body).map_err(|e| broken("run", &self.id).because(e))?;
        if run.attempts.is_empty() {
            return Err(broken("run", &self.id));
        }
        run.version = self.version.cast_unsigned();
        Ok(run)
    }
}

fn broken(what: &str, key: &str) -> PortError {
    PortError::permanent(format!(
        "{what} {key} is stored but cannot be read: it was written by another version or changed"
    ))
}

/// One broken record must not hide the others of a list.
fn unless_broken<T>(read: Result<T, PortError>) -> Option<T> {
    read.inspect_err(|error: &PortError| tracing::error!(%error, "a record is left out of a list")).ok()
}
