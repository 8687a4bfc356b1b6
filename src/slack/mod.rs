//! The only place that knows Slack.
pub mod inbound;
pub mod limits;
pub mod signature;
