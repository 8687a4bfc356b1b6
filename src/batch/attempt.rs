//! An attempt under way: what is left of its chunks, on all workers, then the merge.
use super::apart;
use super::chunk::Done;
use super::control::{Control, Phase, Step};
use super::course::Course;
use super::crew;
use super::duplicates;
use super::durable;
use super::earlier::{Earlier, Manifest};
use super::error::BatchError;
use super::job::Job;
use super::keys::{self, RunError};
use super::merge::{Finished, MergeError};
use super::parts::{Marker, Parts, Round};
use super::placing::{Damaged, Placer, Ready};
use super::plan::{Chunk, Plan};
use super::run::{Summary, Task};
use super::work::Work;
use super::{PLAN, SUMMARY};
use std::collections::BTreeSet;
use std::fs::File;
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
        let earlier = apart::earlier(task)?;
        let input = File::open(task.input).map_err(BatchError::io("open", task.input))?;
        let size = input.metadata().map_err(BatchError::io("read", task.input))?.len();
        // A plan that a power cut has damaged is made again.
        let stored = durable::read_json_or_none::<Plan>(&task.dir.join(PLAN))?;
        // Without a plan nothing counts that an earlier process has left.
        let parts = if stored.is_some() { Parts::create(task.dir)? } else { Parts::create_anew(task.dir)? };
        let unique = keys::has_unique(task.job);
        let new = stored.is_none();
        let plan = match (stored, &earlier) {
            (Some(plan), _) => {
                plan.check(task.job)?;
                Some(plan)
            }
            (None, Some(earlier)) => Some(earlier.plan_for(task.job)),
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
        plan.check_size(size)?;
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
            None => {
                let keys = |chunk| self.marker(chunk, Round::First)?.keys;
                duplicates::compare(self.task.job, &self.parts, self.plan.chunks.len(), &keys, self.control)?
            }
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

    fn each_of(&self, chunks: &[Chunk], work: &crew::Work<'_>) -> Result<(), BatchError> {
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
            let marker = self.work().fill(chunk, round, [&mut output, &mut rejects])?;
            return placer.place(Ready { marker, parts: [output, rejects] }, self.control);
        }
        let [mut output, mut rejects] =
            [self.parts.create_part(index, round, "output")?, self.parts.create_part(index, round, "rejects")?];
        let marker = self.work().fill(chunk, round, [&mut output, &mut rejects])?;
        self.control.step(Step::PartWritten(index));
        self.parts.mark(index, round, &marker)?;
        match round {
            Round::First => self.control.chunk_done(),
            Round::Second => self.count_second(index, &marker),
        }
        self.control.step(Step::ChunkDone(index));
        Ok(())
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

    fn work(&self) -> Work<'_> {
        let (job, input, scope) = (self.task.job, self.task.input, self.task.redo.map(|redo| redo.scope));
        Work { job, input, parts: &self.parts, earlier: self.earlier.as_ref(), scope, control: self.control }
    }

    fn merge(&self, second: &BTreeSet<usize>) -> Result<Summary, MergeError> {
        let mut chunks: Vec<(Done, Round)> = Vec::new();
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
            chunks.push((done, round));
        }
        let done: Vec<_> = chunks.iter().map(|(done, _)| *done).collect();
        let summary = Summary::of(self.task.job, &self.plan, &done);
        let manifest = Manifest::of(self.task.job, &summary, done);
        let finished = Finished { job: self.task.job, parts: &self.parts, chunks: &chunks, placed: placed.is_some() };
        // What has its name must be found by its plan, should the summary not come to be written.
        durable::sync_file(&self.task.dir.join(PLAN))?;
        finished.publish(&manifest, self.task.dir, self.control)?;
        Ok(summary)
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
