//! Credentials that were given at the start, by the environment.

use crate::ports::{Credentials, PortError};
use async_trait::async_trait;
use secrecy::SecretString;
use std::sync::Arc;

/// Credentials that stay what they are.
#[derive(Debug, Clone)]
pub struct GivenCredentials {
    signing: Arc<[SecretString]>,
    bot_token: SecretString,
}

impl GivenCredentials {
    pub fn new(signing: &[SecretString], bot_token: SecretString) -> Self {
        Self { signing: signing.into(), bot_token }
    }
}

#[async_trait]
impl Credentials for GivenCredentials {
    async fn signing(&self) -> Result<Arc<[SecretString]>, PortError> {
        Ok(self.signing.clone())
    }

    async fn bot_token(&self) -> Result<SecretString, PortError> {
        Ok(self.bot_token.clone())
    }
}
