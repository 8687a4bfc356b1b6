//! The files of unfinished work: for every chunk its parts and a marker that says how long they are and what their
//! checksums are. Parts are not synced one by one: after a power cut the marker tells a part that did not reach the
//! disk, and its chunk is done again. So the disk is waited for once, at the end.
use super::chunk::{Done, Written};
use super::durable;
use super::error::BatchError;
use super::keys::Duplicate;
use super::plan::Chunk;
use super::{ASIDE, OUTPUT, REJECTS};
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};

/// The directory with the parts of one attempt.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    dir: PathBuf,
}

/// First pass over a chunk, or a second one after duplicates were found in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Round {
    First,
    Second,
}

/// What a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Marker {
    /// The chunk as it was planned: a marker of another plan counts for nothing.
    pub(crate) chunk: Chunk,
    pub(crate) done: Done,
    pub(crate) keys: Option<Written>,
}

impl Parts {
    pub(crate) fn create(attempt: &Path) -> Result<Self, BatchError> {
        let parts = Self::of(attempt);
        fs::create_dir_all(&parts.dir).map_err(BatchError::io("create", &parts.dir))?;
        Ok(parts)
    }

    /// The same, empty.
    pub(crate) fn create_anew(attempt: &Path) -> Result<Self, BatchError> {
        Self::of(attempt).remove()?;
        Self::create(attempt)
    }

    pub(crate) fn of(attempt: &Path) -> Self {
        Self { dir: attempt.join("parts") }
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, chunk: usize, round: Round, kind: &str) -> PathBuf {
        let round = if round == Round::First { "" } else { ".second" };
        self.dir.join(format!("{chunk:06}{round}.{kind}"))
    }

    /// The marker of a chunk whose parts have the right size; anything else counts as not done.
    pub(crate) fn marker(&self, planned: &Chunk, round: Round) -> Option<Marker> {
        let chunk = planned.index;
        let marker: Marker = serde_json::from_slice(&fs::read(self.path(chunk, round, "done")).ok()?).ok()?;
        let has = |kind: &str, bytes: u64| {
            fs::metadata(self.path(chunk, round, kind)).is_ok_and(|found| found.len() == bytes)
        };
        let keys = marker.keys.is_none_or(|keys| has("keys", keys.bytes));
        let fits = marker.chunk == *planned;
        (fits && has("output", marker.done.output.bytes) && has("rejects", marker.done.rejects.bytes) && keys)
            .then_some(marker)
    }

    /// A file of the result that grows chunk by chunk.
    pub(crate) fn result(&self, kind: &str) -> PathBuf {
        self.dir.join(format!("result.{kind}"))
    }

    /// The same wherever it stands: an attempt that was killed while it published has moved it already.
    pub(crate) fn found_result(&self, kind: &str) -> PathBuf {
        let here = self.result(kind);
        if here.exists() { here } else { self.published(kind).find(|path| path.exists()).unwrap_or(here) }
    }

    fn published(&self, kind: &str) -> impl Iterator<Item = PathBuf> {
        let names: &[&str] = if kind == "output" { &[OUTPUT, ASIDE] } else { &[REJECTS] };
        let attempt = self.dir.parent().unwrap_or(&self.dir).to_owned();
        names.iter().map(move |name| attempt.join(name))
    }

    /// Takes back what was moved to its name by an attempt that was killed before it was finished.
    pub(crate) fn take_back(&self) -> Result<(), BatchError> {
        for kind in ["output", "rejects"] {
            let (here, found) = (self.result(kind), self.found_result(kind));
            if found != here && self.result("done").exists() {
                fs::rename(&found, &here).map_err(BatchError::io("rename to", &here))?;
            }
        }
        Ok(())
    }

    /// The markers of the chunks that stand in the result, in order, as they were noted.
    pub(crate) fn placed(&self, chunks: &[Chunk]) -> Vec<Marker> {
        let text = fs::read(self.result("done")).unwrap_or_default();
        // A line without its end was cut off by a kill.
        let lines = text.split_inclusive(|b| *b == b'\n').filter(|line| line.ends_with(b"\n"));
        let markers = lines.map_while(|line| serde_json::from_slice::<Marker>(line).ok());
        markers.zip(chunks).take_while(|(marker, chunk)| marker.chunk == **chunk).map(|(marker, _)| marker).collect()
    }

    /// Marks a chunk as done: from here on it is never done again.
    pub(crate) fn mark(&self, chunk: usize, round: Round, marker: &Marker) -> Result<(), BatchError> {
        durable::replace(&self.path(chunk, round, "done"), &durable::json(marker)?)
    }

    /// Forgets a chunk whose parts are not what its marker says.
    pub(crate) fn unmark(&self, chunk: usize) {
        for round in [Round::First, Round::Second] {
            let _ = fs::remove_file(self.path(chunk, round, "done"));
        }
    }

    pub(crate) fn open(&self, chunk: usize, round: Round, kind: &str) -> Result<File, BatchError> {
        let path = self.path(chunk, round, kind);
        File::open(&path).map_err(BatchError::io("open", &path))
    }

    pub(crate) fn create_part(&self, chunk: usize, round: Round, kind: &str) -> Result<File, BatchError> {
        let path = self.path(chunk, round, kind);
        File::create(&path).map_err(BatchError::io("create", &path))
    }

    /// Adds to the list of duplicates of a chunk.
    pub(crate) fn add_duplicates(&self, chunk: usize, found: &[Duplicate]) -> Result<(), BatchError> {
        let path = self.path(chunk, Round::Second, "duplicates");
        let lines: Vec<_> = found.iter().map(|d| format!("{} {}", d.line, d.field)).collect();
        let lines = lines.join("\n") + "\n";
        let file = OpenOptions::new().create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(lines.as_bytes())).map_err(BatchError::io("write", &path))
    }

    /// The duplicates of a chunk by line, one for each row.
    pub(crate) fn duplicates(&self, chunk: usize) -> Result<Vec<Duplicate>, BatchError> {
        let path = self.path(chunk, Round::Second, "duplicates");
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(BatchError::io("open", &path))?,
        };
        let mut found = Vec::new();
        for line in BufReader::new(file).lines() {
            let line = line.map_err(BatchError::io("read", &path))?;
            let numbers = line.split_once(' ').and_then(|(l, f)| Some((l.parse().ok()?, f.parse().ok()?)));
            let (line, field) = numbers.ok_or_else(|| BatchError::State(format!("{} is damaged", path.display())))?;
            found.push(Duplicate { line, field });
        }
        found.sort_unstable();
        found.dedup_by_key(|duplicate| duplicate.line);
        Ok(found)
    }

    /// Removes what a comparison of keys that did not end has left.
    pub(crate) fn clear_duplicates(&self, chunks: usize) {
        for chunk in 0..chunks {
            for kind in ["duplicates", "done"] {
                let _ = fs::remove_file(self.path(chunk, Round::Second, kind));
            }
        }
    }

    /// Removes everything.
    pub(crate) fn remove(self) -> Result<(), BatchError> {
        match fs::remove_dir_all(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(BatchError::io("remove", &self.dir)(error)),
            _ => Ok(()),
        }
    }
}
