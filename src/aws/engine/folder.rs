//! The folders of attempts in the bucket. What stands in one is what is known of its attempt, whoever asks; its names are the batch
//! worker's.

use crate::aws::batch::{DONE, DoneName, Place};
use crate::aws::breaker::Breaker;
use crate::aws::errors::Access;
use crate::aws::files;
use crate::domain::run::{AttemptKey, Input};
use crate::ports::{Clock, PortError};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The folders below a root.
#[derive(Debug, Clone)]
pub(super) struct Folders {
    client: Client,
    bucket: String,
    root: String,
    breaker: Arc<Breaker>,
}

impl Folders {
    /// `root`: empty, or where the names of a sandbox begin.
    pub(super) fn new(config: &SdkConfig, bucket: &str, root: String, clock: &Arc<dyn Clock>) -> Self {
        Self { client: files::client(config), bucket: bucket.to_owned(), root, breaker: Breaker::new(clock) }
    }

    fn at(&self, key: &AttemptKey, name: &str) -> String {
        Place::new(&self.root, key).at(name)
    }

    /// The object as it comes; `None` where there is none.
    pub(super) async fn open(&self, key: &AttemptKey, name: &str) -> Result<Option<ByteStream>, PortError> {
        let call = self.client.get_object().bucket(&self.bucket).key(self.at(key, name));
        match self.breaker.call(call.send()).await {
            Ok(found) => Ok(Some(found.body)),
            Err(failed) if failed.is("NoSuchKey") => Ok(None),
            Err(failed) => Err(failed.unread(&format!("could not read {name} of {key}"))),
        }
    }

    pub(super) async fn read(&self, key: &AttemptKey, name: &str) -> Result<Option<Vec<u8>>, PortError> {
        let Some(body) = self.open(key, name).await? else { return Ok(None) };
        let broken = |error| {
            PortError::transient(format!("the answer with {name} of {key} broke off; it can be tried again"))
                .because(error)
        };
        Ok(Some(body.collect().await.map_err(broken)?.to_vec()))
    }

    pub(super) async fn json<T: DeserializeOwned>(&self, key: &AttemptKey, name: &str) -> Result<Option<T>, PortError> {
        let Some(text) = self.read(key, name).await? else { return Ok(None) };
        serde_json::from_slice(&text).map(Some).map_err(|error| {
            let what = format!("{name} of {key} cannot be read: it was written by another version or changed");
            PortError::permanent(what).because(error)
        })
    }

    pub(super) async fn has(&self, key: &AttemptKey, name: &str) -> Result<bool, PortError> {
        let call = self.client.head_object().bucket(&self.bucket).key(self.at(key, name));
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(true),
            // The answer to a HEAD has no body, so its code is made from its status.
            Err(failed) if failed.is("NotFound") || failed.is("NoSuchKey") => Ok(false),
            Err(failed) => Err(failed.unread(&format!("could not look for {name} of {key}"))),
        }
    }

    /// Writes an object that is not there. `false`: it is, by whomever.
    pub(super) async fn create(&self, key: &AttemptKey, name: &str, body: Vec<u8>) -> Result<bool, PortError> {
        let call = self.client.put_object().bucket(&self.bucket).key(self.at(key, name)).if_none_match("*");
        match self.breaker.call(call.body(body.into()).send()).await {
            Ok(_) => Ok(true),
            Err(failed) if failed.is("PreconditionFailed") => Ok(false),
            Err(failed) => Err(failed.port(Access::Write, &format!("could not write {name} of {key}"))),
        }
    }

    pub(super) async fn create_json(
        &self,
        key: &AttemptKey,
        name: &str,
        value: &impl Serialize,
    ) -> Result<bool, PortError> {
        let text = serde_json::to_vec_pretty(value).map_err(|error| {
            PortError::permanent(format!("{name} of {key} cannot be turned into json; nothing was written"))
                .because(error)
        })?;
        self.create(key, name, text).await
    }

    /// What the markers of finished chunks say in their names.
    pub(super) async fn done(&self, key: &AttemptKey) -> Result<Done, PortError> {
        let prefix = self.at(key, DONE);
        let (mut names, mut from) = (Vec::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(&prefix).set_continuation_token(from);
            let page = self.breaker.call(call.send()).await;
            let page =
                page.map_err(|failed| failed.port(Access::Read, &format!("could not list the chunks of {key}")))?;
            let found = page.contents.into_iter().flatten().filter_map(|object| object.key);
            names.extend(found.filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)));
            from = page.next_continuation_token;
            if from.is_none() {
                return Ok(Done::of(names.iter().map(String::as_str)));
            }
        }
    }

    /// Size and ETag of an input; `None` where it is not there.
    pub(super) async fn input(&self, input: &Input) -> Result<Option<(u64, String)>, PortError> {
        let call = self.client.head_object().bucket(&self.bucket).key(&input.key);
        let head = match self.breaker.call(call.send()).await {
            Err(failed) if failed.is("NotFound") || failed.is("NoSuchKey") => return Ok(None),
            head => head.map_err(|failed| failed.unread(&format!("could not look at the file {}", input.name)))?,
        };
        let bytes = head.content_length.and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Some((bytes, head.e_tag.unwrap_or_default().trim_matches('"').to_owned())))
    }
}

/// The sums over the finished chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Done {
    pub(super) chunks: u64,
    pub(super) bytes: u64,
    pub(super) accepted: u64,
    pub(super) rejected: u64,
}

impl Done {
    /// Of a chunk that was done in two rounds, the later one counts.
    fn of<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let mut latest = BTreeMap::<usize, DoneName>::new();
        for name in names.filter_map(DoneName::parse) {
            let known = latest.entry(name.chunk).or_insert(name);
            if name.second && !known.second {
                *known = name;
            }
        }
        latest.values().fold(Self::default(), |sum, name| Self {
            chunks: sum.chunks + 1,
            bytes: sum.bytes.saturating_add(name.bytes),
            accepted: sum.accepted.saturating_add(name.accepted),
            rejected: sum.rejected.saturating_add(name.rejected),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_chunk_counts_once_with_its_later_round() {
        let names =
            ["000000-1-100-9-1", "000001-2-50-3-2", "000001-1-50-4-1", "000002-1-7-1-0", "x", "1-2-3-4", "1-2-3-4-5-6"];
        let all = Done { chunks: 3, bytes: 157, accepted: 13, rejected: 3 };
        assert_eq!(Done::of(names.into_iter()), all);
        assert_eq!(Done::of(names.into_iter().rev()), all);
        assert_eq!(Done::of([].into_iter()), Done::default());
    }
}
