//! What SQLite's errors mean to a caller: what happened, what was not lost, what to do.

use crate::ports::{Kind, PortError};
use rusqlite::{Error, ErrorCode};
use std::sync::Arc;

/// An error inside one piece of work.
#[derive(Debug)]
pub(super) enum Fault {
    /// Ours: a condition did not hold.
    Port(PortError),
    Sqlite(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<PortError> for Fault {
    fn from(error: PortError) -> Self {
        Self::Port(error)
    }
}

/// Why a whole group of work was not written; everybody in it is told.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    kind: Kind,
    what: String,
    source: Option<Arc<Error>>,
}

impl Failure {
    /// SQLite undid the whole transaction by itself, as it does when the disk is full or fails in the middle of a statement.
    pub(super) fn undone() -> Self {
        let what = "could not write: sqlite undid the transaction, most likely because the disk is full or failing;                     nothing was written and nothing stored before is lost, free some space";
        Self { kind: Kind::Transient { after: None }, what: what.to_owned(), source: None }
    }

    /// From an error of the transaction itself. `doing` says what was tried.
    pub(super) fn new(doing: &str, error: Error) -> Self {
        let (kind, meaning) = meaning(&error);
        Self { kind, what: format!("{doing}: {meaning}"), source: Some(Arc::new(error)) }
    }

    /// The same where the answer of COMMIT itself was lost: after an I/O error nobody can say whether it is on the disk.
    pub(super) fn at_commit(error: Error) -> Self {
        if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            let what = "could not commit: the disk reported an error, so this may or may not have been written; \
                        check the disk and try again";
            return Self { kind: Kind::Ambiguous, what: what.to_owned(), source: Some(Arc::new(error)) };
        }
        Self::new("could not commit", error)
    }

    pub(super) fn to_port_error(&self) -> PortError {
        let error = PortError::new(self.kind, self.what.clone());
        match &self.source {
            Some(source) => error.because(Arc::clone(source)),
            None => error,
        }
    }
}

/// An error of one statement for its caller.
pub(super) fn port_error(doing: &str, error: impl Into<Fault>) -> PortError {
    match error.into() {
        Fault::Port(error) => error,
        Fault::Sqlite(error) => {
            let (kind, meaning) = meaning(&error);
            PortError::new(kind, format!("{doing}: {meaning}")).because(error)
        }
    }
}

fn meaning(error: &Error) -> (Kind, &'static str) {
    let transient = Kind::Transient { after: None };
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            (transient, "another process holds the database; nothing was written, try again")
        }
        Some(ErrorCode::DiskFull) => {
            (transient, "the disk is full; nothing was written and nothing stored before is lost, free some space")
        }
        Some(ErrorCode::SystemIoFailure) => {
            (transient, "the disk reported an error; nothing was written, check the disk and try again")
        }
        Some(ErrorCode::OutOfMemory | ErrorCode::OperationInterrupted | ErrorCode::SchemaChanged) => {
            (transient, "sqlite could not finish; nothing was written, try again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => (
            Kind::Denied,
            "the database cannot be opened or written; nothing was written, check the owner and rights of the data folder",
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (
            Kind::Permanent,
            "the database file is damaged; nothing was written, stop the bot, keep a copy and restore the file",
        ),
        _ => (Kind::Permanent, "sqlite refused the statement; nothing was written"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sqlite(code: std::os::raw::c_int) -> Error {
        Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
    }

    #[test]
    fn callers_learn_whether_trying_again_helps() {
        let kind = |code| port_error("could not read", sqlite(code)).kind;
        assert_eq!(kind(rusqlite::ffi::SQLITE_BUSY), Kind::Transient { after: None });
        assert_eq!(kind(rusqlite::ffi::SQLITE_FULL), Kind::Transient { after: None });
        assert_eq!(kind(rusqlite::ffi::SQLITE_READONLY), Kind::Denied);
        assert_eq!(kind(rusqlite::ffi::SQLITE_CORRUPT), Kind::Permanent);
        assert_eq!(kind(rusqlite::ffi::SQLITE_NOTADB), Kind::Permanent);
    }

    #[test]
    fn an_io_error_at_commit_is_not_called_undone() {
        assert_eq!(Failure::at_commit(sqlite(rusqlite::ffi::SQLITE_IOERR_FSYNC)).to_port_error().kind, Kind::Ambiguous);
        let full = Failure::at_commit(sqlite(rusqlite::ffi::SQLITE_FULL)).to_port_error();
        assert_eq!(full.kind, Kind::Transient { after: None });
        assert!(full.to_string().contains("nothing was written"), "{full}");
    }
}
