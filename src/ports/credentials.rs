//! What Slack and the bot know and nobody else may.

use super::PortError;
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;

/// The credentials, as they are now: they may change while the bot runs. No answer is ever made up: who cannot be asked answers with an
/// error, and then nothing is believed and nothing is sent.
#[async_trait]
pub trait Credentials: Send + Sync {
    /// What a request may be signed with, the newest first: one, or two while one is being rotated.
    async fn signing(&self) -> Result<Arc<[SecretString]>, PortError>;

    /// What the bot shows to Slack.
    async fn bot_token(&self) -> Result<SecretString, PortError>;
}
