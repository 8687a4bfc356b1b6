//! All integration tests, in one binary.

#![expect(clippy::unwrap_used, reason = "a test that meets an error has to stop there")]

mod approvals_modal;
mod approve;
mod architecture;
mod arrival;
mod batch;
mod cancel_batch;
mod cli;
#[macro_use]
mod contract;
mod crash_sweep;
mod decisions;
mod deny;
mod embedded;
mod engine;
mod fail_back;
mod fail_over;
mod front_door;
mod harness;
mod help;
mod kill_sweep;
mod list_batches;
mod region_loss;
mod regions;
mod rejected_rows;
mod reprocess_batch;
mod routing;
mod rules;
mod same_decision;
mod slack_bolt;
mod slack_faults;
mod stale_worlds;
mod start_batch;
mod status;
mod step_up;
mod task_waiting;
mod why;
mod without_slack;
mod workflow_jobs;
