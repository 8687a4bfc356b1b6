//! The ports on AWS: DynamoDB for the record, EventBridge and SQS for the bus, SSM, Secrets Manager and S3. Behind the cargo feature
//! `aws`. Every call goes through a [`breaker::Breaker`], and every error of the SDK becomes a [`crate::ports::PortError`] in one place.

mod breaker;
pub mod bus;
mod client;
mod errors;
mod random;
pub mod store;
mod table;

pub use bus::{BusNames, EventBus};
pub use client::{connect, connect_with};
pub use store::DynamoStore;
