//! Which chunks hold rows whose key an earlier row has, and which rows these are.
use super::chunk::Written;
use super::durable;
use super::error::BatchError;
use super::job::Job;
use super::keys::{self, Duplicate, Run, RunError};
use super::parts::{Parts, Round};
use super::{COMPARED, Control, Step};
use std::collections::BTreeSet;
use std::fs;

/// The chunks with duplicates, once they were compared.
pub(crate) fn known(parts: &Parts) -> Result<Option<BTreeSet<usize>>, BatchError> {
    durable::read_json(&parts.dir().join(COMPARED))
}

/// Forgets a comparison that was made before a chunk was done again.
pub(crate) fn forget(parts: &Parts) {
    let _ = fs::remove_file(parts.dir().join(COMPARED));
}

/// Compares the keys of all chunks and leaves with each chunk the list of its duplicates. `keys`: what was written of a chunk's keys.
pub(crate) fn compare(
    job: &Job,
    parts: &Parts,
    chunks: usize,
    keys: &dyn Fn(usize) -> Option<Written>,
    control: &Control,
) -> Result<BTreeSet<usize>, RunError> {
    parts.clear_duplicates(chunks);
    let mut runs = Vec::new();
    for chunk in 0..chunks {
        let crc = Some(keys(chunk).ok_or(RunError::Damaged(chunk))?.crc);
        runs.push(Run { path: parts.path(chunk, Round::First, "keys"), crc, chunk });
    }
    let mut found = Spill { parts, waiting: Vec::new(), chunks: BTreeSet::new() };
    keys::duplicates(job, runs, parts.dir(), &mut |chunk, duplicate| {
        if control.is_cancelled() {
            return Err(BatchError::Cancelled);
        }
        found.add(chunk, duplicate)
    })?;
    let second = found.finish().map_err(RunError::Failed)?;
    durable::publish_json(parts.dir(), COMPARED, &second).map_err(RunError::Failed)?;
    control.step(Step::KeysCompared);
    Ok(second)
}

/// Duplicates on their way to the chunks they belong to; holds a bounded number of them.
struct Spill<'a> {
    parts: &'a Parts,
    waiting: Vec<(usize, Duplicate)>,
    chunks: BTreeSet<usize>,
}

const WAITING: usize = 1 << 16;

impl Spill<'_> {
    fn add(&mut self, chunk: usize, duplicate: Duplicate) -> Result<(), BatchError> {
        self.waiting.push((chunk, duplicate));
        if self.waiting.len() >= WAITING { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), BatchError> {
        self.waiting.sort_unstable();
        for group in self.waiting.chunk_by(|a, b| a.0 == b.0) {
            let found: Vec<_> = group.iter().map(|(_, duplicate)| *duplicate).collect();
            self.parts.add_duplicates(group[0].0, &found)?;
            self.chunks.insert(group[0].0);
        }
        self.waiting.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<BTreeSet<usize>, BatchError> {
        self.flush()?;
        Ok(self.chunks)
    }
}
