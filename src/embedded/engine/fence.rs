//! Who may publish. An engine asks right before a result gets its name, and what it is given is held until that is done.

use std::fs::File;
use std::sync::Arc;

/// Asked with the epoch in which an attempt was begun.
pub type Fence = Arc<dyn Fn(u64) -> Result<Permit, Refusal> + Send + Sync>;

/// The right to publish, for as long as it lives: meanwhile no other region can become the active one.
#[derive(Debug, Default)]
pub struct Permit {
    _shared: Option<File>,
}

/// Why an attempt may not publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Its epoch is over; never again.
    Over(String),
    /// Nobody can say now; it stays interrupted and is asked for again.
    Unknown(String),
}

impl Permit {
    /// A permit that holds a lock.
    pub(in crate::embedded) fn holding(lock: File) -> Self {
        Self { _shared: Some(lock) }
    }
}

/// For an engine that is alone.
pub(super) fn none() -> Fence {
    Arc::new(|_| Ok(Permit::default()))
}
