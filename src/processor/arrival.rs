//! A file arrived whose job has `on_arrival = true`: its run begins, once for each content. Nobody asked, so nobody is refused anything:
//! where there is nothing to do, nothing is said. What permits it is the catalog, and the audit trail says so.

use super::Ctx;
use super::outcome::{audit, started};
use super::standing::permitted_channel;
use super::start_batch::free_id;
use crate::domain::actor::{Asker, Cause};
use crate::domain::command::{Action, Scope};
use crate::domain::id::{EnvelopeId, FileName, JobName};
use crate::domain::policy::Decision;
use crate::domain::run::{Attempt, Input, Run};
use crate::ports::{Commit, PortError, RunQuery, RunWrite, input_lock};

/// What arrived, and the key of the envelope that told.
#[derive(Clone, Copy)]
pub(super) struct Arrival<'a> {
    pub key: &'a EnvelopeId,
    pub job: &'a JobName,
    pub file: &'a FileName,
    pub fingerprint: &'a str,
}

pub(super) async fn handle(ctx: &Ctx, arrival: Arrival<'_>) -> Result<Commit, PortError> {
    let Some(job) = ctx.catalog.get(arrival.job) else {
        return Ok(refuse(ctx, arrival, "unknown-job"));
    };
    let Some(channel) = &job.arrival else {
        return Ok(refuse(ctx, arrival, "not-on-arrival"));
    };
    if !permitted_channel(ctx, channel).await? {
        return Ok(refuse(ctx, arrival, Decision::ChannelNotPermitted.code()));
    }
    if ctx.catalog.approval(Action::StartBatch, Some(arrival.job)).is_some() {
        return Ok(refuse(ctx, arrival, "needs-approval"));
    }
    let (active, site) = ctx.regions.here().await?;
    let inputs = site.files.inputs(arrival.job).await?;
    // What lies there now is something else: its own arrival is told when it is complete.
    let Some(input) = inputs.into_iter().find(|i| &i.name == arrival.file && i.fingerprint == arrival.fingerprint)
    else {
        return Ok(Commit::default());
    };
    if was_run(ctx, &input).await? {
        return Ok(Commit { claim: Some(arrival.key.clone()), ..Commit::default() });
    }
    if let Some(run) = ctx.store.holder(&input_lock(&input.key)).await? {
        // It works on what lay there before; this content comes after it.
        return Err(PortError::transient(format!("the run {run} still has the earlier content of {}", input.name)));
    }
    let now = ctx.clock.now();
    let run = Run {
        id: free_id(ctx, arrival.key).await?,
        job: arrival.job.clone(),
        input,
        channel: channel.clone(),
        created_at: now,
        attempts: vec![Attempt::asked(1, Scope::All, Asker::Bot { because: Cause::Arrival }, now).within(&active)],
        version: 0,
    };
    let why = format!("on_arrival of the job {}, request {}", run.job, arrival.key);
    let commit = started(ctx, None, Action::StartBatch.name(), why, RunWrite { run, expected: 0 });
    Ok(Commit { claim: Some(arrival.key.clone()), ..commit })
}

/// Whether the newest run of this input was on this very content, however it ended: a file that failed once would fail again.
async fn was_run(ctx: &Ctx, input: &Input) -> Result<bool, PortError> {
    let last = ctx.store.runs(RunQuery::Input(input.key.clone()), 1).await?.pop();
    Ok(last.is_some_and(|run| run.input.fingerprint == input.fingerprint))
}

fn refuse(ctx: &Ctx, arrival: Arrival<'_>, code: &str) -> Commit {
    let Arrival { key, job, file, .. } = arrival;
    tracing::warn!(%job, %file, code, "the arrival of {file} starts nothing: {code}");
    let record =
        audit(ctx, None, Action::StartBatch.name(), format!("{job} on {file}"), format!("request {key}"), code);
    Commit { claim: Some(key.clone()), audit: vec![record], ..Commit::default() }
}
