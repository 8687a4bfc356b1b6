//! A workflow waits for people: its question becomes a request, and the decision goes back to it, once.

use super::Ctx;
use super::deliver::{TRIES, TRIES_PERMANENT, done};
use super::guard::show_now;
use super::outcome::{audit, effect};
use super::requests::{self, By};
use super::standing::permitted_channel;
use crate::domain::actor::Asker;
use crate::domain::approval::{Plan, Request, RequestEvent, RequestState, TaskPlan, Void};
use crate::domain::audit::AuditDraft;
use crate::domain::id::{EnvelopeId, RegionName, RequestId};
use crate::domain::policy::Decision;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::task::{TaskAnswer, TaskWaiting, Told, WaitingTask};
use crate::ports::{
    Commit, Deadline, Effect, Engine, Kind, OutboxItem, OutboxWrite, PortError, Priority, RecordWrite, Settled,
    Subject, load, request_key, task_key,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How often writing down what a workflow was told may lose a race: the workflow has been told, so this must not fail.
const RACES: u32 = 20;
/// How long until a heartbeat that failed is tried again.
const BEAT_AGAIN: SignedDuration = SignedDuration::from_secs(5);

/// Puts the question to people, or answers at once why it cannot be put to them: a workflow never hangs in silence.
pub(super) async fn waiting(ctx: &Ctx, key: &EnvelopeId, task: &TaskWaiting) -> Result<Commit, PortError> {
    let asker = Asker::Workflow { workflow: task.workflow.clone() };
    let plan = Plan::Task(Box::new(TaskPlan::of(task, key.clone())));
    let rule = ctx.catalog.workflow_approval(&task.workflow);
    let by = By { key, asker: &asker, channel: &task.channel, instead_of: None };
    if !permitted_channel(ctx, &task.channel).await? {
        let request = requests::fresh(ctx, by, plan, rule).await?;
        let what = format!("the bot does not work in the channel {}", task.channel);
        return refused(ctx, key, task, request, (what, Decision::ChannelNotPermitted.code(), false));
    }
    match requests::make(ctx, by, plan.clone(), rule.clone()).await? {
        Ok(request) => {
            // Its time runs, and its heart beats, whether its message can be posted or not.
            let deadlines = requests::next_look(ctx, &request);
            let outbox = vec![show_now(ctx, &request)];
            kept(ctx, key, task, &request, Commit { outbox, deadlines, ..Commit::default() })
        }
        Err(Problem::AlreadyRequested { .. }) => Ok(Commit { claim: Some(key.clone()), ..Commit::default() }),
        Err(problem) => {
            let what = match &problem {
                Problem::NoQuorum { need, can, .. } => {
                    format!("{need} must approve, and only {} of the people who are listed can", can.len())
                }
                other => other.code().to_owned(),
            };
            let request = requests::fresh(ctx, by, plan, rule).await?;
            refused(ctx, key, task, request, (what, problem.code(), true))
        }
    }
}

/// Nobody is asked. Where the channel can be used, people see that somebody should have been.
fn refused(
    ctx: &Ctx,
    key: &EnvelopeId,
    task: &TaskWaiting,
    mut request: Request,
    (what, code, show): (String, &str, bool),
) -> Result<Commit, PortError> {
    tracing::warn!(request = %request.id, workflow = %task.workflow, code, "the question of a workflow is put to nobody: {code}");
    request
        .drifted(Void::Changed { what }, ctx.clock.now())
        .map_err(|e| PortError::permanent("a request cannot become void").because(e))?;
    let mut outbox = answer_due(ctx, &request);
    outbox.extend(show.then(|| show_now(ctx, &request)));
    let mut commit = kept(ctx, key, task, &request, Commit { outbox, ..Commit::default() })?;
    commit.audit = vec![note(ctx, &request, "task-waiting", code)];
    Ok(commit)
}

/// The two records of a question, beside what happens to it.
fn kept(
    ctx: &Ctx,
    key: &EnvelopeId,
    task: &TaskWaiting,
    request: &Request,
    commit: Commit,
) -> Result<Commit, PortError> {
    let shown = commit.outbox.iter().any(|write| matches!(write.effect, Effect::ShowRequest { .. }));
    let waiting = WaitingTask {
        request: request.id.clone(),
        token: Some(task.token.clone()),
        region: task.region.clone(),
        asked_at: request.asked_at,
        shown,
        version: 0,
    };
    Ok(Commit {
        claim: Some(key.clone()),
        records: vec![RecordWrite::of(request, 0)?, RecordWrite::of(&waiting, 0)?],
        audit: vec![note(ctx, request, "task-waiting", "asked-for-approval")],
        ..commit
    })
}

/// The answer that a decided request owes the workflow behind it.
pub(super) fn answer_due(ctx: &Ctx, request: &Request) -> Vec<OutboxWrite> {
    let owed = matches!(request.plan, Plan::Task(_)) && request.told.is_none() && !request.is_open();
    let answer = || effect(Effect::AnswerTask { request: request.id.clone() }, "", Priority::First, ctx.clock.now());
    owed.then(answer).into_iter().collect()
}

/// When the workflow behind an open request has to hear of it again.
pub(super) fn next_beat(ctx: &Ctx, request: &Request) -> Option<Timestamp> {
    let Plan::Task(plan) = &request.plan else { return None };
    plan.beat_every().filter(|_| request.is_open()).map(|every| ctx.clock.now() + every)
}

/// Tells the workflow behind an open request that people are still at it. `Some`: it has ended meanwhile, and so has the request.
pub(super) async fn beat(ctx: &Ctx, request: &Request) -> Result<Option<Commit>, PortError> {
    let Plan::Task(plan) = &request.plan else { return Ok(None) };
    if plan.heartbeat.is_none() {
        return Ok(None);
    }
    let Some(task) = load::<WaitingTask>(ctx.store.as_ref(), &task_key(&request.id)).await? else { return Ok(None) };
    let Some(token) = &task.token else { return Ok(None) };
    match engine(ctx, plan.region.as_ref()).await?.heartbeat(token).await {
        Ok(()) => Ok(None),
        Err(error) if error.kind == Kind::Gone => ended_meanwhile(ctx, request.clone(), task).map(Some),
        Err(error) => {
            tracing::warn!(request = %request.id, %error, "a waiting workflow could not be told that people are still at it");
            let subject = Subject::Request(request.id.clone());
            let due = ctx.clock.now() + BEAT_AGAIN;
            let again = Deadline { key: subject.deadline(), due, subject };
            Ok(Some(Commit { deadlines: vec![again], ..Commit::default() }))
        }
    }
}

/// There is nobody left to answer.
fn ended_meanwhile(ctx: &Ctx, mut request: Request, mut task: WaitingTask) -> Result<Commit, PortError> {
    let (expected, task_expected) = (request.version, task.version);
    task.token = None;
    request
        .drifted(Void::Changed { what: "the workflow has ended meanwhile".to_owned() }, ctx.clock.now())
        .map_err(|e| PortError::permanent("a request cannot become void").because(e))?;
    request.told = Some(Told::TooLate);
    let mut commit = requests::ended(ctx, &request);
    commit.outbox.push(said_in_thread(ctx, &request));
    commit.records.extend([RecordWrite::of(&request, expected)?, RecordWrite::of(&task, task_expected)?]);
    commit.audit.push(note(ctx, &request, "answer-task", "too-late"));
    Ok(commit)
}

/// Answers the workflow. Each question is answered once: where a crash repeats this, the token is used up, and that says so.
pub(super) async fn answer(ctx: &Ctx, item: &OutboxItem, id: &RequestId) -> Result<Settled, PortError> {
    let store = ctx.store.as_ref();
    let (request, task) =
        (load::<Request>(store, &request_key(id)).await?, load::<WaitingTask>(store, &task_key(id)).await?);
    let (Some(request), Some(task)) = (request, task) else { return Ok(done(ctx)) };
    let (Some(token), Some(outcome)) = (task.token, request.outcome()) else { return Ok(done(ctx)) };
    let engine = engine(ctx, task.region.as_ref()).await?;
    let told = match engine.answer(&TaskAnswer { token, outcome }).await {
        Ok(()) => Told::Answered,
        // An earlier try of ours may have been heard although we never learnt of it.
        Err(error) if error.kind == Kind::Gone && item.attempts > 1 => Told::Unconfirmed,
        Err(error) if error.kind == Kind::Gone => Told::TooLate,
        Err(error) if hopeless(&error, item.attempts) => Told::Failed { why: error.what },
        Err(error) => return Err(error),
    };
    write_down(ctx, id, &told).await?;
    Ok(done(ctx))
}

fn hopeless(error: &PortError, attempts: u32) -> bool {
    (error.kind == Kind::Permanent && attempts >= TRIES_PERMANENT) || attempts >= TRIES
}

/// What the workflow was told stands on the request from now on; the token is not kept any longer.
async fn write_down(ctx: &Ctx, id: &RequestId, told: &Told) -> Result<(), PortError> {
    let mut races = 0;
    loop {
        let store = ctx.store.as_ref();
        let (request, task) =
            (load::<Request>(store, &request_key(id)).await?, load::<WaitingTask>(store, &task_key(id)).await?);
        let (Some(request), Some(task)) = (request, task) else { return Ok(()) };
        match ctx.store.commit(written(ctx, request, task, told)?).await {
            Err(error) if error.kind == Kind::Conflict && races < RACES => races += 1,
            result => return result,
        }
    }
}

fn written(ctx: &Ctx, mut request: Request, mut task: WaitingTask, told: &Told) -> Result<Commit, PortError> {
    let now = ctx.clock.now();
    let (expected, task_expected) = (request.version, task.version);
    task.token = None;
    request.told = Some(told.clone());
    let (result, in_vain) = match told {
        Told::Answered => ("done", None),
        Told::Unconfirmed => ("unconfirmed", None),
        Told::TooLate => ("too-late", Some("the workflow had ended before it could be told".to_owned())),
        Told::Failed { why } => ("failed", Some(format!("the workflow could not be told: {why}"))),
    };
    let mut commit = Commit::default();
    if request.state == RequestState::Approved {
        let end = match in_vain.clone() {
            Some(what) => request.drifted(Void::Changed { what }, now),
            None => request.state.next(RequestEvent::Finish).map(|state| request.state = state),
        };
        end.map_err(|e| PortError::permanent("a request cannot end").because(e))?;
    }
    if task.shown {
        commit.outbox.push(show_now(ctx, &request));
        commit.outbox.extend(in_vain.is_some().then(|| said_in_thread(ctx, &request)));
    }
    commit.audit = vec![note(ctx, &request, "answer-task", result)];
    commit.records = vec![RecordWrite::of(&request, expected)?, RecordWrite::of(&task, task_expected)?];
    Ok(commit)
}

/// People who decided for nothing learn of it once, where they decided.
fn said_in_thread(ctx: &Ctx, request: &Request) -> OutboxWrite {
    let reply = Box::new(Reply::RequestEnded { request: Box::new(request.clone()) });
    let tell = Effect::TellInThread { request: request.id.clone(), reply };
    effect(tell, &format!("in-vain:{}", request.id), Priority::First, ctx.clock.now())
}

/// What works where the workflow waits: a token is good for nothing elsewhere.
async fn engine(ctx: &Ctx, region: Option<&RegionName>) -> Result<Arc<dyn Engine>, PortError> {
    match region {
        None => Ok(ctx.regions.here().await?.1.engine),
        Some(name) => ctx.regions.site(name).map(|site| site.engine).ok_or_else(|| {
            PortError::permanent(format!("the workflow waits in {name}, which is no region of this configuration"))
        }),
    }
}

/// The audit record of something that happened to a question. The bot acts; the workflow is why.
fn note(ctx: &Ctx, request: &Request, what: &str, result: &str) -> AuditDraft {
    let subject = format!("{} ({}, digest {})", request.id, request.plan.line(), request.digest);
    audit(ctx, None, what, subject, request.asked_by.shown(), result)
}
