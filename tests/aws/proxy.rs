//! A way to the emulator that can be disturbed: answers lost, throttles, refusals, outages.

use crate::emulator::endpoint;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
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

#[derive(Default)]
struct Plan {
    /// The operation that is disturbed, how, and how often still.
    fault: Option<(&'static str, Fault, usize)>,
    /// The operations that were asked for, in order.
    seen: Vec<String>,
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
        let router = axum::Router::new().fallback(forward).with_state(plan.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, plan, server }
    }

    /// Disturbs the next `times` requests for `operation`.
    pub(crate) fn disturb(&self, operation: &'static str, fault: Fault, times: usize) {
        self.plan.lock().unwrap().fault = Some((operation, fault, times));
    }

    /// How often an operation was asked for; S3 has none, but methods.
    pub(crate) fn seen(&self, operation: &str) -> usize {
        self.plan.lock().unwrap().seen.iter().filter(|seen| *seen == operation).count()
    }
}

async fn forward(State(plan): State<Arc<Mutex<Plan>>>, request: Request) -> Response {
    let target = request.headers().get("x-amz-target").and_then(|value| value.to_str().ok());
    let operation = target.and_then(|target| target.rsplit('.').next()).unwrap_or(request.method().as_str()).to_owned();
    let fault = {
        let mut plan = plan.lock().unwrap();
        plan.seen.push(operation.clone());
        match &mut plan.fault {
            Some((name, fault, times)) if *name == operation && *times > 0 => {
                *times -= 1;
                Some(*fault)
            }
            _ => None,
        }
    };
    if let Some(Fault::Refused(status, code)) = fault {
        let body = format!("{{\"__type\":\"com.amazonaws#{code}\",\"message\":\"disturbed\"}}");
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amzn-errortype", code)];
        return (StatusCode::from_u16(status).unwrap(), headers, body).into_response();
    }
    let (mut parts, body) = request.into_parts();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    parts.uri = format!("{}{path}", endpoint()).parse().unwrap();
    let body = body.collect().await.unwrap().to_bytes();
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let (parts, body) =
        client.request(axum::http::Request::from_parts(parts, Full::new(body))).await.unwrap().into_parts();
    if fault == Some(Fault::AnswerLost) {
        let broken =
            futures_util::stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("broken off"))]);
        return Response::from_parts(parts, Body::from_stream(broken));
    }
    Response::from_parts(parts, Body::new(body))
}
