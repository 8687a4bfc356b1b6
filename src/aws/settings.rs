//! [`Settings`] on SSM: the permitted channels, in one parameter with commas between. Read anew every few seconds at most, and believed
//! for a minute where SSM does not answer; then nobody is let in.

use super::breaker::Breaker;
use super::cached::Cached;
use super::errors::Access;
use crate::domain::id::ChannelId;
use crate::ports::{Clock, PortError, Settings};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_ssm::Client;
use jiff::SignedDuration;
use std::sync::Arc;

/// SSM answers 40 questions a second by default, for a whole account.
const FRESH: SignedDuration = SignedDuration::from_secs(10);
const BELIEVED: SignedDuration = SignedDuration::from_mins(1);

/// Settings that an administrator changes in Parameter Store.
#[derive(Clone)]
pub struct SsmSettings {
    client: Client,
    parameter: String,
    clock: Arc<dyn Clock>,
    breaker: Arc<Breaker>,
    channels: Arc<Cached<Vec<ChannelId>>>,
}

impl SsmSettings {
    pub fn new(config: &SdkConfig, parameter: &str, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: Client::new(config),
            parameter: parameter.to_owned(),
            breaker: Breaker::new(&clock),
            channels: Arc::new(Cached::new(FRESH, BELIEVED)),
            clock,
        }
    }

    async fn read(&self) -> Result<Vec<ChannelId>, PortError> {
        let doing = "could not read the permitted channels";
        let call = self.client.get_parameter().name(&self.parameter).with_decryption(true).send();
        let answer = self.breaker.call(call).await.map_err(|failed| failed.port(Access::Read, doing))?;
        let value = answer.parameter.and_then(|parameter| parameter.value).unwrap_or_default();
        let ids = value.split(',').map(str::trim).filter(|id| !id.is_empty());
        ids.map(ChannelId::parse).collect::<Result<_, _>>().map_err(|bad| {
            let what = format!("{doing}: the parameter {} holds something that is not {}; write channel ids with commas between, until then nobody is let in", self.parameter, bad.kind);
            PortError::permanent(what)
        })
    }
}

#[async_trait]
impl Settings for SsmSettings {
    async fn channels(&self) -> Result<Vec<ChannelId>, PortError> {
        self.channels.get(self.clock.now(), self.read()).await
    }
}
