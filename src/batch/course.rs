//! The chunks of an input as they become known: workers process the first ones while the planner looks for the rest.
use super::plan::Chunk;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Chunks in order, from the first on; more may come until it has ended.
#[derive(Debug, Default)]
pub(crate) struct Course {
    known: Mutex<Known>,
    more: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    chunks: Vec<Chunk>,
    ended: bool,
}

impl Course {
    /// One that is known to its end.
    pub(crate) fn whole(chunks: Vec<Chunk>) -> Self {
        Self { known: Mutex::new(Known { chunks, ended: true }), more: Condvar::new() }
    }

    /// Adds the next chunk.
    pub(crate) fn add(&self, chunk: Chunk) {
        self.known().chunks.push(chunk);
        self.more.notify_one();
    }

    /// No more will come, once what is returned has gone: also when its holder panics.
    pub(crate) fn ending(&self) -> Ending<'_> {
        Ending(self)
    }

    /// A chunk, if it is known.
    pub(crate) fn get(&self, index: usize) -> Option<Chunk> {
        self.known().chunks.get(index).copied()
    }

    /// A chunk, as soon as it is known; `None` when there is none.
    pub(crate) fn wait(&self, index: usize) -> Option<Chunk> {
        let unknown = |known: &mut Known| known.chunks.len() <= index && !known.ended;
        let known = self.more.wait_while(self.known(), unknown).unwrap_or_else(PoisonError::into_inner);
        known.chunks.get(index).copied()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a course when it goes.
pub(crate) struct Ending<'a>(&'a Course);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.known().ended = true;
        self.0.more.notify_all();
    }
}
