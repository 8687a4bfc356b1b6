//! The bucket of the region, as the steps use it. Every call goes through one breaker; what is written says its checksum, so that S3
//! refuses what did not arrive as it was.

use super::error::Halt;
use super::scratch::write_at;
use crate::aws::breaker::Breaker;
use crate::aws::client;
use crate::aws::errors::{Access, Failed};
use crate::aws::files;
use crate::batch::chunk::Written;
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, Object, ObjectIdentifier};
use bytes::Bytes;
use data_encoding::BASE64;
use futures_util::future::try_join_all;
use serde::de::DeserializeOwned;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// So much is asked for at once.
pub(super) const PIECE: u64 = 8 << 20;
/// So many pieces of one object are under way at a time.
pub(super) const AHEAD: usize = 4;
/// Answers that may break off before a piece is given up.
const TRIES: u32 = 3;
/// On top of what other calls may take: a part may have gigabytes.
const LARGE: Duration = Duration::from_mins(2);
/// Small objects that are read at once.
const READ_AT_ONCE: usize = 32;
/// Keys in one DeleteObjects.
const DELETED_AT_ONCE: usize = 1_000;

/// The bucket.
#[derive(Clone)]
pub(super) struct Bucket {
    pub(super) client: Client,
    pub(super) name: String,
    pub(super) breaker: Arc<Breaker>,
}

/// A part of an object, or why there is none.
pub(super) enum Piece {
    Here(Bytes),
    /// It is not what it was.
    Changed,
    Gone,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, name: &str, clock: &Arc<dyn Clock>) -> Self {
        let patient = config.to_builder().timeout_config(client::patient(LARGE)).build();
        Self { client: files::client(&patient), name: name.to_owned(), breaker: Breaker::new(clock) }
    }

    /// A small object; `None` where there is none.
    pub(super) async fn read(&self, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        let doing = format!("could not read {key}");
        let mut tries = 0;
        loop {
            let call = self.client.get_object().bucket(&self.name).key(key);
            let answer = match self.breaker.call(call.send()).await {
                Err(failed) if failed.is("NoSuchKey") => return Ok(None),
                answer => answer.map_err(|failed| failed.unread(&doing))?,
            };
            tries += 1;
            match answer.body.collect().await {
                Ok(body) => return Ok(Some(body.to_vec())),
                Err(_) if tries < TRIES => {}
                Err(error) => return Err(PortError::transient(format!("{doing}: the answer broke off")).because(error)),
            }
        }
    }

    /// A small object with JSON in it.
    pub(super) async fn json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Halt> {
        let Some(text) = self.read(key).await? else { return Ok(None) };
        let unreadable = |e| Halt::Mistake(format!("the object {key} is not readable: {e}; reprocess all"));
        serde_json::from_slice(&text).map(Some).map_err(unreadable)
    }

    /// Size and ETag, where it exists.
    pub(super) async fn head(&self, key: &str) -> Result<Option<(u64, String)>, PortError> {
        let call = self.client.head_object().bucket(&self.name).key(key);
        let head = match self.breaker.call(call.send()).await {
            // The answer to a HEAD has no body, so its code is made from its status.
            Err(failed) if failed.is("NotFound") || failed.is("NoSuchKey") => return Ok(None),
            head => head.map_err(|failed| failed.unread(&format!("could not look at {key}")))?,
        };
        let size = head.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Some((size, head.e_tag().unwrap_or_default().trim_matches('"').to_owned())))
    }

    /// A range of an object that has still this ETag.
    pub(super) async fn piece(
        &self,
        key: &str,
        start: u64,
        bytes: u64,
        etag: Option<&str>,
    ) -> Result<Piece, PortError> {
        let doing = format!("could not read {key}");
        let mut tries = 0;
        loop {
            let call = self.client.get_object().bucket(&self.name).key(key);
            let call = call.range(format!("bytes={start}-{}", start + bytes - 1));
            let call = call.set_if_match(etag.map(|etag| format!("\"{etag}\"")));
            let answer = match self.breaker.call(call.send()).await {
                Err(failed) if failed.is("NoSuchKey") => return Ok(Piece::Gone),
                Err(failed) if failed.is("PreconditionFailed") || failed.is("InvalidRange") => {
                    return Ok(Piece::Changed);
                }
                answer => answer.map_err(|failed| failed.unread(&doing))?,
            };
            tries += 1;
            match answer.body.collect().await.map(aws_sdk_s3::primitives::AggregatedBytes::into_bytes) {
                Ok(body) if body.len() as u64 == bytes => return Ok(Piece::Here(body)),
                Ok(_) => return Ok(Piece::Changed),
                Err(_) if tries < TRIES => {}
                Err(error) => return Err(PortError::transient(format!("{doing}: the answer broke off")).because(error)),
            }
        }
    }

    /// Brings a range into a file, at `offset` there; `None` where the object is gone or has another size.
    pub(super) async fn bring(
        &self,
        from: (&str, u64, u64),
        etag: Option<&str>,
        to: (&Path, u64),
    ) -> Result<Option<Written>, Halt> {
        let ((key, start, bytes), (path, offset)) = (from, to);
        write_at(path, &[], 0)?;
        let mut crc = crc32fast::Hasher::new();
        let mut at = 0;
        while at < bytes {
            let starts = (0..AHEAD as u64).map(|ahead| at + ahead * PIECE).take_while(|start| *start < bytes);
            let ask = |from: u64| self.piece(key, start + from, PIECE.min(bytes - from), etag);
            for piece in try_join_all(starts.map(ask)).await? {
                let Piece::Here(piece) = piece else { return Ok(None) };
                crc.update(&piece);
                write_at(path, &piece, offset + at)?;
                at += piece.len() as u64;
            }
        }
        Ok(Some(Written { bytes, crc: crc.finalize() }))
    }

    pub(super) async fn put(&self, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        let call = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(content));
        let done = self.breaker.call(call.send()).await;
        done.map(|_| ()).map_err(|failed| failed.port(Access::Write, &format!("could not write {key}")))
    }

    /// Writes an object unless there is one; whether it was written.
    pub(super) async fn put_new(&self, key: &str, content: Vec<u8>) -> Result<bool, PortError> {
        let body = ByteStream::from(content);
        let call = self.client.put_object().bucket(&self.name).key(key).if_none_match("*").body(body);
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(true),
            Err(failed) if failed.is("PreconditionFailed") => Ok(false),
            Err(failed) => Err(failed.port(Access::Write, &format!("could not write {key}"))),
        }
    }

    /// Writes a file of which size and checksum are known.
    pub(super) async fn put_file(&self, key: &str, path: &Path, written: Written) -> Result<(), Halt> {
        let doing = format!("could not write {key}");
        let body = stream(path).await?;
        let call =
            self.client.put_object().bucket(&self.name).key(key).checksum_crc32(checksum(written.crc)).body(body);
        self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Write, &doing))?;
        Ok(())
    }

    /// All objects under a prefix with their sizes, in order.
    pub(super) async fn list(&self, prefix: &str) -> Result<Vec<(String, u64)>, PortError> {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix).set_continuation_token(from);
            let page = self.breaker.call(call.send()).await;
            let page = page.map_err(|failed| failed.port(Access::Read, &format!("could not list {prefix}")))?;
            let entry = |object: Object| Some((object.key?, u64::try_from(object.size?).ok()?));
            found.extend(page.contents.into_iter().flatten().filter_map(entry));
            from = page.next_continuation_token;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    pub(super) async fn delete(&self, keys: Vec<String>) -> Result<(), PortError> {
        let doing = "could not delete what is not needed any more";
        for some in keys.chunks(DELETED_AT_ONCE) {
            let id = |key: &String| ObjectIdentifier::builder().key(key).build();
            let ids = some.iter().map(id).collect::<Result<Vec<_>, _>>();
            let delete = ids.and_then(|ids| Delete::builder().set_objects(Some(ids)).quiet(true).build());
            let delete = delete.map_err(|error| PortError::permanent(doing).because(error))?;
            let call = self.client.delete_objects().bucket(&self.name).delete(delete);
            self.breaker.call(call.send()).await.map_err(|failed: Failed<_>| failed.port(Access::Write, doing))?;
        }
        Ok(())
    }

    /// Many small objects with JSON in them, in order; all of them must exist.
    pub(super) async fn all_json<T: DeserializeOwned + Send>(&self, keys: &[String]) -> Result<Vec<T>, Halt> {
        let mut all = Vec::new();
        for some in keys.chunks(READ_AT_ONCE) {
            let found = try_join_all(some.iter().map(|key| self.json::<T>(key))).await?;
            for (key, found) in some.iter().zip(found) {
                all.push(found.ok_or_else(|| Halt::outage(format!("{key} was there and is gone")))?);
            }
        }
        Ok(all)
    }
}

/// A file as the body of a request that may be sent again.
pub(super) async fn stream(path: &Path) -> Result<ByteStream, Halt> {
    ByteStream::from_path(path).await.map_err(|error| super::error::disk(std::io::Error::other(error)))
}

/// A CRC-32 as S3 writes it.
pub(super) fn checksum(crc: u32) -> String {
    BASE64.encode(&crc.to_be_bytes())
}
