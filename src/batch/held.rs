//! One chunk's output or rejects on its way to the result: in memory, or in a part of its own when it is large.
use super::error::BatchError;
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;

/// So much of one chunk is held in memory.
const HELD: usize = 4 << 20;

/// What was written of a chunk.
pub(crate) struct Held {
    path: PathBuf,
    bytes: Vec<u8>,
    part: Option<File>,
}

impl Held {
    /// `path`: where its part stands, should there be one. `expected` bytes are made room for in `memory`, which was used before.
    pub(crate) fn new(path: PathBuf, mut memory: Vec<u8>, expected: usize) -> Self {
        memory.clear();
        memory.reserve(expected.min(HELD));
        Self { path, bytes: memory, part: None }
    }

    /// Its memory, for the next chunk.
    pub(crate) fn into_memory(self) -> Vec<u8> {
        self.bytes
    }

    /// Writes all of it behind a file; returns its size.
    pub(crate) fn write_to(&self, to: &mut File) -> io::Result<u64> {
        if self.part.is_some() {
            return io::copy(&mut File::open(&self.path)?, to);
        }
        to.write_all(&self.bytes)?;
        Ok(self.bytes.len() as u64)
    }

    /// Keeps it as a part of its own.
    pub(crate) fn keep(self) -> Result<(), BatchError> {
        if self.part.is_some() {
            return Ok(());
        }
        std::fs::write(&self.path, &self.bytes).map_err(BatchError::io("write", &self.path))
    }
}

impl Write for Held {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(part) = &mut self.part {
            return part.write(bytes);
        }
        if self.bytes.len() + bytes.len() <= HELD {
            self.bytes.extend_from_slice(bytes);
            return Ok(bytes.len());
        }
        let mut part = File::create(&self.path)?;
        part.write_all(&self.bytes)?;
        self.bytes = Vec::new();
        self.part.insert(part).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
