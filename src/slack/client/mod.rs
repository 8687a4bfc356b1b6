//! The outgoing client: Slack's Web API and `response_url`, one call at a time, each with a time limit.
//! It never retries and never waits for its turn: the caller decides by the error's kind. The token goes to the configured API only.
//!
//! `answer` sorts what comes back, `calls` holds the methods of the Web API, `respond` posts to a `response_url`, `upload` attaches
//! files, `people` asks who somebody is, `chat` is the port.

mod answer;
mod calls;
mod chat;
mod people;
mod respond;
mod upload;

#[cfg(test)]
mod tests;

pub use answer::ClientError;
pub use calls::ViewRef;

use crate::ports::{BotIdentity, Credentials, Kind, Member};
use crate::slack::render::Renderer;
use answer::Repeat;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use secrecy::ExposeSecret;
use serde_json::Value;
use slack_morphism::errors::SlackClientError;
use slack_morphism::hyper_tokio::SlackClientHyperConnector;
use slack_morphism::{SlackApiToken, SlackApiTokenValue, SlackClient};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// Where Slack's Web API is, unless the configuration says otherwise.
pub const SLACK_API_URL: &str = "https://slack.com/api";
/// How long a call may take, unless the configuration says otherwise. Slack gives up on its own side after less.
pub const CALL_LIMIT: Duration = Duration::from_secs(10);
/// How long an answer about a person or about ourselves is believed.
const MEMORY: Duration = Duration::from_mins(5);
/// How many people are remembered.
const MEMORY_SIZE: u64 = 10_000;

type Connector = SlackClientHyperConnector<HttpsConnector<HttpConnector>>;

/// What a client needs to know.
#[derive(Clone)]
pub struct ClientConfig {
    /// Base address of the Web API, with or without a slash at the end.
    pub api_url: String,
    /// Where the token comes from.
    pub credentials: Arc<dyn Credentials>,
    /// How long one call may take.
    pub limit: Duration,
    /// How replies are written.
    pub renderer: Renderer,
}

impl std::fmt::Debug for ClientConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientConfig")
            .field("api_url", &self.api_url)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A client of one Slack API with one bot's token. Cheap to share behind an `Arc`.
pub struct Client {
    slack: SlackClient<Connector>,
    credentials: Arc<dyn Credentials>,
    api: Url,
    limit: Duration,
    renderer: Renderer,
    members: moka::sync::Cache<String, Member>,
    identity: moka::sync::Cache<(), Identity>,
}

/// Who we are, as `auth.test` says.
#[derive(Debug, Clone)]
struct Identity {
    bot: BotIdentity,
    enterprise: Option<String>,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").field("api", &self.api.as_str()).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client. Fails where the address is no address, or where it is https and this machine has no root certificates.
    pub fn new(config: &ClientConfig) -> Result<Self, ClientError> {
        let wrong = |said: String| ClientError::new("the Slack API URL", said, Kind::Permanent);
        let base = config.api_url.trim_end_matches('/');
        let api = Url::parse(base).map_err(|error| wrong(format!("{error}; write it as {SLACK_API_URL}")))?;
        if !matches!(api.scheme(), "http" | "https") || !api.has_host() {
            return Err(wrong(format!("it is neither http nor https; write it as {SLACK_API_URL}")));
        }
        let connector = connector(api.scheme() == "https", config.limit)?;
        let connector = SlackClientHyperConnector::with_connector(connector).with_slack_api_url(base);
        Ok(Self {
            slack: SlackClient::new(connector),
            credentials: config.credentials.clone(),
            api,
            limit: config.limit,
            renderer: config.renderer.clone(),
            members: moka::sync::Cache::builder().max_capacity(MEMORY_SIZE).time_to_live(MEMORY).build(),
            identity: moka::sync::Cache::builder().max_capacity(1).time_to_live(MEMORY).build(),
        })
    }

    /// Calls a method that writes, with a JSON body.
    async fn write(&self, method: &str, repeat: Repeat, body: &Value) -> Result<Value, ClientError> {
        let token = self.token(method).await?;
        let session = self.slack.open_session(&token);
        let call = session.http_session_api.http_post::<Value, Value>(method, body, None);
        self.judge(method, repeat, call).await
    }

    /// Calls a method that reads, with a query string.
    async fn read(&self, method: &str, query: &[(&str, &str)]) -> Result<Value, ClientError> {
        let token = self.token(method).await?;
        let session = self.slack.open_session(&token);
        let query: Vec<(&str, Option<&str>)> = query.iter().map(|(name, value)| (*name, Some(*value))).collect();
        let call = session.http_session_api.http_get::<Value, _, _>(method, &query, None);
        self.judge(method, Repeat::Harmless, call).await
    }

    /// The token of today. Without one nothing is sent.
    async fn token(&self, method: &str) -> Result<SlackApiToken, ClientError> {
        let token = self.credentials.bot_token().await;
        let token = token.map_err(|error| ClientError::new(method, error.to_string(), error.kind))?;
        Ok(SlackApiToken::new(SlackApiTokenValue(token.expose_secret().to_owned())))
    }

    /// Waits for a call, at most as long as one may take, and sorts its answer.
    async fn judge(
        &self,
        method: &str,
        repeat: Repeat,
        call: impl Future<Output = Result<Value, SlackClientError>>,
    ) -> Result<Value, ClientError> {
        match tokio::time::timeout(self.limit, call).await {
            Ok(Ok(answer)) => answer::accept(method, repeat, answer),
            Ok(Err(error)) => Err(answer::sort(method, repeat, error)),
            Err(_) => Err(answer::late(method, repeat, self.limit)),
        }
    }
}

/// One connector for both schemes, so that Slack and the playground are reached by the same code. Without https no root certificates
/// are looked for, because a machine without any can still run the playground.
fn connector(https: bool, limit: Duration) -> Result<HttpsConnector<HttpConnector>, ClientError> {
    let broken = |error: &dyn std::fmt::Display| ClientError::new("setting up TLS", error.to_string(), Kind::Permanent);
    let provider = rustls::crypto::ring::default_provider();
    let builder = HttpsConnectorBuilder::new();
    let builder = if https {
        builder.with_provider_and_native_roots(provider).map_err(|error| broken(&error))?
    } else {
        let config = rustls::ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| broken(&error))?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(config)
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(limit / 2));
    Ok(builder.https_or_http().enable_http1().wrap_connector(http))
}
