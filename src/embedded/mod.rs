//! The adapters that need no account: SQLite for the record and the bus, the machine's clock.
//! Nothing in here ever talks to a network or knows Slack.

mod clock;
pub mod sqlite;

pub use clock::SystemClock;
pub use sqlite::Sqlite;
