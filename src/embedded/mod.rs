//! The adapters that need no account: SQLite for the record and the bus, the local engine and its files, lists from the configuration,
//! the machine's clock. Nothing in here ever talks to a network or knows Slack.

pub mod arrivals;
mod clock;
mod credentials;
pub mod engine;
mod files;
mod lead;
pub mod links;
mod lists;
pub mod regions;
mod secrets;
pub mod sqlite;

pub use arrivals::Arrivals;
pub use clock::SystemClock;
pub use credentials::GivenCredentials;
pub use engine::{LocalEngine, LocalJob};
pub use files::LocalFiles;
pub use lead::Alone;
pub use links::Links;
pub use lists::Lists;
pub use regions::LocalRegions;
pub use secrets::{GivenKeys, KeyFile, LocalSecrets, random};
pub use sqlite::Sqlite;
