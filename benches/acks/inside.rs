//! The receivers that this program is itself, when it is started by the benchmark.

use crate::requests::SECRET;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::path::Path;
use std::sync::Arc;
use switchman::app::App;
use switchman::config::{Config, Environment, SlackAccess};
use switchman::embedded::SystemClock;

/// The floor: the HMAC over the raw body, and nothing else.
pub(crate) fn floor() {
    serve("floor", || Router::new().route("/slack/events", post(verify)));
}

/// Switchman's front door: everything but the workers.
pub(crate) fn door(file: &Path) {
    serve("door", || {
        let config = Config::load(file).unwrap();
        let access = SlackAccess::read(&Environment).unwrap();
        let metrics = switchman::telemetry::metrics().unwrap();
        App::build(&config, &access, "http://127.0.0.1", Arc::new(SystemClock), metrics).unwrap().router()
    });
}

fn serve(name: &str, router: impl FnOnce() -> Router) {
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let router = router();
        println!("{name}: http://{}", listener.local_addr().unwrap());
        axum::serve(listener, router).await.unwrap();
    });
}

async fn verify(headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name| headers.get(name).map_or(&b""[..], |v| v.as_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"v0:");
    mac.update(header("x-slack-request-timestamp"));
    mac.update(b":");
    mac.update(&body);
    let mut signature = [0; 32];
    let hexed = header("x-slack-signature").get(3..).unwrap_or_default();
    if hex::decode_to_slice(hexed, &mut signature).is_ok() && mac.verify_slice(&signature).is_ok() {
        StatusCode::OK
    } else {
        StatusCode::UNAUTHORIZED
    }
}
