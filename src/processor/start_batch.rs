//! `start-batch JOB [FILE]`.

use super::Ctx;
use super::asked::Asked;
use super::outcome::{begin, refuse};
use crate::domain::command::Scope;
use crate::domain::grammar::nearest;
use crate::domain::id::{EnvelopeId, FileName, JobName, RunId};
use crate::domain::problem::Problem;
use crate::domain::run::{Attempt, Input, Run, RunState};
use crate::ports::{Commit, PortError, RunQuery, input_lock};

/// How many inputs are looked through for one without a finished run.
const INPUTS: usize = 200;

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    job: &JobName,
    file: Option<&FileName>,
) -> Result<Commit, PortError> {
    if ctx.catalog.get(job).is_none() {
        return Ok(refuse(ctx, asked, Problem::UnknownJob { job: job.clone() }));
    }
    let inputs = ctx.files.inputs(job).await?;
    let input = match file {
        Some(file) => match inputs.iter().find(|i| &i.name == file) {
            Some(input) => input,
            None => {
                let near = nearest(file.as_str(), inputs.iter().map(|i| i.name.as_str()));
                let problem = Problem::UnknownFile { job: job.clone(), file: file.clone(), nearest: near };
                return Ok(refuse(ctx, asked, problem));
            }
        },
        None => match newest_unfinished(ctx, &inputs).await? {
            Some(input) => input,
            None => {
                let folder = ctx.files.input_folder(job);
                let problem = Problem::NoInput { job: job.clone(), folder, finished: inputs.len() };
                return Ok(refuse(ctx, asked, problem));
            }
        },
    };
    if let Some(problem) = taken(ctx, input).await? {
        return Ok(refuse(ctx, asked, problem));
    }
    let run = new_run(ctx, asked, job, input).await?;
    Ok(begin(ctx, asked, run, 0))
}

async fn newest_unfinished<'a>(ctx: &Ctx, inputs: &'a [Input]) -> Result<Option<&'a Input>, PortError> {
    for input in inputs.iter().take(INPUTS) {
        if finished_by(ctx, input).await?.is_none() {
            return Ok(Some(input));
        }
    }
    Ok(None)
}

/// Why this input cannot be started now: a run has it, or a run has finished it.
async fn taken(ctx: &Ctx, input: &Input) -> Result<Option<Problem>, PortError> {
    let file = input.name.clone();
    if let Some(run) = ctx.store.holder(&input_lock(&input.key)).await? {
        return Ok(Some(Problem::InputBusy { file, run }));
    }
    Ok(finished_by(ctx, input).await?.map(|run| Problem::AlreadyFinished { file, run }))
}

/// The run that has finished this very content, if its newest run did.
async fn finished_by(ctx: &Ctx, input: &Input) -> Result<Option<RunId>, PortError> {
    let last = ctx.store.runs(RunQuery::Input(input.key.clone()), 1).await?.pop();
    Ok(last
        .filter(|run| run.current().state == RunState::Succeeded && run.input.fingerprint == input.fingerprint)
        .map(|run| run.id))
}

async fn new_run(ctx: &Ctx, asked: &Asked<'_>, job: &JobName, input: &Input) -> Result<Run, PortError> {
    let now = ctx.clock.now();
    Ok(Run {
        id: free_id(ctx, &asked.envelope.key).await?,
        job: job.clone(),
        input: input.clone(),
        channel: asked.origin.channel.clone(),
        created_at: now,
        attempts: vec![Attempt::asked(1, Scope::All, asked.origin.actor.clone(), now)],
        version: 0,
    })
}

/// The id of the run that this request begins: always the same, unless another run has it.
pub(super) async fn free_id(ctx: &Ctx, request: &EnvelopeId) -> Result<RunId, PortError> {
    let mut round = 0;
    let mut id = RunId::derive(request, round);
    while ctx.store.run(&id).await?.is_some() && round < u8::MAX {
        round += 1;
        id = RunId::derive(request, round);
    }
    Ok(id)
}
