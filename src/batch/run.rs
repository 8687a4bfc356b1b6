//! One attempt from beginning to end, resumable after a kill at any point: plan, process, compare keys, merge.
use super::chunk::{self, Done, Given, Sinks};
use super::control::{Control, Counted, Phase, Progress, Step};
use super::durable;
use super::earlier::Earlier;
use super::error::BatchError;
use super::job::Job;
use super::keys::{self, KeySink, Run, RunError};
use super::merge::{Finished, MergeError};
use super::parts::{Marker, Parts, Round};
use super::plan::{Chunk, Plan, VERSION};
use super::reason::Tally;
use super::{COMPARED, LOCK, PLAN, REJECTS, SUMMARY};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::fs::{self, File, TryLockError};
use std::io::{Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    pub job: &'a Job,
    pub input: &'a Path,
    /// The attempt's own directory: state while it runs, results when it is done.
    pub dir: &'a Path,
    /// An attempt on the same input to build on.
    pub redo: Option<Redo<'a>>,
}

/// What to do again of an earlier attempt.
#[derive(Debug, Clone, Copy)]
pub struct Redo<'a> {
    pub scope: Scope,
    /// The earlier attempt's directory; it is only read.
    pub earlier: &'a Path,
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

/// The summary of a finished attempt; `None` for one that is not finished.
pub fn summary(dir: &Path) -> Result<Option<Summary>, BatchError> {
    durable::read_json(&dir.join(SUMMARY))
}

/// How far an attempt has come that nobody runs at present; `None` when it was never planned.
pub fn stored_progress(dir: &Path) -> Result<Option<Progress>, BatchError> {
    let Some(plan) = durable::read_json::<Plan>(&dir.join(PLAN))? else { return Ok(None) };
    let control = Control::default();
    if let Some(summary) = summary(dir)? {
        show_done(&control, &summary);
        return Ok(Some(control.progress()));
    }
    let parts = Parts::of(dir);
    control.expect(plan.chunks.len() as u64, plan.data_bytes());
    for chunk in &plan.chunks {
        if let Some(marker) = parts.marker(chunk.index, Round::First) {
            control.count(&marker.done.counted);
            control.chunk_done();
        }
    }
    Ok(Some(control.progress()))
}

fn show_done(control: &Control, summary: &Summary) {
    let chunks = summary.chunks as u64;
    control.expect(chunks, summary.bytes);
    control.count(&Counted { bytes: summary.bytes, accepted: summary.accepted, rejected: summary.reasons });
    (0..chunks).for_each(|_| control.chunk_done());
    control.enter(Phase::Done);
}

struct Attempt<'a> {
    task: &'a Task<'a>,
    control: &'a Control,
    plan: Plan,
    parts: Parts,
    earlier: Option<Earlier>,
    unique: bool,
}

/// After so many damaged chunks the disk is not to be trusted.
const DAMAGED: usize = 8;

impl<'a> Attempt<'a> {
    fn prepare(task: &'a Task<'a>, control: &'a Control) -> Result<Self, BatchError> {
        let earlier = match task.redo {
            Some(Redo { scope: Scope::Rows | Scope::Chunks, earlier }) => Some(Earlier::open(earlier, task.job)?),
            _ => None,
        };
        let input = File::open(task.input).map_err(BatchError::io("open", task.input))?;
        let size = input.metadata().map_err(BatchError::io("read", task.input))?.len();
        let stored = durable::read_json::<Plan>(&task.dir.join(PLAN))?;
        let plan = match (stored, &earlier) {
            (Some(plan), _) => Self::check(plan, task.job)?,
            (None, Some(earlier)) => {
                let plan = Plan { job: task.job.fingerprint().to_owned(), ..earlier.plan.clone() };
                durable::publish_json(task.dir, PLAN, &plan)?;
                plan
            }
            (None, None) => {
                let plan = Plan::make(task.job, input, control)?;
                durable::publish_json(task.dir, PLAN, &plan)?;
                plan
            }
        };
        if plan.bytes != size {
            return Err(BatchError::InputChanged(format!("{} bytes then, {size} now", plan.bytes)));
        }
        control.step(Step::Planned);
        let parts = Parts::create(task.dir)?;
        let unique = !keys::unique_keys(task.job).is_empty();
        Ok(Self { task, control, plan, parts, earlier, unique })
    }

    fn check(plan: Plan, job: &Job) -> Result<Plan, BatchError> {
        if plan.version != VERSION {
            return Err(BatchError::State(format!("its plan is of version {}, this is {VERSION}", plan.version)));
        }
        if plan.job == job.fingerprint() { Ok(plan) } else { Err(BatchError::JobChanged) }
    }

    fn run(self) -> Result<Summary, BatchError> {
        self.control.enter(Phase::Processing);
        self.control.expect(self.plan.chunks.len() as u64, self.plan.data_bytes());
        let mut counted = BTreeSet::new();
        for _ in 0..DAMAGED {
            self.first_round(&mut counted)?;
            let damaged = match self.second_round() {
                Ok(second) => {
                    self.control.enter(Phase::Merging);
                    match self.merge(&second) {
                        Ok(summary) => return self.finish(summary),
                        Err(MergeError::Failed(error)) => return Err(error),
                        Err(MergeError::Damaged(chunk)) => chunk,
                    }
                }
                Err(RunError::Failed(error)) => return Err(error),
                Err(RunError::Damaged(chunk)) => chunk,
            };
            self.forget_damaged(damaged);
            counted.remove(&damaged);
        }
        Err(BatchError::State("its parts do not stay as they were written".to_owned()))
    }

    /// Processes every chunk that has no marker.
    fn first_round(&self, counted: &mut BTreeSet<usize>) -> Result<(), BatchError> {
        let mut pending = Vec::new();
        for chunk in &self.plan.chunks {
            match self.parts.marker(chunk.index, Round::First) {
                None => pending.push(*chunk),
                Some(marker) => {
                    if counted.insert(chunk.index) {
                        self.control.count(&marker.done.counted);
                        self.control.chunk_done();
                    }
                }
            }
        }
        if !pending.is_empty() {
            let _ = fs::remove_file(self.parts.dir().join(COMPARED));
        }
        counted.extend(pending.iter().map(|chunk| chunk.index));
        self.each(&pending, &|chunk| self.process(chunk, Round::First))
    }

    /// Processes once more the chunks in which an earlier row's key comes again; returns which these are.
    fn second_round(&self) -> Result<BTreeSet<usize>, RunError> {
        if !self.unique {
            return Ok(BTreeSet::new());
        }
        let compared = self.parts.dir().join(COMPARED);
        let second = match durable::read_json::<BTreeSet<usize>>(&compared).map_err(RunError::Failed)? {
            Some(second) => second,
            None => self.compare()?,
        };
        let mut pending = Vec::new();
        for &chunk in &second {
            match self.parts.marker(chunk, Round::Second) {
                None => pending.push(self.plan.chunks[chunk]),
                Some(marker) => {
                    self.forget_first(chunk);
                    self.control.count(&marker.done.counted);
                }
            }
        }
        self.each(&pending, &|chunk| self.process(chunk, Round::Second)).map_err(RunError::Failed)?;
        Ok(second)
    }

    fn compare(&self) -> Result<BTreeSet<usize>, RunError> {
        let chunks = self.plan.chunks.len();
        self.parts.clear_duplicates(chunks);
        let mut runs = Vec::new();
        for chunk in 0..chunks {
            let keys = self.parts.marker(chunk, Round::First).and_then(|marker| marker.keys);
            let crc = Some(keys.ok_or(RunError::Damaged(chunk))?.crc);
            runs.push(Run { path: self.parts.path(chunk, Round::First, "keys"), crc, chunk });
        }
        let mut found = Spill { parts: &self.parts, waiting: Vec::new(), chunks: BTreeSet::new() };
        keys::duplicates(self.task.job, runs, self.parts.dir(), &mut |chunk, duplicate| {
            if self.control.is_cancelled() {
                return Err(BatchError::Cancelled);
            }
            found.add(chunk, duplicate)
        })?;
        let second = found.finish().map_err(RunError::Failed)?;
        durable::publish_json(self.parts.dir(), COMPARED, &second).map_err(RunError::Failed)?;
        self.control.step(Step::KeysCompared);
        Ok(second)
    }

    /// Runs `work` for all chunks on all workers. What failed does not keep the other chunks from being done.
    fn each(
        &self,
        chunks: &[Chunk],
        work: &(dyn Fn(&Chunk) -> Result<(), BatchError> + Sync),
    ) -> Result<(), BatchError> {
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let failures = Mutex::new(Vec::new());
        let worker = || {
            while !stop.load(Relaxed) {
                let Some(chunk) = chunks.get(next.fetch_add(1, Relaxed)) else { return };
                if let Err(error) = work(chunk) {
                    let pointless = matches!(error, BatchError::Cancelled | BatchError::InputChanged(_));
                    stop.fetch_or(pointless, Relaxed);
                    failures.lock().unwrap_or_else(PoisonError::into_inner).push((pointless, chunk.index, error));
                }
            }
        };
        let workers = self.workers().min(chunks.len());
        std::thread::scope(|scope| {
            for _ in 1..workers {
                scope.spawn(worker);
            }
            worker();
        });
        if self.control.is_cancelled() {
            return Err(BatchError::Cancelled);
        }
        let mut failures = failures.into_inner().unwrap_or_else(PoisonError::into_inner);
        failures.sort_by_key(|(pointless, index, _)| (!pointless, *index));
        let failed = failures.len();
        match failures.into_iter().next() {
            None => Ok(()),
            Some((true, _, error)) => Err(error),
            Some((false, first, error)) => {
                let chunks = self.plan.chunks.len();
                Err(BatchError::Chunks { failed, chunks, first, reason: error.to_string() })
            }
        }
    }

    fn workers(&self) -> usize {
        match self.task.job.spec.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }

    fn process(&self, chunk: &Chunk, round: Round) -> Result<(), BatchError> {
        let index = chunk.index;
        if round == Round::Second {
            self.forget_first(index);
        }
        let marker = match self.copy_earlier(index)? {
            Some(marker) => marker,
            None => self.process_rows(chunk, round)?,
        };
        self.control.step(Step::PartWritten(index));
        self.parts.mark(index, round, &marker)?;
        if round == Round::First {
            self.control.chunk_done();
        }
        self.control.step(Step::ChunkDone(index));
        Ok(())
    }

    /// The second round counts the chunk's rows again.
    fn forget_first(&self, chunk: usize) {
        if let Some(first) = self.parts.marker(chunk, Round::First) {
            self.control.forget(&first.done.counted);
        }
    }

    fn forget_damaged(&self, chunk: usize) {
        let rounds = [Round::Second, Round::First];
        if let Some(marker) = rounds.into_iter().find_map(|round| self.parts.marker(chunk, round)) {
            self.control.forget(&marker.done.counted);
            self.control.chunk_undone();
        }
        self.parts.unmark(chunk);
    }

    fn process_rows(&self, chunk: &Chunk, round: Round) -> Result<Marker, BatchError> {
        let job = self.task.job;
        let mut input = File::open(self.task.input).map_err(BatchError::io("open", self.task.input))?;
        input.seek(SeekFrom::Start(chunk.start)).map_err(BatchError::io("read", self.task.input))?;
        let mut output = self.parts.create_part(chunk.index, round, "output")?;
        let mut rejects = self.parts.create_part(chunk.index, round, "rejects")?;
        let mut keys = if round == Round::First { KeySink::for_job(job) } else { None };
        let duplicates = if round == Round::Second { self.parts.duplicates(chunk.index)? } else { Vec::new() };
        let earlier = match &self.earlier {
            Some(earlier) => earlier.rows(chunk.index, job)?,
            None => None,
        };
        let sinks = Sinks { output: &mut output, rejects: &mut rejects, keys: keys.as_mut() };
        let given = Given { duplicates: &duplicates, earlier };
        let done = chunk::process(job, chunk, input, sinks, given, self.control)?;
        let path = self.parts.path(chunk.index, round, "keys");
        let keys = keys.map(|keys| keys.write(chunk.index, &path)).transpose()?;
        Ok(Marker { done, keys })
    }

    /// Takes a chunk as the earlier attempt left it, where none of its rows has to be looked at.
    fn copy_earlier(&self, chunk: usize) -> Result<Option<Marker>, BatchError> {
        let Some(earlier) = self.earlier.as_ref().filter(|_| !self.unique) else { return Ok(None) };
        let Some((done, output, rejects)) = &earlier.chunks[chunk] else { return Ok(None) };
        let only_chunks = self.task.redo.is_some_and(|redo| redo.scope == Scope::Chunks);
        if !only_chunks && done.counted.rejected.total() > 0 {
            return Ok(None);
        }
        for (place, kind) in [(output, "output"), (rejects, "rejects")] {
            let mut part = self.parts.create_part(chunk, Round::First, kind)?;
            std::io::copy(&mut place.open()?, &mut part).map_err(BatchError::stream("copy the earlier result"))?;
        }
        self.control.count(&done.counted);
        Ok(Some(Marker { done: *done, keys: None }))
    }

    fn merge(&self, second: &BTreeSet<usize>) -> Result<Summary, MergeError> {
        let mut chunks: Vec<(Done, Round)> = Vec::new();
        let mut counted = Counted::default();
        for index in 0..self.plan.chunks.len() {
            let round = if second.contains(&index) { Round::Second } else { Round::First };
            let done = self.parts.marker(index, round).ok_or(MergeError::Damaged(index))?.done;
            counted.merge(&done.counted);
            chunks.push((done, round));
        }
        let (rows, rejected) = (counted.rows(), counted.rejected.total());
        #[expect(clippy::cast_precision_loss, reason = "a percentage; rows are far below 2^52")]
        let percent = if rows == 0 { 0.0 } else { rejected as f64 * 100.0 / rows as f64 };
        let tolerated = self.task.job.spec.tolerated_rejects_percent;
        let tolerable = percent <= tolerated;
        let finished = Finished { job: self.task.job, parts: &self.parts, chunks: &chunks, tolerable };
        let output = finished.publish(self.task.dir, self.control)?;
        Ok(Summary {
            outcome: if tolerable { Outcome::Succeeded } else { Outcome::TooManyRejects },
            rows,
            accepted: counted.accepted,
            rejected,
            reasons: counted.rejected,
            rejected_percent: percent,
            tolerated_percent: tolerated,
            bytes: self.plan.bytes,
            chunks: chunks.len(),
            output: output.to_owned(),
            rejects: REJECTS.to_owned(),
        })
    }

    /// The summary makes the attempt done; only then its parts go.
    fn finish(self, summary: Summary) -> Result<Summary, BatchError> {
        durable::publish_json(self.task.dir, SUMMARY, &summary)?;
        self.control.step(Step::Summarised);
        self.parts.remove()?;
        self.control.enter(Phase::Done);
        Ok(summary)
    }
}

/// Duplicates on their way to the chunks they belong to; holds a bounded number of them.
struct Spill<'a> {
    parts: &'a Parts,
    waiting: Vec<(usize, keys::Duplicate)>,
    chunks: BTreeSet<usize>,
}

const WAITING: usize = 1 << 16;

impl Spill<'_> {
    fn add(&mut self, chunk: usize, duplicate: keys::Duplicate) -> Result<(), BatchError> {
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
