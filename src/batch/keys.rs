//! Unique columns over a whole file, whatever its size: every chunk leaves its keys sorted, the sorted runs are
//! merged as streams, and the chunks that hold a later row with the same key are told which rows these are.
//!
//! The first row in the file that is good otherwise keeps the key. Values are compared as they are written.
use super::durable::CheckedReader;
use super::error::BatchError;
use super::job::Job;
use super::rows::{Examiner, Row};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// A row whose key an earlier row has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duplicate {
    pub line: u64,
    /// The (first) field of the key.
    pub field: usize,
}

/// The unique keys of a job: its primary key and every unique field.
pub(crate) fn unique_keys(job: &Job) -> Vec<Vec<usize>> {
    let schema = &job.schema;
    let primary = Some(schema.primary_key.clone()).filter(|key| !key.is_empty());
    let unique = schema.fields.iter().enumerate().filter(|(_, field)| field.unique).map(|(index, _)| vec![index]);
    let mut keys: Vec<_> = primary.into_iter().chain(unique).collect();
    keys.dedup();
    keys
}

/// Whether a second round may be needed.
pub(crate) fn has_unique(job: &Job) -> bool {
    !unique_keys(job).is_empty()
}

/// Collects the keys of one chunk.
#[derive(Debug)]
pub struct KeySink {
    keys: Vec<Vec<usize>>,
    missing: Vec<String>,
    arena: Vec<u8>,
    found: Vec<Found>,
}

#[derive(Debug, Clone, Copy)]
struct Found {
    key: u8,
    start: usize,
    end: usize,
    line: u64,
}

impl KeySink {
    /// `None` for a job without unique columns.
    pub fn for_job(job: &Job) -> Option<Self> {
        let keys = unique_keys(job);
        let missing = job.schema.missing.clone();
        (!keys.is_empty()).then(|| Self { keys, missing, arena: Vec::new(), found: Vec::new() })
    }

    pub(crate) fn add(&mut self, examiner: &mut Examiner<'_>, row: Row<'_>, line: u64) {
        for (number, fields) in (0..).zip(&self.keys) {
            let start = self.arena.len();
            let mut nothing = true;
            for &field in fields {
                let value = examiner.value(row, field);
                nothing &= self.missing.iter().any(|missing| missing.as_bytes() == value);
                if fields.len() > 1 {
                    self.arena.extend_from_slice(&value.len().to_le_bytes());
                }
                self.arena.extend_from_slice(value);
            }
            if nothing {
                self.arena.truncate(start);
            } else {
                self.found.push(Found { key: number, start, end: self.arena.len(), line });
            }
        }
    }

    /// Writes the keys in order.
    pub(crate) fn write(mut self, chunk: usize, path: &Path) -> Result<super::chunk::Written, BatchError> {
        let Self { arena, found, .. } = &mut self;
        found.sort_unstable_by(|a, b| {
            (a.key, &arena[a.start..a.end], a.line).cmp(&(b.key, &arena[b.start..b.end], b.line))
        });
        let failed = || BatchError::io("write", path);
        let file = File::create(path).map_err(failed())?;
        let mut run = RunWriter { to: BufWriter::new(file), crc: crc32fast::Hasher::new(), bytes: 0, row: Vec::new() };
        for f in found.iter() {
            run.put(&Entry { key: f.key, text: arena[f.start..f.end].to_vec(), line: f.line, chunk })
                .map_err(failed())?;
        }
        run.to.flush().map_err(failed())?;
        Ok(super::chunk::Written { bytes: run.bytes, crc: run.crc.finalize() })
    }
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    key: u8,
    text: Vec<u8>,
    line: u64,
    chunk: usize,
}

struct RunWriter<W> {
    to: W,
    crc: crc32fast::Hasher,
    bytes: u64,
    row: Vec<u8>,
}

impl<W: Write> RunWriter<W> {
    fn put(&mut self, entry: &Entry) -> io::Result<()> {
        self.row.clear();
        self.row.push(entry.key);
        self.row.extend_from_slice(&(entry.text.len() as u64).to_le_bytes());
        self.row.extend_from_slice(&entry.line.to_le_bytes());
        self.row.extend_from_slice(&(entry.chunk as u64).to_le_bytes());
        self.row.extend_from_slice(&entry.text);
        self.crc.update(&self.row);
        self.bytes += self.row.len() as u64;
        self.to.write_all(&self.row)
    }
}

/// A sorted run on disk, and the checksum it must have where one is known.
pub(crate) struct Run {
    pub(crate) path: PathBuf,
    pub(crate) crc: Option<u32>,
    /// The chunk it comes from; of no meaning for a run that was merged from others.
    pub(crate) chunk: usize,
}

struct RunReader {
    from: CheckedReader<BufReader<File>>,
    crc: Option<u32>,
}

/// Why runs could not be merged.
pub(crate) enum RunError {
    /// The run of this chunk is not what was written.
    Damaged(usize),
    Failed(BatchError),
}

impl RunReader {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut head = [0; 25];
        match self.from.read_exact(&mut head[..1]) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(None),
            other => other?,
        }
        self.from.read_exact(&mut head[1..])?;
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| head[at + i]));
        let mut text = Vec::new();
        let length = number(1);
        if (&mut self.from).take(length).read_to_end(&mut text)? as u64 != length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let chunk = usize::try_from(number(17)).map_err(|_| ErrorKind::InvalidData)?;
        Ok(Some(Entry { key: head[0], text, line: number(9), chunk }))
    }
}

/// At most so many runs are open at once.
const OPEN: usize = 64;

/// Finds the duplicates of all runs; `found` gets chunk and duplicate.
pub(crate) fn duplicates(
    job: &Job,
    mut runs: Vec<Run>,
    dir: &Path,
    found: &mut dyn FnMut(usize, Duplicate) -> Result<(), BatchError>,
) -> Result<(), RunError> {
    let keys = unique_keys(job);
    let mut level = 0;
    while runs.len() > OPEN {
        let mut larger = Vec::new();
        for (number, group) in runs.chunks(OPEN).enumerate() {
            let path = dir.join(format!("merged-{level}-{number}.keys"));
            let failed = || BatchError::io("write", &path);
            let file = File::create(&path).map_err(failed()).map_err(RunError::Failed)?;
            let to = BufWriter::new(file);
            let mut run = RunWriter { to, crc: crc32fast::Hasher::new(), bytes: 0, row: Vec::new() };
            merge(group, &mut |entry| run.put(&entry).map_err(failed()))?;
            run.to.flush().map_err(failed()).map_err(RunError::Failed)?;
            let crc = Some(run.crc.finalize());
            larger.push(Run { path, crc, chunk: group[0].chunk });
        }
        runs = larger;
        level += 1;
    }
    let mut last: Option<Entry> = None;
    merge(&runs, &mut |entry| {
        if last.as_ref().is_some_and(|last| (last.key, &last.text) == (entry.key, &entry.text)) {
            let duplicate = Duplicate { line: entry.line, field: keys[usize::from(entry.key)][0] };
            return found(entry.chunk, duplicate);
        }
        last = Some(entry);
        Ok(())
    })
}

fn merge(runs: &[Run], each: &mut dyn FnMut(Entry) -> Result<(), BatchError>) -> Result<(), RunError> {
    let mut readers = Vec::new();
    for run in runs {
        let file = File::open(&run.path).map_err(|_| RunError::Damaged(run.chunk))?;
        readers.push(RunReader { from: CheckedReader::new(BufReader::new(file)), crc: run.crc });
    }
    let mut heap = BinaryHeap::new();
    let next = |at: usize, readers: &mut Vec<RunReader>| -> Result<Option<Entry>, RunError> {
        let reader = &mut readers[at];
        let entry = reader.next().map_err(|_| RunError::Damaged(runs[at].chunk))?;
        let whole = entry.is_some() || reader.crc.is_none_or(|crc| reader.from.crc() == crc);
        if whole { Ok(entry) } else { Err(RunError::Damaged(runs[at].chunk)) }
    };
    for at in 0..readers.len() {
        heap.extend(next(at, &mut readers)?.map(|entry| Reverse((entry, at))));
    }
    while let Some(Reverse((entry, at))) = heap.pop() {
        each(entry).map_err(RunError::Failed)?;
        heap.extend(next(at, &mut readers)?.map(|entry| Reverse((entry, at))));
    }
    Ok(())
}
