//! `start-batch JOB [FILE]`, and `start-batch JOB NAME=VALUE…` for a workflow.

use super::Ctx;
use super::asked::Asked;
use super::guard::{Ready, do_or_ask};
use super::outcome::refuse;
use crate::domain::actor::Actor;
use crate::domain::command::Scope;
use crate::domain::grammar::nearest;
use crate::domain::id::{ChannelId, EnvelopeId, FileName, JobName, ParameterName, RunId};
use crate::domain::parameter::{Given, Unfit};
use crate::domain::problem::Problem;
use crate::domain::run::{Attempt, Input, Run, RunState};
use crate::ports::{Commit, PortError, RunQuery, RunWrite, input_lock};
use jiff::civil::Date;

/// How many inputs are looked through for one without a finished run.
const INPUTS: usize = 200;

/// What a job is started on, as it was asked for.
#[derive(Clone, Copy)]
pub(super) struct On<'a> {
    pub file: Option<&'a FileName>,
    pub values: &'a [Given],
    /// The day on which it was asked for.
    pub today: Date,
}

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>, job: &JobName, on: On<'_>) -> Result<Commit, PortError> {
    let input = match choose(ctx, job, on).await? {
        Ok(input) => input,
        Err(problem) => return Ok(refuse(ctx, asked, problem)),
    };
    let (by, at) = (&asked.origin.actor, &asked.origin.channel);
    let ready = ready(ctx, by, at, job, input, &asked.envelope.key).await?;
    do_or_ask(ctx, asked, ready).await
}

/// The input that is meant and can be started, or why there is none.
pub(super) async fn choose(ctx: &Ctx, job: &JobName, on: On<'_>) -> Result<Result<Input, Problem>, PortError> {
    let Some(entry) = ctx.catalog.get(job) else {
        return Ok(Err(Problem::UnknownJob { job: job.clone() }));
    };
    let unfit = |what: String| Ok(Err(Problem::ValuesUnfit { job: job.clone(), what }));
    match &entry.workflow {
        Some(inputs) => match inputs.read(on.values, on.today) {
            Ok(_) if on.file.is_some() => unfit(format!("it takes {}, and no file", inputs.expected())),
            Ok(parameters) => of_workflow(ctx, parameters.input(job)).await,
            Err(Unfit::Wrong { reason, .. }) => unfit(reason),
            Err(Unfit::Missing { names }) => {
                let names: Vec<&str> = names.iter().map(ParameterName::as_str).collect();
                unfit(format!("it needs {}", names.join(" and ")))
            }
        },
        None if on.values.is_empty() => of_files(ctx, job, on.file).await,
        None => unfit("it takes a file, and no values".to_owned()),
    }
}

/// A workflow may be given the same values as often as people like, but not while it is at them.
async fn of_workflow(ctx: &Ctx, input: Input) -> Result<Result<Input, Problem>, PortError> {
    let holder = ctx.store.holder(&input_lock(&input.key)).await?;
    Ok(holder.map_or(Ok(input), |run| Err(Problem::SameValues { run })))
}

async fn of_files(ctx: &Ctx, job: &JobName, file: Option<&FileName>) -> Result<Result<Input, Problem>, PortError> {
    let (_, site) = ctx.regions.here().await?;
    let inputs = site.files.inputs(job).await?;
    let input = match file {
        Some(file) => match inputs.iter().find(|i| &i.name == file) {
            Some(input) => input,
            None => {
                let nearest = nearest(file.as_str(), inputs.iter().map(|i| i.name.as_str()));
                return Ok(Err(Problem::UnknownFile { job: job.clone(), file: file.clone(), nearest }));
            }
        },
        None => match newest_unfinished(ctx, &inputs).await? {
            Some(input) => input,
            None => {
                let folder = site.files.input_folder(job);
                return Ok(Err(Problem::NoInput { job: job.clone(), folder, finished: inputs.len() }));
            }
        },
    };
    Ok(match taken(ctx, input).await? {
        Some(problem) => Err(problem),
        None => Ok(input.clone()),
    })
}

/// A new run on an input, named after `origin`.
pub(super) async fn ready(
    ctx: &Ctx,
    by: &Actor,
    at: &ChannelId,
    job: &JobName,
    input: Input,
    origin: &EnvelopeId,
) -> Result<Ready, PortError> {
    let now = ctx.clock.now();
    let (active, _) = ctx.regions.here().await?;
    let run = Run {
        id: free_id(ctx, origin).await?,
        job: job.clone(),
        input,
        channel: at.clone(),
        created_at: now,
        attempts: vec![Attempt::asked(1, Scope::All, by.clone(), now).within(&active)],
        version: 0,
    };
    Ok(Ready { write: RunWrite { run, expected: 0 }, attempt: None })
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
