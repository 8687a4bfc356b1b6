//! The page over HTTP: its shell and assets, and what people do on it. Loopback only.

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, Request, State as Injected};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use axum::middleware::{Next, from_fn};
use axum::response::{Html, IntoResponse};
use axum::routing::{any, get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::actions::{Act, slackbot};
use super::api::{self, reply};
use super::knobs::Knob;
use super::{Ack, Playground, regions, respond, stream};

const SHELL: &str = include_str!("assets/page.html");

/// Script and style only from here; images also from the web, because messages may show some.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

macro_rules! assets {
    ($($name:literal),* $(,)?) => { &[$(($name, include_str!(concat!("assets/", $name)))),*] };
}

const ASSETS: &[(&str, &str)] = assets![
    "page.css",
    "messages.css",
    "blocks.css",
    "modal.css",
    "app.js",
    "api.js",
    "blocks.js",
    "composer.js",
    "dom.js",
    "elements.js",
    "emoji.js",
    "faults.js",
    "home.js",
    "messages.js",
    "modal.js",
    "mrkdwn.js",
    "people.js",
    "regions.css",
    "regions.js",
    "store.js",
    "upload.js",
];

pub(super) fn router(playground: &Playground) -> Router {
    let largest = playground.config().upload_limit.saturating_add(1);
    Router::new()
        .route("/", get(shell))
        .route("/archives/{channel}/{ts}", get(shell))
        .route("/assets/{name}", get(asset))
        .route("/stream", get(stream::changes))
        .route("/calls", get(calls))
        .route("/do/upload", post(upload).layer(DefaultBodyLimit::max(largest)))
        .route("/do/region", post(regions::turn))
        .route("/do/{what}", post(act))
        .route("/api/{method}", any(api::handle))
        .route("/response/{kind}/{*id}", post(respond::handle))
        .route("/upload/{id}", post(bot_upload).put(bot_upload).layer(DefaultBodyLimit::max(256 << 20)))
        .route("/files/{id}/{name}", get(download))
        .layer(from_fn(guard))
        .with_state(playground.clone())
}

/// Refuses requests that a foreign page could have made: another host name (DNS rebinding) or another origin.
async fn guard(request: Request, next: Next) -> Response<Body> {
    if let Some(why) = refusal(request.headers()) {
        return (StatusCode::FORBIDDEN, why).into_response();
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn refusal(headers: &HeaderMap) -> Option<&'static str> {
    let header = |name| headers.get(name).and_then(|v: &HeaderValue| v.to_str().ok());
    let host = header(header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Some("the playground answers on loopback addresses only; open it as 127.0.0.1 or localhost\n");
    }
    let foreign = headers.contains_key(header::ORIGIN) && header(header::ORIGIN) != Some(&format!("http://{host}"));
    foreign.then_some("the playground takes no requests from other pages\n")
}

fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => return v6.split_once(']').is_some_and(|(address, _)| address == "::1"),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<std::net::Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

async fn shell(Injected(playground): Injected<Playground>) -> Html<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    let (team, app) = playground.with(|s| (s.workspace.team.name.clone(), s.workspace.app.name.clone()));
    let page = SHELL.replace("{{team}}", &escape(&team)).replace("{{app}}", &escape(&app));
    Html(page.replace("{{command}}", &escape(&playground.config().command)))
}

async fn asset(Path(name): Path<String>) -> Response<Body> {
    let Some((_, text)) = ASSETS.iter().find(|(known, _)| *known == name) else {
        return (StatusCode::NOT_FOUND, "no such asset\n").into_response();
    };
    let kind = if name.split('.').next_back() == Some("css") {
        "text/css; charset=utf-8"
    } else {
        "text/javascript; charset=utf-8"
    };
    ([(header::CONTENT_TYPE, kind)], *text).into_response()
}

/// The last calls, newest first, for the Faults drawer.
async fn calls(Injected(playground): Injected<Playground>) -> Json<Value> {
    let last = playground.with(|s| {
        s.calls
            .iter()
            .rev()
            .take(40)
            .map(|c| {
                json!({ "method": c.method, "status": c.status,
        "error": c.answer.get("error"), "at": c.at.as_second() })
            })
            .collect::<Vec<_>>()
    });
    Json(json!(last))
}

/// What a page says somebody did. Fields that an action does not need are left out.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Deed {
    r#as: String,
    channel: String,
    text: String,
    act: Option<Act>,
    view_id: String,
    values: Value,
    all: bool,
    ts: String,
    knob: Option<Knob>,
    on: bool,
    count: u32,
}

async fn act(
    Injected(playground): Injected<Playground>,
    Path(what): Path<String>,
    Json(deed): Json<Deed>,
) -> Response<Body> {
    let user = deed.r#as.as_str();
    let ack: Ack = match what.as_str() {
        "command" => playground.type_command(user, &deed.channel, &deed.text).await,
        "click" => match &deed.act {
            Some(act) => playground.act(user, act).await,
            None => return reply(StatusCode::BAD_REQUEST, &json!({ "error": "act is missing" })),
        },
        "submit" => playground.submit(user, &deed.view_id, &deed.values).await,
        "close" => playground.close(user, &deed.view_id, deed.all).await,
        "home" => playground.open_home(user).await,
        "replay" => playground.replay_last().await,
        other => {
            let known = set(&playground, other, &deed);
            let status = if known { StatusCode::OK } else { StatusCode::NOT_FOUND };
            return reply(status, &json!({ "ok": known }));
        }
    };
    reply(StatusCode::OK, &serde_json::to_value(ack).unwrap_or_default())
}

/// What changes the workspace without telling the bot.
fn set(playground: &Playground, what: &str, deed: &Deed) -> bool {
    match what {
        "dismiss" => playground.dismiss(&deed.r#as, &deed.ts),
        "fault" => deed.knob.clone().into_iter().for_each(|knob| playground.set_knob(knob)),
        "clear-faults" => playground.clear_faults(),
        "twice" => playground.deliver_twice(deed.count),
        "archive" => playground.archive(&deed.channel, deed.on),
        "bot-in" => playground.set_bot_in(&deed.channel, deed.on),
        "deactivate" => playground.set_deactivated(&deed.text, deed.on),
        _ => return false,
    }
    true
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Upload {
    name: String,
    r#as: String,
    channel: String,
}

async fn upload(Injected(playground): Injected<Playground>, Query(file): Query<Upload>, body: Bytes) -> Response<Body> {
    let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
    match keep_upload(&playground, name, body).await {
        Ok(text) => {
            playground.with(|state| {
                if state.channel(&file.channel).is_some() {
                    slackbot(state, &file.r#as, &file.channel, &text);
                }
            });
            reply(StatusCode::OK, &json!({ "ok": true, "text": text }))
        }
        Err(text) => reply(StatusCode::OK, &json!({ "ok": false, "text": text })),
    }
}

async fn keep_upload(playground: &Playground, name: String, body: Bytes) -> Result<String, String> {
    let take = playground.config().on_upload.clone().ok_or("This playground takes no files.")?;
    let limit = playground.config().upload_limit;
    if !name.to_ascii_lowercase().ends_with(".csv") || name.len() < 5 {
        return Err(format!("{name} is not a CSV file. Drop a file whose name ends in .csv."));
    }
    if body.len() > limit {
        return Err(format!("{name} is larger than {} MiB, the most this page takes.", limit >> 20));
    }
    if body.is_empty() {
        return Err(format!("{name} is empty."));
    }
    if body[..body.len().min(8192)].contains(&0) {
        return Err(format!("{name} is not text, whatever its name says."));
    }
    let taken = tokio::task::spawn_blocking(move || take(&name, body)).await;
    taken.unwrap_or_else(|_| Err("The file could not be taken.".to_owned()))
}

async fn bot_upload(
    Injected(playground): Injected<Playground>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    match api::take_upload(&playground, &id, kind, &body) {
        Ok(length) => format!("OK - {length}").into_response(),
        Err(why) => (StatusCode::BAD_REQUEST, why).into_response(),
    }
}

async fn download(
    Injected(playground): Injected<Playground>,
    Path((id, name)): Path<(String, String)>,
) -> Response<Body> {
    let Some(content) = playground.file(&id) else {
        return (StatusCode::NOT_FOUND, "no such file\n").into_response();
    };
    let safe: String = percent_encoding::utf8_percent_encode(&name, percent_encoding::NON_ALPHANUMERIC).collect();
    let disposition = format!("attachment; filename*=UTF-8''{safe}");
    let headers =
        [(header::CONTENT_TYPE, "text/csv; charset=utf-8"), (header::CONTENT_DISPOSITION, disposition.as_str())];
    (headers, content).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_names_are_answered() {
        for host in ["localhost", "localhost:3000", "127.0.0.1:1", "127.9.9.9", "[::1]:80", "LOCALHOST:2"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["", "evil.test", "127.0.0.1.evil.test", "localhost.evil.test:80", "10.0.0.1", "[::2]", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
