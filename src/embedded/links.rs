//! Download links that work for whoever holds them, until they expire: the path, the time and an HMAC over both.

use super::KeyFile;
use crate::domain::run::AttemptKey;
use crate::ports::{Artifact, ArtifactKind, Clock, Files, PortError, Regions};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use sha2::Sha256;
use std::sync::Arc;
use std::time::Duration;

/// Bytes read at a time: memory does not grow with the file.
const BLOCK: usize = 256 * 1024;

/// Makes and checks links.
#[derive(Clone)]
pub struct Links {
    key: [u8; 32],
    /// Where people reach this bot, without a trailing slash.
    base: String,
}

impl Links {
    /// With the key of this data folder, made at the first start: links outlive a restart.
    pub fn open(data: &std::path::Path, base: impl Into<String>) -> Result<Self, PortError> {
        Ok(Self::new(KeyFile::new(data.join("links.key")).read_or_make()?, base))
    }

    /// `key` stays the same over restarts, so that links outlive one.
    pub fn new(key: [u8; 32], base: impl Into<String>) -> Self {
        Self { key, base: base.into() }
    }

    /// The link to an artifact, good until `now + life`.
    pub fn make(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> String {
        let until = now.as_second().saturating_add_unsigned(life.as_secs());
        let (path, kind) = (artifact.key.to_string(), word(artifact.kind));
        let signature = hex::encode(self.mac(&path, kind, until).finalize().into_bytes());
        format!("{}/download/{path}/{kind}?until={until}&signature={signature}", self.base)
    }

    fn check(&self, path: &str, kind: &str, ticket: &Ticket, now: Timestamp) -> bool {
        let Ok(signature) = hex::decode(&ticket.signature) else {
            return false;
        };
        self.mac(path, kind, ticket.until).verify_slice(&signature).is_ok() && now.as_second() <= ticket.until
    }

    fn mac(&self, path: &str, kind: &str, until: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("HMAC takes keys of any length");
        mac.update(format!("{path}/{kind}/{until}").as_bytes());
        mac
    }
}

#[derive(Deserialize)]
struct Ticket {
    until: i64,
    signature: String,
}

/// What serves the links.
#[derive(Clone)]
struct Downloads {
    links: Links,
    regions: Arc<dyn Regions>,
    clock: Arc<dyn Clock>,
}

impl Downloads {
    /// An attempt has the same results wherever they have arrived: a link outlives the region in which it was made.
    async fn find(
        &self,
        key: &AttemptKey,
        kind: ArtifactKind,
    ) -> Result<Option<(Arc<dyn Files>, Artifact)>, PortError> {
        let active = self.regions.active().await.map(|active| active.region);
        let mut failed = None;
        for name in active.iter().chain(self.regions.names()) {
            let Some(site) = self.regions.site(name) else { continue };
            match site.files.artifact(key, kind).await {
                Ok(Some(artifact)) => return Ok(Some((site.files, artifact))),
                Ok(None) => {}
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(None), Err)
    }
}

/// The route behind the links.
pub fn router(links: Links, regions: Arc<dyn Regions>, clock: Arc<dyn Clock>) -> Router {
    Router::new().route("/download/{key}/{kind}", get(download)).with_state(Downloads { links, regions, clock })
}

async fn download(
    State(downloads): State<Downloads>,
    Path((path, kind)): Path<(String, String)>,
    Query(ticket): Query<Ticket>,
) -> Response {
    if !downloads.links.check(&path, &kind, &ticket, downloads.clock.now()) {
        let text = "this link has expired or is not one of ours; ask for a new one in Slack\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    let found = match (AttemptKey::parse(&path), read_kind(&kind)) {
        (Some(key), Some(kind)) => downloads.find(&key, kind).await,
        _ => Ok(None),
    };
    match found {
        Ok(Some((files, artifact))) => send(files, artifact),
        Ok(None) => (StatusCode::NOT_FOUND, "this file is not there any more\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "a download failed");
            (StatusCode::SERVICE_UNAVAILABLE, "the file cannot be read just now; try again\n").into_response()
        }
    }
}

fn send(files: Arc<dyn Files>, artifact: Artifact) -> Response {
    let name: String = artifact.name.chars().map(|c| if c.is_ascii_graphic() && c != '"' { c } else { '_' }).collect();
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_LENGTH, artifact.bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let blocks = stream::try_unfold(0_u64, move |offset| {
        let (files, artifact) = (files.clone(), artifact.clone());
        async move {
            if offset >= artifact.bytes {
                return Ok::<_, PortError>(None);
            }
            let block = files.read(&artifact, offset, BLOCK).await?;
            if block.is_empty() {
                return Err(PortError::transient("the file is shorter than it was"));
            }
            let next = offset + block.len() as u64;
            Ok(Some((block, next)))
        }
    });
    (headers, Body::from_stream(blocks)).into_response()
}

fn word(kind: ArtifactKind) -> &'static str {
    match kind {
        ArtifactKind::Output => "output",
        ArtifactKind::Rejects => "rejects",
    }
}

fn read_kind(text: &str) -> Option<ArtifactKind> {
    [ArtifactKind::Output, ArtifactKind::Rejects].into_iter().find(|k| word(*k) == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(links: &Links, now: Timestamp) -> (String, String, Ticket) {
        let key = AttemptKey::parse("r-7k3f.1").unwrap();
        let artifact = Artifact { key, kind: ArtifactKind::Rejects, name: "rejects.csv".into(), bytes: 1 };
        let url = links.make(&artifact, now, Duration::from_mins(1));
        let (path, query) = url.strip_prefix("http://bot/download/").unwrap().split_once('?').unwrap();
        let (key, kind) = path.split_once('/').unwrap();
        (key.to_owned(), kind.to_owned(), serde_urlencoded::from_str(query).unwrap())
    }

    #[test]
    fn a_link_works_until_it_expires_and_only_for_what_it_names() {
        let links = Links::new([7; 32], "http://bot");
        let now = Timestamp::from_second(1000).unwrap();
        let (path, kind, ticket) = link(&links, now);
        assert!(links.check(&path, &kind, &ticket, now));
        assert!(links.check(&path, &kind, &ticket, Timestamp::from_second(1060).unwrap()));
        assert!(!links.check(&path, &kind, &ticket, Timestamp::from_second(1061).unwrap()));
        assert!(!links.check(&path, "output", &ticket, now));
        assert!(!links.check("r-7k3f.2", &kind, &ticket, now));
        assert!(!Links::new([8; 32], "http://bot").check(&path, &kind, &ticket, now));
        let longer = Ticket { until: ticket.until + 1, signature: ticket.signature };
        assert!(!links.check(&path, &kind, &longer, now));
    }
}
