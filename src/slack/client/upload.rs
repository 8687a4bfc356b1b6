//! Files, in Slack's three steps: ask for an address, send the bytes there, say where the file belongs.

use super::Client;
use super::answer::{self, ClientError, Repeat};
use super::calls::text;
use crate::ports::{Kind, MessageRef};
use serde_json::{Value, json};
use slack_morphism::{SlackClientApiCallContext, SlackClientHttpConnector};
use url::Url;

impl Client {
    /// Puts a file into the thread of a message, with a comment in mrkdwn (escaped by the caller).
    pub async fn upload(&self, at: &MessageRef, name: &str, content: &[u8], comment: &str) -> Result<(), ClientError> {
        let length = content.len().to_string();
        let place = self.read("files.getUploadURLExternal", &[("filename", name), ("length", &length)]).await?;
        self.send_bytes(&text(&place, "/upload_url"), content).await?;
        let body = json!({
            "files": [{"id": text(&place, "/file_id"), "title": name}],
            "channel_id": at.channel.as_str(),
            "thread_ts": at.ts,
            "initial_comment": comment,
        });
        self.write("files.completeUploadExternal", Repeat::DoneTwice, &body).await.map(drop)
    }

    /// Sends bytes to the address Slack named. A file that is never completed is never seen, so repeating it is harmless. The address
    /// carries its own right: the token does not go there.
    async fn send_bytes(&self, address: &str, content: &[u8]) -> Result<(), ClientError> {
        const METHOD: &str = "file upload";
        let url = Url::parse(address).ok().filter(|url| url.scheme() == "https" || self.is_api_origin(url));
        let Some(url) = url else {
            return Err(ClientError::new(METHOD, "the address Slack named cannot be used", Kind::Permanent));
        };
        let span = tracing::Span::none();
        let context = SlackClientApiCallContext {
            rate_control_params: None,
            token: None,
            tracing_span: &span,
            is_sensitive_url: true,
        };
        let kind = "application/octet-stream".to_owned();
        let call = self.slack.http_api.connector.http_post_uri_binary::<Value>(url, kind, content, context);
        match tokio::time::timeout(self.limit, call).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(answer::sort(METHOD, Repeat::Harmless, error)),
            Err(_) => Err(answer::late(METHOD, Repeat::Harmless, self.limit)),
        }
    }
}
