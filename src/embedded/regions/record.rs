//! The record of the active region, and the lock that keeps a switch and a publication apart.

use super::gate::Gate;
use crate::domain::id::RegionName;
use crate::domain::region::Active;
use crate::embedded::engine::{Permit, Refusal};
use crate::ports::{Clock, Commit, Kind, PortError, RecordWrite, Store};
use jiff::Timestamp;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::runtime::Handle;

/// The key of the record.
const RECORD: &str = "region";
/// The lock: held shared by whoever publishes, alone by whoever switches. Other processes of this machine hold the same.
const LOCK: &str = "publish.lock";

/// Which region is active.
pub(super) struct ActiveRecord {
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    /// Active until somebody switches.
    first: RegionName,
    lock: PathBuf,
    runtime: Handle,
}

impl ActiveRecord {
    pub(super) fn new(store: Arc<dyn Store>, clock: Arc<dyn Clock>, first: RegionName, data: &Path) -> Self {
        Self { store, clock, first, lock: data.join(LOCK), runtime: Handle::current() }
    }

    /// The record and its version.
    pub(super) async fn read(&self) -> Result<(Active, u64), PortError> {
        let first = || Active { region: self.first.clone(), epoch: 1, since: Timestamp::UNIX_EPOCH };
        match self.store.record(RECORD).await? {
            None => Ok((first(), 0)),
            Some(stored) => match serde_json::from_str(&stored.body) {
                Ok(active) => Ok((active, stored.version)),
                Err(error) => {
                    Err(PortError::permanent("the record of the active region cannot be read").because(error))
                }
            },
        }
    }

    /// Waits for what asks the store. Blocks; not for the threads of the runtime.
    pub(super) fn wait<T>(&self, asked: impl Future<Output = T>) -> T {
        self.runtime.block_on(asked)
    }

    /// The record, for threads that may block.
    pub(super) fn wait_read(&self) -> Result<Active, PortError> {
        self.wait(self.read()).map(|(active, _)| active)
    }

    /// See [`crate::ports::Regions::switch`].
    pub(super) async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        // Nobody publishes between here and the end of this function.
        let _alone = self.alone().await?;
        let (now, version) = self.read().await?;
        if now.epoch == expected + 1 && &now.region == to {
            return Ok(now);
        }
        if now.epoch != expected {
            let what = format!("the epoch is {} and not {expected}: somebody else has switched", now.epoch);
            return Err(PortError::new(Kind::Conflict, what));
        }
        let active = Active { region: to.clone(), epoch: expected + 1, since: self.clock.now() };
        let body = serde_json::to_string(&active)
            .map_err(|e| PortError::permanent("the active region cannot be written").because(e))?;
        let write = RecordWrite { key: RECORD.to_owned(), expected: version, list: None, at: active.since, body };
        self.store.commit(Commit { records: vec![write], ..Commit::default() }).await?;
        Ok(active)
    }

    async fn alone(&self) -> Result<File, PortError> {
        let path = self.lock.clone();
        let taken = tokio::task::spawn_blocking(move || open(&path).and_then(|lock| lock.lock().map(|()| lock))).await;
        let failed = |e: Box<dyn std::error::Error + Send + Sync>| {
            PortError::transient("the lock that keeps publications off a switch cannot be taken").because(e)
        };
        taken.map_err(|e| failed(e.into()))?.map_err(|e| failed(e.into()))
    }

    /// The right to publish in a region under an epoch. Blocks; not for the threads of the runtime.
    pub(super) fn permit(&self, gate: &Gate, epoch: u64) -> Result<Permit, Refusal> {
        let unknown =
            |why: String| Refusal::Unknown(format!("whether {} is still active is not known: {why}", gate.region));
        let lock =
            open(&self.lock).and_then(|lock| lock.lock_shared().map(|()| lock)).map_err(|e| unknown(e.to_string()))?;
        gate.pass().map_err(|e| unknown(e.what))?;
        let (active, _) = self.wait(self.read()).map_err(|e| unknown(e.what))?;
        if active.region == gate.region && active.epoch == epoch {
            return Ok(Permit::holding(lock));
        }
        Err(Refusal::Over(over(&active)))
    }
}

/// Why an attempt of an epoch that is over has no result.
pub(super) fn over(active: &Active) -> String {
    let Active { region, epoch, since } = active;
    format!("region {region} is active since {since:.0} (epoch {epoch}); nothing was published")
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}
