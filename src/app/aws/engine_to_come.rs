//! Stands where regions and the engine go, until they are merged: says of everything that it cannot be done yet, and keeps it.

use crate::domain::id::{RegionName, RequestId};
use crate::domain::region::{Active, Replication};
use crate::domain::run::AttemptKey;
use crate::domain::task::{TaskAnswer, TaskToken};
use crate::ports::{Engine, Execution, Files, PortError, Regions, RejectPage, Site, StartRun};
use async_trait::async_trait;
use std::sync::Arc;

pub(super) struct OneRegion {
    names: Vec<RegionName>,
    files: Arc<dyn Files>,
}

impl OneRegion {
    pub(super) fn new(name: RegionName, files: Arc<dyn Files>) -> Self {
        Self { names: vec![name], files }
    }
}

struct NoEngine;

fn not_yet() -> PortError {
    PortError::transient("nothing runs batches on AWS yet; what was asked for is kept")
}

#[async_trait]
impl Engine for NoEngine {
    async fn start(&self, _: &StartRun) -> Result<(), PortError> {
        Err(not_yet())
    }

    async fn describe(&self, _: &AttemptKey) -> Result<Execution, PortError> {
        Err(not_yet())
    }

    async fn stop(&self, _: &AttemptKey) -> Result<(), PortError> {
        Err(not_yet())
    }

    async fn rejects(&self, _: &AttemptKey, _: u64, _: usize) -> Result<RejectPage, PortError> {
        Err(not_yet())
    }

    async fn answer(&self, _: &TaskAnswer) -> Result<(), PortError> {
        Err(not_yet())
    }

    async fn heartbeat(&self, _: &TaskToken) -> Result<(), PortError> {
        Err(not_yet())
    }
}

#[async_trait]
impl Regions for OneRegion {
    fn names(&self) -> &[RegionName] {
        &self.names
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        (*region == self.names[0]).then(|| Site {
            region: region.clone(),
            engine: Arc::new(NoEngine),
            files: self.files.clone(),
        })
    }

    async fn active(&self) -> Result<Active, PortError> {
        Ok(Active { region: self.names[0].clone(), epoch: 1, since: jiff::Timestamp::UNIX_EPOCH })
    }

    async fn switch(&self, _: u64, _: &RegionName) -> Result<Active, PortError> {
        Err(not_yet())
    }

    async fn replication(&self, _: &RegionName, _: &RegionName) -> Result<Replication, PortError> {
        Err(not_yet())
    }

    async fn sandbox(&self, _: &RegionName, _: &RequestId) -> Result<Site, PortError> {
        Err(not_yet())
    }

    async fn clear_sandbox(&self, _: &RequestId) -> Result<(), PortError> {
        Err(not_yet())
    }
}
