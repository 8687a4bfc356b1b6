//! Slack request signatures.
