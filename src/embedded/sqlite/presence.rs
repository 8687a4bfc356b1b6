//! Which bots use a database: each holds a shared lock on a file beside it while it lives. Whoever starts and finds nobody there knows
//! that every lease in the file belongs to the dead, and gives them back at once instead of waiting for them to pass.

use super::errors::{Fault, port_error};
use super::statements as sql;
use crate::ports::{Kind, PortError};
use rusqlite::{Connection, params};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

/// The lock of a living bot. Ends with the process, however that ends.
pub(super) struct Presence {
    _lock: File,
}

impl Presence {
    /// Announces a bot; gives back the leases of those that died if no other lives.
    pub(super) fn announce(database: &Path, connection: &Connection, now: i64) -> Result<Self, PortError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".bots");
        let failed = |error: std::io::Error| {
            let what = format!("could not lock {}", Path::new(&path).display());
            PortError::new(Kind::Denied, what).because(error)
        };
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {
                give_back(connection, now)
                    .map_err(|e| port_error("could not give back the leases of a bot that died", e))?;
                lock.unlock().map_err(failed)?;
            }
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        lock.lock_shared().map_err(failed)?;
        Ok(Self { _lock: lock })
    }
}

fn give_back(connection: &Connection, now: i64) -> Result<(), Fault> {
    connection.execute(sql::BUS_GIVE_BACK, params![now])?;
    connection.execute(sql::OUTBOX_GIVE_BACK, [])?;
    Ok(())
}
