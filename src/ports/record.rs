//! Small records beside the runs: one per key, compare and set on a version, each in at most one list while it belongs there.

use super::{Kind, PortError, Store};
use crate::domain::approval::Request;
use crate::domain::failover::FailOver;
use crate::domain::id::{RequestId, TeamId, UserId};
use crate::domain::task::WaitingTask;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// A write of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordWrite {
    pub key: String,
    /// The version it must have now; 0: it must not exist. The store gives it `expected + 1`.
    pub expected: u64,
    /// The list it stands in from now on; `None`: in none.
    pub list: Option<String>,
    /// Its place in the list.
    pub at: Timestamp,
    /// JSON.
    pub body: String,
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    pub key: String,
    pub version: u64,
    pub body: String,
}

/// What is kept as a record.
pub trait Record: Serialize + DeserializeOwned + Send {
    fn key(&self) -> String;
    /// The list it stands in now.
    fn list(&self) -> Option<&'static str>;
    /// Its place in the list.
    fn at(&self) -> Timestamp;
    fn set_version(&mut self, version: u64);
}

/// The list of requests that wait for somebody.
pub const WAITING_REQUESTS: &str = "requests";
/// The list of people who have opened their App Home tab.
pub const HOME_READERS: &str = "homes";
/// The list of moves under way.
pub const OPEN_MOVES: &str = "moves";
/// The list of drills that ended.
pub const ENDED_DRILLS: &str = "drills";

/// Somebody who has opened their App Home tab.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HomeReader {
    pub team: TeamId,
    pub user: UserId,
    pub opened_at: Timestamp,
    pub version: u64,
}

impl Record for HomeReader {
    fn key(&self) -> String {
        home_key(&self.team, &self.user)
    }

    fn list(&self) -> Option<&'static str> {
        Some(HOME_READERS)
    }

    fn at(&self) -> Timestamp {
        self.opened_at
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

/// The key of the record of somebody who has opened their App Home tab.
pub fn home_key(team: &TeamId, user: &UserId) -> String {
    format!("home:{team}:{user}")
}

impl Record for Request {
    fn key(&self) -> String {
        request_key(&self.id)
    }

    fn list(&self) -> Option<&'static str> {
        self.needs_somebody().then_some(WAITING_REQUESTS)
    }

    fn at(&self) -> Timestamp {
        self.asked_at
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

impl Record for FailOver {
    fn key(&self) -> String {
        move_key(&self.id)
    }

    fn list(&self) -> Option<&'static str> {
        match (self.is_open(), self.is_drill()) {
            (true, _) => Some(OPEN_MOVES),
            (false, true) => Some(ENDED_DRILLS),
            (false, false) => None,
        }
    }

    fn at(&self) -> Timestamp {
        self.approved_at
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

impl Record for WaitingTask {
    fn key(&self) -> String {
        task_key(&self.request)
    }

    fn list(&self) -> Option<&'static str> {
        None
    }

    fn at(&self) -> Timestamp {
        self.asked_at
    }

    fn set_version(&mut self, version: u64) {
        self.version = version;
    }
}

/// The key of the record that keeps the token behind a request.
pub fn task_key(id: &RequestId) -> String {
    format!("task:{id}")
}

/// The key of a request's record.
pub fn request_key(id: &RequestId) -> String {
    format!("request:{id}")
}

/// The key of the record of a move.
pub fn move_key(id: &RequestId) -> String {
    format!("move:{id}")
}

impl RecordWrite {
    /// The write that replaces the record as it was at `expected`.
    pub fn of<R: Record>(record: &R, expected: u64) -> Result<Self, PortError> {
        let body = serde_json::to_string(record)
            .map_err(|e| PortError::permanent("a record cannot be turned into json; nothing was written").because(e))?;
        Ok(Self { key: record.key(), expected, list: record.list().map(str::to_owned), at: record.at(), body })
    }
}

/// Reads a record.
pub async fn load<R: Record>(store: &dyn Store, key: &str) -> Result<Option<R>, PortError> {
    store.record(key).await?.map(|stored| read(&stored)).transpose()
}

/// Reads a list, the newest first. A record that cannot be read is left out, and logged.
pub async fn load_list<R: Record>(store: &dyn Store, list: &str, max: usize) -> Result<Vec<R>, PortError> {
    let stored = store.records(list, max).await?;
    let read =
        |stored| read(&stored).inspect_err(|error: &PortError| tracing::error!(%error, "a record is left out")).ok();
    Ok(stored.into_iter().filter_map(read).collect())
}

fn read<R: Record>(stored: &StoredRecord) -> Result<R, PortError> {
    let mut record: R = serde_json::from_str(&stored.body).map_err(|error| {
        let what = format!("{} is stored but cannot be read: it was written by another version or changed", stored.key);
        PortError::new(Kind::Permanent, what).because(error)
    })?;
    record.set_version(stored.version);
    Ok(record)
}
