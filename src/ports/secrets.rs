//! Keys that seal what must not lie in the clear.

use super::PortError;
use crate::domain::seal::SealingKey;
use async_trait::async_trait;

/// The keys of this installation: the environment and a private file here, a service for secrets elsewhere.
#[async_trait]
pub trait Secrets: Send + Sync {
    /// The key that seals from now on; made where there is none.
    async fn sealing_key(&self) -> Result<SealingKey, PortError>;

    /// Every key that may have sealed something: the current one and, while it is being rotated, the one before. Empty: none was made.
    async fn opening_keys(&self) -> Result<Vec<SealingKey>, PortError>;

    /// Bytes that nobody can guess.
    fn random(&self) -> Result<[u8; 32], PortError>;
}
