//! The steps of an attempt, each on its own: by different processes, on a directory that holds only what the step needs. Whoever runs
//! them brings that from elsewhere and takes away what a step has left; the files have the names they have in a whole attempt.
//!
//! What is brought for a chunk: its range of the input, at its offset in a file that is otherwise empty; for the second round its list of
//! duplicates; of each earlier attempt the plan, and of that chunk either the ranges of the result, or the parts with their marker.
use super::chunk::Written;
use super::control::{Control, Progress};
use super::duplicates;
use super::earlier::Earlier;
use super::error::BatchError;
use super::job::Job;
use super::keys::RunError;
use super::parts::{Marker, Parts, Round};
use super::plan::Plan;
use super::run::{Redo, Scope, Task};
use super::work::Work;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::Path;

/// Makes the plan of an attempt on an input of this size, or takes over that of the attempt it builds on: then the input is not read.
/// Of a task, only the job and what it builds on are looked at.
pub(crate) fn plan(task: &Task<'_>, input: impl Read, size: u64, control: &Control) -> Result<Plan, BatchError> {
    let plan = match earlier(task)? {
        Some(earlier) => earlier.plan_for(task.job),
        None => Plan::make(task.job, input, control)?,
    };
    plan.check_size(size)?;
    Ok(plan)
}

/// Makes the parts of one chunk in the task's directory.
pub(crate) fn chunk(
    task: &Task<'_>,
    plan: &Plan,
    index: usize,
    round: Round,
    control: &Control,
) -> Result<Marker, BatchError> {
    let chunk = plan.chunks.get(index).ok_or_else(|| BatchError::State(format!("its plan has no chunk {index}")))?;
    let earlier = earlier(task)?;
    if earlier.as_ref().is_some_and(|earlier| earlier.plan.chunks != plan.chunks) {
        return Err(BatchError::Earlier("it was cut in another way; reprocess all".to_owned()));
    }
    let parts = Parts::create(task.dir)?;
    let [mut output, mut rejects] =
        [parts.create_part(index, round, "output")?, parts.create_part(index, round, "rejects")?];
    let scope = task.redo.map(|redo| redo.scope);
    let work = Work { job: task.job, input: task.input, parts: &parts, earlier: earlier.as_ref(), scope, control };
    work.fill(chunk, round, [&mut output, &mut rejects])
}

/// Compares the keys of all chunks, which lie in `dir` as parts; what was written of each is in `keys`. Leaves the lists of duplicates there
/// and says which chunks need a second round.
pub(crate) fn compare(
    job: &Job,
    dir: &Path,
    keys: &[Option<Written>],
    control: &Control,
) -> Result<BTreeSet<usize>, RunError> {
    let parts = Parts::create(dir).map_err(RunError::Failed)?;
    duplicates::compare(job, &parts, keys.len(), &|chunk| keys[chunk], control)
}

/// How far an attempt has come of which these chunks are done.
pub(crate) fn progress<'a>(plan: &Plan, done: impl Iterator<Item = &'a Marker>) -> Progress {
    let control = Control::default();
    control.expect(plan.chunks.len() as u64, plan.data_bytes());
    for marker in done {
        control.count(&marker.done.counted);
        control.chunk_done();
    }
    control.progress()
}

/// What an attempt builds on.
pub(super) fn earlier(task: &Task<'_>) -> Result<Option<Earlier>, BatchError> {
    match task.redo {
        Some(Redo { scope: Scope::Rows | Scope::Chunks, earlier }) => Earlier::open(earlier, task.job).map(Some),
        _ => Ok(None),
    }
}
