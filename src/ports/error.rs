//! The one error of all ports.

use std::time::Duration;

/// What the caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing was done; try again, not before `after` where the other side named a time (HTTP 429 with `Retry-After`).
    Transient { after: Option<Duration> },
    /// It may or may not have been done: the answer was lost.
    Ambiguous,
    /// A condition of the write did not hold: somebody else was first. Nothing was written.
    Conflict,
    /// The claimed envelope was claimed before: its work is done. Nothing was written.
    Claimed,
    /// It does not exist (any more): an archived channel, a deleted message, an unknown run.
    Gone,
    /// We are not allowed to, or the credentials are wrong.
    Denied,
    /// It will never work as asked.
    Permanent,
}

/// A port could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PortError {
    pub kind: Kind,
    /// What was tried and what the other side said; no secrets, tokens or bodies.
    pub what: String,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl PortError {
    pub fn new(kind: Kind, what: impl Into<String>) -> Self {
        Self { kind, what: what.into(), source: None }
    }

    pub fn transient(what: impl Into<String>) -> Self {
        Self::new(Kind::Transient { after: None }, what)
    }

    pub fn permanent(what: impl Into<String>) -> Self {
        Self::new(Kind::Permanent, what)
    }

    /// Adds the error underneath.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }
}
