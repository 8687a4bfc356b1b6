//! The result of an earlier attempt, chunk by chunk, so that a new attempt redoes only what it has to.
use super::chunk::{Done, Written};
use super::durable::{self, CheckedReader};
use super::error::BatchError;
use super::job::Job;
use super::parts::{Marker, Parts, Round};
use super::plan::{Chunk, Plan, VERSION};
use super::records::{Head, Reading, Records};
use super::run::Summary;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

/// Where the chunks of a finished attempt lie within its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) output: String,
    pub(crate) rejects: String,
    /// Sizes of the two headers.
    pub(crate) output_start: u64,
    pub(crate) rejects_start: u64,
    pub(crate) chunks: Vec<Done>,
}

impl Manifest {
    /// What the files of a finished attempt hold.
    pub(crate) fn of(job: &Job, summary: &Summary, chunks: Vec<Done>) -> Self {
        Self {
            output: summary.output.clone(),
            rejects: summary.rejects.clone(),
            output_start: job.output_header().len() as u64,
            rejects_start: job.rejects_header().len() as u64,
            chunks,
        }
    }

    /// Whether both files stand under their names: an attempt that was killed while it published may have taken them back.
    fn fits(&self, dir: &Path) -> bool {
        let bytes = |name: &str| std::fs::metadata(dir.join(name)).map(|found| found.len()).ok();
        let output = self.chunks.iter().map(|done| done.output.bytes).sum::<u64>();
        let rejects = self.chunks.iter().map(|done| done.rejects.bytes).sum::<u64>();
        bytes(&self.output) == Some(self.output_start + output)
            && bytes(&self.rejects) == Some(self.rejects_start + rejects)
    }
}

/// An attempt to build on.
#[derive(Debug)]
pub(crate) struct Earlier {
    pub(crate) plan: Plan,
    /// For every chunk that was finished: its counts, and where its output and its rejects are.
    pub(crate) chunks: Vec<Option<(Done, Place, Place)>>,
}

/// A range of a file.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    path: PathBuf,
    offset: u64,
    bytes: u64,
}

impl Place {
    pub(crate) fn open(&self) -> Result<Take<File>, BatchError> {
        let mut file = File::open(&self.path).map_err(BatchError::io("open", &self.path))?;
        file.seek(SeekFrom::Start(self.offset)).map_err(BatchError::io("read", &self.path))?;
        Ok(file.take(self.bytes))
    }

    /// Whether what was written is there.
    fn holds(&self, written: Written) -> bool {
        let Ok(file) = self.open() else { return false };
        let mut checked = CheckedReader::new(file);
        let bytes = std::io::copy(&mut checked, &mut std::io::sink());
        bytes.is_ok_and(|bytes| Written { bytes, crc: checked.crc() } == written)
    }
}

impl Earlier {
    /// Opens attempts, the newest first; their rows must have the columns that the job writes today.
    pub(crate) fn open(dirs: &[PathBuf], job: &Job) -> Result<Self, BatchError> {
        let mut found: Option<Self> = None;
        for dir in dirs {
            let older = Self::open_one(dir, job)?;
            match &mut found {
                None => found = Some(older),
                Some(newer) if newer.plan.chunks == older.plan.chunks => {
                    for (mine, other) in newer.chunks.iter_mut().zip(older.chunks) {
                        *mine = mine.take().or(other);
                    }
                }
                Some(_) => {}
            }
        }
        found.ok_or_else(|| BatchError::Earlier("there is none; reprocess all".to_owned()))
    }

    fn open_one(dir: &Path, job: &Job) -> Result<Self, BatchError> {
        let refused = |why: &str| BatchError::Earlier(why.to_owned());
        let plan = durable::read_json::<Plan>(&dir.join(super::PLAN))?
            .filter(|plan| plan.version == VERSION)
            .ok_or_else(|| refused("it has no plan; reprocess all"))?;
        if plan.columns != job.output_columns() {
            return Err(refused("the job's output columns changed since; reprocess all"));
        }
        if plan.dialect != serde_json::json!(job.spec.dialect) {
            return Err(refused("the job's dialect changed since; reprocess all"));
        }
        let manifest = durable::read_json::<Manifest>(&dir.join(super::MANIFEST))?;
        let chunks = match manifest.filter(|manifest| manifest.fits(dir)) {
            Some(manifest) => from_files(dir, &manifest),
            None => from_parts(dir, &plan.chunks, job),
        };
        if chunks.len() != plan.chunks.len() {
            return Err(refused("its files do not fit its plan; reprocess all"));
        }
        Ok(Self { plan, chunks })
    }

    /// The same cut for a job that may have changed since.
    pub(crate) fn plan_for(&self, job: &Job) -> Plan {
        Plan { job: job.fingerprint().to_owned(), ..self.plan.clone() }
    }

    /// The rows of a chunk, if it was finished.
    pub(crate) fn rows(&self, chunk: usize, job: &Job) -> Result<Option<EarlierRows>, BatchError> {
        let Some((_, output, rejects)) = &self.chunks[chunk] else { return Ok(None) };
        EarlierRows::new(output.open()?, rejects.open()?, job.reading).map(Some)
    }
}

fn from_files(dir: &Path, manifest: &Manifest) -> Vec<Option<(Done, Place, Place)>> {
    let (mut output, mut rejects) = (manifest.output_start, manifest.rejects_start);
    let mut place = |done: &Done| {
        let output_place = Place { path: dir.join(&manifest.output), offset: output, bytes: done.output.bytes };
        let rejects_place = Place { path: dir.join(&manifest.rejects), offset: rejects, bytes: done.rejects.bytes };
        output += done.output.bytes;
        rejects += done.rejects.bytes;
        Some((*done, output_place, rejects_place))
    };
    manifest.chunks.iter().map(&mut place).collect()
}

fn from_parts(dir: &Path, chunks: &[Chunk], job: &Job) -> Vec<Option<(Done, Place, Place)>> {
    let parts = Parts::of(dir);
    let mut ends = [job.output_header().len() as u64, job.rejects_header().len() as u64];
    let results = ["output", "rejects"].map(|kind| parts.found_result(kind));
    let mut places = parts.placed(chunks).into_iter().map(|Marker { done, .. }| {
        let bytes = [done.output.bytes, done.rejects.bytes];
        let [output, rejects] =
            std::array::from_fn(|kind| Place { path: results[kind].clone(), offset: ends[kind], bytes: bytes[kind] });
        ends = std::array::from_fn(|kind| ends[kind] + bytes[kind]);
        (done, output, rejects)
    });
    let place = |chunk, round, kind, bytes| Place { path: parts.path(chunk, round, kind), offset: 0, bytes };
    let find = |planned: &Chunk| {
        let chunk = planned.index;
        let rounds = [Round::Second, Round::First];
        let (round, marker) = rounds.into_iter().find_map(|round| Some((round, parts.marker(planned, round)?)))?;
        let done = marker.done;
        let output = place(chunk, round, "output", done.output.bytes);
        Some((done, output, place(chunk, round, "rejects", done.rejects.bytes)))
    };
    // Its files may come from another place, or from before a power cut: what is not whole was not done.
    let whole =
        |(done, output, rejects): &(Done, Place, Place)| output.holds(done.output) && rejects.holds(done.rejects);
    chunks.iter().map(|chunk| places.next().filter(whole).or_else(|| find(chunk).filter(whole))).collect()
}

/// A chunk's earlier output and rejects, walked along with its input.
pub struct EarlierRows {
    output: Records<Take<File>>,
    rejects: Records<Take<File>>,
    next_reject: Option<u64>,
    row: Option<Head>,
    delimiter: u8,
}

impl EarlierRows {
    fn new(output: Take<File>, rejects: Take<File>, reading: Reading) -> Result<Self, BatchError> {
        // A row of either file is longer than the row it was made from.
        let reading = Reading { max_record: usize::MAX, ..reading };
        let mut rows = Self {
            output: Records::new(output, reading, 0, 1),
            rejects: Records::new(rejects, reading, 0, 1),
            next_reject: None,
            row: None,
            delimiter: reading.syntax.delimiter,
        };
        rows.next_reject()?;
        Ok(rows)
    }

    /// Whether the row on this line was accepted; must be asked for every row in turn.
    pub(crate) fn accepted(&mut self, line: u64) -> Result<bool, BatchError> {
        if self.next_reject == Some(line) {
            self.next_reject()?;
            return Ok(false);
        }
        self.row = self.output.advance().map_err(BatchError::stream("read the earlier output"))?;
        if self.row.is_none() { Err(unfit()) } else { Ok(true) }
    }

    /// The earlier output row of the line that was asked for last, with its line end.
    pub(crate) fn output(&self) -> &[u8] {
        self.row.as_ref().map_or(&[], |head| self.output.whole(head))
    }

    /// Both files must be at their end when the chunk is.
    pub(crate) fn finish(&mut self) -> Result<(), BatchError> {
        let left = self.output.advance().map_err(BatchError::stream("read the earlier output"))?;
        if left.is_some() || self.next_reject.is_some() { Err(unfit()) } else { Ok(()) }
    }

    fn next_reject(&mut self) -> Result<(), BatchError> {
        let head = self.rejects.advance().map_err(BatchError::stream("read the earlier rejects"))?;
        self.next_reject = match head {
            None => None,
            Some(head) => {
                let line = self.rejects.body(&head).split(|b| *b == self.delimiter).next().unwrap_or_default();
                let number = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
                Some(number.ok_or_else(unfit)?)
            }
        };
        Ok(())
    }
}

fn unfit() -> BatchError {
    BatchError::Earlier("its output and rejects do not fit the input; reprocess all".to_owned())
}
