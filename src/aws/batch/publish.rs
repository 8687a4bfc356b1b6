//! Giving results their names, under the publish lease: rejects, output, the list of chunks, the summary, in this order. Each call ends
//! before the lease does.

use super::Worker;
use super::assemble::{Ready, Target};
use super::bucket::{checksum, stream};
use super::error::Halt;
use super::layout::Place;
use super::lease::Leave;
use crate::aws::errors::Access;
use crate::batch::earlier::Manifest;
use crate::batch::ledger::Request;
use crate::batch::{self, MANIFEST, Summary, durable};
use crate::ports::PortError;
use aws_config::timeout::TimeoutConfig;
use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::CompletedMultipartUpload;
use jiff::Timestamp;
use std::time::Duration;

/// What is published of an attempt.
pub(super) struct Results {
    /// In the order in which they get their names.
    pub(super) files: Vec<(Target, Ready)>,
    pub(super) manifest: Manifest,
    pub(super) summary: Summary,
}

/// What is left of the lease for clocks that go wrong and for an answer on its way.
const MARGIN: Duration = Duration::from_secs(5);
/// No call takes longer, with all its tries.
const LONGEST: Duration = Duration::from_secs(30);

impl Worker {
    pub(super) async fn publish(&self, place: &Place, request: &Request, results: Results) -> Result<(), Halt> {
        // A drill's sandbox is nobody's result, and what was not begun in a region may be published in none.
        let until = match (&request.region, request.epoch) {
            _ if place.is_sandboxed() => None,
            (Some(region), Some(epoch)) => match self.lease.take(&place.key, region, epoch).await {
                Ok(Leave::Until(until)) => Some(until),
                Ok(Leave::Over(why)) => {
                    self.drop_results(&results).await;
                    return Err(Halt::Mistake(format!("the result was not published, it is kept aside: {why}")));
                }
                Err(error) => {
                    self.drop_results(&results).await;
                    return Err(error.into());
                }
            },
            _ => return Err(Halt::Mistake("it was asked for without a region and an epoch".to_owned())),
        };
        // Where a call fails, it may be under way still: then the lease runs out by itself.
        self.name_all(place, &results, until).await?;
        if until.is_some()
            && let Err(error) = self.lease.release(&place.key).await
        {
            tracing::warn!(attempt = %place.key, %error, "a publish lease was not given back; it runs out by itself");
        }
        Ok(())
    }

    async fn name_all(&self, place: &Place, results: &Results, until: Option<Timestamp>) -> Result<(), Halt> {
        for (target, ready) in &results.files {
            match ready {
                Ready::File(path, written) => {
                    let crc = Some(checksum(written.crc));
                    self.put_within(until, &target.key, (stream(path).await?, crc), Some(target)).await?;
                }
                Ready::Upload { id, parts, bytes } => {
                    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
                    let call = self.bucket.client.complete_multipart_upload().bucket(&self.bucket.name);
                    let call = call.key(&target.key).upload_id(id).multipart_upload(parts);
                    let call = call.set_mpu_object_size(i64::try_from(*bytes).ok());
                    let call = call.customize().config_override(self.limits(until)?);
                    let doing = format!("could not complete {}", target.key);
                    let done = self.bucket.breaker.call(call.send()).await;
                    done.map_err(|failed| failed.port(Access::Write, &doing))?;
                }
            }
        }
        for (name, text) in
            [(MANIFEST, durable::json(&results.manifest)?), (batch::SUMMARY, durable::json(&results.summary)?)]
        {
            self.put_within(until, &place.at(name), (ByteStream::from(text), None), None).await?;
        }
        Ok(())
    }

    async fn put_within(
        &self,
        until: Option<Timestamp>,
        key: &str,
        (body, crc): (ByteStream, Option<String>),
        shown: Option<&Target>,
    ) -> Result<(), Halt> {
        let call = self.bucket.client.put_object().bucket(&self.bucket.name).key(key).body(body);
        let call = call.set_checksum_crc32(crc);
        let call = match shown {
            Some(target) => {
                call.metadata(crate::aws::files::NAME, target.metadata()).content_type("text/csv; charset=utf-8")
            }
            None => call,
        };
        let call = call.customize().config_override(self.limits(until)?);
        let done = self.bucket.breaker.call(call.send()).await;
        done.map_err(|failed| failed.port(Access::Write, &format!("could not write {key}")))?;
        Ok(())
    }

    /// How long the next call may take; an error when the lease has run out.
    fn limits(&self, until: Option<Timestamp>) -> Result<Builder, Halt> {
        let left = match until {
            None => LONGEST,
            Some(until) => {
                let left = Duration::try_from(until.duration_since(self.clock.now())).unwrap_or_default();
                left.saturating_sub(MARGIN).min(LONGEST)
            }
        };
        if left.is_zero() {
            return Err(PortError::transient("the publish lease ran out before everything had its name").into());
        }
        let limits = TimeoutConfig::builder().operation_timeout(left).operation_attempt_timeout(left).build();
        Ok(Builder::new().timeout_config(limits))
    }

    /// Lets go of what is not published.
    pub(super) async fn drop_results(&self, results: &Results) {
        for (target, ready) in &results.files {
            self.drop_ready(target, ready).await;
        }
    }

    pub(super) async fn drop_ready(&self, target: &Target, ready: &Ready) {
        if let Ready::Upload { id, .. } = ready {
            self.abort(target, id).await;
        }
    }
}
