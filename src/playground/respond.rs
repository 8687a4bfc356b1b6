//! `response_url`: answers to one command or click without a token. Five posts in thirty minutes.

use axum::body::Body;
use axum::extract::{Path, Request, State as Injected};
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

use super::Playground;
use super::api::{ApiError, Args, broken_connection, content, reply};
use super::knobs::Fault;
use super::message::Author;
use super::records::Call;
use super::workspace::State;

/// Posts a `response_url` takes.
const USES: u32 = 5;
/// The name that knobs and recorded calls use for these posts.
pub(super) const METHOD: &str = "response_url";

/// Serves one post to a `response_url`.
pub(super) async fn handle(
    Injected(playground): Injected<Playground>,
    Path((_, id)): Path<(String, String)>,
    request: Request,
) -> Response<Body> {
    let bytes = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let fields: Value = serde_json::from_slice(&bytes).unwrap_or_else(|_| from_form(&bytes));
    let fault = playground.with(|state| state.knobs.take(METHOD));
    if let Some(delay) = fault.as_ref().and_then(Fault::delay_before) {
        playground.pause(delay).await;
    }
    let refused = match &fault {
        Some(Fault::RateLimited { .. }) => Some((429, "ratelimited".to_owned())),
        Some(Fault::ServerError { status }) => Some((*status, "internal_error".to_owned())),
        Some(Fault::Error { error }) => Some((404, error.clone())),
        Some(Fault::Reset) => Some((0, "reset".to_owned())),
        _ => None,
    };
    let (status, body) = if let Some((status, error)) = refused {
        (status, json!({ "ok": false, "error": error }))
    } else {
        let args = Args::of(&fields);
        match playground.with(|state| take(state, &id, &args)) {
            Ok(()) => (200, json!({ "ok": true })),
            Err(error) => (if is_gone(&error) { 404 } else { 400 }, json!({ "ok": false, "error": error.code })),
        }
    };
    playground.with(|state| {
        let at = state.now;
        state.record(Call { method: METHOD.to_owned(), args: fields, at, status, answer: body.clone() });
        if fault.is_some() {
            state.setting_changed();
        }
    });
    if let Some(delay) = fault.as_ref().and_then(Fault::delay_after) {
        playground.pause(delay).await;
    }
    if status == 0 || fault == Some(Fault::AcceptedThenReset) {
        return broken_connection();
    }
    let mut response = reply(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), &body);
    if let Some(Fault::RateLimited { retry_after }) = fault {
        response.headers_mut().insert("retry-after", retry_after.into());
    }
    response
}

fn is_gone(error: &ApiError) -> bool {
    matches!(error.code.as_str(), "used_url" | "expired_url" | "no_such_url")
}

fn from_form(bytes: &[u8]) -> Value {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_bytes(bytes).unwrap_or_default();
    let payload = pairs.iter().find(|(name, _)| name == "payload").map(|(_, value)| value.as_str()).unwrap_or_default();
    serde_json::from_str(payload).unwrap_or_default()
}

fn take(state: &mut State, id: &str, args: &Args) -> Result<(), ApiError> {
    let now = state.now;
    let url = state.responses.get_mut(id).ok_or(ApiError::from("no_such_url"))?;
    if url.used >= USES {
        return Err("used_url".into());
    }
    if now > url.until {
        return Err("expired_url".into());
    }
    if args.fields.is_empty() {
        return Err("invalid_payload".into());
    }
    url.used += 1;
    let url = url.clone();
    let original = url.original.filter(|ts| state.messages.contains_key(ts));
    if args.flag("delete_original") {
        let ts = original.ok_or(ApiError::from("message_not_found"))?;
        state.remove(&ts);
        return Ok(());
    }
    answer(state, (&url.user, &url.channel), args, original.filter(|_| args.flag("replace_original")))
}

/// Shows what a bot answered to one person's command or click: a new message, or one in place of `replaces`.
pub(super) fn answer(
    state: &mut State,
    (user, channel): (&str, &str),
    args: &Args,
    replaces: Option<String>,
) -> Result<(), ApiError> {
    let given = content(state, args, METHOD, channel)?;
    let known = replaces.and_then(|ts| state.messages.get(&ts).cloned());
    let mut message = known.unwrap_or_else(|| {
        let mut draft = state.draft(channel, Author::App, "");
        draft.only_for = (args.text("response_type") != Some("in_channel")).then(|| user.to_owned());
        draft.thread_ts = args.text("thread_ts").map(str::to_owned);
        draft
    });
    message.text = given.text;
    message.blocks = given.blocks.unwrap_or_default();
    message.attachments = given.attachments;
    message.metadata = given.metadata.or(message.metadata);
    state.put(message);
    Ok(())
}
