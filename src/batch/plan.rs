//! Cutting a file into chunks: byte ranges that begin and end where records do.
use super::control::{Control, Phase};
use super::error::BatchError;
use super::job::Job;
use super::records::{Head, Records, Shape};
use super::split::Cell;
use serde::{Deserialize, Serialize};
use std::io::Read;

/// What will be done with one input, fixed before the first row is processed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub version: u32,
    /// The job's fingerprint.
    pub job: String,
    /// Names of the output columns.
    pub columns: Vec<String>,
    /// How the output is written.
    pub dialect: serde_json::Value,
    /// Size of the input.
    pub bytes: u64,
    /// Lines of the input.
    pub lines: u64,
    pub chunks: Vec<Chunk>,
}

/// A byte range of the input. Its checksum pins the content: a changed input is noticed when the chunk is read,
/// without reading the file once more at every resume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chunk {
    pub index: usize,
    pub start: u64,
    pub bytes: u64,
    /// The line on which its first record begins, counted from 1.
    pub first_line: u64,
    pub crc: u32,
}

/// The version of the stored plan.
pub const VERSION: u32 = 1;

impl Plan {
    /// Bytes of all chunks: the input without its header.
    pub fn data_bytes(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.bytes).sum()
    }

    /// Whether the job is still the one it was made for.
    pub(crate) fn check(&self, job: &Job) -> Result<(), BatchError> {
        if self.version != VERSION {
            return Err(BatchError::State(format!("its plan is of version {}, this is {VERSION}", self.version)));
        }
        if self.job == job.fingerprint() { Ok(()) } else { Err(BatchError::JobChanged) }
    }

    /// Whether the input is as long as it was.
    pub(crate) fn check_size(&self, size: u64) -> Result<(), BatchError> {
        if self.bytes == size {
            return Ok(());
        }
        Err(BatchError::InputChanged(format!("{} bytes then, {size} now", self.bytes)))
    }

    /// Reads an input once and cuts it; the header is checked on the way.
    pub fn make<R: Read>(job: &Job, input: R, control: &Control) -> Result<Self, BatchError> {
        Self::make_and_tell(job, input, control, &mut |_| {})
    }

    /// The same; `tell` hears of every chunk as soon as it is known.
    pub(crate) fn make_and_tell<R: Read>(
        job: &Job,
        input: R,
        control: &Control,
        tell: &mut dyn FnMut(Chunk),
    ) -> Result<Self, BatchError> {
        control.enter(Phase::Planning);
        let mut records = Records::new(input, job.reading, 0, 1);
        let mut offset = begin(job, &mut records)?;
        let mut chunks = Vec::new();
        let mut add = |chunk, chunks: &mut Vec<_>| {
            tell(chunk);
            chunks.push(chunk);
        };
        let mut open = Open::at(offset, records.next_line());
        loop {
            let failed = BatchError::stream("read the input");
            let left = job.spec.chunk_bytes.saturating_sub(offset - open.start);
            let leapt = records.leap(left).map_err(failed)?.map(|bytes| open.crc.update(bytes)).is_some();
            let mut whole = true;
            if !leapt {
                let Some(head) = records.advance().map_err(BatchError::stream("read the input"))? else { break };
                open.crc.update(records.whole(&head));
                whole = !matches!(head.shape, Shape::Torn { last: false, .. });
            }
            offset = records.next_offset();
            if whole && offset - open.start >= job.spec.chunk_bytes {
                add(open.close(chunks.len(), offset), &mut chunks);
                open = Open::at(offset, records.next_line());
            }
            if control.is_cancelled() {
                return Err(BatchError::Cancelled);
            }
        }
        if offset > open.start {
            add(open.close(chunks.len(), offset), &mut chunks);
        }
        let (job_print, columns) = (job.fingerprint().to_owned(), job.output_columns().to_vec());
        let dialect = serde_json::json!(job.spec.dialect);
        let lines = records.next_line() - 1;
        Ok(Self { version: VERSION, job: job_print, columns, dialect, bytes: offset, lines, chunks })
    }
}

struct Open {
    start: u64,
    first_line: u64,
    crc: crc32fast::Hasher,
}

impl Open {
    fn at(start: u64, first_line: u64) -> Self {
        Self { start, first_line, crc: crc32fast::Hasher::new() }
    }

    fn close(self, index: usize, end: u64) -> Chunk {
        let Self { start, first_line, crc } = self;
        Chunk { index, start, bytes: end - start, first_line, crc: crc.finalize() }
    }
}

/// What files begin with that are no CSV in UTF-8, and what they are.
const NOT_TEXT: [(&[u8], &str); 5] = [
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"\x1f\x8b", "packed with gzip"),
    (b"PK\x03\x04", "a ZIP archive or a spreadsheet"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd"),
];

/// Passes over the byte order mark and the header; returns where the data begins.
fn begin<R: Read>(job: &Job, records: &mut Records<R>) -> Result<u64, BatchError> {
    let failed = BatchError::stream("read the input");
    let mut prefix = || -> std::io::Result<Result<u64, &'static str>> {
        for (mark, name) in NOT_TEXT {
            if records.skip_prefix(mark)? {
                return Ok(Err(name));
            }
        }
        Ok(Ok(if records.skip_prefix(super::BOM)? { super::BOM.len() as u64 } else { 0 }))
    };
    let start = prefix().map_err(failed)?.map_err(BatchError::Encoding)?;
    if !job.spec.dialect.header {
        return Ok(start);
    }
    let head = records.advance().map_err(BatchError::stream("read the input"))?.ok_or(BatchError::EmptyInput)?;
    job.check_header(&names(job, &head, records)?).map_err(BatchError::Header)?;
    Ok(head.offset + head.len as u64)
}

fn names<R: Read>(job: &Job, head: &Head, records: &Records<R>) -> Result<Vec<String>, BatchError> {
    if matches!(head.shape, Shape::Torn { .. }) {
        return Err(BatchError::Header("a quote is opened and never closed, or the line is too long".to_owned()));
    }
    let (body, mut scratch) = (records.body(head), Vec::new());
    let text = |cell: &Cell| String::from_utf8_lossy(job.reading.syntax.value(body, *cell, &mut scratch)).into_owned();
    Ok(records.cells().iter().map(text).collect())
}
