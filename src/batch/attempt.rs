//! An attempt under way: what is left of its chunks, on all workers, then the merge.
use super::chunk::{self, Done, Given, Sinks, Written};
use super::control::{Control, Counted, Phase, Step};
use super::course::Course;
use super::crew::{self, Work};
use super::duplicates;
use super::durable::{self, CheckedReader};
use super::earlier::Earlier;
use super::error::BatchError;
use super::job::Job;
use super::keys::{self, KeySink, RunError};
use super::merge::{Finished, MergeError};
use super::parts::{Marker, Parts, Round};
use super::placing::{Damaged, Placer, Ready};
use super::plan::{Chunk, Plan, VERSION};
use super::run::{Outcome, Redo, Scope, Summary, Task};
use super::{PLAN, REJECTS, SUMMARY};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::sync::Arc;

/// An attempt under way.
pub(super) struct Attempt<'a> {
    task: &'a Task<'a>,
    control: &'a Control,
    plan: Plan,
    parts: Parts,
    /// Puts chunks into the result as they come; not where a second round may change them.
    placer: Option<Placer>,
    earlier: Option<Earlier>,
    unique: bool,
    /// Chunks whose rows the control knows of.
    counted: BTreeSet<usize>,
}

/// A larger input is processed while it is still planned.
const AT_ONCE: u64 = 2 << 20;

/// After so many damaged chunks the disk is not to be trusted.
const DAMAGED: usize = 8;

impl<'a> Attempt<'a> {
    /// Reads what an earlier process has left, or makes the plan.
    pub(super) fn prepare(task: &'a Task<'a>, control: &'a Control) -> Result<Self, BatchError> {
        let earlier = match task.redo {
            Some(Redo { scope: Scope::Rows | Scope::Chunks, earlier }) => Some(Earlier::open(earlier, task.job)?),
            _ => None,
        };
        let input = File::open(task.input).map_err(BatchError::io("open", task.input))?;
        let size = input.metadata().map_err(BatchError::io("read", task.input))?.len();
        // A plan that a power cut has damaged is made again.
        let stored = durable::read_json_or_none::<Plan>(&task.dir.join(PLAN))?;
        // Without a plan nothing counts that an earlier process has left.
        let parts = if stored.is_some() { Parts::create(task.dir)? } else { Parts::create_anew(task.dir)? };
        let unique = !keys::unique_keys(task.job).is_empty();
        let new = stored.is_none();
        let plan = match (stored, &earlier) {
            (Some(plan), _) => Some(Self::check(plan, task.job)?),
            (None, Some(earlier)) => Some(Plan { job: task.job.fingerprint().to_owned(), ..earlier.plan.clone() }),
            (None, None) if size <= AT_ONCE => Some(Plan::make(task.job, &input, control)?),
            (None, None) => None,
        };
        let early = plan.is_none();
        let chunks = plan.as_ref().map(|plan| plan.chunks.clone());
        let course = Arc::new(chunks.clone().map_or_else(Course::default, Course::whole));
        let placer = if unique {
            None
        } else {
            let (parts, planned, room) = (parts.clone(), chunks.unwrap_or_default(), workers(task.job));
            Some(Placer::open(task.job, parts, &planned, Arc::clone(&course), room)?)
        };
        let (none, counted) = (Plan::default(), BTreeSet::new());
        let mut attempt = Self { task, control, plan: none, parts, placer, earlier, unique, counted };
        attempt.plan = match plan {
            Some(plan) => {
                attempt.keep(&plan, size, new)?;
                plan
            }
            None => attempt.plan_and_process(&input, size, &course)?,
        };
        attempt.counted = if early { (0..attempt.plan.chunks.len()).collect() } else { BTreeSet::new() };
        Ok(attempt)
    }

    /// Stores a new plan: from here on what is done by it counts.
    fn keep(&self, plan: &Plan, size: u64, new: bool) -> Result<(), BatchError> {
        if new {
            durable::replace_json(self.task.dir, PLAN, plan)?;
        }
        if plan.bytes != size {
            return Err(BatchError::InputChanged(format!("{} bytes then, {size} now", plan.bytes)));
        }
        self.control.enter(Phase::Processing);
        self.control.expect(plan.chunks.len() as u64, plan.data_bytes());
        self.control.step(Step::Planned);
        Ok(())
    }

    /// Makes the plan, with all workers close behind the planner.
    fn plan_and_process(&self, input: &File, size: u64, course: &Course) -> Result<Plan, BatchError> {
        self.control.expect(0, size);
        let planner = || -> Result<Plan, BatchError> {
            let ending = course.ending();
            let plan = Plan::make_and_tell(self.task.job, input, self.control, &mut |chunk| course.add(chunk))?;
            drop(ending);
            self.keep(&plan, size, true)?;
            Ok(plan)
        };
        let (plan, done) = std::thread::scope(|scope| {
            let planner = scope.spawn(planner);
            let chunk = |index| course.wait(index);
            let work = |chunk: &Chunk| self.process(chunk, Round::First);
            let done = crew::each(self.control, workers(self.task.job), &chunk, &work);
            (planner.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)), done)
        });
        let plan = plan?;
        let settled = self.placer.as_ref().map_or(Ok(()), |placer| placer.settle(self.control));
        done.map_err(|error| error.among(plan.chunks.len())).and(settled).map(|()| plan)
    }

    fn check(plan: Plan, job: &Job) -> Result<Plan, BatchError> {
        if plan.version != VERSION {
            return Err(BatchError::State(format!("its plan is of version {}, this is {VERSION}", plan.version)));
        }
        if plan.job == job.fingerprint() { Ok(plan) } else { Err(BatchError::JobChanged) }
    }

    /// Goes on from what is there to the summary.
    pub(super) fn run(mut self) -> Result<Summary, BatchError> {
        let mut counted = std::mem::take(&mut self.counted);
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
        let mut placed = self.placer.as_ref().map(Placer::placed).unwrap_or_default().into_iter();
        for chunk in &self.plan.chunks {
            match placed.next().or_else(|| self.parts.marker(chunk, Round::First)) {
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
            duplicates::forget(&self.parts);
        }
        counted.extend(pending.iter().map(|chunk| chunk.index));
        let done = self.each_of(&pending, &|chunk| self.process(chunk, Round::First));
        match &self.placer {
            Some(placer) => {
                let settled = placer.settle(self.control);
                done.and(settled)
            }
            None => done,
        }
    }

    /// Processes once more the chunks in which an earlier row's key comes again; returns which these are.
    fn second_round(&self) -> Result<BTreeSet<usize>, RunError> {
        if !self.unique {
            return Ok(BTreeSet::new());
        }
        let second = match duplicates::known(&self.parts).map_err(RunError::Failed)? {
            Some(second) => second,
            None => duplicates::compare(self.task.job, &self.parts, &self.plan.chunks, self.control)?,
        };
        let mut pending = Vec::new();
        for &chunk in &second {
            match self.marker(chunk, Round::Second) {
                None => pending.push(self.plan.chunks[chunk]),
                Some(marker) => self.count_second(chunk, &marker),
            }
        }
        self.each_of(&pending, &|chunk| self.process(chunk, Round::Second)).map_err(RunError::Failed)?;
        Ok(second)
    }

    fn each_of(&self, chunks: &[Chunk], work: &Work<'_>) -> Result<(), BatchError> {
        let workers = workers(self.task.job).min(chunks.len());
        let done = crew::each(self.control, workers, &|index| chunks.get(index).copied(), work);
        done.map_err(|error| error.among(self.plan.chunks.len()))
    }

    fn process(&self, chunk: &Chunk, round: Round) -> Result<(), BatchError> {
        let index = chunk.index;
        if let Some(placer) = &self.placer {
            // As much output as input, and a little more for what a lookup adds.
            let expected = usize::try_from(chunk.bytes + chunk.bytes / 4).unwrap_or(usize::MAX);
            let [mut output, mut rejects] = [placer.hold(index, "output", expected), placer.hold(index, "rejects", 0)];
            let marker = self.fill(chunk, round, [&mut output, &mut rejects])?;
            return placer.place(Ready { marker, parts: [output, rejects] }, self.control);
        }
        let [mut output, mut rejects] =
            [self.parts.create_part(index, round, "output")?, self.parts.create_part(index, round, "rejects")?];
        let marker = self.fill(chunk, round, [&mut output, &mut rejects])?;
        self.control.step(Step::PartWritten(index));
        self.parts.mark(index, round, &marker)?;
        match round {
            Round::First => self.control.chunk_done(),
            Round::Second => self.count_second(index, &marker),
        }
        self.control.step(Step::ChunkDone(index));
        Ok(())
    }

    fn fill(&self, chunk: &Chunk, round: Round, mut to: [&mut dyn Write; 2]) -> Result<Marker, BatchError> {
        match self.copy_earlier(chunk, &mut to)? {
            Some(marker) => Ok(marker),
            None => self.process_rows(chunk, round, to),
        }
    }

    /// The second round has moved rows from the accepted to the rejected ones.
    fn count_second(&self, chunk: usize, second: &Marker) {
        if let Some(first) = self.marker(chunk, Round::First) {
            self.control.count(&second.done.counted);
            self.control.forget(&first.done.counted);
        }
    }

    fn marker(&self, chunk: usize, round: Round) -> Option<Marker> {
        self.parts.marker(&self.plan.chunks[chunk], round)
    }

    fn forget_damaged(&self, chunk: usize) {
        let rounds = [Round::Second, Round::First];
        if let Some(marker) = rounds.into_iter().find_map(|round| self.marker(chunk, round)) {
            self.control.forget(&marker.done.counted);
            self.control.chunk_undone();
        }
        self.parts.unmark(chunk);
    }

    fn process_rows(&self, chunk: &Chunk, round: Round, to: [&mut dyn Write; 2]) -> Result<Marker, BatchError> {
        let job = self.task.job;
        let mut input = File::open(self.task.input).map_err(BatchError::io("open", self.task.input))?;
        input.seek(SeekFrom::Start(chunk.start)).map_err(BatchError::io("read", self.task.input))?;
        let mut keys = if round == Round::First { KeySink::for_job(job) } else { None };
        let duplicates = if round == Round::Second { self.parts.duplicates(chunk.index)? } else { Vec::new() };
        let earlier = match &self.earlier {
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
        let Some(earlier) = self.earlier.as_ref().filter(|_| !self.unique) else { return Ok(None) };
        let Some((done, output, rejects)) = &earlier.chunks[chunk.index] else { return Ok(None) };
        let only_chunks = self.task.redo.is_some_and(|redo| redo.scope == Scope::Chunks);
        if !only_chunks && done.counted.rejected.total() > 0 {
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

    fn merge(&self, second: &BTreeSet<usize>) -> Result<Summary, MergeError> {
        let mut chunks: Vec<(Done, Round)> = Vec::new();
        let mut counted = Counted::default();
        let placed = match &self.placer {
            Some(placer) => Some(placer.finish()?.map_err(|Damaged(chunk)| MergeError::Damaged(chunk))?),
            None => None,
        };
        for index in 0..self.plan.chunks.len() {
            let round = if second.contains(&index) { Round::Second } else { Round::First };
            let marker = match &placed {
                Some(placed) => placed.get(index).copied(),
                None => self.marker(index, round),
            };
            let done = marker.ok_or(MergeError::Damaged(index))?.done;
            counted.merge(&done.counted);
            chunks.push((done, round));
        }
        let (rows, rejected) = (counted.rows(), counted.rejected.total());
        #[expect(clippy::cast_precision_loss, reason = "a percentage; rows are far below 2^52")]
        let percent = if rows == 0 { 0.0 } else { rejected as f64 * 100.0 / rows as f64 };
        let tolerated = self.task.job.spec.tolerated_rejects_percent;
        let tolerable = percent <= tolerated;
        let finished =
            Finished { job: self.task.job, parts: &self.parts, chunks: &chunks, tolerable, placed: placed.is_some() };
        // What has its name must be found by its plan, should the summary not come to be written.
        durable::sync_file(&self.task.dir.join(PLAN))?;
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

fn workers(job: &Job) -> usize {
    match job.spec.workers {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        workers => workers,
    }
}
