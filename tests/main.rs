//! All integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has to stop there")]

mod architecture;
mod batch;
mod cancel_batch;
mod cli;
#[macro_use]
mod contract;
mod crash_sweep;
mod embedded;
mod engine;
mod front_door;
mod harness;
mod help;
mod kill_sweep;
mod list_batches;
mod rejected_rows;
mod reprocess_batch;
mod rules;
mod slack_bolt;
mod slack_faults;
mod start_batch;
mod status;
mod why;
