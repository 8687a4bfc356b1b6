//! Answers to a `response_url`: an address out of a request, so it is checked before anything is sent, and it never gets the token.

use super::Client;
use super::answer::{self, ClientError, Repeat};
use super::calls::body_of;
use crate::ports::Kind;
use crate::slack::render::Message;
use serde_json::{Value, json};
use slack_morphism::{SlackClientApiCallContext, SlackClientHttpConnector};
use url::Url;

/// Where Slack's own response addresses are.
const SLACK_HOOKS: &str = "hooks.slack.com";
const METHOD: &str = "response_url";

impl Client {
    /// Posts a private answer (5 posts in 30 minutes). `Kind::Gone` where the address is used up or expired.
    pub async fn respond(&self, response_url: &str, message: &Message) -> Result<(), ClientError> {
        let mut body = body_of(message);
        body.insert("response_type".into(), "ephemeral".into());
        body.insert("replace_original".into(), false.into());
        self.post_to(response_url, Repeat::DoneTwice, &Value::Object(body)).await
    }

    /// Replaces the message the address belongs to, private ones too.
    pub async fn replace_original(&self, response_url: &str, message: &Message) -> Result<(), ClientError> {
        let mut body = body_of(message);
        body.insert("replace_original".into(), true.into());
        self.post_to(response_url, Repeat::Harmless, &Value::Object(body)).await
    }

    /// Removes the message the address belongs to.
    pub async fn delete_original(&self, response_url: &str) -> Result<(), ClientError> {
        self.post_to(response_url, Repeat::Harmless, &json!({"delete_original": true})).await
    }

    /// Whether an address may be posted to: Slack's own, or the host and port of the configured API.
    pub fn may_respond_to(&self, response_url: &str) -> bool {
        self.response_address(response_url).is_some()
    }

    fn response_address(&self, response_url: &str) -> Option<Url> {
        let url = Url::parse(response_url).ok()?;
        let plain = url.username().is_empty() && url.password().is_none();
        let slacks = url.scheme() == "https" && url.host_str() == Some(SLACK_HOOKS) && url.port().is_none();
        (plain && (slacks || self.is_api_origin(&url))).then_some(url)
    }

    /// Same scheme, host and port as the Web API.
    pub(super) fn is_api_origin(&self, url: &Url) -> bool {
        url.origin() == self.api.origin()
    }

    async fn post_to(&self, response_url: &str, repeat: Repeat, body: &Value) -> Result<(), ClientError> {
        let Some(url) = self.response_address(response_url) else {
            let said = "the address is neither Slack's nor the configured API's, nothing was sent";
            return Err(ClientError::new(METHOD, said, Kind::Denied));
        };
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let call = self.slack.http_api.connector.http_post_uri::<Value, Value>(url, body, context);
        match tokio::time::timeout(self.limit, call).await {
            // Slack answers with a bare "ok" in plain text, which the library reads as an empty object.
            Ok(Ok(answer)) if answer.get("ok") == Some(&Value::Bool(false)) => {
                answer::accept(METHOD, repeat, answer).map(drop)
            }
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(answer::sort(METHOD, repeat, error)),
            Err(_) => Err(answer::late(METHOD, repeat, self.limit)),
        }
    }
}
