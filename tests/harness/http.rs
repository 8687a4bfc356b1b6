//! A plain HTTP client, for what Slack would never send and for links that people open.

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

/// Status and body.
pub(crate) type Answer = (u16, String);

/// Posts a body with these headers.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
    send("POST", url, headers, body.into()).await
}

pub(crate) async fn get(url: &str) -> Answer {
    send("GET", url, &[], Bytes::new()).await
}

pub(crate) async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Bytes) -> Answer {
    let mut request = axum::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let response = client.request(request.body(Full::new(body)).unwrap()).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&body).into_owned())
}
