//! What the core needs from the outside: traits with two shipping implementations, or for the clock, secrets and chat.
//! No vendor type stands in a signature. Callers decide on [`PortError::kind`], never on its text.

mod bus;
mod chat;
mod credentials;
mod directory;
mod engine;
mod error;
mod files;
mod lead;
mod record;
mod regions;
mod secrets;
mod step_up;
mod store;

pub use bus::{Bus, DeadLetter, Delivery, Published};
pub use chat::{Age, BotIdentity, Chat, Member, MessageRef, Person, Target};
pub use credentials::Credentials;
pub use directory::{Clock, Directory, Settings};
pub use engine::{Engine, Execution, ExecutionState, RejectPage, RejectedRow, StartRun};
pub use error::{Kind, PortError};
pub use files::{Artifact, ArtifactKind, Files};
pub use lead::{Lead, Turn};
pub use record::{
    ENDED_DRILLS, HOME_READERS, HomeReader, OPEN_MOVES, Record, RecordWrite, StoredRecord, WAITING_REQUESTS, home_key,
    load, load_list, move_key, request_key, task_key,
};
pub use regions::{Regions, Site};
pub use secrets::Secrets;
pub use step_up::StepUp;
pub use store::{
    Commit, Deadline, Effect, GivenUp, OutboxItem, OutboxWrite, Priority, RunQuery, RunWrite, Settled, Store, Subject,
    input_lock, look_deadline,
};
