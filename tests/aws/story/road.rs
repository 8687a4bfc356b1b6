//! The way of deployed functions to AWS: it remembers what was asked for, and may be in bad weather.

use crate::proxy::{Fault, Way, broken_off, pass_on, refused, way};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A request as it comes in.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Asked {
    /// As permissions name it: `dynamodb`, `states`.
    pub(crate) service: &'static str,
    pub(crate) operation: String,
    /// Which region is asked.
    pub(crate) region: String,
    /// The path: for S3, bucket and key.
    pub(crate) path: String,
}

/// Decides what happens to the n-th request.
pub(crate) type Weather = Arc<dyn Fn(usize, &Asked) -> Option<Fault> + Send + Sync>;

#[derive(Default)]
struct Seen {
    weather: Option<Weather>,
    asked: usize,
    operations: BTreeSet<String>,
}

/// A road, until it is dropped.
pub(crate) struct Road {
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
    server: tokio::task::JoinHandle<()>,
}

impl Drop for Road {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Road {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::<Mutex<Seen>>::default();
        let router = axum::Router::new().fallback(travel).with_state((seen.clone(), way()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, seen, server }
    }

    /// From now on this decides; `None`: fair weather.
    pub(crate) fn weather(&self, weather: Option<Weather>) {
        self.seen.lock().unwrap().weather = weather;
    }

    /// The operations that were asked for, as permissions name them.
    pub(crate) fn operations(&self) -> BTreeSet<String> {
        self.seen.lock().unwrap().operations.clone()
    }
}

async fn travel(State((seen, way)): State<(Arc<Mutex<Seen>>, Way)>, request: Request) -> Response {
    let asked = asked(&request);
    let fault = {
        let mut seen = seen.lock().unwrap();
        seen.asked += 1;
        seen.operations.insert(format!("{}:{}", asked.service, asked.operation));
        let number = seen.asked;
        seen.weather.as_ref().and_then(|weather| weather(number, &asked))
    };
    if let Some(Fault::Refused(status, code)) = fault {
        return refused(asked.service == "s3", status, code);
    }
    let (parts, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return StatusCode::BAD_REQUEST.into_response() };
    let answer = pass_on(&way, parts, body.to_bytes()).await;
    if fault == Some(Fault::AnswerLost) { answer.map(|_| broken_off()) } else { answer }
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
    Asked { service, operation: operation.to_owned(), region, path: request.uri().path().to_owned() }
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
