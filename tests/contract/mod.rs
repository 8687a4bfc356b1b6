//! What every adapter of a port must do. A suite is written against the port alone; `embedded.rs` and its like run it.

macro_rules! suite {
    ($suite:ident on $backend:ty: $($test:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::contract::$suite::$test(&<$backend as crate::contract::Backend>::fresh()).await;
        })+
    };
}

mod audit;
#[macro_use]
mod bus;
#[macro_use]
mod store;
#[macro_use]
mod outbox;
#[macro_use]
mod regions;
mod embedded;
mod embedded_regions;
mod samples;

use crate::harness::clock::ManualClock;
use std::sync::Arc;
use switchman::ports::{Bus, Store};

/// Data of its own, which several processes can open.
pub(crate) trait Backend {
    fn fresh() -> Self;
    /// Opens the data as one more process would.
    fn store(&self) -> Arc<dyn Store>;
    fn bus(&self) -> Arc<dyn Bus>;
    fn clock(&self) -> &ManualClock;
}
