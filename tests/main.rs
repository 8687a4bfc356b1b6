//! All integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has to stop there")]

mod architecture;
mod batch;
mod cli;
mod contract;
mod engine;
mod harness;
mod rules;
mod slack_bolt;
