//! What the workspace sends to the bot: Slack's request bodies, signed, and what becomes of them in three seconds.

use std::time::Duration;

use axum::http::{Method, Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use serde::Serialize;
use serde_json::{Value, json};

use super::Playground;
use super::people::Workspace;
use super::records::Sent;
use super::workspace::State;
use crate::slack::signature::sign;

/// How Slack saw the bot's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// 2xx within three seconds.
    Acknowledged,
    /// Nothing within three seconds: people read "operation_timeout".
    OperationTimeout,
    /// Another status, or no connection: people read "dispatch_failed".
    DispatchFailed,
    /// Slack's client did not even send it, for this reason.
    NotSent(String),
}

/// What came back for one thing somebody did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ack {
    pub outcome: Outcome,
    pub status: Option<u16>,
    /// The body: JSON where it is JSON, a string where it is text, null where it is empty.
    pub body: Value,
    /// Inline errors of a modal: block id and text. Made by Slack's client (then nothing was sent) or by the bot.
    pub errors: Vec<(String, String)>,
}

impl Ack {
    /// Whether the bot answered 2xx in time and found no field errors.
    pub fn is_ok(&self) -> bool {
        self.outcome == Outcome::Acknowledged && self.errors.is_empty()
    }

    pub(super) fn not_sent(why: &str) -> Self {
        Self { outcome: Outcome::NotSent(why.to_owned()), status: None, body: Value::Null, errors: Vec::new() }
    }

    /// The error code that Slack shows to the person.
    pub fn error_code(&self) -> Option<&'static str> {
        match self.outcome {
            Outcome::OperationTimeout => Some("operation_timeout"),
            Outcome::DispatchFailed => Some("dispatch_failed"),
            Outcome::Acknowledged | Outcome::NotSent(_) => None,
        }
    }
}

/// The fields that every interaction has. An org-wide install sends no team.
pub(super) fn interaction(workspace: &Workspace, kind: &str, user: &str, token: &str) -> Value {
    let team = &workspace.team;
    let enterprise = team.enterprise.as_ref().map(|(id, name)| json!({ "id": id, "name": name }));
    let of_user = workspace.member(user);
    let handle = of_user.map_or(user, |m| &m.handle);
    json!({
        "type": kind,
        "team": if team.org_install { Value::Null } else { json!({ "id": team.id, "domain": team.domain }) },
        "enterprise": enterprise,
        "is_enterprise_install": team.org_install,
        "user": { "id": user, "username": handle, "name": handle, "team_id": of_user.map_or(&team.id, |m| &m.team) },
        "api_app_id": workspace.app.id,
        "token": token,
    })
}

/// The form of a slash command.
pub(super) fn slash_form(state: &mut State, user: &str, channel: &str, command: (&str, &str), token: &str) -> String {
    let trigger = state.new_trigger(user, None);
    let response_url = state.new_response_url("commands", user, channel, None);
    let workspace = &state.workspace;
    let (team, empty) = (&workspace.team, String::new());
    let (enterprise_id, enterprise_name) = team.enterprise.as_ref().map_or((&empty, &empty), |(id, name)| (id, name));
    let channel_name = state.channel(channel).map_or("", |c| c.request_name());
    let mut fields = vec![
        ("token", token),
        ("team_id", &team.id),
        ("team_domain", &team.domain),
        ("channel_id", channel),
        ("channel_name", channel_name),
        ("user_id", user),
        ("user_name", workspace.member(user).map_or(user, |m| &m.handle)),
        ("command", command.0),
        ("text", command.1),
        ("api_app_id", &workspace.app.id),
        ("is_enterprise_install", if team.org_install { "true" } else { "false" }),
        ("response_url", &response_url),
        ("trigger_id", &trigger),
    ];
    if team.enterprise.is_some() {
        fields.splice(3..3, [("enterprise_id", enterprise_id.as_str()), ("enterprise_name", enterprise_name.as_str())]);
    }
    serde_urlencoded::to_string(fields).unwrap_or_default()
}

/// The form around an interaction's JSON.
pub(super) fn payload_form(payload: &Value) -> String {
    serde_urlencoded::to_string([("payload", payload.to_string())]).unwrap_or_default()
}

/// The JSON around an event.
pub(super) fn event_callback(state: &mut State, event: &Value, token: &str) -> Value {
    let (event_id, event_time) = (state.id("Ev"), state.now.as_second());
    let (team, app) = (&state.workspace.team, &state.workspace.app);
    let enterprise = team.enterprise.as_ref().map(|(id, _)| id);
    json!({
        "token": token, "team_id": team.id, "enterprise_id": enterprise, "api_app_id": app.id, "event": event,
        "type": "event_callback", "event_id": event_id, "event_time": event_time, "is_ext_shared_channel": false,
        "authorizations": [{ "enterprise_id": enterprise, "team_id": team.id, "user_id": app.user_id, "is_bot": true,
            "is_enterprise_install": team.org_install }],
    })
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

impl Playground {
    /// Signs and sends a form, twice at once where the knob says so, and waits as long as Slack waits.
    pub(super) async fn send_form(&self, body: String) -> Ack {
        let sent = self.seal(FORM, body);
        self.deliver(sent).await
    }

    /// Signs and sends an event.
    pub(super) async fn send_event(&self, body: &Value) -> Ack {
        let sent = self.seal(JSON, body.to_string());
        self.deliver(sent).await
    }

    /// Sends `url_verification`, as Slack does when the request URL is set; the answer must be the challenge.
    pub async fn verify_url(&self, challenge: &str) -> Ack {
        self.send_event(&json!({ "token": VERIFICATION_TOKEN, "challenge": challenge, "type": "url_verification" }))
            .await
    }

    /// Sends the last request again, byte for byte with its old signature and time stamp: a replay.
    pub async fn replay_last(&self) -> Ack {
        match self.with(|state| state.sent.last().cloned()) {
            Some(sent) => self.post(&sent, &[]).await,
            None => Ack::not_sent("nothing was sent yet"),
        }
    }

    /// Sends the last request again as Slack retries an event: signed anew, with `X-Slack-Retry-Num` and `-Reason`.
    pub async fn retry_last(&self, number: u32, reason: &str) -> Ack {
        let Some(last) = self.with(|state| state.sent.last().cloned()) else {
            return Ack::not_sent("nothing was sent yet");
        };
        let again = self.signed(last.content_type, last.body);
        self.post(&again, &[("x-slack-retry-num", &number.to_string()), ("x-slack-retry-reason", reason)]).await
    }

    fn seal(&self, content_type: &'static str, body: String) -> Sent {
        let sent = self.signed(content_type, body.into());
        self.with(|state| state.keep_sent(sent.clone()));
        sent
    }

    fn signed(&self, content_type: &'static str, body: Bytes) -> Sent {
        let timestamp = self.now().as_second();
        let signature = sign(&self.config().signing_secret, timestamp, &body);
        Sent { content_type, timestamp: timestamp.to_string(), signature, body }
    }

    async fn deliver(&self, sent: Sent) -> Ack {
        let twice = self.with(|state| {
            let twice = state.knobs.duplicates > 0;
            state.knobs.duplicates = state.knobs.duplicates.saturating_sub(1);
            if twice {
                state.setting_changed();
            }
            twice
        });
        if twice {
            let (ack, _) = tokio::join!(self.post(&sent, &[]), self.post(&sent, &[]));
            return ack;
        }
        self.post(&sent, &[]).await
    }

    async fn post(&self, sent: &Sent, more: &[(&str, &str)]) -> Ack {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.with(|state| state.bot_url.clone()))
            .header(header::CONTENT_TYPE, sent.content_type)
            .header(header::USER_AGENT, "Slackbot 1.0 (+https://api.slack.com/robots)")
            .header("x-slack-request-timestamp", &sent.timestamp)
            .header("x-slack-signature", &sent.signature);
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        let failed = |status| Ack { outcome: Outcome::DispatchFailed, status, body: Value::Null, errors: Vec::new() };
        let Ok(request) = request.body(Full::new(sent.body.clone())) else { return failed(None) };
        let exchange = async {
            let response = self.http().request(request).await.ok()?;
            let status = response.status();
            let body = Limited::new(response.into_body(), 1 << 20).collect().await.ok()?.to_bytes();
            Some((status, body))
        };
        match tokio::time::timeout(self.config().ack_timeout, exchange).await {
            Err(_) => Ack { outcome: Outcome::OperationTimeout, ..failed(None) },
            Ok(None) => failed(None),
            Ok(Some((status, body))) => {
                let outcome = if status.is_success() { Outcome::Acknowledged } else { Outcome::DispatchFailed };
                let text = String::from_utf8_lossy(&body).into_owned();
                let body = serde_json::from_str(&text).unwrap_or(if text.is_empty() {
                    Value::Null
                } else {
                    Value::String(text)
                });
                Ack { outcome, body, ..failed(Some(status.as_u16())) }
            }
        }
    }
}

/// The deprecated verification token of request bodies. Nobody should look at it, so it is no secret.
pub(super) const VERIFICATION_TOKEN: &str = "playground-verification-token";

/// How long Slack waits for an acknowledgement.
pub const ACK_TIMEOUT: Duration = Duration::from_secs(3);
