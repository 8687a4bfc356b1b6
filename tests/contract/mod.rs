//! What every adapter of a port must do. A suite is written against the port alone; `tests/embedded.rs` and `tests/aws/` run it.

macro_rules! suite {
    ($suite:ident on $backend:ty: $($test:ident,)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $test() {
            crate::contract::$suite::$test(&<$backend as crate::contract::Backend>::fresh()).await;
        })+
    };
}

pub(crate) mod audit;
pub(crate) mod directory;
#[macro_use]
pub(crate) mod bus;
#[macro_use]
pub(crate) mod engine;
#[macro_use]
pub(crate) mod store;
#[macro_use]
pub(crate) mod outbox;
pub(crate) mod samples;

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
    /// The part of the suites' load that this adapter is asked to bear, as a divisor.
    fn load_divisor(&self) -> u32 {
        1
    }
}
