//! Secrets that were given at the start, by the environment.

use crate::ports::{PortError, Secrets};
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;

/// Secrets that stay what they are.
#[derive(Debug, Clone)]
pub struct GivenSecrets {
    signing: Arc<[SecretString]>,
    bot_token: SecretString,
}

impl GivenSecrets {
    pub fn new(signing: &[SecretString], bot_token: SecretString) -> Self {
        Self { signing: signing.into(), bot_token }
    }
}

#[async_trait]
impl Secrets for GivenSecrets {
    async fn signing(&self) -> Result<Arc<[SecretString]>, PortError> {
        Ok(self.signing.clone())
    }

    async fn bot_token(&self) -> Result<SecretString, PortError> {
        Ok(self.bot_token.clone())
    }
}
