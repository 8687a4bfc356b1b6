//! Opening the database file: durability settings, the schema and its version.

use super::errors::{Fault, port_error};
use super::head::HeadFile;
use crate::ports::{Kind, PortError};
use rusqlite::{Connection, OptionalExtension};
use std::path::Path;
use std::time::Duration;

/// The schema this program reads and writes.
const SCHEMA: i64 = 2;
/// What brings a file of the version before to this one.
const UPGRADE: &str = include_str!("upgrade.sql");
/// How often a process asks for its turn while another one writes, and for how long: SQLite's own waits grow to a tenth of a second,
/// in which a busy neighbour commits a hundred times without ever leaving the door open at the right moment.
const ASK_AGAIN: Duration = Duration::from_millis(1);
const ASK_TIMES: i32 = 5_000;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Write,
    Read,
}

/// Opens a connection. A commit returns once the write-ahead log is on the disk (`synchronous=FULL`).
pub(super) fn connect(path: &Path, usage: Use) -> Result<Connection, Fault> {
    let mut connection = Connection::open(path)?;
    connection.busy_handler(Some(wait_for_turn))?;
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
    if mode != "wal" {
        let what = format!("the database must use a write-ahead log, but its file system only allows {mode:?}");
        return Err(PortError::permanent(what).into());
    }
    connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;")?;
    connection.set_prepared_statement_cache_capacity(64);
    match usage {
        Use::Write => connection.execute_batch("PRAGMA cache_size = -8000; PRAGMA wal_autocheckpoint = 0")?,
        Use::Read => connection.execute_batch("PRAGMA query_only = ON")?,
    }
    Ok(connection)
}

/// Makes the tables and the audit head of a new store; refuses a file of a newer program, or of another.
pub(super) fn prepare(connection: &Connection, path: &Path, head: &HeadFile) -> Result<(), PortError> {
    let failed = |error| port_error("could not prepare the database", Fault::Sqlite(error));
    connection.execute_batch("BEGIN IMMEDIATE").map_err(failed)?;
    let prepared = version(connection).map_err(failed).and_then(|found| match found {
        Found::Nothing => {
            head.make().map_err(|e| PortError::new(Kind::Denied, "could not make the audit head").because(e))?;
            connection.execute_batch(include_str!("schema.sql")).map_err(failed)?;
            connection.execute("INSERT INTO schema_version VALUES (?1)", [SCHEMA]).map(drop).map_err(failed)
        }
        Found::Version(SCHEMA) => Ok(()),
        Found::Version(1) => connection.execute_batch(UPGRADE).map_err(failed),
        Found::Version(version) => Err(PortError::permanent(format!(
            "{} has schema version {version}, this program knows {SCHEMA}: run the switchman that wrote it, or a newer one; \
             nothing was changed",
            path.display()
        ))),
        Found::SomethingElse => Err(PortError::permanent(format!(
            "{} is a database of another program: name another data folder; nothing was changed",
            path.display()
        ))),
    });
    let end = if prepared.is_ok() { "COMMIT" } else { "ROLLBACK" };
    connection.execute_batch(end).map_err(failed)?;
    prepared
}

#[expect(clippy::disallowed_methods, reason = "sqlite asks its caller to wait here, on a thread that may block")]
fn wait_for_turn(asked: i32) -> bool {
    std::thread::sleep(ASK_AGAIN);
    asked < ASK_TIMES
}

enum Found {
    Nothing,
    Version(i64),
    SomethingElse,
}

fn version(connection: &Connection) -> rusqlite::Result<Found> {
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables == 0 {
        return Ok(Found::Nothing);
    }
    let ours = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_version'";
    if connection.query_row(ours, [], |_| Ok(())).optional()?.is_none() {
        return Ok(Found::SomethingElse);
    }
    let version = connection.query_row("SELECT version FROM schema_version", [], |row| row.get(0)).optional()?;
    Ok(version.map_or(Found::SomethingElse, Found::Version))
}
