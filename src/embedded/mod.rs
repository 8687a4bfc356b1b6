//! The adapters that need no account: SQLite for the record and the bus, the local engine and its files, lists from the configuration,
//! the machine's clock. Nothing in here ever talks to a network or knows Slack.

mod clock;
pub mod engine;
mod files;
pub mod links;
mod lists;
mod secrets;
pub mod sqlite;

pub use clock::SystemClock;
pub use engine::{LocalEngine, LocalJob};
pub use files::LocalFiles;
pub use links::Links;
pub use lists::Lists;
pub use secrets::GivenSecrets;
pub use sqlite::Sqlite;
