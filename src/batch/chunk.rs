//! Processing one chunk: every row of it goes to the output part or to the rejects part, in order.
use super::control::{Control, Counted, Step};
use super::earlier::EarlierRows;
use super::error::BatchError;
use super::job::Job;
use super::keys::{Duplicate, KeySink};
use super::plan::Chunk;
use super::reason::Reason;
use super::records::{Head, Records, Shape};
use super::rows::{Examiner, Refusal, Row};
use serde::{Deserialize, Serialize};
use std::io::{Read, Write};

/// What a finished chunk has to say of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    pub counted: Counted,
    pub output: Written,
    pub rejects: Written,
}

/// Size and checksum of what was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub bytes: u64,
    pub crc: u32,
}

/// Where a chunk's rows go.
pub struct Sinks<'a> {
    pub output: &'a mut dyn Write,
    pub rejects: &'a mut dyn Write,
    /// Keys of accepted rows, for a job with unique columns.
    pub keys: Option<&'a mut KeySink>,
}

/// What a chunk is processed with, besides its own bytes.
#[derive(Default)]
pub struct Given<'a> {
    /// Rows of this chunk whose key an earlier row has, by line.
    pub duplicates: &'a [Duplicate],
    /// The result of an earlier attempt: only its rejects are looked at again.
    pub earlier: Option<EarlierRows>,
    /// The rows were counted before: the control does not hear of them again.
    pub uncounted: bool,
}

/// After so many rows, counters and cancel are looked at.
const ROWS: u64 = 1024;
const BUFFER: usize = 128 * 1024;

/// Processes a chunk. `input` begins with the chunk's first byte and ends with its last.
pub fn process(
    job: &Job,
    chunk: &Chunk,
    input: impl Read,
    sinks: Sinks<'_>,
    given: Given<'_>,
    control: &Control,
) -> Result<Done, BatchError> {
    let input = super::durable::CheckedReader::new(input.take(chunk.bytes));
    let records = Records::new(input, job.reading, chunk.start, chunk.first_line);
    // Rows that an earlier attempt has accepted are only carried over: nothing needs to be spared.
    let pace = job.spec.max_rows_per_second.filter(|_| given.earlier.is_none());
    let mut pass = Pass {
        examiner: Examiner::new(job),
        output: Sink::new(sinks.output),
        rejects: Sink::new(sinks.rejects),
        keys: sinks.keys,
        given,
        told: Counted::default(),
        fresh: Counted::default(),
    };
    let tick = pace.map_or(ROWS, |pace| u64::from(pace / 20).clamp(1, ROWS));
    let outcome = pass.run(records, chunk, tick, control, pace);
    if outcome.is_err() && !pass.given.uncounted {
        control.forget(&pass.told);
    }
    outcome
}

struct Pass<'a> {
    examiner: Examiner<'a>,
    output: Sink<'a>,
    rejects: Sink<'a>,
    keys: Option<&'a mut KeySink>,
    given: Given<'a>,
    /// What the control knows, and what it does not know yet.
    told: Counted,
    fresh: Counted,
}

impl Pass<'_> {
    fn run<R: Read>(
        &mut self,
        mut records: Records<super::durable::CheckedReader<R>>,
        chunk: &Chunk,
        tick: u64,
        control: &Control,
        pace: Option<u32>,
    ) -> Result<Done, BatchError> {
        let mut rows = 0;
        while let Some(head) = records.advance().map_err(BatchError::stream("read the input"))? {
            self.fresh.bytes += head.len as u64;
            self.row(&head, Row { body: records.body(&head), cells: records.cells() })?;
            rows += 1;
            if rows % tick == 0 {
                if control.is_cancelled() {
                    return Err(BatchError::Cancelled);
                }
                self.tell(control);
                if let Some(pace) = pace {
                    control.pace(tick, pace);
                }
            }
        }
        if let Some(earlier) = &mut self.given.earlier {
            earlier.finish()?;
        }
        self.tell(control);
        if control.is_cancelled() {
            return Err(BatchError::Cancelled);
        }
        if self.told.bytes != chunk.bytes || records.into_input().crc() != chunk.crc {
            return Err(BatchError::InputChanged(format!("at byte {}", chunk.start)));
        }
        Ok(Done { counted: self.told, output: self.output.finish()?, rejects: self.rejects.finish()? })
    }

    fn tell(&mut self, control: &Control) {
        if !self.given.uncounted {
            control.count(&self.fresh);
        }
        self.told.merge(&std::mem::take(&mut self.fresh));
        control.step(Step::Rows);
    }

    fn row(&mut self, head: &Head, row: Row<'_>) -> Result<(), BatchError> {
        if let Shape::Torn { first, last, .. } = head.shape {
            return self.torn(head, row, first, last);
        }
        let kept = match &mut self.given.earlier {
            Some(earlier) => earlier.accepted(head.line)?,
            None => false,
        };
        let mut verdict = if kept { Ok(()) } else { self.examiner.examine(row, head.shape) };
        if verdict.is_ok() {
            verdict = self.check_duplicate(head.line);
            if let Some(keys) = &mut self.keys {
                keys.add(&mut self.examiner, row, head.line);
            }
        }
        match verdict {
            Ok(()) => {
                match &mut self.given.earlier {
                    Some(earlier) if kept => self.output.buffer.extend_from_slice(earlier.output()),
                    _ => self.examiner.write_row(row, &mut self.output.buffer),
                }
                self.fresh.accepted += 1;
            }
            Err(refusal) => {
                self.examiner.write_reject(head.line, refusal, row, &mut self.rejects.buffer);
                self.rejects.buffer.extend_from_slice(row.body);
                self.end_reject(refusal.reason, row.body);
            }
        }
        self.output.drain()?;
        self.rejects.drain()
    }

    fn end_reject(&mut self, reason: Reason, body: &[u8]) {
        // A row that ends in CR keeps it only before a whole CRLF.
        let newline = if body.last() == Some(&b'\r') { b"\r\n" } else { self.examiner.job.spec.dialect.newline() };
        self.rejects.buffer.extend_from_slice(newline);
        self.fresh.rejected.add(reason);
    }

    fn check_duplicate(&mut self, line: u64) -> Result<(), Refusal> {
        let passed = self.given.duplicates.iter().take_while(|duplicate| duplicate.line < line).count();
        self.given.duplicates = &self.given.duplicates[passed..];
        match self.given.duplicates.first() {
            Some(duplicate) if duplicate.line == line => {
                let field = Some(duplicate.field);
                Err(Refusal { reason: Reason::DuplicateKey, field, cell: field })
            }
            _ => Ok(()),
        }
    }

    /// A line that is no record is not valid CSV either: it goes to the rejects as one quoted cell.
    fn torn(&mut self, head: &Head, row: Row<'_>, first: bool, last: bool) -> Result<(), BatchError> {
        let syntax = self.examiner.job.reading.syntax;
        let quote = syntax.quote.as_slice();
        if let (true, Err(refusal)) = (first, self.examiner.examine(row, head.shape)) {
            if let Some(earlier) = &mut self.given.earlier {
                earlier.accepted(head.line)?;
            }
            self.examiner.write_reject(head.line, refusal, row, &mut self.rejects.buffer);
            self.rejects.buffer.extend_from_slice(quote);
            self.fresh.rejected.add(refusal.reason);
        }
        syntax.double(row.body, &mut self.rejects.buffer);
        if last {
            self.rejects.buffer.extend_from_slice(quote);
            self.rejects.buffer.extend_from_slice(self.examiner.job.spec.dialect.newline());
        }
        self.rejects.drain()
    }
}

struct Sink<'a> {
    to: &'a mut dyn Write,
    buffer: Vec<u8>,
    bytes: u64,
    crc: crc32fast::Hasher,
}

impl<'a> Sink<'a> {
    fn new(to: &'a mut dyn Write) -> Self {
        Self { to, buffer: Vec::with_capacity(BUFFER + BUFFER / 4), bytes: 0, crc: crc32fast::Hasher::new() }
    }

    fn drain(&mut self) -> Result<(), BatchError> {
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), BatchError> {
        self.crc.update(&self.buffer);
        self.bytes += self.buffer.len() as u64;
        self.to.write_all(&self.buffer).map_err(BatchError::stream("write a part"))?;
        self.buffer.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<Written, BatchError> {
        self.flush()?;
        Ok(Written { bytes: self.bytes, crc: self.crc.clone().finalize() })
    }
}
