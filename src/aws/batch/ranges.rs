//! An input read from its beginning to its end, a few ranges ahead of whoever reads it: the file is never held as a whole.

use super::bucket::{AHEAD, Bucket, PIECE, Piece};
use super::error::Halt;
use crate::ports::PortError;
use bytes::{Buf, Bytes};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

/// Reads an object from a thread that may block.
pub(super) struct Ranges {
    runtime: Handle,
    bucket: Bucket,
    source: Arc<Source>,
    asked: u64,
    coming: VecDeque<JoinHandle<Result<Piece, PortError>>>,
    here: Bytes,
    broken: Broken,
}

/// What is read.
pub(super) struct Source {
    pub(super) key: String,
    pub(super) etag: String,
    pub(super) bytes: u64,
}

/// Why reading broke off.
#[derive(Clone, Default)]
pub(super) struct Broken(Arc<Mutex<Option<Halt>>>);

impl Broken {
    /// The reason, where reading was what failed.
    pub(super) fn or(&self, other: impl Into<Halt>) -> Halt {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| other.into())
    }

    fn because(&self, halt: Halt) -> io::Error {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(halt);
        io::Error::other("reading broke off")
    }
}

/// What people are told of an input that is not what it was.
pub(super) fn changed(name: &str) -> Halt {
    Halt::Mistake(format!("the file {name} changed after the run was asked for; start a new run"))
}

/// What people are told of an input that is not there.
pub(super) fn gone(name: &str) -> Halt {
    Halt::Mistake(format!("the file {name} is not there any more"))
}

impl Ranges {
    /// In the runtime whose handle it takes.
    pub(super) fn new(bucket: &Bucket, source: Source, broken: &Broken) -> Self {
        let (runtime, bucket, source) = (Handle::current(), bucket.clone(), Arc::new(source));
        let (coming, here) = (VecDeque::new(), Bytes::new());
        Self { runtime, bucket, source, asked: 0, coming, here, broken: broken.clone() }
    }

    fn ask(&mut self) {
        while self.coming.len() < AHEAD && self.asked < self.source.bytes {
            let (bucket, source, start) = (self.bucket.clone(), self.source.clone(), self.asked);
            let bytes = PIECE.min(source.bytes - start);
            self.asked += bytes;
            let piece = async move { bucket.piece(&source.key, start, bytes, Some(&source.etag)).await };
            self.coming.push_back(self.runtime.spawn(piece));
        }
    }
}

impl Read for Ranges {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.here.is_empty() {
            self.ask();
            let Some(coming) = self.coming.pop_front() else { return Ok(0) };
            let name = self.source.key.rsplit('/').next().unwrap_or_default();
            match self.runtime.block_on(coming) {
                Ok(Ok(Piece::Here(bytes))) => self.here = bytes,
                Ok(Ok(Piece::Changed)) => return Err(self.broken.because(changed(name))),
                Ok(Ok(Piece::Gone)) => return Err(self.broken.because(gone(name))),
                Ok(Err(error)) => return Err(self.broken.because(error.into())),
                Err(error) => {
                    return Err(self.broken.because(PortError::transient("reading broke off").because(error).into()));
                }
            }
        }
        let n = to.len().min(self.here.len());
        to[..n].copy_from_slice(&self.here[..n]);
        self.here.advance(n);
        Ok(n)
    }
}

impl Drop for Ranges {
    fn drop(&mut self) {
        self.coming.iter().for_each(JoinHandle::abort);
    }
}
