//! What is kept of each attempt: what was asked for, and how it ended. Both are written once and never changed.

use super::io;
use crate::batch::durable;
use crate::batch::ledger::{ENDED, End, Ended, REQUEST, Request};
use crate::batch::{self, BatchError};
use crate::domain::command::Scope;
use crate::domain::run::AttemptKey;
use crate::ports::{Execution, ExecutionState, PortError};
use serde::Serialize;
use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The folder with a directory for each attempt.
#[derive(Debug, Clone)]
pub struct Attempts {
    root: PathBuf,
}

impl Attempts {
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    pub(crate) fn dir(&self, key: &AttemptKey) -> PathBuf {
        self.root.join(key.to_string())
    }

    pub(crate) fn request(&self, key: &AttemptKey) -> Result<Option<Request>, PortError> {
        durable::read_json(&self.dir(key).join(REQUEST)).map_err(unusable)
    }

    pub(crate) fn ended(&self, key: &AttemptKey) -> Result<Option<Ended>, PortError> {
        durable::read_json(&self.dir(key).join(ENDED)).map_err(unusable)
    }

    /// Every attempt there is, in no order; `None` where the folder has not changed since `seen`, which is brought up to date.
    pub(crate) fn keys(&self, seen: &mut Option<SystemTime>) -> std::io::Result<Option<Vec<AttemptKey>>> {
        let changed = match fs::metadata(&self.root) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Some(Vec::new())),
            found => found?.modified()?,
        };
        if *seen == Some(changed) {
            return Ok(None);
        }
        let mut keys = Vec::new();
        for entry in fs::read_dir(&self.root)? {
            keys.extend(entry?.file_name().to_str().and_then(AttemptKey::parse));
        }
        *seen = Some(changed);
        Ok(Some(keys))
    }

    /// Ends an attempt that nobody works on and that may never publish.
    pub(crate) fn end_fenced(&self, key: &AttemptKey, why: String) -> Result<(), PortError> {
        let stored = batch::stored_progress(&self.dir(key)).map_err(unusable)?.unwrap_or_default();
        self.end(key, &Ended::failed(why, &stored))
    }

    pub(super) fn accept(&self, key: &AttemptKey, request: &Request) -> Result<(), PortError> {
        self.keep(key, REQUEST, request)
    }

    pub(super) fn end(&self, key: &AttemptKey, ended: &Ended) -> Result<(), PortError> {
        self.keep(key, ENDED, ended)
    }

    fn keep<T: Serialize>(&self, key: &AttemptKey, name: &str, value: &T) -> Result<(), PortError> {
        let dir = self.dir(key);
        let kept = durable::create_dir(&dir).and_then(|()| durable::publish_json(&dir, name, value));
        kept.map_err(unusable)
    }

    /// The attempts that this one can build on, the newest first: back to the last one that did everything.
    pub(super) fn earlier(&self, key: &AttemptKey) -> Result<Vec<PathBuf>, PortError> {
        let mut found = Vec::new();
        for attempt in (1..key.attempt).rev() {
            let older = AttemptKey { run: key.run.clone(), attempt };
            let dir = self.dir(&older);
            if batch::is_planned(&dir) {
                found.push(dir);
            }
            if self.request(&older)?.is_some_and(|request| request.scope == Scope::All) {
                break;
            }
        }
        Ok(found)
    }
}

/// An end as the port tells it.
pub(super) fn execution(ended: Ended) -> Execution {
    let state = match ended.state {
        End::Succeeded => ExecutionState::Succeeded,
        End::Failed => ExecutionState::Failed,
        End::Cancelled => ExecutionState::Cancelled,
    };
    Execution { state, progress: ended.progress, reasons: ended.reasons, failure: ended.failure }
}

/// Writes a file of an attempt that was read elsewhere, durably.
pub(crate) fn keep_text(dir: &Path, name: &str, text: &[u8]) -> Result<(), PortError> {
    let write = |file: &mut fs::File| file.write_all(text).map_err(BatchError::io("write", &dir.join(name)));
    durable::publish(dir, name, write).map_err(unusable)
}

/// An attempt's files could not be read or written.
pub(crate) fn unusable(error: BatchError) -> PortError {
    match error {
        BatchError::Io { what, source } => io(format!("could not {what}"), source),
        error => PortError::permanent(error.to_string()),
    }
}
