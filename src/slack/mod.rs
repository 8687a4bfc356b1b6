//! The only place that knows Slack.
pub mod limits;
pub mod signature;
