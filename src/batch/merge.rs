//! Putting the parts together, in order, once; the result gets its name when it is complete and on the disk.
use super::MANIFEST;
use super::chunk::{Done, Written};
use super::control::{Control, Step};
use super::durable::{self, Staged};
use super::earlier::Manifest;
use super::error::BatchError;
use super::job::Job;
use super::parts::{Parts, Round};
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

/// Why parts could not be put together.
pub(crate) enum MergeError {
    /// The parts of this chunk are not what its marker says; it has to be done again.
    Damaged(usize),
    Failed(BatchError),
}

impl From<BatchError> for MergeError {
    fn from(error: BatchError) -> Self {
        Self::Failed(error)
    }
}

/// The finished chunks of an attempt.
pub(crate) struct Finished<'a> {
    pub(crate) job: &'a Job,
    pub(crate) parts: &'a Parts,
    pub(crate) chunks: &'a [(Done, Round)],
    /// Whether the chunks stand in the result already, synced.
    pub(crate) placed: bool,
}

const BUFFER: usize = 128 * 1024;

impl Finished<'_> {
    /// Publishes rejects, then output, under the names that the list of chunks gives them.
    pub(crate) fn publish(&self, manifest: &Manifest, dir: &Path, control: &Control) -> Result<(), MergeError> {
        let (rejects, result) = if self.placed {
            let complete = |kind: &str, name: &str| Staged::complete(self.parts.result(kind), dir.join(name));
            (complete("rejects", &manifest.rejects), complete("output", &manifest.output))
        } else {
            let rejects = self.concatenate(dir, &manifest.rejects, "rejects", &self.job.rejects_header(), control)?;
            (rejects, self.concatenate(dir, &manifest.output, "output", &self.job.output_header(), control)?)
        };
        let text = durable::json(manifest)?;
        let (manifest, ()) = Staged::write(dir, MANIFEST, |file| {
            file.write_all(&text).map_err(BatchError::stream("write the list of chunks"))
        })?;
        control.may_publish()?;
        rejects.show()?;
        control.step(Step::RejectsPublished);
        result.show()?;
        // Where it stands, both files do.
        manifest.show()?;
        durable::sync_dir(dir)?;
        control.step(Step::OutputPublished);
        Ok(())
    }

    /// Writes all parts of one kind behind each other.
    fn concatenate(
        &self,
        dir: &Path,
        name: &str,
        kind: &str,
        header: &[u8],
        control: &Control,
    ) -> Result<Staged, MergeError> {
        let mut damaged = None;
        let staged = Staged::write(dir, name, |file| {
            file.write_all(header).map_err(BatchError::stream("write the result"))?;
            let mut buffer = vec![0; BUFFER];
            for (index, (done, round)) in self.chunks.iter().enumerate() {
                if control.is_cancelled() {
                    return Err(BatchError::Cancelled);
                }
                let written = if kind == "output" { done.output } else { done.rejects };
                let mut part = self.parts.open(index, *round, kind)?;
                if append(&mut part, file, &mut buffer)? != written {
                    damaged = Some(index);
                    return Err(BatchError::State(format!("chunk {index} is damaged")));
                }
            }
            Ok(())
        });
        match damaged {
            Some(chunk) => Err(MergeError::Damaged(chunk)),
            None => Ok(staged?.0),
        }
    }
}

fn append(part: &mut File, to: &mut File, buffer: &mut [u8]) -> Result<Written, BatchError> {
    let (mut crc, mut bytes) = (crc32fast::Hasher::new(), 0);
    loop {
        let n = part.read(buffer).map_err(BatchError::stream("read a part"))?;
        if n == 0 {
            return Ok(Written { bytes, crc: crc.finalize() });
        }
        crc.update(&buffer[..n]);
        bytes += n as u64;
        to.write_all(&buffer[..n]).map_err(BatchError::stream("write the result"))?;
    }
}
