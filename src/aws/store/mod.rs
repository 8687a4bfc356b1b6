//! The record on one DynamoDB table: compare-and-set by conditions, a commit as one transaction, lists along sparse indexes.
//!
//! | item | partition key | sort key | indexes |
//! |---|---|---|---|
//! | run | `run#ID` | `run` | `all`, `channel`, `input`; `open` while it is open; `failed` while its last attempt is one that failed |
//! | record | `record#KEY` | `record` | `list` while it stands in one |
//! | claim, lock, receipt | `claim#KEY`, `lock#NAME`, `receipt#KEY` | the kind | – |
//! | deadline | `deadline#KEY` | `deadline` | `due` |
//! | outbox item | `outbox#KEY` | `outbox` | `due`, by priority |
//! | effect that was given up | `given-up#KEY` | when, and a number of its own | `due` |
//! | audit record | `audit` | its number | – |
//! | audit head, kept apart | `audit-head` | `audit-head` | – |
//!
//! A new kind of record is one more line: `kind#NAME`, with `all`, `open`, `channel` or `due` set to `kind…` where it is listed.

mod audit;
mod commit;
mod deadlines;
mod locks;
mod outbox;
mod records;
mod runs;
mod schema;
mod settle;
mod tail;
mod take;

pub(super) use schema::DUE;
pub use schema::{EXPIRES, INDEXES, Index, SortedBy};

use super::table::{Check, Item, Key, Table};
use crate::domain::audit::{AuditHead, AuditRecord};
use crate::domain::id::{EnvelopeId, RunId};
use crate::domain::run::Run;
use crate::ports::{
    Clock, Commit, Deadline, GivenUp, MessageRef, OutboxItem, PortError, RunQuery, Settled, Store, StoredRecord,
};
use async_trait::async_trait;
use aws_config::SdkConfig;
use jiff::Timestamp;
use runs::Known;
use std::sync::Arc;
use std::time::Duration;
use tail::Tail;
use tokio::sync::Mutex;

/// [`Store`] on a table that exists. Several processes may use it at once.
#[derive(Clone)]
pub struct DynamoStore {
    table: Table,
    clock: Arc<dyn Clock>,
    /// Where the audit trail ends, as far as this process knows. Held while a commit adds to it: its own commits never collide.
    tail: Arc<Mutex<Option<Tail>>>,
    known: Known,
}

impl DynamoStore {
    pub fn new(config: &SdkConfig, table: &str, clock: Arc<dyn Clock>) -> Self {
        Self { table: Table::new(config, table, &clock), clock, tail: Arc::default(), known: Known::new() }
    }

    async fn one(&self, doing: &str, kind: &str, name: &str) -> Result<Option<Item>, PortError> {
        self.table.get(doing, &Key::one(kind, name)).await
    }
}

#[async_trait]
impl Store for DynamoStore {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        commit::write(self, commit).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, PortError> {
        let found = self.one("could not read a run", "run", id.as_str()).await?;
        found.map(|item| runs::read(&item)).transpose()
    }

    async fn runs(&self, query: RunQuery, max: usize) -> Result<Vec<Run>, PortError> {
        runs::list(&self.table, query, max).await
    }

    async fn record(&self, key: &str) -> Result<Option<StoredRecord>, PortError> {
        let found = self.one("could not read a record", records::RECORD, key).await?;
        found.map(|item| records::read(&item)).transpose()
    }

    async fn records(&self, list: &str, max: usize) -> Result<Vec<StoredRecord>, PortError> {
        records::list(&self.table, list, max).await
    }

    async fn holder(&self, lock: &str) -> Result<Option<RunId>, PortError> {
        let found = self.one("could not read a lock", "lock", lock).await?;
        found.map(|item| locks::holder(&item)).transpose()
    }

    async fn claimed(&self, key: &EnvelopeId) -> Result<bool, PortError> {
        Ok(self.one("could not read a claim", "claim", key.as_str()).await?.is_some())
    }

    async fn due(&self, now: Timestamp, max: usize) -> Result<Vec<Deadline>, PortError> {
        deadlines::due(&self.table, now, max).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, PortError> {
        let mut next = None;
        for set in [deadlines::SET].into_iter().chain(outbox::SETS) {
            let first = self.table.query("could not look for what comes due", &DUE.oldest(set), 1).await?;
            let at = first.first().map(|item| item.time(DUE.sort.name())).transpose()?;
            next = [next, at].into_iter().flatten().min();
        }
        Ok(next)
    }

    async fn outbox_take(&self, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<OutboxItem>, PortError> {
        take::take(&self.table, now, lease, max).await
    }

    async fn outbox_settle(&self, item: &OutboxItem, settled: Settled) -> Result<(), PortError> {
        settle::settle(&self.table, self.clock.now(), item, &settled).await
    }

    async fn outbox_depth(&self) -> Result<(u64, u64), PortError> {
        take::depth(&self.table).await
    }

    async fn given_up(&self, max: usize) -> Result<Vec<GivenUp>, PortError> {
        settle::given_up(&self.table, max).await
    }

    async fn outbox_replay(&self, key: &str) -> Result<bool, PortError> {
        settle::replay(&self.table, self.clock.now(), key).await
    }

    async fn receipt(&self, key: &str) -> Result<Option<MessageRef>, PortError> {
        let found = self.one("could not read a receipt", "receipt", key).await?;
        found.map(|item| read_json(&item, "message")).transpose()
    }

    async fn audit(&self, after: u64, max: usize) -> Result<Vec<AuditRecord>, PortError> {
        audit::after(&self.table, after, max).await
    }

    async fn audit_head(&self) -> Result<AuditHead, PortError> {
        audit::head(&self.table).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        let item = Item::at(&Key::one("ping", "")).with_time("at", self.clock.now());
        self.table.put("could not write", item, Check::Nothing).await.map(drop)
    }
}

/// The JSON of a record, without bringing it into the text of an error.
fn json(value: &impl serde::Serialize) -> Result<String, PortError> {
    serde_json::to_string(value).map_err(|error| {
        PortError::permanent("a record cannot be turned into json; nothing was written").because(error)
    })
}

fn read_json<T: serde::de::DeserializeOwned>(item: &Item, name: &str) -> Result<T, PortError> {
    serde_json::from_str(item.text(name)?).map_err(|error| {
        let key = item.key().map(|key| key.partition).unwrap_or_default();
        PortError::permanent(format!(
            "the stored item {key} cannot be read: a newer program wrote it, or somebody else"
        ))
        .because(error)
    })
}
