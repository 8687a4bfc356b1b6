//! The keys that the bus knows, in the writer's memory: an index over them in the file would cost each publish a page of its own, and
//! each commit most of its time. The file stays the truth: the set is read from it, and again what another process has added.

use super::errors::Fault;
use super::statements as sql;
use rusqlite::Connection;
use sha2::{Digest, Sha256};
use std::collections::HashSet;

/// Half of a SHA-256 is as unlikely to repeat as the whole.
type Short = [u8; 16];

/// The keys of every message that is waiting, buried, or was handled not long ago.
#[derive(Default)]
pub(super) struct Keys {
    known: HashSet<Short>,
    /// The newest message that was read into `known`. Numbers of messages never come again.
    newest: i64,
    /// Changes when another connection has written; 0: nothing was read yet.
    version: i64,
    /// Whether this was asked in the transaction that is under way: nobody else writes during it.
    current: bool,
}

impl Keys {
    /// Notes a key; false if it is known. Within a transaction that can write: nobody else adds one meanwhile.
    pub(super) fn add(&mut self, connection: &Connection, key: &str) -> Result<bool, Fault> {
        self.catch_up(connection)?;
        Ok(self.known.insert(shorten(key)))
    }

    /// Notes the number that the message of the last new key has got.
    pub(super) fn published(&mut self, seq: i64) {
        self.newest = seq;
    }

    /// Notes that the message of a key is gone from the file.
    pub(super) fn forget(&mut self, key: &str) {
        self.known.remove(&shorten(key));
    }

    /// The transaction has ended. After one that was undone, everything is read again.
    pub(super) fn settle(&mut self, good: bool) {
        if good {
            self.current = false;
        } else {
            *self = Self::default();
        }
    }

    fn catch_up(&mut self, connection: &Connection) -> Result<(), Fault> {
        if self.current {
            return Ok(());
        }
        self.current = true;
        let version = connection.prepare_cached(sql::DATA_VERSION)?.query_row([], |row| row.get(0))?;
        if version == self.version {
            return Ok(());
        }
        let mut statement = connection.prepare_cached(sql::BUS_KEYS)?;
        let mut rows = statement.query([self.newest])?;
        while let Some(row) = rows.next()? {
            self.newest = row.get(0)?;
            self.known.insert(shorten(&String::from_utf8_lossy(row.get_ref(1)?.as_bytes().unwrap_or_default())));
        }
        self.version = version;
        Ok(())
    }
}

fn shorten(key: &str) -> Short {
    let mut short = Short::default();
    short.copy_from_slice(&Sha256::digest(key.as_bytes())[..16]);
    short
}
