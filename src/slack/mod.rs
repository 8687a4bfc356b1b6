//! The only place that knows Slack: signature, inbound parsing, rendering, the outgoing client.

//! The only place that knows Slack.
pub mod client;
pub mod inbound;
pub mod ingress;
pub mod limits;
pub mod modal;
pub mod render;
pub mod signature;
