//! One attempt from outside: start it or go on with it after a kill at any point, and what it came to.
use super::apart;
use super::attempt::Attempt;
use super::chunk::Done;
use super::control::{Control, Counted, Phase, Progress};
use super::durable;
use super::error::BatchError;
use super::job::Job;
use super::parts::{Parts, Round};
use super::plan::Plan;
use super::reason::Tally;
use super::{ASIDE, LOCK, OUTPUT, PLAN, REJECTS, SUMMARY};
use serde::{Deserialize, Serialize};
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub job: &'a Job,
    pub input: &'a Path,
    /// The attempt's own directory: state while it runs, results when it is done.
    pub dir: &'a Path,
    /// Attempts on the same input to build on.
    pub redo: Option<Redo<'a>>,
}

/// What to do again of an earlier attempt.
#[derive(Debug, Clone, Copy)]
pub struct Redo<'a> {
    pub scope: Scope,
    /// The earlier attempts' directories, the newest first; they are only read. What the newest has not finished
    /// is taken from the next.
    pub earlier: &'a [PathBuf],
}

/// How much of an earlier attempt is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Its rejected rows (and its unfinished chunks).
    Rows,
    /// Its unfinished chunks.
    Chunks,
    /// Everything.
    All,
}

/// How an attempt came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Succeeded,
    /// More rejects than the job tolerates: the output is kept aside.
    TooManyRejects,
}

/// The result of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    pub outcome: Outcome,
    pub rows: u64,
    pub accepted: u64,
    pub rejected: u64,
    pub reasons: Tally,
    pub rejected_percent: f64,
    pub tolerated_percent: f64,
    /// Bytes and chunks of input.
    pub bytes: u64,
    pub chunks: usize,
    /// Names of the result files in the attempt's directory.
    pub output: String,
    pub rejects: String,
}

impl Summary {
    /// What the finished chunks of a plan come to.
    pub(crate) fn of(job: &Job, plan: &Plan, chunks: &[Done]) -> Self {
        let mut counted = Counted::default();
        for done in chunks {
            counted.merge(&done.counted);
        }
        let (rows, rejected) = (counted.rows(), counted.rejected.total());
        #[expect(clippy::cast_precision_loss, reason = "a percentage; rows are far below 2^52")]
        let percent = if rows == 0 { 0.0 } else { rejected as f64 * 100.0 / rows as f64 };
        let tolerated = job.spec.tolerated_rejects_percent;
        let tolerable = percent <= tolerated;
        Self {
            outcome: if tolerable { Outcome::Succeeded } else { Outcome::TooManyRejects },
            rows,
            accepted: counted.accepted,
            rejected,
            reasons: counted.rejected,
            rejected_percent: percent,
            tolerated_percent: tolerated,
            bytes: plan.bytes,
            chunks: chunks.len(),
            output: if tolerable { OUTPUT } else { ASIDE }.to_owned(),
            rejects: REJECTS.to_owned(),
        }
    }

    /// The counters of an attempt with this summary.
    pub(crate) fn progress(&self) -> Progress {
        let control = Control::default();
        show_done(&control, self);
        control.progress()
    }
}

/// Runs an attempt, or goes on with it where it was interrupted. Done once, it answers from its summary.
pub fn execute(task: &Task<'_>, control: &Control) -> Result<Summary, BatchError> {
    durable::create_dir(task.dir)?;
    let lock_path = task.dir.join(LOCK);
    let lock = File::create(&lock_path).map_err(BatchError::io("create", &lock_path))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(BatchError::Running),
        Err(TryLockError::Error(error)) => return Err(BatchError::io("lock", &lock_path)(error)),
    }
    if let Some(summary) = summary(task.dir)? {
        show_done(control, &summary);
        return Ok(summary);
    }
    Attempt::prepare(task, control)?.run()
}

/// Whether a process is working on an attempt.
pub fn is_running(dir: &Path) -> bool {
    File::open(dir.join(LOCK)).is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Whether an attempt came as far as its plan, so that another can build on it.
pub fn is_planned(dir: &Path) -> bool {
    dir.join(PLAN).exists()
}

/// The summary of a finished attempt; `None` for one that is not finished.
pub fn summary(dir: &Path) -> Result<Option<Summary>, BatchError> {
    durable::read_json(&dir.join(SUMMARY))
}

/// How far an attempt has come that nobody runs at present; `None` when it was never planned.
pub fn stored_progress(dir: &Path) -> Result<Option<Progress>, BatchError> {
    let Some(plan) = durable::read_json_or_none::<Plan>(&dir.join(PLAN))? else { return Ok(None) };
    if let Some(summary) = summary(dir)? {
        return Ok(Some(summary.progress()));
    }
    let parts = Parts::of(dir);
    let mut placed = parts.placed(&plan.chunks).into_iter();
    let marker = |chunk| placed.next().or_else(|| parts.marker(chunk, Round::First));
    let done: Vec<_> = plan.chunks.iter().filter_map(marker).collect();
    Ok(Some(apart::progress(&plan, done.iter())))
}

fn show_done(control: &Control, summary: &Summary) {
    let chunks = summary.chunks as u64;
    control.expect(chunks, summary.bytes);
    control.count(&Counted { bytes: summary.bytes, accepted: summary.accepted, rejected: summary.reasons });
    (0..chunks).for_each(|_| control.chunk_done());
    control.enter(Phase::Done);
}
