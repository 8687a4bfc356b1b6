//! What became of a call: Slack's answers and the ways to get none, sorted by what the caller can do.

use crate::ports::{Kind, PortError};
use serde_json::Value;
use slack_morphism::errors::{SlackClientApiError, SlackClientError};
use std::time::Duration;

/// Whether doing a call twice does something twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Repeat {
    /// Reads, edits: a lost answer is asked for again.
    Harmless,
    /// Posts: a lost answer leaves open whether it was done.
    DoneTwice,
}

/// A call that was not answered with "ok". Holds no token, no body and no address from a request.
#[derive(Debug, thiserror::Error)]
#[error("{method}: {said}")]
pub struct ClientError {
    /// The Web API method, or what was tried.
    pub method: String,
    /// What Slack said, or what happened instead.
    pub said: String,
    /// Slack's error code, where there is one.
    pub code: Option<String>,
    pub kind: Kind,
}

impl ClientError {
    pub(super) fn new(method: &str, said: impl Into<String>, kind: Kind) -> Self {
        Self { method: method.to_owned(), said: said.into(), code: None, kind }
    }

    /// Whether Slack answered with this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }
}

impl From<ClientError> for PortError {
    fn from(error: ClientError) -> Self {
        Self::new(error.kind, error.to_string())
    }
}

/// The channel, message, person or one-off address cannot be used (any more).
const GONE: &[&str] = &[
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "cant_update_message",
    "channel_not_found",
    "edit_window_closed",
    "exchanged_trigger_id",
    "expired_trigger_id",
    "expired_url",
    "invalid_trigger_id",
    "is_archived",
    "is_inactive",
    "message_not_found",
    "messages_tab_disabled",
    "not_enabled",
    "not_found",
    "not_in_channel",
    "thread_not_found",
    "used_url",
    "user_disabled",
    "user_not_found",
    "user_not_in_channel",
    "user_not_visible",
];
/// The token is wrong or does not suffice.
const DENIED: &[&str] = &[
    "access_denied",
    "account_inactive",
    "app_missing_action_url",
    "ekm_access_denied",
    "enterprise_is_restricted",
    "invalid_auth",
    "is_bot",
    "missing_scope",
    "no_permission",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "team_access_not_granted",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
];
/// Nothing was done, and the same call may work later.
const TRANSIENT: &[&str] = &[
    "message_limit_exceeded",
    "rate_limited",
    "ratelimited",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
    "upgrade_required",
];
/// Slack says itself that part of it may have been done.
const AMBIGUOUS: &[&str] = &["fatal_error", "internal_error"];

fn kind_of_code(code: &str, repeat: Repeat) -> Kind {
    match code {
        "hash_conflict" => Kind::Conflict,
        code if GONE.contains(&code) => Kind::Gone,
        code if DENIED.contains(&code) => Kind::Denied,
        code if TRANSIENT.contains(&code) => Kind::Transient { after: None },
        code if AMBIGUOUS.contains(&code) => lost(repeat),
        _ => Kind::Permanent,
    }
}

/// The kind of a call whose answer was lost.
fn lost(repeat: Repeat) -> Kind {
    match repeat {
        Repeat::Harmless => Kind::Transient { after: None },
        Repeat::DoneTwice => Kind::Ambiguous,
    }
}

/// An answer without an error: it must say `ok`.
pub(super) fn accept(method: &str, repeat: Repeat, answer: Value) -> Result<Value, ClientError> {
    if answer.get("ok") == Some(&Value::Bool(true)) {
        return Ok(answer);
    }
    Err(ClientError::new(method, "the answer is not one of Slack's", lost(repeat)))
}

/// No answer in time.
pub(super) fn late(method: &str, repeat: Repeat, limit: Duration) -> ClientError {
    ClientError::new(method, format!("no answer in {} ms", limit.as_millis()), lost(repeat))
}

/// Sorts an error of the library. Its texts hold whole bodies and are never passed on.
pub(super) fn sort(method: &str, repeat: Repeat, error: SlackClientError) -> ClientError {
    match error {
        SlackClientError::ApiError(error) => api_error(method, repeat, &error),
        SlackClientError::RateLimitError(error) => {
            let after = error.retry_after;
            let wait = after.map_or_else(String::new, |after| format!(", wait {} s", after.as_secs()));
            let said = format!("too many calls{wait}");
            ClientError {
                code: Some("ratelimited".to_owned()),
                ..ClientError::new(method, said, Kind::Transient { after })
            }
        }
        SlackClientError::HttpError(error) => {
            let status = error.status_code.as_u16();
            let kind = match status {
                401 | 403 => Kind::Denied,
                404 | 410 => Kind::Gone,
                408 => Kind::Transient { after: None },
                500.. => lost(repeat),
                _ => Kind::Permanent,
            };
            let code = error.http_response_body.as_deref().and_then(code_in);
            let said = code.clone().map_or_else(String::new, |code| format!(" ({code})"));
            ClientError { code, ..ClientError::new(method, format!("HTTP status {status}{said}"), kind) }
        }
        SlackClientError::HttpProtocolError(error) => {
            let cause =
                error.cause.as_ref().and_then(|cause| cause.downcast_ref::<hyper_util::client::legacy::Error>());
            if cause.is_some_and(hyper_util::client::legacy::Error::is_connect) {
                ClientError::new(method, "no connection", Kind::Transient { after: None })
            } else {
                ClientError::new(method, "the connection broke", lost(repeat))
            }
        }
        SlackClientError::ProtocolError(_) => {
            ClientError::new(method, "the answer is not one of Slack's", lost(repeat))
        }
        SlackClientError::SystemError(_)
        | SlackClientError::EndOfStream(_)
        | SlackClientError::SocketModeProtocolError(_) => {
            ClientError::new(method, "the answer broke off", lost(repeat))
        }
    }
}

fn api_error(method: &str, repeat: Repeat, error: &SlackClientApiError) -> ClientError {
    let code = error.code.clone();
    let details = details(error);
    let said = if details.is_empty() { code.clone() } else { format!("{code}: {details}") };
    ClientError { code: Some(code.clone()), ..ClientError::new(method, said, kind_of_code(&code, repeat)) }
}

/// Which limit was broken where, or which scope is needed: the parts of an error answer that help and hold nothing private.
fn details(error: &SlackClientApiError) -> String {
    let body: Value =
        error.http_response_body.as_deref().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
    let needed = body.get("needed").and_then(Value::as_str).map(|scope| format!("needs the scope {scope}"));
    let messages = body.pointer("/response_metadata/messages").and_then(Value::as_array);
    let messages = messages.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned);
    let all: Vec<String> = needed.into_iter().chain(messages).take(3).collect();
    all.join("; ").chars().take(500).collect()
}

/// The error code in a body that came with an HTTP error status.
fn code_in(body: &str) -> Option<String> {
    let body: Value = serde_json::from_str(body).ok()?;
    let code = body.get("error")?.as_str()?;
    (code.len() <= 64 && code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')).then(|| code.to_owned())
}
