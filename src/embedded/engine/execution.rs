//! One execution: the batch itself, then its results where people look for them.

use super::{Inner, Live, jobs::LocalJob};
use crate::batch::ledger::{self, Request, result_name};
use crate::batch::{self, BatchError, Job, Outcome, Redo, Summary, Task, durable};
use crate::domain::run::AttemptKey;
use std::fs;
use std::path::Path;

/// Runs an attempt or goes on with it.
pub(super) fn run(inner: &Inner, key: &AttemptKey, request: &Request, live: &Live) -> Result<Summary, BatchError> {
    let local = inner.jobs.get(&request.job).map_err(|e| BatchError::State(e.what))?;
    let job = Job::load(&local.spec, &local.folder)?;
    let (dir, input) = (inner.attempts.dir(key), local.input.join(request.input.name.as_str()));
    let earlier = inner.attempts.earlier(key).map_err(|e| BatchError::State(e.what))?;
    let redo = (!earlier.is_empty()).then_some(Redo { scope: ledger::scope(request.scope), earlier: &earlier });
    let summary = batch::execute(&Task { job: &job, input: &input, dir: &dir, redo }, &live.control)?;
    if summary.outcome == Outcome::Succeeded {
        // Held already where the batch was finished just now, and not where an earlier process has done that.
        live.control.may_publish()?;
        show(local, key, request, &dir, &summary)?;
    }
    Ok(summary)
}

/// Puts the results into the job's output folder; a later attempt of the run replaces them.
pub(in crate::embedded) fn show(
    local: &LocalJob,
    key: &AttemptKey,
    request: &Request,
    dir: &Path,
    summary: &Summary,
) -> Result<(), BatchError> {
    durable::create_dir(&local.output)?;
    for (file, rejects) in [(&summary.rejects, true), (&summary.output, false)] {
        let (from, name) = (dir.join(file), result_name(key, request, rejects));
        let (beside, target) = (local.output.join(format!(".{name}.tmp")), local.output.join(name));
        let _ = fs::remove_file(&beside);
        // A link costs nothing; between file systems it takes a copy.
        fs::hard_link(&from, &beside)
            .or_else(|_| fs::copy(&from, &beside).and_then(|_| fs::File::open(&beside)?.sync_all()))
            .and_then(|()| fs::rename(&beside, &target))
            .map_err(BatchError::io("write", &target))?;
    }
    durable::sync_dir(&local.output)
}
