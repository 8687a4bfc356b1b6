//! The playground from outside: over HTTP as a bot and a browser use it, with a bot that answers what the test says.
//! Never here: waiting by the clock. Time is the test's, and what is awaited is an event.

mod calls;
mod conversations;
mod faults;
mod interactions;
mod journal;
mod page;
mod regions;
mod views;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::{Playground, PlaygroundConfig};

pub(super) const TOKEN: &str = "xoxb-playground";
pub(super) const SECRET: &str = "playground-secret";
const START: i64 = 1_763_715_574;

/// What the bot got: headers and body.
pub(super) struct Got {
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Got {
    /// The form fields of a slash command.
    pub(super) fn form(&self) -> Vec<(String, String)> {
        serde_urlencoded::from_bytes(&self.body).unwrap()
    }

    pub(super) fn field(&self, name: &str) -> String {
        self.form().into_iter().find(|(n, _)| n == name).map(|(_, value)| value).unwrap_or_default()
    }

    /// The JSON of an interaction or an event.
    pub(super) fn json(&self) -> Value {
        let payload = serde_json::from_slice(&self.body);
        payload.unwrap_or_else(|_| serde_json::from_str(&self.field("payload")).unwrap())
    }
}

/// What the bot answers next.
pub(super) enum Say {
    Status(u16),
    Text(&'static str),
    Json(Value),
    /// Never answers.
    Nothing,
}

#[derive(Default)]
struct Bot {
    got: Mutex<Vec<Got>>,
    says: Mutex<VecDeque<Say>>,
}

/// A playground on a real port with a bot on another.
pub(super) struct World {
    pub playground: Playground,
    pub base: String,
    bot: Arc<Bot>,
    clock: Arc<AtomicI64>,
    servers: Vec<JoinHandle<()>>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut PlaygroundConfig)) -> Self {
        let clock = Arc::new(AtomicI64::new(START));
        let hand = Arc::clone(&clock);
        let now = Arc::new(move || Timestamp::from_second(hand.load(Ordering::SeqCst)).unwrap());
        let bot = Arc::new(Bot::default());
        let router = Router::new().route("/slack/events", post(bot_answers)).with_state(Arc::clone(&bot));
        let (bot_base, bot_server) = serve(router).await;
        let mut config = PlaygroundConfig::new(
            &format!("{bot_base}/slack/events"),
            SecretString::from(SECRET),
            SecretString::from(TOKEN),
            now,
        );
        change(&mut config);
        let playground = Playground::new(config).unwrap();
        let (base, server) = serve(playground.router()).await;
        playground.set_base_url(&base);
        Self { playground, base, bot, clock, servers: vec![bot_server, server] }
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    pub(super) fn bot_says(&self, say: Say) {
        self.bot.says.lock().unwrap().push_back(say);
    }

    /// What the bot got since the last time it was asked.
    pub(super) fn got(&self) -> Vec<Got> {
        std::mem::take(&mut *self.bot.got.lock().unwrap())
    }

    pub(super) fn got_one(&self) -> Got {
        let mut got = self.got();
        assert_eq!(got.len(), 1, "requests to the bot");
        got.remove(0)
    }

    /// Calls a method as JSON with the bot's token.
    pub(super) async fn call(&self, method: &str, args: Value) -> Value {
        self.post(&format!("/api/{method}"), &args).await.json()
    }

    pub(super) async fn error(&self, method: &str, args: Value) -> String {
        let answer = self.call(method, args).await;
        assert_eq!(answer["ok"], false, "{method}: {answer}");
        answer["error"].as_str().unwrap().to_owned()
    }

    /// Posts a message as the bot and gives its ts.
    pub(super) async fn post_message(&self, args: Value) -> String {
        let answer = self.call("chat.postMessage", args).await;
        assert_eq!(answer["ok"], true, "{answer}");
        answer["ts"].as_str().unwrap().to_owned()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answer {
        let request = Request::post(self.url(path)).header("authorization", format!("Bearer {TOKEN}"));
        self.send(request.header("content-type", "application/json; charset=utf-8"), body.to_string()).await.unwrap()
    }

    pub(super) fn url(&self, path: &str) -> String {
        if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.base) }
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(self.url(path)), "").await.unwrap()
    }

    pub(super) async fn send(
        &self,
        request: axum::http::request::Builder,
        body: impl Into<Bytes>,
    ) -> Result<Answer, String> {
        let client = Client::builder(TokioExecutor::new()).build_http();
        let request = request.body(Full::new(body.into())).unwrap();
        let response = client.request(request).await.map_err(|error| error.to_string())?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
        Ok(Answer { status, headers, body })
    }
}

/// An HTTP answer.
pub(super) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("not JSON: {:?}", self.body))
    }

    pub(super) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }
}

async fn serve(router: Router) -> (String, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    (base, tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }))
}

async fn bot_answers(State(bot): State<Arc<Bot>>, headers: HeaderMap, body: Bytes) -> Response {
    bot.got.lock().unwrap().push(Got { headers, body });
    let say = bot.says.lock().unwrap().pop_front();
    match say {
        None => StatusCode::OK.into_response(),
        Some(Say::Status(status)) => StatusCode::from_u16(status).unwrap().into_response(),
        Some(Say::Text(text)) => text.into_response(),
        Some(Say::Json(json)) => axum::Json(json).into_response(),
        Some(Say::Nothing) => std::future::pending().await,
    }
}

/// A section of mrkdwn.
pub(super) fn section(text: &str) -> Value {
    json!({ "type": "section", "block_id": "s", "text": { "type": "mrkdwn", "text": text } })
}

/// An actions block with one button.
pub(super) fn button(action_id: &str) -> Value {
    json!({ "type": "actions", "block_id": "a", "elements": [
        { "type": "button", "action_id": action_id, "value": "r-1", "text": { "type": "plain_text", "text": "Go" } }] })
}

/// A modal with one required text field and a button that does something at once.
pub(super) fn modal(title: &str) -> Value {
    json!({ "type": "modal", "callback_id": "c", "private_metadata": "kept", "notify_on_close": true,
        "title": { "type": "plain_text", "text": title }, "submit": { "type": "plain_text", "text": "Send" },
        "blocks": [button("more"), { "type": "input", "block_id": "why", "label": { "type": "plain_text", "text": "Why" },
            "element": { "type": "plain_text_input", "action_id": "text" } }] })
}

pub(super) const SHORT: Duration = Duration::from_millis(60);
