//! One chunk becoming its parts: the same code wherever it is done, so that the bytes are the same.
use super::chunk::{self, Given, Sinks, Written};
use super::control::Control;
use super::durable::CheckedReader;
use super::earlier::Earlier;
use super::error::BatchError;
use super::job::Job;
use super::keys::{self, KeySink};
use super::parts::{Marker, Parts, Round};
use super::plan::Chunk;
use super::run::Scope;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

/// What the chunks of an attempt are made from.
pub(crate) struct Work<'a> {
    pub(crate) job: &'a Job,
    pub(crate) input: &'a Path,
    pub(crate) parts: &'a Parts,
    pub(crate) earlier: Option<&'a Earlier>,
    /// How much of the earlier attempt is done again.
    pub(crate) scope: Option<Scope>,
    pub(crate) control: &'a Control,
}

impl Work<'_> {
    /// Writes output and rejects of a chunk; its keys, where there are unique columns, become a part at once.
    pub(crate) fn fill(&self, chunk: &Chunk, round: Round, mut to: [&mut dyn Write; 2]) -> Result<Marker, BatchError> {
        match self.copy_earlier(chunk, &mut to)? {
            Some(marker) => Ok(marker),
            None => self.process_rows(chunk, round, to),
        }
    }

    fn process_rows(&self, chunk: &Chunk, round: Round, to: [&mut dyn Write; 2]) -> Result<Marker, BatchError> {
        let job = self.job;
        let mut input = File::open(self.input).map_err(BatchError::io("open", self.input))?;
        input.seek(SeekFrom::Start(chunk.start)).map_err(BatchError::io("read", self.input))?;
        let mut keys = if round == Round::First { KeySink::for_job(job) } else { None };
        let duplicates = if round == Round::Second { self.parts.duplicates(chunk.index)? } else { Vec::new() };
        let earlier = match self.earlier {
            Some(earlier) => earlier.rows(chunk.index, job)?,
            None => None,
        };
        let [output, rejects] = to;
        let sinks = Sinks { output, rejects, keys: keys.as_mut() };
        let given = Given { duplicates: &duplicates, earlier, uncounted: round == Round::Second };
        let done = chunk::process(job, chunk, input, sinks, given, self.control)?;
        let path = self.parts.path(chunk.index, round, "keys");
        let keys = keys.map(|keys| keys.write(chunk.index, &path)).transpose()?;
        Ok(Marker { chunk: *chunk, done, keys })
    }

    /// Takes a chunk as the earlier attempt left it, where none of its rows has to be looked at.
    fn copy_earlier(&self, chunk: &Chunk, to: &mut [&mut dyn Write; 2]) -> Result<Option<Marker>, BatchError> {
        let Some(earlier) = self.earlier.filter(|_| !keys::has_unique(self.job)) else { return Ok(None) };
        let Some((done, output, rejects)) = &earlier.chunks[chunk.index] else { return Ok(None) };
        if self.scope != Some(Scope::Chunks) && done.counted.rejected.total() > 0 {
            return Ok(None);
        }
        for ((place, written), to) in [(output, done.output), (rejects, done.rejects)].into_iter().zip(to) {
            let mut from = CheckedReader::new(place.open()?);
            let bytes = std::io::copy(&mut from, *to).map_err(BatchError::stream("copy the earlier result"))?;
            if (Written { bytes, crc: from.crc() }) != written {
                return Err(BatchError::Earlier("its result is damaged; reprocess all".to_owned()));
            }
        }
        self.control.count(&done.counted);
        Ok(Some(Marker { chunk: *chunk, done: *done, keys: None }))
    }
}
