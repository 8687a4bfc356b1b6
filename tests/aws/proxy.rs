//! A way to the emulator that can be disturbed (answers lost, throttles, refusals, outages) and that remembers what was asked for.

use crate::emulator::endpoint;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It is carried out, and its answer breaks off.
    AnswerLost,
    /// It is answered with this error, and not carried out.
    Refused(u16, &'static str),
}

/// A request as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    /// As permissions name it: `dynamodb`, `states`.
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    /// Which region is asked.
    pub(crate) region: String,
}

/// Decides what happens to the n-th request.
pub(crate) type Weather = Box<dyn Fn(usize, &Asked) -> Option<Fault> + Send>;

#[derive(Default)]
struct Plan {
    /// The operation that is disturbed, how, and how often still.
    fault: Option<(&'static str, Fault, usize)>,
    /// What happens to every request.
    weather: Option<Weather>,
    /// What was asked for, in order.
    seen: Vec<Asked>,
}

impl Plan {
    fn next(&mut self, asked: Asked) -> Option<Fault> {
        let number = self.seen.len();
        let fault = match &mut self.fault {
            Some((name, fault, times)) if *name == asked.operation && *times > 0 => {
                *times -= 1;
                Some(*fault)
            }
            _ => self.weather.as_ref().and_then(|weather| weather(number, &asked)),
        };
        self.seen.push(asked);
        fault
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
        let router = axum::Router::new().fallback(forward).with_state(plan.clone());
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, plan, server }
    }

    /// Disturbs the next `times` requests for `operation`.
    pub(crate) fn disturb(&self, operation: &'static str, fault: Fault, times: usize) {
        self.plan.lock().unwrap().fault = Some((operation, fault, times));
    }

    /// From now on this decides, until it is called off with `None`.
    pub(crate) fn weather(&self, weather: Option<Weather>) {
        self.plan.lock().unwrap().weather = weather;
    }

    /// The operations that were asked for, each once, as permissions name them.
    pub(crate) fn operations(&self) -> BTreeSet<String> {
        let plan = self.plan.lock().unwrap();
        plan.seen.iter().map(|asked| format!("{}:{}", asked.service, asked.operation)).collect()
    }

    /// How often an operation was asked for.
    pub(crate) fn seen(&self, operation: &str) -> usize {
        self.plan.lock().unwrap().seen.iter().filter(|seen| seen.operation == operation).count()
    }
}

/// Services by what stands in front of the operation in the header of those that speak JSON.
const SERVICES: [(&str, &str); 6] = [
    ("DynamoDB_", "dynamodb"),
    ("AmazonSQS", "sqs"),
    ("AWSStepFunctions", "states"),
    ("AWSEvents", "events"),
    ("AmazonSSM", "ssm"),
    ("secretsmanager", "secretsmanager"),
];

fn asked(request: &Request) -> Asked {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let region = header("authorization").and_then(|text| text.split('/').nth(2)).unwrap_or("").to_owned();
    let target = header("x-amz-target").and_then(|target| target.rsplit_once('.'));
    let (service, operation) = match target {
        Some((target, operation)) => {
            let service = SERVICES.iter().find(|(begins, _)| target.starts_with(begins)).map_or("", |(_, name)| name);
            (service, operation)
        }
        None if request.uri().path().starts_with("/v2/email") => ("ses", "SendEmail"),
        None => ("s3", of_s3(request)),
    };
    Asked { service, operation: operation.to_owned(), region }
}

/// S3 has to be told by method and address.
fn of_s3(request: &Request) -> &'static str {
    let uri = request.uri();
    let query = uri.query().unwrap_or("");
    let has = |name: &str| query.split('&').any(|part| part.split('=').next() == Some(name));
    let of_bucket = uri.path().trim_matches('/').split('/').count() < 2;
    let copied = request.headers().contains_key("x-amz-copy-source");
    match request.method().as_str() {
        "GET" if of_bucket => "ListObjectsV2",
        "GET" => "GetObject",
        "HEAD" => "HeadObject",
        "PUT" if has("partNumber") && copied => "UploadPartCopy",
        "PUT" if has("partNumber") => "UploadPart",
        "PUT" if copied => "CopyObject",
        "PUT" => "PutObject",
        "POST" if has("uploads") => "CreateMultipartUpload",
        "POST" if has("uploadId") => "CompleteMultipartUpload",
        "POST" if has("delete") => "DeleteObjects",
        "DELETE" if has("uploadId") => "AbortMultipartUpload",
        "DELETE" => "DeleteObject",
        _ => "",
    }
}

async fn forward(State(plan): State<Arc<Mutex<Plan>>>, request: Request) -> Response {
    let asked = asked(&request);
    let service = asked.service;
    let fault = plan.lock().unwrap().next(asked);
    if let Some(Fault::Refused(status, code)) = fault {
        if service == "s3" {
            let body = format!("<Error><Code>{code}</Code><Message>disturbed</Message></Error>");
            return (StatusCode::from_u16(status).unwrap(), [("content-type", "application/xml")], body).into_response();
        }
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
