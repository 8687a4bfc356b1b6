//! Putting the parts together under a name that nobody sees yet: S3 copies what is large enough itself, small neighbours go through the
//! function's disk. The checksum of each part is that of its marker, or its chunk is done again.

use super::Worker;
use super::bucket::{checksum, stream};
use super::error::Halt;
use super::scratch::{Scratch, write_at};
use crate::aws::errors::Access;
use crate::batch::chunk::Written;
use crate::ports::PortError;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedPart};
use futures_util::future::try_join_all;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use std::path::{Path, PathBuf};

/// S3 takes no smaller part but as the last one.
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html>
const LEAST_PART: u64 = 5 << 20;
/// Parts that are copied or uploaded at once.
const AT_ONCE: usize = 8;
/// What stays as it is in a path: the source of a copy is one.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A chunk's share of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) chunk: usize,
    pub(super) key: String,
    pub(super) written: Written,
}

/// What becomes one part of the upload.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Copied(Segment),
    /// With these bytes before it.
    Gathered(Vec<u8>, Vec<Segment>),
}

/// A result that only lacks its name.
pub(super) enum Ready {
    /// A whole file on the function's disk.
    File(PathBuf, Written),
    /// Parts that S3 has.
    Upload { id: String, parts: Vec<CompletedPart>, bytes: u64 },
}

/// Why a result could not be assembled.
pub(super) enum AssembleError {
    /// The part of this chunk is not what its marker says.
    Damaged(usize),
    Halt(Halt),
}

impl<E: Into<Halt>> From<E> for AssembleError {
    fn from(error: E) -> Self {
        Self::Halt(error.into())
    }
}

/// Where a result goes: its key, and the name people see.
pub(super) struct Target {
    pub(super) key: String,
    pub(super) shown: String,
}

impl Target {
    /// The name as metadata can hold it.
    pub(super) fn metadata(&self) -> String {
        utf8_percent_encode(&self.shown, NON_ALPHANUMERIC).to_string()
    }
}

fn pieces(header: Vec<u8>, segments: impl IntoIterator<Item = Segment>) -> Vec<Piece> {
    let (mut pieces, mut before, mut open, mut bytes) = (Vec::new(), header, Vec::new(), 0);
    for segment in segments.into_iter().filter(|segment| segment.written.bytes > 0) {
        if before.is_empty() && open.is_empty() && segment.written.bytes >= LEAST_PART {
            pieces.push(Piece::Copied(segment));
            continue;
        }
        bytes += segment.written.bytes;
        open.push(segment);
        if before.len() as u64 + bytes >= LEAST_PART {
            pieces.push(Piece::Gathered(std::mem::take(&mut before), std::mem::take(&mut open)));
            bytes = 0;
        }
    }
    if !(before.is_empty() && open.is_empty()) {
        pieces.push(Piece::Gathered(before, open));
    }
    pieces
}

impl Worker {
    /// Assembles a header and all segments.
    pub(super) async fn assemble(
        &self,
        target: &Target,
        header: Vec<u8>,
        segments: Vec<Segment>,
        scratch: &Scratch,
    ) -> Result<Ready, AssembleError> {
        let bytes = header.len() as u64 + segments.iter().map(|segment| segment.written.bytes).sum::<u64>();
        let name = target.key.rsplit('/').next().unwrap_or_default();
        if bytes < LEAST_PART {
            let path = scratch.path(name);
            let written = self.gather(&header, &segments, &path).await?;
            return Ok(Ready::File(path, written));
        }
        let id = self.begin_upload(target).await?;
        let made = self.make_parts(target, &id, pieces(header, segments), scratch).await;
        match made {
            Ok(parts) => Ok(Ready::Upload { id, parts, bytes }),
            Err(error) => {
                self.abort(target, &id).await;
                Err(error)
            }
        }
    }

    async fn make_parts(
        &self,
        target: &Target,
        id: &str,
        pieces: Vec<Piece>,
        scratch: &Scratch,
    ) -> Result<Vec<CompletedPart>, AssembleError> {
        let numbered: Vec<_> = (1..).zip(pieces).collect();
        let mut parts = Vec::new();
        for some in numbered.chunks(AT_ONCE) {
            let made = some.iter().map(|(number, piece)| self.make_part(target, id, (*number, piece), scratch));
            parts.extend(try_join_all(made).await?);
        }
        Ok(parts)
    }

    async fn make_part(
        &self,
        target: &Target,
        id: &str,
        (number, piece): (i32, &Piece),
        scratch: &Scratch,
    ) -> Result<CompletedPart, AssembleError> {
        let (header, segments) = match piece {
            Piece::Copied(segment) => return self.copy_part(target, id, number, segment).await,
            Piece::Gathered(header, segments) => (header, segments),
        };
        let path = scratch.path(&format!("part.{number}"));
        let written = self.gather(header, segments, &path).await?;
        let part = self.upload_part(target, id, number, (&path, written)).await;
        // The disk holds some parts, not the result.
        let _ = std::fs::remove_file(&path);
        Ok(part?)
    }

    async fn begin_upload(&self, target: &Target) -> Result<String, Halt> {
        let call = self.bucket.client.create_multipart_upload().bucket(&self.bucket.name).key(&target.key);
        let call = call.metadata(crate::aws::files::NAME, target.metadata()).content_type("text/csv; charset=utf-8");
        // Then S3 says the checksum of what it has copied.
        let call = call.checksum_algorithm(ChecksumAlgorithm::Crc32).checksum_type(ChecksumType::FullObject);
        let doing = format!("could not begin to write {}", target.key);
        let begun = self.bucket.breaker.call(call.send()).await;
        let begun = begun.map_err(|failed| failed.port(Access::Write, &doing))?;
        Ok(begun.upload_id.ok_or_else(|| PortError::transient(format!("{doing}: S3 gave no upload id")))?)
    }

    async fn copy_part(
        &self,
        target: &Target,
        id: &str,
        number: i32,
        segment: &Segment,
    ) -> Result<CompletedPart, AssembleError> {
        let source = format!("{}/{}", self.bucket.name, segment.key);
        let call = self.bucket.client.upload_part_copy().bucket(&self.bucket.name).key(&target.key).upload_id(id);
        let call = call.part_number(number).copy_source(utf8_percent_encode(&source, PATH).to_string());
        let copied = match self.bucket.breaker.call(call.send()).await {
            Err(failed) if failed.is("NoSuchKey") => return Err(AssembleError::Damaged(segment.chunk)),
            copied => copied.map_err(|failed| {
                failed.port(Access::Write, &format!("could not copy chunk {} into the result", segment.chunk))
            })?,
        };
        let result =
            copied.copy_part_result.ok_or_else(|| PortError::transient("S3 did not say what it has copied"))?;
        if result.checksum_crc32.as_ref().is_some_and(|crc| *crc != checksum(segment.written.crc)) {
            return Err(AssembleError::Damaged(segment.chunk));
        }
        let part = CompletedPart::builder().part_number(number).set_e_tag(result.e_tag);
        Ok(part.set_checksum_crc32(result.checksum_crc32).build())
    }

    async fn upload_part(
        &self,
        target: &Target,
        id: &str,
        number: i32,
        (path, written): (&Path, Written),
    ) -> Result<CompletedPart, Halt> {
        let call = self.bucket.client.upload_part().bucket(&self.bucket.name).key(&target.key).upload_id(id);
        let call = call.part_number(number).checksum_crc32(checksum(written.crc)).body(stream(path).await?);
        let done = self.bucket.breaker.call(call.send()).await;
        let done = done.map_err(|failed| failed.port(Access::Write, &format!("could not write {}", target.key)))?;
        let part = CompletedPart::builder().part_number(number).set_e_tag(done.e_tag);
        Ok(part.checksum_crc32(checksum(written.crc)).build())
    }

    /// Writes a header and segments behind each other into a file.
    async fn gather(&self, header: &[u8], segments: &[Segment], path: &Path) -> Result<Written, AssembleError> {
        write_at(path, header, 0)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(header);
        let mut bytes = header.len() as u64;
        let mut placed = Vec::new();
        for segment in segments {
            placed.push((segment, bytes));
            bytes += segment.written.bytes;
            crc.combine(&crc32fast::Hasher::new_with_initial_len(segment.written.crc, segment.written.bytes));
        }
        for some in placed.chunks(AT_ONCE) {
            try_join_all(some.iter().map(|(segment, offset)| self.gather_one(segment, (path, *offset)))).await?;
        }
        Ok(Written { bytes, crc: crc.finalize() })
    }

    async fn gather_one(&self, segment: &Segment, to: (&Path, u64)) -> Result<(), AssembleError> {
        let brought = self.bucket.bring((&segment.key, 0, segment.written.bytes), None, to).await?;
        if brought == Some(segment.written) { Ok(()) } else { Err(AssembleError::Damaged(segment.chunk)) }
    }

    /// Lets go of an upload; what cannot be reached now, the bucket's rule for unfinished uploads removes.
    pub(super) async fn abort(&self, target: &Target, id: &str) {
        let call = self.bucket.client.abort_multipart_upload().bucket(&self.bucket.name).key(&target.key).upload_id(id);
        if let Err(failed) = self.bucket.breaker.call(call.send()).await {
            let error = failed.port(Access::Write, "could not abort an upload");
            tracing::warn!(%error, key = target.key, "an unfinished upload is left to the bucket's lifecycle rule");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn segments(bytes: &[u64]) -> Vec<Segment> {
        let written = |bytes| Written { bytes, crc: 0 };
        let segment = |(chunk, bytes): (usize, &u64)| Segment { chunk, key: String::new(), written: written(*bytes) };
        bytes.iter().enumerate().map(segment).collect()
    }

    /// The chunks of each piece; a copied one in a list of its own with a minus.
    fn cut(header: &str, bytes: &[u64]) -> Vec<String> {
        let name = |piece: Piece| match piece {
            Piece::Copied(segment) => format!("={}", segment.chunk),
            Piece::Gathered(header, segments) => {
                let chunks: Vec<_> = segments.iter().map(|segment| segment.chunk.to_string()).collect();
                format!("{}{}", String::from_utf8(header).unwrap(), chunks.join("+"))
            }
        };
        pieces(header.as_bytes().to_vec(), segments(bytes)).into_iter().map(name).collect()
    }

    #[test]
    fn large_parts_are_copied_and_small_neighbours_gathered() {
        let (large, small) = (LEAST_PART, LEAST_PART - 1);
        assert_eq!(cut("", &[large, large]), ["=0", "=1"]);
        assert_eq!(cut("h:", &[large, large, small]), ["h:0", "=1", "2"]);
        assert_eq!(cut("h:", &[small, large, large]), ["h:0+1", "=2"]);
        assert_eq!(cut("", &[1, 0, small, large, 1, 2]), ["0+2", "=3", "4+5"]);
        assert_eq!(cut("h:", &[]), ["h:"]);
        assert_eq!(cut("", &[0, 0]), Vec::<String>::new());
    }

    #[test]
    fn only_the_last_part_is_ever_too_small() {
        let sizes = [1, 0, LEAST_PART - 1, LEAST_PART, 17, LEAST_PART * 3, 2 << 20, 4 << 20];
        for shift in 0..sizes.len() {
            for length in 0..=sizes.len() {
                let bytes: Vec<_> = sizes.iter().cycle().skip(shift).take(length).copied().collect();
                let all = pieces(b"header".to_vec(), segments(&bytes));
                let size = |piece: &Piece| match piece {
                    Piece::Copied(segment) => segment.written.bytes,
                    Piece::Gathered(header, segments) => {
                        header.len() as u64 + segments.iter().map(|segment| segment.written.bytes).sum::<u64>()
                    }
                };
                assert_eq!(all.iter().map(size).sum::<u64>(), 6 + bytes.iter().sum::<u64>());
                assert!(all.iter().rev().skip(1).all(|piece| size(piece) >= LEAST_PART), "{bytes:?}");
            }
        }
    }
}
