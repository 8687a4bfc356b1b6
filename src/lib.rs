//! Switchman: a Slack bot that runs, reprocesses and fails over batch jobs.

pub mod batch;
pub mod config;
pub mod domain;
pub mod embedded;
pub mod health;
pub mod playground;
pub mod ports;
pub mod processor;
pub mod slack;
pub mod workers;
