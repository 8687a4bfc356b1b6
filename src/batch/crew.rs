//! All workers on the chunks of an input, each taking the next one.
use super::control::Control;
use super::error::BatchError;
use super::plan::Chunk;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What is done with a chunk.
pub(crate) type Work<'a> = dyn Fn(&Chunk) -> Result<(), BatchError> + Sync + 'a;

/// Runs `work` for every chunk that `chunk` knows, from the first on. What failed does not keep the others from being
/// done; the error counts the failed chunks only (`BatchError::among` adds of how many).
pub(crate) fn each(
    control: &Control,
    workers: usize,
    chunk: &(dyn Fn(usize) -> Option<Chunk> + Sync),
    work: &Work<'_>,
) -> Result<(), BatchError> {
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let failures = Mutex::new(Vec::new());
    let worker = || {
        while !stop.load(Relaxed) {
            let Some(chunk) = chunk(next.fetch_add(1, Relaxed)) else { return };
            if let Err(error) = work(&chunk) {
                let pointless = matches!(error, BatchError::Cancelled | BatchError::InputChanged(_));
                stop.fetch_or(pointless, Relaxed);
                failures.lock().unwrap_or_else(PoisonError::into_inner).push((pointless, chunk.index, error));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..workers {
            scope.spawn(worker);
        }
        worker();
    });
    if control.is_cancelled() {
        return Err(BatchError::Cancelled);
    }
    let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
    failures.sort_by_key(|(pointless, index, _)| (!pointless, *index));
    let failed = failures.len();
    match failures.into_iter().next() {
        None => Ok(()),
        Some((true, _, error)) => Err(error),
        Some((false, first, error)) => {
            Err(BatchError::Chunks { failed, chunks: failed, first, reason: error.to_string() })
        }
    }
}
