//! [`Files`] on one S3 bucket of the region. What lies where:
//!
//! - `input/JOB/NAME` an input,
//! - `runs/RUN.ATTEMPT/output.csv` and `…/rejects.csv` what an attempt left, written under these names only once it is whole and may be
//!   handed out; with `name` among its metadata, percent-encoded: what a person sees when they save it.

mod layout;
mod multipart;

pub(in crate::aws) use layout::decoded;
pub(super) use layout::disposition;
pub use layout::{NAME, artifact_key, input_prefix};
pub(in crate::aws) use multipart::{Multipart, Place};

use super::breaker::Breaker;
use super::errors::{Access, Failed};
use crate::domain::id::{FileName, JobName};
use crate::domain::run::{AttemptKey, Input};
use crate::ports::{Artifact, ArtifactKind, Clock, Files, Kind, PortError};
use async_trait::async_trait;
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::{AggregatedBytes, ByteStream};
use aws_sdk_s3::types::{EncodingType, Object};
use bytes::Bytes;
use jiff::Timestamp;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// S3 signs no address for longer.
const LONGEST_LIFE: Duration = Duration::from_hours(7 * 24);

/// An input of this size or more comes in parts: a part that broke off is sent again, and not everything.
const LARGE: usize = 16 << 20;
/// The size of a part.
const PART: usize = 8 << 20;

/// A job whose inputs lie in the bucket.
#[derive(Clone)]
pub struct S3Job {
    pub name: JobName,
    /// Which of the files there are its own.
    pub takes: Arc<dyn Fn(&str) -> bool + Send + Sync>,
}

/// The files of one region.
#[derive(Clone)]
pub struct S3Files {
    client: Client,
    bucket: String,
    /// What stands before the names of results: nothing, or `sandbox/q-7k3f/`.
    root: String,
    jobs: Arc<Vec<S3Job>>,
    breaker: Arc<Breaker>,
}

/// The way to the buckets of a region.
pub(in crate::aws) fn client(config: &SdkConfig) -> Client {
    // An emulator has no name for each bucket; with the real endpoints nothing changes.
    let config = aws_sdk_s3::config::Builder::from(config).force_path_style(config.endpoint_url().is_some()).build();
    Client::from_conf(config)
}

impl S3Files {
    pub fn new(config: &SdkConfig, bucket: &str, jobs: Vec<S3Job>, clock: &Arc<dyn Clock>) -> Self {
        let (client, root) = (client(config), String::new());
        Self { client, bucket: bucket.to_owned(), root, jobs: Arc::new(jobs), breaker: Breaker::new(clock) }
    }

    /// The same inputs, and results below a root of the bucket such as `sandbox/q-7k3f/`.
    #[must_use]
    pub fn under(&self, root: &str) -> Self {
        Self { root: root.to_owned(), ..self.clone() }
    }

    fn result_key(&self, key: &AttemptKey, kind: ArtifactKind) -> String {
        format!("{}{}", self.root, artifact_key(key, kind))
    }

    async fn put_whole(&self, key: &str, content: &[u8], doing: &str) -> Result<(), PortError> {
        let body = ByteStream::from(content.to_vec());
        let call = self.client.put_object().bucket(&self.bucket).key(key).if_none_match("*").body(body);
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(()),
            Err(failed) if failed.is("PreconditionFailed") => Err(PortError::new(Kind::Conflict, doing)),
            Err(failed) => Err(failed.port(Access::Write, doing)),
        }
    }

    async fn put_in_parts(&self, key: &str, content: &[u8], doing: &str) -> Result<(), PortError> {
        let at = Place { client: &self.client, breaker: &self.breaker, bucket: &self.bucket, key };
        let mut upload = Multipart::begin(at, HashMap::new(), doing).await?;
        let mut done = Ok(());
        for part in content.chunks(PART) {
            if done.is_ok() {
                done = upload.part(Bytes::copy_from_slice(part)).await;
            }
        }
        if done.is_ok() {
            done = upload.complete(true).await;
        }
        if done.is_err() {
            upload.abort().await;
        }
        done
    }

    fn job(&self, name: &JobName) -> Result<&S3Job, PortError> {
        let found = self.jobs.iter().find(|job| &job.name == name);
        found.ok_or_else(|| PortError::permanent(format!("there is no job {name} in the configuration")))
    }

    async fn list(&self, prefix: &str) -> Result<Vec<Object>, PortError> {
        let doing = "could not list the inputs";
        let (mut found, mut from) = (Vec::new(), None);
        loop {
            let call = self
                .client
                .list_objects_v2()
                .bucket(&self.bucket)
                .prefix(prefix)
                .delimiter("/")
                .encoding_type(EncodingType::Url)
                .set_continuation_token(from);
            let page = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
            found.extend(page.contents.into_iter().flatten());
            from = page.next_continuation_token;
            if from.is_none() {
                return Ok(found);
            }
        }
    }
}

#[async_trait]
impl Files for S3Files {
    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError> {
        let job = self.job(job)?;
        let prefix = input_prefix(&job.name);
        let mut found: Vec<(Option<i128>, Input)> = Vec::new();
        for object in self.list(&prefix).await? {
            let Some(input) = layout::input(&prefix, &object) else { continue };
            if (job.takes)(input.name.as_str()) {
                let changed = object.last_modified().map(aws_sdk_s3::primitives::DateTime::as_nanos);
                found.push((changed, input));
            }
        }
        found.sort_by(|(a, x), (b, y)| b.cmp(a).then_with(|| x.name.cmp(&y.name)));
        Ok(found.into_iter().map(|(_, input)| input).collect())
    }

    fn input_folder(&self, job: &JobName) -> String {
        format!("s3://{}/{}", self.bucket, input_prefix(job))
    }

    async fn put_input(&self, job: &JobName, name: &FileName, content: &[u8]) -> Result<(), PortError> {
        let key = format!("{}{name}", input_prefix(&self.job(job)?.name));
        let doing = format!("could not write {name}");
        let put = if content.len() < LARGE {
            self.put_whole(&key, content, &doing).await
        } else {
            self.put_in_parts(&key, content, &doing).await
        };
        put.map_err(|error| match error.kind {
            Kind::Conflict => {
                PortError::new(Kind::Conflict, format!("there is a file {name} already; give it another name"))
            }
            _ => error,
        })
    }

    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        let call = self.client.head_object().bucket(&self.bucket).key(self.result_key(key, kind));
        let head = match self.breaker.call(call.send()).await {
            // The answer to a HEAD has no body, so its code is made from its status.
            Err(failed) if failed.is("NotFound") || failed.is("NoSuchKey") => return Ok(None),
            head => head.map_err(|failed| failed.port(Access::Read, "could not look at a result"))?,
        };
        let name = layout::shown(key, kind, head.metadata());
        let bytes = head.content_length().and_then(|length| u64::try_from(length).ok()).unwrap_or(0);
        Ok(Some(Artifact { key: key.clone(), kind, name, bytes }))
    }

    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        let left = artifact.bytes.saturating_sub(offset).min(max as u64);
        if left == 0 {
            return Ok(Vec::new());
        }
        let doing = format!("could not read {}", artifact.name);
        let call = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.result_key(&artifact.key, artifact.kind))
            .range(format!("bytes={offset}-{}", offset + left - 1));
        let answer = self.breaker.call(call.send()).await;
        let answer = answer.map_err(|failed: Failed<_>| failed.port(Access::Read, &doing))?;
        let bytes = answer.body.collect().await;
        let broken = "the answer broke off; it can be tried again";
        bytes
            .map(AggregatedBytes::to_vec)
            .map_err(|error| PortError::transient(format!("{doing}: {broken}")).because(error))
    }

    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError> {
        let doing = format!("could not make a link to {}", artifact.name);
        let signed = PresigningConfig::builder().start_time(now.into()).expires_in(life.min(LONGEST_LIFE)).build();
        let signed = signed.map_err(|error| PortError::permanent(&*doing).because(error))?;
        let call = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(self.result_key(&artifact.key, artifact.kind))
            .response_content_type("text/csv; charset=utf-8")
            .response_content_disposition(layout::disposition(&artifact.name));
        // Nothing is sent: the address is worked out here, and lives no longer than the credentials it is signed with.
        let request =
            call.presigned(signed).await.map_err(|error| Failed::Sdk(Box::new(error)).port(Access::Read, &doing))?;
        Ok(request.uri().to_owned())
    }
}
