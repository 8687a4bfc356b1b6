//! Slack's Web API as far as bots like ours use it: `/api/<method>` by GET or POST, query, form or JSON.
//! Never here: what a method is called *for*. A call does what Slack documents, whoever makes it.

mod args;
mod chat;
mod conversations;
mod files;
mod messages;
mod users;
mod views;

pub(super) use args::Args;
pub(super) use files::take_upload;
pub(super) use messages::{content, refusals};
pub(super) use views::{checked_view, new_view};

use axum::body::Body;
use axum::extract::{Path, Request, State as Injected};
use axum::http::{HeaderValue, Response, StatusCode, header};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::Playground;
use super::knobs::Fault;
use super::records::Call;
use super::workspace::State;

/// The largest request body a method takes, in bytes.
const BODY_LIMIT: usize = 4 << 20;

/// A call that Slack refuses: the documented error code, and what else stands beside it in the answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub code: String,
    pub extra: Value,
}

impl From<&str> for ApiError {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), extra: json!({}) }
    }
}

/// What a method answers beside `"ok": true`.
pub(super) type Answer = Result<Value, ApiError>;

/// What a method works on.
pub(super) struct Context<'a> {
    pub state: &'a mut State,
    pub args: &'a Args,
}

fn method(name: &str) -> Option<fn(&mut Context<'_>) -> Answer> {
    Some(match name {
        "api.test" => users::api_test,
        "auth.test" => |context| Ok(users::auth_test(context)),
        "bots.info" => users::bots_info,
        "team.info" => |context| Ok(users::team_info(context)),
        "users.info" => users::info,
        "users.list" => |context| Ok(users::list(context)),
        "chat.postMessage" => chat::post_message,
        "chat.postEphemeral" => chat::post_ephemeral,
        "chat.update" => chat::update,
        "chat.delete" => chat::delete,
        "chat.getPermalink" => chat::get_permalink,
        "conversations.history" => conversations::history,
        "conversations.replies" => conversations::replies,
        "conversations.info" => conversations::info,
        "conversations.list" => |context| Ok(conversations::list(context)),
        "conversations.members" => conversations::members,
        "conversations.open" => conversations::open,
        "conversations.join" => conversations::join,
        "views.open" => views::open,
        "views.push" => views::push,
        "views.update" => views::update,
        "views.publish" => views::publish,
        "files.getUploadURLExternal" => files::get_upload_url,
        "files.completeUploadExternal" => files::complete_upload,
        "files.info" => files::info,
        _ => return None,
    })
}

/// Serves one call: reads the arguments, lets the knobs interfere, checks the token, does the work, records it.
pub(super) async fn handle(
    Injected(playground): Injected<Playground>,
    Path(name): Path<String>,
    request: Request,
) -> Response<Body> {
    let args = match Args::read(request, BODY_LIMIT).await {
        Ok(args) => args,
        Err(error) => return answer(&playground, &name, &Args::default(), Err(error)),
    };
    let fault = playground.with(|state| {
        let fault = state.knobs.take(&name);
        if fault.is_some() {
            state.setting_changed();
        }
        fault
    });
    if let Some(fault) = fault {
        return faulty(&playground, &name, &args, fault).await;
    }
    let done = perform(&playground, &name, &args);
    answer(&playground, &name, &args, done)
}

fn perform(playground: &Playground, name: &str, args: &Args) -> Answer {
    let Some(work) = method(name) else {
        return Err(ApiError { code: "unknown_method".to_owned(), extra: json!({ "req_method": name }) });
    };
    if name != "api.test" {
        match &args.token {
            None => return Err("not_authed".into()),
            Some(token) if token != playground.config().bot_token.expose_secret() => return Err("invalid_auth".into()),
            Some(_) => {}
        }
    }
    playground.with(|state| work(&mut Context { state, args }))
}

/// Carries a call out (or not) the way the fault says.
async fn faulty(playground: &Playground, name: &str, args: &Args, fault: Fault) -> Response<Body> {
    let note = serde_json::to_value(&fault).unwrap_or_default();
    if let Some(delay) = fault.delay_before() {
        playground.pause(delay).await;
    }
    if fault.is_carried_out() {
        let done = perform(playground, name, args);
        let response = answer(playground, name, args, done);
        if let Some(delay) = fault.delay_after() {
            playground.pause(delay).await;
        }
        return if fault == Fault::AcceptedThenReset { broken_connection() } else { response };
    }
    match fault {
        Fault::Error { error } => answer(playground, name, args, Err(error.as_str().into())),
        Fault::RateLimited { retry_after } => {
            record(playground, name, args, 429, json!({ "ok": false, "error": "ratelimited" }));
            let mut response = reply(StatusCode::TOO_MANY_REQUESTS, &json!({ "ok": false, "error": "ratelimited" }));
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(retry_after));
            response
        }
        Fault::ServerError { status } => {
            record(playground, name, args, status, note);
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = Response::new(Body::from("<html><body>Something went wrong</body></html>"));
            *response.status_mut() = status;
            response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        _ => {
            record(playground, name, args, 0, note);
            broken_connection()
        }
    }
}

/// A response whose body fails before its first byte: the server closes the connection, the client sees it break.
pub(super) fn broken_connection() -> Response<Body> {
    let broken = futures_util::stream::once(async { Err::<bytes::Bytes, _>(std::io::Error::other("knob: reset")) });
    let mut response = Response::new(Body::from_stream(broken));
    response.headers_mut().insert(header::CONTENT_LENGTH, HeaderValue::from_static("4096"));
    response
}

fn answer(playground: &Playground, name: &str, args: &Args, done: Answer) -> Response<Body> {
    let mut body = json!({ "ok": done.is_ok() });
    let rest = match done {
        Ok(rest) => rest,
        Err(error) => {
            body["error"] = json!(error.code);
            error.extra
        }
    };
    for (key, value) in rest.as_object().into_iter().flatten() {
        body[key] = value.clone();
    }
    record(playground, name, args, 200, body.clone());
    reply(StatusCode::OK, &body)
}

fn record(playground: &Playground, name: &str, args: &Args, status: u16, answer: Value) {
    let args = Value::Object(args.fields.clone());
    playground.with(|state| {
        let at = state.now;
        state.record(Call { method: name.to_owned(), args, at, status, answer });
    });
}

/// A JSON response.
pub(super) fn reply(status: StatusCode, body: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}
