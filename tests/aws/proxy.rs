//! A way to the emulator that can be disturbed: answers lost, throttles, refusals, outages.

use crate::emulator::endpoint;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::{Arc, Mutex};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out, and its answer breaks off.
    AnswerLost,
    /// It is answered with this error, and not carried out.
    Refused(u16, &'static str),
}

/// Answers requests of a service in the place of the emulator: by operation and body, with a status and a body.
pub(crate) type StandIn = Arc<dyn Fn(&str, &[u8]) -> (u16, String) + Send + Sync>;

/// To the emulator.
pub(crate) type Way = Client<HttpConnector, Full<Bytes>>;

/// Nobody is there any more.
const DEAD: Fault = Fault::Refused(503, "ServiceUnavailable");

/// A way that ends.
#[derive(Debug, Clone, Copy)]
struct Cut {
    /// How many requests go through still.
    left: usize,
    /// What becomes of the one after them; no later one is carried out.
    fault: Fault,
    /// Whether it came to that.
    struck: bool,
}

#[derive(Default)]
struct Plan {
    /// The service that something else stands in for, by the first word of its target.
    stand_in: Option<(&'static str, StandIn)>,
    /// The operation that is disturbed, how, and how often still.
    fault: Option<(&'static str, Fault, usize)>,
    /// The operations that were asked for, in order.
    seen: Vec<String>,
    cut: Option<Cut>,
    /// After how many that met the cut it is mended by itself.
    mend: Option<usize>,
}

impl Plan {
    /// What happens to the next request.
    fn fault(&mut self, operation: &str) -> Option<Fault> {
        if self.cut.is_some_and(|cut| cut.left == 0)
            && let Some(left) = &mut self.mend
        {
            if *left == 0 {
                (self.cut, self.mend) = (None, None);
            } else {
                *left -= 1;
            }
        }
        match &mut self.cut {
            Some(cut) if cut.left == 0 => {
                let fault = if cut.struck { DEAD } else { cut.fault };
                cut.struck = true;
                return Some(fault);
            }
            Some(cut) => cut.left -= 1,
            None => {}
        }
        match &mut self.fault {
            Some((name, fault, times)) if *name == operation && *times > 0 => {
                *times -= 1;
                Some(*fault)
            }
            _ => None,
        }
    }
}

/// The proxy, until it is dropped.
pub(crate) struct Proxy {
    pub(crate) url: String,
    plan: Arc<Mutex<Plan>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let plan = Arc::<Mutex<Plan>>::default();
        let client = way();
        let router = axum::Router::new().fallback(forward).with_state((plan.clone(), client));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, plan, server }
    }

    /// Disturbs the next `times` requests for `operation`.
    pub(crate) fn disturb(&self, operation: &'static str, fault: Fault, times: usize) {
        self.plan.lock().unwrap().fault = Some((operation, fault, times));
    }

    /// Has something else answer for a service.
    pub(crate) fn stand_in(&self, service: &'static str, with: StandIn) {
        self.plan.lock().unwrap().stand_in = Some((service, with));
    }

    /// Kills whoever asks: `after` requests go through, the next one meets the fault, and no later one is carried out.
    pub(crate) fn cut(&self, after: usize, fault: Fault) {
        self.plan.lock().unwrap().cut = Some(Cut { left: after, fault, struck: false });
    }

    /// After so many requests that did not go through, all do again.
    pub(crate) fn mend_after(&self, refused: usize) {
        self.plan.lock().unwrap().mend = Some(refused);
    }

    /// Everything goes through again; how many requests there were.
    pub(crate) fn heal(&self) -> usize {
        let mut plan = self.plan.lock().unwrap();
        plan.cut = None;
        std::mem::take(&mut plan.seen).len()
    }

    /// How often an operation was asked for; S3 has none, but methods.
    pub(crate) fn seen(&self, operation: &str) -> usize {
        self.plan.lock().unwrap().seen.iter().filter(|seen| *seen == operation).count()
    }
}

async fn forward(State((plan, client)): State<(Arc<Mutex<Plan>>, Way)>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    let (service, operation) =
        target.and_then(|target| target.split_once('.')).unwrap_or(("", request.method().as_str()));
    let (service, operation) = (service.to_owned(), operation.to_owned());
    let (fault, stand_in) = {
        let mut plan = plan.lock().unwrap();
        plan.seen.push(operation.clone());
        let stand_in = plan.stand_in.clone().filter(|(name, _)| *name == service).map(|(_, with)| with);
        (plan.fault(&operation), stand_in)
    };
    if let Some(Fault::Refused(status, code)) = fault {
        return refused(is_for_s3(&request), status, code);
    }
    let (parts, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    if let Some(stand_in) = stand_in {
        assert_eq!(parts.headers["content-type"], "application/x-amz-json-1.0");
        let (status, answer) = stand_in(&operation, &body);
        let headers = [("content-type", "application/x-amz-json-1.0")];
        let answer = if fault == Some(Fault::AnswerLost) { broken_off() } else { Body::from(answer) };
        return (StatusCode::from_u16(status).unwrap(), headers, answer).into_response();
    }
    let (parts, body) = pass_on(&client, parts, body).await.into_parts();
    if fault == Some(Fault::AnswerLost) {
        return Response::from_parts(parts, broken_off());
    }
    Response::from_parts(parts, body)
}

/// An error as the service in question says it.
pub(crate) fn refused(by_s3: bool, status: u16, code: &'static str) -> Response {
    let (kind, body) = if by_s3 {
        let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>disturbed</Message></Error>");
        ("application/xml", body)
    } else {
        let body = format!("{{\"__type\":\"com.amazonaws#{code}\",\"message\":\"disturbed\"}}");
        ("application/x-amz-json-1.0", body)
    };
    let headers = [("content-type", kind), ("x-amzn-errortype", code)];
    (StatusCode::from_u16(status).unwrap(), headers, body).into_response()
}

fn is_for_s3(request: &Request) -> bool {
    let signed = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    signed.is_some_and(|signed| signed.contains("/s3/aws4_request"))
}

pub(crate) fn way() -> Way {
    Client::builder(TokioExecutor::new()).build_http()
}

/// Has the emulator answer.
pub(crate) async fn pass_on(client: &Way, mut parts: Parts, body: Bytes) -> Response {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    parts.uri = format!("{}{path}", endpoint()).parse().unwrap();
    client.request(Request::from_parts(parts, Full::new(body))).await.unwrap().map(Body::new)
}

/// An answer that ends before it has begun.
pub(crate) fn broken_off() -> Body {
    Body::from_stream(futures_util::stream::iter([
        Ok(Bytes::from_static(b"{")),
        Err(std::io::Error::other("broken off")),
    ]))
}
