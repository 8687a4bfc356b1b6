//! All integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has to stop there")]

mod cli;
mod architecture;
mod batch;
mod contract;
mod engine;
mod harness;
mod slack_bolt;
mod rules;
