//! What runs on AWS, against a local emulator that `tests/run aws` starts and stops. Each test is an account of its own there.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has to stop there")]

#[path = "../harness/clock.rs"]
mod clock;
#[path = "../harness/http.rs"]
mod http;
#[path = "../harness/process.rs"]
#[expect(dead_code, reason = "nothing here is started without settings of its own, or killed")]
mod process;
#[macro_use]
#[path = "../contract/mod.rs"]
mod contract;
mod batch;
mod bus;
mod config;
mod emulator;
mod engine;
mod executions;
mod faults;
mod files;
mod hosted;
mod killed;
mod lists;
mod plant;
mod proxy;
mod signals;
mod states;
#[macro_use]
mod regions;
mod store;
mod story;
mod workflows;

/// The part of the harness that the suites need.
mod harness {
    pub(crate) use crate::clock;
}
