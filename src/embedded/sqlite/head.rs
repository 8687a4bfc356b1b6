//! The head of the audit trail, in a file of its own beside the database. It may lag behind the trail after a crash; it is never
//! ahead of it, never made anew over a trail that exists, and never moved past a record that no longer is what it named.

use super::errors::Failure;
use super::statements as sql;
use super::writer::Work;
use crate::domain::audit::AuditHead;
use crate::ports::{Kind, PortError};
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

/// Committed work whose callers wait for the head to be kept.
pub(super) struct Verdict {
    pub(super) head: AuditHead,
    pub(super) work: Vec<Box<dyn Work>>,
}

/// The sending side of the thread that keeps the head: the writer never waits for the file.
pub(super) struct HeadKeeper {
    verdicts: mpsc::Sender<Verdict>,
}

/// The file.
#[derive(Debug, Clone)]
pub(super) struct HeadFile {
    path: PathBuf,
}

impl HeadKeeper {
    /// Starts the thread. It ends when the writer ends.
    pub(super) fn start(file: HeadFile, connection: Connection) -> io::Result<Self> {
        let (verdicts, queue) = mpsc::channel::<Verdict>();
        std::thread::Builder::new().name("audit-head".into()).spawn(move || {
            while let Ok(first) = queue.recv() {
                // Whatever has come meanwhile is served by one write of the file.
                let mut newest = first.head;
                let mut work = first.work;
                for verdict in queue.try_iter() {
                    newest = verdict.head;
                    work.extend(verdict.work);
                }
                if let Err(error) = file.advance(&newest, &connection) {
                    // The records themselves are safe; a head that lags is allowed, and verify reports the rest.
                    tracing::error!(%error, seq = newest.seq, "the audit head could not be kept");
                }
                work.drain(..).for_each(|work| work.answer(Ok(())));
            }
        })?;
        Ok(Self { verdicts })
    }

    /// Keeps the head, then answers.
    pub(super) fn keep(&self, verdict: Verdict) {
        if let Err(mpsc::SendError(verdict)) = self.verdicts.send(verdict) {
            tracing::error!(seq = verdict.head.seq, "the audit head could not be kept: its thread has stopped");
            verdict.work.into_iter().for_each(|work| work.answer(Ok(())));
        }
    }
}

impl HeadFile {
    /// The file that belongs to this database.
    pub(super) fn beside(database: &Path) -> Self {
        Self { path: database.with_file_name("audit.head") }
    }

    /// What it says. A missing file is an error: somebody took it away.
    pub(super) fn read(&self) -> Result<AuditHead, PortError> {
        let text = fs::read_to_string(&self.path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PortError::new(
                Kind::Gone,
                format!(
                    "the audit head {} is missing although the store has been used: it was deleted, so a cut-off tail of the \
                     trail cannot be ruled out; put back a copy of it",
                    self.path.display()
                ),
            ),
            _ => {
                PortError::permanent(format!("the audit head {} could not be read", self.path.display())).because(error)
            }
        })?;
        serde_json::from_str(&text).map_err(|error| {
            let what = format!("the audit head {} is damaged: put back a copy of it", self.path.display());
            PortError::permanent(what).because(error)
        })
    }

    /// Makes the file of an empty trail. Over a trail that has records it does nothing: then its absence must show.
    pub(super) fn prepare(&self, connection: &Connection) -> io::Result<()> {
        let _lock = self.lock()?;
        if self.path.try_exists()? {
            return Ok(());
        }
        let records = connection.query_row(sql::AUDIT_LAST, [], |_| Ok(())).optional().map_err(io::Error::other)?;
        if records.is_some() {
            tracing::error!(file = %self.path.display(), "the audit head is missing: audit verify will report it");
            return Ok(());
        }
        self.replace(&AuditHead::empty())?;
        File::open(self.path.parent().unwrap_or(Path::new(".")))?.sync_all()
    }

    /// Moves the head on to `newest`, under a lock that other processes respect.
    fn advance(&self, newest: &AuditHead, connection: &Connection) -> Result<(), PortError> {
        let failed =
            |error: io::Error| PortError::transient(format!("could not write {}", self.path.display())).because(error);
        let _lock = self.lock().map_err(failed)?;
        let kept = self.read()?;
        if kept.seq > 0 {
            let hash = connection
                .prepare_cached(sql::AUDIT_HASH)
                .and_then(|mut s| s.query_row([kept.seq.cast_signed()], |row| row.get::<_, String>(0)).optional())
                .map_err(|error| Failure::new("could not read the trail", error).to_port_error())?;
            if hash.as_ref() != Some(&kept.hash) {
                return Err(PortError::permanent(format!(
                    "audit record {} is not the one that was kept: the trail was changed, so the head stays where it is",
                    kept.seq
                )));
            }
        }
        if newest.seq > kept.seq { self.replace(newest).map_err(failed) } else { Ok(()) }
    }

    fn replace(&self, head: &AuditHead) -> io::Result<()> {
        let temporary = self.path.with_extension("head.tmp");
        let mut file = File::create(&temporary)?;
        serde_json::to_writer(&file, head)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }

    fn lock(&self) -> io::Result<File> {
        let file = File::options().create(true).append(true).open(self.path.with_extension("head.lock"))?;
        file.lock()?;
        Ok(file)
    }
}
