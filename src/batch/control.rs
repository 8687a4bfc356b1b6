//! What the outside sees and steers while a batch runs: counters, cancel, and the brake on rows per second.
use super::error::BatchError;
use super::reason::{Reason, Tally};
use serde::{Deserialize, Serialize};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Shared between the one who waits and the workers.
#[derive(Default)]
pub struct Control {
    cancel: AtomicBool,
    phase: AtomicU8,
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    accepted: AtomicU64,
    reasons: [AtomicU64; Reason::ALL.len()],
    chunks: AtomicU64,
    chunks_total: AtomicU64,
    brake: Mutex<Brake>,
    wake: Condvar,
    listener: Option<Listener>,
    fence: Option<Fence>,
}

type Fence = Box<dyn Fn() -> Result<(), BatchError> + Send + Sync>;
type Listener = Box<dyn Fn(Step) + Send + Sync>;

#[derive(Default)]
struct Brake {
    next: Option<Instant>,
}

/// Where a batch stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    #[default]
    Waiting,
    Planning,
    Processing,
    Merging,
    Done,
}

/// Something that has just become durable or visible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    Planned,
    /// Some rows of a chunk were looked at; nothing is kept of them yet.
    Rows,
    /// The output part of a chunk stands under its name, its marker does not.
    PartWritten(usize),
    ChunkDone(usize),
    KeysCompared,
    RejectsPublished,
    OutputPublished,
    Summarised,
}

/// The counters at one moment.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub phase: Phase,
    pub bytes: u64,
    pub bytes_total: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub reasons: Tally,
    pub chunks: u64,
    pub chunks_total: u64,
}

impl Progress {
    /// Rows looked at.
    pub fn rows(&self) -> u64 {
        self.accepted + self.rejected
    }

    /// From 0 to 100.
    pub fn percent(&self) -> f64 {
        match self.phase {
            Phase::Done => 100.0,
            _ if self.bytes_total == 0 => 0.0,
            #[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
            _ => self.bytes as f64 * 100.0 / self.bytes_total as f64,
        }
    }
}

impl Control {
    /// A control whose listener is called at every step, from the thread that took it.
    pub fn with_listener(listener: impl Fn(Step) + Send + Sync + 'static) -> Self {
        Self { listener: Some(Box::new(listener)), ..Self::default() }
    }

    /// A check right before the result gets its final name. Where it fails, nothing is published, the batch ends with its
    /// error, and everything stays aside, so that the same attempt can go on later.
    #[must_use]
    pub fn with_fence(self, fence: impl Fn() -> Result<(), BatchError> + Send + Sync + 'static) -> Self {
        Self { fence: Some(Box::new(fence)), ..self }
    }

    /// Asks the batch to stop; finished chunks are kept.
    pub fn cancel(&self) {
        // The lock makes sure that a worker about to wait sees it.
        let _brake = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
        self.cancel.store(true, Relaxed);
        self.wake.notify_all();
    }

    /// Whether it was asked to stop.
    pub fn is_cancelled(&self) -> bool {
        self.cancel.load(Relaxed)
    }

    /// The counters now.
    pub fn progress(&self) -> Progress {
        let mut reasons = Tally::default();
        for (reason, count) in Reason::ALL.into_iter().zip(&self.reasons) {
            reasons.set(reason, count.load(Relaxed));
        }
        let phases = [Phase::Waiting, Phase::Planning, Phase::Processing, Phase::Merging, Phase::Done];
        Progress {
            phase: phases[usize::from(self.phase.load(Relaxed))],
            bytes: self.bytes.load(Relaxed),
            bytes_total: self.bytes_total.load(Relaxed),
            accepted: self.accepted.load(Relaxed),
            rejected: reasons.total(),
            reasons,
            chunks: self.chunks.load(Relaxed),
            chunks_total: self.chunks_total.load(Relaxed),
        }
    }

    pub(crate) fn may_publish(&self) -> Result<(), BatchError> {
        self.fence.as_ref().map_or(Ok(()), |fence| fence())
    }

    pub(crate) fn enter(&self, phase: Phase) {
        self.phase.store(phase as u8, Relaxed);
    }

    pub(crate) fn step(&self, step: Step) {
        if let Some(listener) = &self.listener {
            listener(step);
        }
    }

    pub(crate) fn expect(&self, chunks: u64, bytes: u64) {
        self.chunks_total.store(chunks, Relaxed);
        self.bytes_total.store(bytes, Relaxed);
    }

    pub(crate) fn chunk_done(&self) {
        self.chunks.fetch_add(1, Relaxed);
    }

    pub(crate) fn chunk_undone(&self) {
        self.chunks.fetch_sub(1, Relaxed);
    }

    /// Adds what a worker has counted since it last told.
    pub(crate) fn count(&self, more: &Counted) {
        self.bytes.fetch_add(more.bytes, Relaxed);
        self.accepted.fetch_add(more.accepted, Relaxed);
        for (reason, count) in more.rejected.ranked() {
            self.reasons[reason as usize].fetch_add(count, Relaxed);
        }
    }

    /// Takes back what a worker told of a chunk that it could not finish.
    pub(crate) fn forget(&self, counted: &Counted) {
        self.bytes.fetch_sub(counted.bytes, Relaxed);
        self.accepted.fetch_sub(counted.accepted, Relaxed);
        for (reason, count) in counted.rejected.ranked() {
            self.reasons[reason as usize].fetch_sub(count, Relaxed);
        }
    }

    /// Waits until `rows` more rows are due at `per_second` over all workers, or the batch is cancelled.
    pub(crate) fn pace(&self, rows: u64, per_second: u32) {
        let mut brake = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let due = brake.next.unwrap_or(now).max(now);
        let cost = Duration::from_nanos(rows.saturating_mul(1_000_000_000) / u64::from(per_second.max(1)));
        brake.next = Some(due + cost);
        while !self.is_cancelled() {
            let Some(wait) = due.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero()) else { return };
            brake = self.wake.wait_timeout(brake, wait).map_or_else(|e| e.into_inner().0, |(brake, _)| brake);
        }
    }
}

/// Counts of a chunk or of a part of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Bytes of input.
    pub bytes: u64,
    pub accepted: u64,
    pub rejected: Tally,
}

impl Counted {
    /// Adds another count to this one.
    pub fn merge(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.accepted += other.accepted;
        self.rejected.merge(&other.rejected);
    }

    /// Accepted and rejected.
    pub fn rows(&self) -> u64 {
        self.accepted + self.rejected.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_brake_of_a_year_does_not_hold_up_cancel() {
        let control = Arc::new(Control::default());
        control.pace(1, 1);
        let waiting = Arc::clone(&control);
        let worker = std::thread::spawn(move || waiting.pace(31_536_000, 1));
        control.cancel();
        worker.join().unwrap();
        assert!(control.is_cancelled());
    }

    #[test]
    fn what_is_forgotten_was_never_counted() {
        let control = Control::default();
        let mut counted = Counted { bytes: 5, accepted: 2, ..Counted::default() };
        counted.rejected.add(Reason::BadDate);
        control.count(&counted);
        assert_eq!((control.progress().rows(), control.progress().bytes), (3, 5));
        control.forget(&counted);
        assert_eq!(control.progress(), Progress::default());
    }
}
