//! Two regions of AWS: which is active, who may publish, who leads, how far the copy is behind, and drills.
//!
//! MiniStack copies writes to a table's replicas at once, and checks a condition against the copy of the region that is asked. That is what
//! a table with multi-Region strong consistency looks like from outside, but for `ReplicatedWriteConflictException` (Amazon DynamoDB
//! Developer Guide, "Multi-Region strong consistency"), which the proxy plays. S3 does not replicate there: the tests copy by themselves.

#[macro_use]
#[path = "../../regions/contract.rs"]
mod contract;
mod active;
mod drill;
mod lead;
mod replication;
mod routing;
mod support;

regions_contract!(support::World);
