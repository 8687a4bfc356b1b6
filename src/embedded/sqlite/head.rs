//! The head of the audit trail, in a file of its own beside the database. It may lag behind the trail after a crash; it is never
//! ahead of it, never made anew over a trail that exists, and never moved past a record that no longer is what it named.
//!
//! The file has two lines of fixed length that are written in turn, so that a torn write leaves the other one whole. Overwriting in place
//! costs a tenth of writing a new file and renaming it, where the file system has to commit its own journal each time.

use super::errors::Failure;
use super::statements as sql;
use super::writer::Work;
use crate::domain::audit::AuditHead;
use crate::ports::{Kind, PortError};
use rusqlite::{Connection, OptionalExtension};
use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
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
        let text = self.text().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => PortError::new(
                Kind::Gone,
                format!(
                    "the audit head {} is missing: it was made together with the store, so somebody has deleted it and a cut-off \
                     tail of the trail cannot be ruled out; put back a copy of it",
                    self.path.display()
                ),
            ),
            _ => {
                PortError::permanent(format!("the audit head {} could not be read", self.path.display())).because(error)
            }
        })?;
        newest(&text).map(|(_, head)| head).ok_or_else(|| {
            let what = format!("the audit head {} is damaged: put back a copy of it", self.path.display());
            PortError::permanent(what)
        })
    }

    /// Makes the file, in the same step as the store itself: whoever finds it missing later knows that it was taken away.
    /// One that is there already stays: it may be all that is left of a deleted store.
    pub(super) fn make(&self) -> io::Result<()> {
        if self.path.try_exists()? {
            return Ok(());
        }
        self.create()?;
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
        if newest.seq > kept.seq { self.overwrite(newest).map_err(failed) } else { Ok(()) }
    }

    fn text(&self) -> io::Result<String> {
        fs::read(&self.path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    fn create(&self) -> io::Result<()> {
        let temporary = self.path.with_extension("head.tmp");
        let mut file = File::create(&temporary)?;
        file.write_all(line(&AuditHead::empty()).repeat(2).as_bytes())?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)
    }

    /// Overwrites the older line.
    fn overwrite(&self, head: &AuditHead) -> io::Result<()> {
        let older = newest(&self.text()?).map_or(0, |(index, _)| 1 - index);
        let mut file = File::options().write(true).open(&self.path)?;
        file.seek(SeekFrom::Start(older * LINE as u64))?;
        file.write_all(line(head).as_bytes())?;
        file.sync_data()
    }

    fn lock(&self) -> io::Result<File> {
        let file = File::options().create(true).append(true).open(self.path.with_extension("head.lock"))?;
        file.lock()?;
        Ok(file)
    }
}

/// The length of a line, its end included.
const LINE: usize = 128;

fn line(head: &AuditHead) -> String {
    let json = format!("{{\"seq\":{},\"hash\":\"{}\"}}", head.seq, head.hash);
    format!("{json:<width$}\n", width = LINE - 1)
}

/// The whole line with the greater number, and which of the two it is.
fn newest(text: &str) -> Option<(u64, AuditHead)> {
    let whole = |line: &str| serde_json::from_str::<AuditHead>(line).ok().filter(|head| head.hash.len() == 64);
    let heads = (0..).zip(text.lines().take(2)).filter_map(|(index, line)| Some((index, whole(line)?)));
    heads.max_by_key(|(_, head)| head.seq)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(seq: u64) -> AuditHead {
        AuditHead { seq, hash: "ab".repeat(32) }
    }

    #[test]
    fn a_torn_line_leaves_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let file = HeadFile::beside(&folder.path().join("switchman.db"));
        file.create().unwrap();
        for seq in 1..=5 {
            file.overwrite(&head(seq)).unwrap();
            assert_eq!(file.read().unwrap(), head(seq));
        }
        let whole = file.text().unwrap();
        assert_eq!(whole.len(), 2 * LINE);
        for torn in 1..100 {
            let cut = whole.replacen(&line(&head(5))[..torn], &" ".repeat(torn), 1);
            fs::write(&file.path, cut).unwrap();
            assert_eq!(file.read().unwrap(), head(4));
        }
        assert!(line(&AuditHead { seq: u64::MAX, ..head(1) }).len() == LINE);
        file.overwrite(&head(6)).unwrap();
        assert_eq!(file.read().unwrap(), head(6));
    }
}
