//! Moves what the write-ahead log holds into the database file, on a thread of its own: inside a COMMIT, as SQLite does it by itself,
//! every thousandth page would make everybody wait for it.

use rusqlite::Connection;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, TrySendError};

/// So many works are written between two checkpoints; each is a handful of pages. A page that many works write is copied once,
/// and each checkpoint waits for the disk that the commits wait for too.
const WORKS: usize = 1_024;
/// Pages (of 4 KiB) after which the log must start over, which only works while nobody writes: everybody waits, so it is rare.
const LONG: i64 = 8_000;

/// The writer's side.
pub(super) struct Checkpointer {
    wake: mpsc::SyncSender<()>,
    long: Arc<AtomicBool>,
    works: usize,
}

impl Checkpointer {
    /// Starts the thread. It ends when the writer ends.
    pub(super) fn start(connection: Connection) -> io::Result<Self> {
        let (wake, woken) = mpsc::sync_channel(1);
        let long = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&long);
        std::thread::Builder::new().name("store-checkpoint".into()).spawn(move || {
            while woken.recv().is_ok() {
                if checkpoint(&connection) > LONG {
                    flag.store(true, Ordering::Relaxed);
                }
            }
        })?;
        Ok(Self { wake, long, works: 0 })
    }

    /// Says that `works` more were written on `connection`, which is not in a transaction.
    pub(super) fn wrote(&mut self, works: usize, connection: &Connection) {
        self.works += works;
        // The thread has already copied nearly all of a long log: little is left to do here, and the next write starts it over.
        if self.long.swap(false, Ordering::Relaxed) {
            checkpoint(connection);
        }
        if self.works < WORKS {
            return;
        }
        self.works = 0;
        if let Err(TrySendError::Disconnected(())) = self.wake.try_send(()) {
            checkpoint(connection);
        }
    }
}

/// Copies what no reader needs in the log any more, without waiting for anybody. Returns the length of the log in pages.
fn checkpoint(connection: &Connection) -> i64 {
    let pages = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1));
    // Nothing is lost: the log keeps what it has, and the next one tries again.
    pages.inspect_err(|error| tracing::warn!(%error, "the write-ahead log could not be copied")).unwrap_or(0)
}
