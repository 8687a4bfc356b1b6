//! [`Credentials`] and [`Secrets`] on Secrets Manager: one secret of JSON with the names that the environment uses. A new version is taken
//! up without a restart, and requests signed with the one before are believed for a day more.

use super::breaker::Breaker;
use super::cached::Cached;
use super::errors::Access;
use crate::domain::seal::SealingKey;
use crate::ports::{Clock, Credentials, Kind, PortError, Secrets};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_secretsmanager::Client;
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use std::sync::Arc;

const FRESH: SignedDuration = SignedDuration::from_mins(1);
const BELIEVED: SignedDuration = SignedDuration::from_mins(10);
/// Slack goes on signing with the old secret for up to a day after a new one was made; after that only a thief has it.
const PREVIOUS: SignedDuration = SignedDuration::from_hours(24);

const CURRENT_STAGE: &str = "AWSCURRENT";
const PREVIOUS_STAGE: &str = "AWSPREVIOUS";
const DOING: &str = "could not read the secrets";

/// Secrets that Secrets Manager keeps and rotates.
#[derive(Clone)]
pub struct ManagedSecrets {
    client: Client,
    secret: String,
    clock: Arc<dyn Clock>,
    breaker: Arc<Breaker>,
    known: Arc<Cached<Known>>,
}

#[derive(Debug, Clone)]
struct Known {
    signing: Arc<[SecretString]>,
    /// The same with the version before, until when.
    both: Option<(Arc<[SecretString]>, Timestamp)>,
    bot_token: SecretString,
    /// Keys of 64 hex digits with commas between, as they were written.
    seal: Option<SecretString>,
}

/// What the secret holds.
#[derive(Deserialize)]
struct Version {
    #[serde(rename = "SLACK_SIGNING_SECRET", deserialize_with = "secret")]
    signing: SecretString,
    #[serde(rename = "SLACK_BOT_TOKEN", deserialize_with = "secret")]
    bot_token: SecretString,
    #[serde(rename = "SWITCHMAN_SEAL_KEY", default, deserialize_with = "some_secret")]
    seal: Option<SecretString>,
}

fn secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

fn some_secret<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<SecretString>, D::Error> {
    secret(deserializer).map(|text| Some(text).filter(|text| !text.expose_secret().trim().is_empty()))
}

impl ManagedSecrets {
    /// `secret` is a name or an ARN.
    pub fn new(config: &SdkConfig, secret: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: Client::new(config),
            secret: secret.to_owned(),
            breaker: Breaker::new(&clock),
            known: Arc::new(Cached::new(FRESH, BELIEVED)),
            clock,
        }
    }

    async fn known(&self) -> Result<Known, PortError> {
        self.known.get(self.clock.now(), self.read()).await
    }

    async fn read(&self) -> Result<Known, PortError> {
        let Some((current, made)) = self.version(CURRENT_STAGE).await? else {
            return Err(PortError::permanent(format!(
                "{DOING}: {} has no current version; put one there",
                self.secret
            )));
        };
        let previous = self.previous().await?.map(|version| version.signing);
        let until = made.saturating_add(PREVIOUS).unwrap_or(Timestamp::MAX);
        let other = previous.filter(|p| p.expose_secret() != current.signing.expose_secret());
        let both = other.map(|previous| (Arc::from([current.signing.clone(), previous]), until));
        Ok(Known { signing: Arc::from([current.signing]), both, bot_token: current.bot_token, seal: current.seal })
    }

    /// The version before, where there is one that can be read: what is wrong with it must not lock out who uses the current one.
    async fn previous(&self) -> Result<Option<Version>, PortError> {
        match self.version(PREVIOUS_STAGE).await {
            Ok(found) => Ok(found.map(|(version, _)| version)),
            // It may be good: what was known before is believed meanwhile, with the version that was before it.
            Err(error) if matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous) => Err(error),
            Err(error) => {
                tracing::warn!(%error, "only the current version of the secrets is believed");
                Ok(None)
            }
        }
    }

    /// A version by its stage, which is always named: without one some answer the version before. `None`: there is none of that stage.
    async fn version(&self, stage: &str) -> Result<Option<(Version, Timestamp)>, PortError> {
        let call = self.client.get_secret_value().secret_id(&self.secret).version_stage(stage).send();
        let answer = match self.breaker.call(call).await {
            Err(failed) if stage == PREVIOUS_STAGE && failed.is("ResourceNotFoundException") => return Ok(None),
            answer => answer.map_err(|failed| failed.port(Access::Read, DOING))?,
        };
        // The error of the parser would repeat what it read.
        let text = answer.secret_string().unwrap_or_default();
        let version: Version = serde_json::from_str(text).map_err(|_| {
            let names = "SLACK_SIGNING_SECRET and SLACK_BOT_TOKEN";
            PortError::permanent(format!("{DOING}: the {stage} version of {} is no JSON with {names}", self.secret))
        })?;
        if version.signing.expose_secret().trim().is_empty() || version.bot_token.expose_secret().trim().is_empty() {
            return Err(PortError::permanent(format!(
                "{DOING}: the {stage} version of {} holds an empty one",
                self.secret
            )));
        }
        let made = answer.created_date().and_then(|made| Timestamp::from_second(made.secs()).ok());
        Ok(Some((version, made.unwrap_or(Timestamp::MIN))))
    }
}

#[async_trait]
impl Credentials for ManagedSecrets {
    async fn signing(&self) -> Result<Arc<[SecretString]>, PortError> {
        let known = self.known().await?;
        Ok(known.both.filter(|(_, until)| self.clock.now() < *until).map_or(known.signing, |(both, _)| both))
    }

    async fn bot_token(&self) -> Result<SecretString, PortError> {
        Ok(self.known().await?.bot_token)
    }
}

/// The keys stand in the current version: while one is being rotated, both do.
#[async_trait]
impl Secrets for ManagedSecrets {
    async fn sealing_key(&self) -> Result<SealingKey, PortError> {
        self.opening_keys().await?.into_iter().next().ok_or_else(|| {
            PortError::permanent(format!(
                "there is no key to seal a secret with, so nothing was stored: put SWITCHMAN_SEAL_KEY into {}",
                self.secret
            ))
        })
    }

    async fn opening_keys(&self) -> Result<Vec<SealingKey>, PortError> {
        let Some(text) = self.known().await?.seal else { return Ok(Vec::new()) };
        let keys: Option<Vec<SealingKey>> = text.expose_secret().split(',').map(SealingKey::parse).collect();
        keys.filter(|keys| keys.len() <= 2).ok_or_else(|| {
            PortError::permanent(format!(
                "SWITCHMAN_SEAL_KEY in {} is not one or two keys of 64 hex digits with a comma between; no code can be checked",
                self.secret
            ))
        })
    }

    fn random(&self) -> Result<[u8; 32], PortError> {
        let mut bytes = [0; 32];
        let none =
            |error| PortError::permanent("the system gives no random numbers; nothing was stored").because(error);
        getrandom::fill(&mut bytes).map(|()| bytes).map_err(none)
    }
}
