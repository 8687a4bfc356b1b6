//! A region's bucket as drills and heartbeats need it: small objects, copies within it, and removal of all that begins with a name.

use crate::aws::breaker::Breaker;
use crate::aws::errors::Access;
use crate::aws::files::{Multipart, Place, client, decoded};
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, EncodingType, ObjectIdentifier};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::sync::Arc;

/// One call copies at most 5 GiB (an S3 quota); larger ones come in parts.
const LARGEST_COPY: u64 = 5 << 30;
const COPY_PART: u64 = 1 << 30;
/// What stays as it is in the name of a copy's source.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

pub(super) struct Bucket {
    client: Client,
    name: String,
    breaker: Arc<Breaker>,
}

impl Bucket {
    pub(super) fn new(config: &SdkConfig, name: &str, clock: &Arc<dyn Clock>) -> Self {
        Self { client: client(config), name: name.to_owned(), breaker: Breaker::new(clock) }
    }

    /// All objects whose names begin like this, with their sizes, in the order of their names.
    pub(super) async fn list(&self, doing: &str, prefix: &str) -> Result<Vec<(String, u64)>, PortError> {
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
            let call = call.encoding_type(EncodingType::Url).set_continuation_token(from);
            let page = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
            for object in page.contents.unwrap_or_default() {
                let size = object.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0);
                found.extend(object.key().and_then(decoded).map(|key| (key, size)));
            }
            from = page.next_continuation_token;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// A small object; `None`: there is none.
    pub(super) async fn get(&self, doing: &str, key: &str) -> Result<Option<Vec<u8>>, PortError> {
        let call = self.client.get_object().bucket(&self.name).key(key);
        let found = match self.breaker.call(call.send()).await {
            Err(failed) if failed.is("NoSuchKey") => return Ok(None),
            found => found.map_err(|failed| failed.port(Access::Read, doing))?,
        };
        let broken = |error| PortError::transient(format!("{doing}: the answer broke off")).because(error);
        found.body.collect().await.map(|body| Some(body.to_vec())).map_err(broken)
    }

    /// Whether an object is there. By a listing: a role that may list some names only is told 403 of what is not there.
    pub(super) async fn has(&self, doing: &str, key: &str) -> Result<bool, PortError> {
        Ok(self.list(doing, key).await?.iter().any(|(found, _)| found == key))
    }

    pub(super) async fn put(&self, doing: &str, key: &str, content: Vec<u8>) -> Result<(), PortError> {
        let call = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from(content));
        self.breaker.call(call.send()).await.map(drop).map_err(|failed| failed.port(Access::Write, doing))
    }

    /// Copies an object within the bucket, with its metadata, without its bytes coming here.
    pub(super) async fn copy(&self, doing: &str, from: &str, to: &str, bytes: u64) -> Result<(), PortError> {
        let source = format!("{}/{}", self.name, utf8_percent_encode(from, PLAIN));
        if bytes > LARGEST_COPY {
            return self.copy_in_parts(doing, from, to, &source).await;
        }
        let call = self.client.copy_object().bucket(&self.name).key(to).copy_source(source);
        self.breaker.call(call.send()).await.map(drop).map_err(|failed| failed.port(Access::Write, doing))
    }

    async fn copy_in_parts(&self, doing: &str, from: &str, to: &str, source: &str) -> Result<(), PortError> {
        let call = self.client.head_object().bucket(&self.name).key(from);
        let head = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        let at = Place { client: &self.client, breaker: &self.breaker, bucket: &self.name, key: to };
        let mut upload = Multipart::begin(at, head.metadata.unwrap_or_default(), doing).await?;
        let mut first = 0;
        let mut done = Ok(());
        while done.is_ok() && first < bytes {
            let last = (first + COPY_PART).min(bytes) - 1;
            done = upload.copied(source, first, last).await;
            first = last + 1;
        }
        if done.is_ok() {
            done = upload.complete(false).await;
        }
        if done.is_err() {
            upload.abort().await;
        }
        done
    }

    /// Removes all objects whose names begin like this; harmless where there are none.
    pub(super) async fn clear(&self, doing: &str, prefix: &str) -> Result<(), PortError> {
        let found = self.list(doing, prefix).await?;
        // A call removes at most 1,000 objects (an S3 quota).
        for some in found.chunks(1_000) {
            let named = some.iter().map(|(key, _)| ObjectIdentifier::builder().key(key).build());
            let broken = |error| PortError::permanent(doing).because(error);
            let named = named.collect::<Result<Vec<_>, _>>().map_err(broken)?;
            let delete = Delete::builder().set_objects(Some(named)).quiet(true).build().map_err(broken)?;
            let call = self.client.delete_objects().bucket(&self.name).delete(delete);
            let done = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Write, doing))?;
            if let Some(error) = done.errors().first() {
                let (key, code) = (error.key().unwrap_or("?"), error.code().unwrap_or("?"));
                return Err(PortError::transient(format!("{doing}: {key} could not be removed ({code})")));
            }
        }
        Ok(())
    }
}
