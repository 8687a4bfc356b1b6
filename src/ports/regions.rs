//! Regions: which one is active, how far the others are behind, and the engine and files of each.

use super::{Engine, Files, Kind, PortError};
use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::domain::run::{Attempt, AttemptKey};
use async_trait::async_trait;
use std::sync::Arc;

/// What works in one region. Its calls fail with `Transient` while the region cannot be reached.
#[derive(Clone)]
pub struct Site {
    pub region: RegionName,
    pub engine: Arc<dyn Engine>,
    pub files: Arc<dyn Files>,
}

/// The record of the active region, and the regions themselves. The record outlives the loss of any one of them.
#[async_trait]
pub trait Regions: Send + Sync {
    /// In the order of the configuration: the first is where work belongs when nothing is wrong. Never empty.
    fn names(&self) -> &[RegionName];

    /// The engine and files of a region; `None`: there is no region of that name.
    fn site(&self, region: &RegionName) -> Option<Site>;

    /// The active region, read strongly consistently.
    async fn active(&self) -> Result<Active, PortError>;

    /// Makes `to` the active region if the epoch is `expected`. Repeating it is harmless: where `to` became active by this very
    /// switch, it says so again. `Conflict`: the epoch is another one. Waits until no publication under the old epoch is under way.
    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError>;

    /// How far `to` is behind `from`.
    async fn replication(&self, from: &RegionName, to: &RegionName) -> Result<Replication, PortError>;

    /// A place beside `region` with a copy of what has arrived there, for a drill. What is done in it has no effect elsewhere.
    /// Asked again under the same id it is the same place.
    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError>;

    /// Removes it with all that is in it; harmless where there is none.
    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError>;

    /// What else is told of a switch, so that requests go where the work is: the names people know. Usually nothing.
    fn routes(&self) -> &[String] {
        &[]
    }

    /// Tells one of them. May be repeated; where it fails the switch holds all the same, and the error says what to do by hand.
    async fn route(&self, name: &str, _active: &Active) -> Result<(), PortError> {
        Err(PortError::permanent(format!("there is no route {name}")))
    }
}

impl dyn Regions {
    /// The active region and what works in it.
    pub async fn here(&self) -> Result<(Active, Site), PortError> {
        let active = self.active().await?;
        let site = self.named(&active.region)?;
        Ok((active, site))
    }

    /// What works where an attempt was begun.
    pub fn of(&self, attempt: &Attempt) -> Result<Site, PortError> {
        self.named(attempt.region.as_ref().unwrap_or(&self.names()[0]))
    }

    /// Where the results of an attempt can be read: where it was begun, or in the active region, to which they are copied, while that
    /// one does not answer.
    pub async fn with_results(&self, key: &AttemptKey, attempt: &Attempt) -> Result<Site, PortError> {
        let own = self.of(attempt)?;
        match own.engine.describe(key).await {
            Err(error) if matches!(error.kind, Kind::Transient { .. }) => {
                let (_, active) = self.here().await?;
                if active.region == own.region { Err(error) } else { Ok(active) }
            }
            _ => Ok(own),
        }
    }

    fn named(&self, region: &RegionName) -> Result<Site, PortError> {
        let gone = || PortError::permanent(format!("there is no region {region} in the configuration any more"));
        self.site(region).ok_or_else(gone)
    }
}
