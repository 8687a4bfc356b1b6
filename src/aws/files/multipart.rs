//! An object that comes in parts: what is too large for one call, and copies of it. Nothing of it is seen before it is complete.

use crate::aws::breaker::Breaker;
use crate::aws::errors::{Access, Failed};
use crate::aws::random;
use crate::ports::{Kind, PortError};
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart};
use bytes::Bytes;
use std::collections::HashMap;

/// The metadata of an object that tells which upload made it.
const UPLOAD: &str = "upload";

/// Where an object lies, and the way to it.
#[derive(Clone, Copy)]
pub(in crate::aws) struct Place<'a> {
    pub(in crate::aws) client: &'a Client,
    pub(in crate::aws) breaker: &'a Breaker,
    pub(in crate::aws) bucket: &'a str,
    pub(in crate::aws) key: &'a str,
}

/// An upload under way. Whoever does not complete it aborts it, or its parts would be stored and paid for.
pub(in crate::aws) struct Multipart<'a> {
    at: Place<'a>,
    doing: String,
    id: String,
    stamp: String,
    parts: Vec<CompletedPart>,
}

impl<'a> Multipart<'a> {
    /// `doing` says what is tried, such as `could not write may.csv`.
    pub(in crate::aws) async fn begin(
        at: Place<'a>,
        mut metadata: HashMap<String, String>,
        doing: &str,
    ) -> Result<Self, PortError> {
        let stamp = format!("{:x}", random::number());
        metadata.insert(UPLOAD.to_owned(), stamp.clone());
        let call = at
            .client
            .create_multipart_upload()
            .bucket(at.bucket)
            .key(at.key)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .set_metadata(Some(metadata));
        let begun = at.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Write, doing))?;
        let id = begun.upload_id.ok_or_else(|| PortError::permanent(format!("{doing}: S3 named no upload")))?;
        Ok(Self { at, doing: doing.to_owned(), id, stamp, parts: Vec::new() })
    }

    fn next(&self) -> i32 {
        i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX)
    }

    /// The next part; each but the last has at least 5 MiB (an S3 quota).
    pub(in crate::aws) async fn part(&mut self, content: Bytes) -> Result<(), PortError> {
        let number = self.next();
        let call = self
            .at
            .client
            .upload_part()
            .bucket(self.at.bucket)
            .key(self.at.key)
            .upload_id(&self.id)
            .part_number(number)
            .checksum_algorithm(ChecksumAlgorithm::Crc32)
            .body(ByteStream::from(content));
        let done = self.at.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Write, &self.doing))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(done.e_tag);
        self.parts.push(part.set_checksum_crc32(done.checksum_crc32).build());
        Ok(())
    }

    /// The next part is a range of another object (`BUCKET/KEY`, percent-encoded), copied where it lies.
    pub(in crate::aws) async fn copied(&mut self, source: &str, first: u64, last: u64) -> Result<(), PortError> {
        let number = self.next();
        let call = self
            .at
            .client
            .upload_part_copy()
            .bucket(self.at.bucket)
            .key(self.at.key)
            .upload_id(&self.id)
            .part_number(number)
            .copy_source(source)
            .copy_source_range(format!("bytes={first}-{last}"));
        let done = self.at.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Write, &self.doing))?;
        let done = done.copy_part_result.unwrap_or_else(|| aws_sdk_s3::types::CopyPartResult::builder().build());
        let part = CompletedPart::builder().part_number(number).set_e_tag(done.e_tag);
        self.parts.push(part.set_checksum_crc32(done.checksum_crc32).build());
        Ok(())
    }

    /// Makes the object of the parts. `Conflict`: it was to be `new`, and there is one already; the upload is still to be aborted.
    pub(in crate::aws) async fn complete(&self, new: bool) -> Result<(), PortError> {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(self.parts.clone())).build();
        let call = self
            .at
            .client
            .complete_multipart_upload()
            .bucket(self.at.bucket)
            .key(self.at.key)
            .upload_id(&self.id)
            .set_if_none_match(new.then(|| "*".to_owned()))
            .multipart_upload(parts);
        let Err(failed) = self.at.breaker.call(call.send()).await else { return Ok(()) };
        let taken = failed.is("PreconditionFailed");
        // The answer to an earlier try of this call may have been lost: then the object is there, and it is ours.
        if (taken || failed.is("NoSuchUpload")) && self.is_there().await? {
            return Ok(());
        }
        if taken {
            return Err(PortError::new(Kind::Conflict, format!("{}: there is one already", self.doing)));
        }
        Err(failed.port(Access::Write, &self.doing))
    }

    async fn is_there(&self) -> Result<bool, PortError> {
        let call = self.at.client.head_object().bucket(self.at.bucket).key(self.at.key);
        match self.at.breaker.call(call.send()).await {
            Ok(head) => Ok(head.metadata().and_then(|metadata| metadata.get(UPLOAD)) == Some(&self.stamp)),
            Err(failed) if failed.is("NotFound") => Ok(false),
            Err(failed) => Err(failed.port(Access::Read, &self.doing)),
        }
    }

    /// Throws the parts away. Where that fails, the bucket's rule for uploads that were never completed does it.
    pub(in crate::aws) async fn abort(self) {
        let call = self.at.client.abort_multipart_upload().bucket(self.at.bucket).key(self.at.key).upload_id(&self.id);
        if let Err(failed) = self.at.breaker.call(call.send()).await {
            let error: PortError = Failed::port(failed, Access::Write, "could not throw away parts of an upload");
            tracing::warn!(%error, key = self.at.key, "an upload was left unfinished");
        }
    }
}
