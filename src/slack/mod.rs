//! The only place that knows Slack.
pub mod client;
pub mod inbound;
pub mod limits;
pub mod render;
pub mod signature;
