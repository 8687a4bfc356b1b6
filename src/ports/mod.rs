//! What the core needs from the outside: traits with two shipping implementations, or for the clock, secrets and chat.
//! No vendor type stands in a signature. Callers decide on [`PortError::kind`], never on its text.

mod bus;
mod chat;
mod directory;
mod engine;
mod error;
mod files;
mod secrets;
mod store;

pub use bus::{Bus, DeadLetter, Delivery, Published};
pub use chat::{BotIdentity, Chat, Member, MessageRef, Person, Target};
pub use directory::{Clock, Directory, Settings};
pub use engine::{Engine, Execution, ExecutionState, RejectPage, RejectedRow, StartRun};
pub use error::{Kind, PortError};
pub use files::{Artifact, ArtifactKind, Files};
pub use secrets::Secrets;
pub use store::{
    Commit, Deadline, Effect, GivenUp, OutboxItem, OutboxWrite, Priority, RunQuery, RunWrite, Settled, Store,
    input_lock, look_deadline,
};
