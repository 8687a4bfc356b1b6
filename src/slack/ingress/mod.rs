//! `POST /slack/events`: everything Slack sends. The guards stand in one list, in `receive`; nothing is done before all have passed,
//! and nothing here runs a job: what was asked goes on the bus, durably, and only then does Slack get its 200.

mod actions;
mod ask;
mod command;
mod forms;
mod replay;
mod submit;
mod vote;

use super::client::Client;
use super::inbound::{self, Inbound, InboundError};
use super::render::Renderer;
use super::signature::{SignatureError, Verified, verify};
use crate::domain::job::Catalog;
use crate::domain::policy::Policy;
use crate::ports::{Bus, Chat, Clock, Credentials, Directory, Regions, Settings, StepUp, Store};
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use bytes::Bytes;
use http_body_util::BodyExt;
use replay::Replays;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The largest body that is read: Slack's largest requests are views of at most 250 kB, percent-encoded.
pub const BODY_LIMIT: usize = 1024 * 1024;

/// How much of a body that is too large is still taken off the wire.
const BODY_DISCARDED: usize = 8 * BODY_LIMIT;
/// How long a body may take to arrive: Slack itself waits three seconds for the answer.
const BODY_WITHIN: Duration = Duration::from_secs(3);

/// What the front door needs.
#[derive(Clone)]
pub struct Doors {
    pub credentials: Arc<dyn Credentials>,
    /// The slash command of this bot, with its slash.
    pub command: String,
    pub renderer: Renderer,
    pub catalog: Arc<Catalog>,
    pub policy: Arc<Policy>,
    pub store: Arc<dyn Store>,
    pub bus: Arc<dyn Bus>,
    pub regions: Arc<dyn Regions>,
    pub chat: Arc<dyn Chat>,
    /// For modals: here and not behind the bus, because a trigger lives for three seconds.
    pub client: Arc<Client>,
    pub directory: Arc<dyn Directory>,
    pub settings: Arc<dyn Settings>,
    pub clock: Arc<dyn Clock>,
    /// Checks one-time codes that come with a form.
    pub step_up: StepUp,
    pub bot: String,
}

/// The front door: one route.
pub struct Ingress {
    doors: Doors,
    replays: Replays,
}

/// What Slack is answered.
enum Ack {
    /// 200 with nothing.
    Empty,
    /// 200 with JSON: a private answer, or an answer to a form.
    Json(Value),
    /// 200 with text.
    Text(String),
    Status(StatusCode),
}

/// Why a request was turned away before anything was done.
#[derive(Debug, thiserror::Error)]
enum Turned {
    #[error("the body is larger than {BODY_LIMIT} bytes")]
    TooLarge,
    #[error("the body could not be read")]
    Unreadable,
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error(transparent)]
    Unsigned(#[from] SignatureError),
    #[error("the request was seen before")]
    Replayed,
    #[error(transparent)]
    Malformed(#[from] InboundError),
}

impl Ingress {
    /// The route, ready to be merged into a server's.
    pub fn router(doors: Doors) -> Router {
        let ingress = Arc::new(Self { doors, replays: Replays::default() });
        Router::new().route("/slack/events", post(serve)).with_state(ingress)
    }
}

async fn serve(State(ingress): State<Arc<Ingress>>, request: Request<Body>) -> Response {
    match ingress.receive(request).await {
        Ok(ack) => ack.into_response(),
        Err(turned) => {
            // Never the body, the signature or the headers: they are an attacker's to fill.
            // Anybody can send them, so they are counted and do not fill the log.
            tracing::debug!(reason = %turned, "a request was turned away");
            metrics::counter!("switchman_requests_turned_away_total", "reason" => turned.word()).increment(1);
            (turned.status(), turned.to_string()).into_response()
        }
    }
}

impl Ingress {
    /// The guards, in order; then what was asked.
    async fn receive(&self, request: Request<Body>) -> Result<Ack, Turned> {
        let (head, body) = request.into_parts();
        let content_type = text(&head.headers, header::CONTENT_TYPE.as_str()).to_owned();
        if !inbound::is_supported(&content_type) {
            return Err(InboundError::UnsupportedContentType.into());
        }
        let body = read_body(&head.headers, body).await?;
        if !head.headers.contains_key(SIGNATURE) && inbound::is_ssl_check(&content_type, &body) {
            return Ok(Ack::Empty);
        }
        let now = self.doors.clock.now();
        let secrets = match self.doors.credentials.signing().await {
            Ok(secrets) => secrets,
            Err(error) => return Ok(unavailable(&error)),
        };
        let verified = verify(&secrets, text(&head.headers, TIMESTAMP), text(&head.headers, SIGNATURE), body, now)?;
        let fingerprint = verified.fingerprint();
        if !self.replays.first_time(fingerprint, now) {
            return Err(Turned::Replayed);
        }
        let inbound = inbound::parse(&content_type, &verified)?;
        let ack = self.dispatch(inbound, &verified).await?;
        if matches!(ack, Ack::Status(_)) {
            // Nothing was taken: the same request may come again.
            self.replays.forget(fingerprint);
        }
        Ok(ack)
    }

    async fn dispatch(&self, inbound: Inbound, verified: &Verified) -> Result<Ack, Turned> {
        let id = request_id(verified);
        match inbound {
            Inbound::SslCheck | Inbound::Closed(_) => Ok(Ack::Empty),
            Inbound::UrlVerification { challenge } => Ok(Ack::Text(challenge)),
            Inbound::Command(command) => self.command(&id, command).await,
            // Boxed, so that what a typed command needs stays small: it is moved about for each request.
            Inbound::Actions(actions) => Ok(Box::pin(self.actions(&id, actions)).await),
            Inbound::Submission(submission) => Ok(Box::pin(self.submission(&id, submission)).await),
            Inbound::HomeOpened(opened) => Ok(Box::pin(self.home_opened(&id, &opened)).await),
            Inbound::Unknown { kind } => {
                tracing::debug!(kind, "nothing to do for a request of kind {kind}");
                Ok(Ack::Empty)
            }
        }
    }
}

/// The credentials, the directory or the settings did not answer: nobody is let in, and nothing was taken.
fn unavailable(error: &crate::ports::PortError) -> Ack {
    tracing::error!(%error, "who may do what could not be found out; the request was not taken");
    Ack::Status(StatusCode::SERVICE_UNAVAILABLE)
}

const SIGNATURE: &str = "x-slack-signature";
const TIMESTAMP: &str = "x-slack-request-timestamp";

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
}

/// Reads the body up to the limit. What is beyond is thrown away as it comes, up to a bound: a sender whose connection is closed while
/// it still sends may never see the answer.
async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Turned> {
    let announced = text(headers, header::CONTENT_LENGTH.as_str()).parse::<usize>().unwrap_or(0);
    match tokio::time::timeout(BODY_WITHIN, collect(announced, body)).await {
        Ok(collected) => collected,
        Err(_) if announced > BODY_LIMIT => Err(Turned::TooLarge),
        Err(_) => Err(Turned::TooSlow),
    }
}

async fn collect(announced: usize, mut body: Body) -> Result<Bytes, Turned> {
    let (mut kept, mut seen) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Turned::Unreadable)?.into_data() else { continue };
        seen += data.len();
        if seen.max(announced) <= BODY_LIMIT {
            kept.extend_from_slice(&data);
        } else if seen > BODY_DISCARDED {
            break;
        }
    }
    if seen.max(announced) > BODY_LIMIT { Err(Turned::TooLarge) } else { Ok(kept.into()) }
}

/// The request's own id: derived from its signature, so that the same request always has the same one.
fn request_id(verified: &Verified) -> String {
    format!("req-{}", hex::encode(&verified.fingerprint()[..16]))
}

impl Turned {
    fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unsigned(_) | Self::Replayed => StatusCode::UNAUTHORIZED,
            Self::Malformed(InboundError::UnsupportedContentType) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Malformed(InboundError::Malformed(_)) | Self::Unreadable => StatusCode::BAD_REQUEST,
        }
    }

    /// A stable word for metrics.
    fn word(&self) -> &'static str {
        match self {
            Self::TooLarge => "too-large",
            Self::Unreadable => "unreadable",
            Self::TooSlow => "too-slow",
            Self::Unsigned(SignatureError::Stale) => "stale",
            Self::Unsigned(_) => "forged",
            Self::Replayed => "replayed",
            Self::Malformed(InboundError::UnsupportedContentType) => "content-type",
            Self::Malformed(InboundError::Malformed(_)) => "malformed",
        }
    }
}

impl IntoResponse for Ack {
    fn into_response(self) -> Response {
        match self {
            Self::Empty => StatusCode::OK.into_response(),
            Self::Json(value) => axum::Json(value).into_response(),
            Self::Text(text) => text.into_response(),
            Self::Status(status) => status.into_response(),
        }
    }
}
