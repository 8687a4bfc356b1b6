//! The store and the bus in one SQLite file, with the audit head in a file beside it. Several processes may use it at once.
//! Nothing in here is ever answered before it is on the disk, and no query walks the record.

mod audit;
mod bus;
mod checkpoint;
mod commit;
mod errors;
mod head;
mod keys;
mod open;
mod outbox;
mod presence;
mod readers;
mod statements;
mod store;
#[cfg(test)]
mod tests;
mod writer;

use crate::ports::{Clock, Kind, PortError};
use checkpoint::Checkpointer;
use head::{HeadFile, HeadKeeper};
use jiff::Timestamp;
use presence::Presence;
use readers::Readers;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use writer::Writer;

/// The name of the database file within the data folder.
pub const FILE_NAME: &str = "switchman.db";

/// One opened database: implements [`crate::ports::Store`] and [`crate::ports::Bus`]. Clones share its writer and its readers;
/// after the last one is dropped the writer ends. Nothing needs to be closed: what was answered is on the disk.
#[derive(Clone)]
pub struct Sqlite {
    writer: Writer,
    readers: Readers,
    head: HeadFile,
    clock: Arc<dyn Clock>,
    /// Tells those who wait in `take` that there is something new.
    news: Arc<Notify>,
    /// While a bot lives, others do not take its leases for those of the dead. Tools hold none.
    _presence: Option<Arc<Presence>>,
}

impl Sqlite {
    /// Opens the database file, or makes it and the folder around it. Blocks for some milliseconds.
    /// Errors: `Permanent` for a file of a newer program, of another program, or a damaged one; `Denied` without rights.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        Self::make_folder(path)?;
        Self::start(path, clock, false)
    }

    /// The same for a bot that takes messages and effects: what a bot that died had taken is there again at once.
    pub fn open_for_bot(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        Self::make_folder(path)?;
        Self::start(path, clock, true)
    }

    fn make_folder(path: &Path) -> Result<(), PortError> {
        if let Some(folder) = path.parent() {
            private_folder(folder).map_err(|error| {
                PortError::new(Kind::Denied, format!("could not make the folder {}", folder.display())).because(error)
            })?;
        }
        Ok(())
    }

    /// Opens a database that exists, as tools do. `Gone`: there is none.
    pub fn open_existing(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, PortError> {
        if !path.is_file() {
            let what = format!("there is no store at {}: name the data folder the bot uses", path.display());
            return Err(PortError::new(Kind::Gone, what));
        }
        Self::start(path, clock, false)
    }

    fn start(path: &Path, clock: Arc<dyn Clock>, bot: bool) -> Result<Self, PortError> {
        let connect = |usage| {
            let doing = format!("could not open {}", path.display());
            open::connect(path, usage).map_err(|fault| errors::port_error(&doing, fault))
        };
        let threads = |error: std::io::Error| {
            PortError::new(Kind::Denied, format!("could not set up the store beside {}", path.display())).because(error)
        };
        let connection = connect(open::Use::Write)?;
        let head = HeadFile::beside(path);
        open::prepare(&connection, path, &head)?;
        let keeper = HeadKeeper::start(head.clone(), connect(open::Use::Read)?).map_err(threads)?;
        let presence = {
            let announce = || Presence::announce(path, &connection, micros(clock.now())).map(Arc::new);
            bot.then(announce).transpose()?
        };
        let checkpointer = Checkpointer::start(connect(open::Use::Read)?).map_err(threads)?;
        let writer = Writer::start(connection, keeper, checkpointer, Arc::clone(&clock)).map_err(threads)?;
        let readers = Readers::new(path.to_owned());
        Ok(Self { writer, readers, head, clock, news: Arc::default(), _presence: presence })
    }
}

/// Makes a folder that only its owner can look into: messages on the bus carry Slack's one-off answer addresses.
fn private_folder(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(folder)
}

fn micros(time: Timestamp) -> i64 {
    time.as_microsecond()
}

fn time(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap_or(if micros < 0 { Timestamp::MIN } else { Timestamp::MAX })
}

fn after(now: Timestamp, duration: Duration) -> i64 {
    micros(now.saturating_add(duration).unwrap_or(Timestamp::MAX))
}

fn limit(max: usize) -> i64 {
    i64::try_from(max).unwrap_or(i64::MAX)
}
