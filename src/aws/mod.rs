//! The ports on AWS: DynamoDB for the record, EventBridge and SQS for the bus, SSM, Secrets Manager and S3. Behind the cargo feature
//! `aws`. Every call goes through a breaker, and every error of the SDK becomes a [`crate::ports::PortError`] in one place.

pub mod batch;
mod breaker;
pub mod bus;
mod cached;
mod client;
mod config_folder;
pub mod directory;
pub mod engine;
mod errors;
pub mod files;
mod queue;
mod random;
pub mod regions;
mod secrets;
mod settings;
pub mod signals;
pub mod store;
mod table;
mod wake;

pub use aws_config::SdkConfig;
pub use bus::{BusNames, EventBus, Handed, OtherBus};
pub use client::{connect, connect_here, connect_with, elsewhere};
pub use config_folder::ConfigFolder;
pub use directory::DynamoDirectory;
pub use engine::{EngineJob, EngineSite, RunsOn, StepFunctionsEngine};
pub use files::{S3Files, S3Job};
pub use regions::{DynamoRegions, Lead};
pub use secrets::ManagedSecrets;
pub use settings::SsmSettings;
pub use signals::{Signal, SignalNames, Signals};
pub use store::DynamoStore;
pub use wake::Wakes;
