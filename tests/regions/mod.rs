//! Two regions on this machine: what is copied and when, who may publish, and what happens to a region on its own.

mod app;
mod carry;
#[macro_use]
mod contract;
mod contract_here;
mod fencing;
mod replication;
mod sandbox;
mod support;
