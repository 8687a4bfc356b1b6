//! Requests for approval: made, posted, remembered of, expired.

use super::asked::Asked;
use super::guard::{note, show_now};
use super::outcome::effect;
use super::standing::{permitted_channel, standing_now};
use super::{Ctx, task};
use crate::domain::actor::{Actor, Asker, Role, Standing};
use crate::domain::approval::{ApprovalRule, Plan, Request, RequestState};
use crate::domain::command::Action;
use crate::domain::id::{ChannelId, EnvelopeId, JobName, RequestId};
use crate::domain::policy::{Decision, Place};
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::ports::{
    Commit, Deadline, Effect, Kind, PortError, Priority, RecordWrite, Subject, Target, WAITING_REQUESTS, load,
    load_list, request_key,
};

/// How many waiting requests are looked through for the same one, and for the nearest id.
pub(super) const WAITING: usize = 200;

/// Whose request it is.
#[derive(Clone, Copy)]
pub(super) struct By<'a> {
    /// What asked for it; its id is derived from it.
    pub key: &'a EnvelopeId,
    pub asker: &'a Asker,
    pub channel: &'a ChannelId,
    /// The request that it takes the place of.
    pub instead_of: Option<&'a RequestId>,
}

impl<'a> By<'a> {
    pub(super) fn asker(asked: &'a Asked<'_>, asker: &'a Asker) -> Self {
        Self { key: &asked.envelope.key, asker, channel: &asked.origin.channel, instead_of: None }
    }
}

/// A request of this plan, checked: nobody has asked for the same, and enough people could approve it.
pub(super) async fn make(
    ctx: &Ctx,
    by: By<'_>,
    plan: Plan,
    rule: ApprovalRule,
) -> Result<Result<Request, Problem>, PortError> {
    let digest = plan.digest();
    let waiting: Vec<Request> = load_list(ctx.store.as_ref(), WAITING_REQUESTS, WAITING).await?;
    let same = |r: &&Request| {
        r.is_open() && Some(&r.id) != by.instead_of && (r.digest == digest || is_same_move(&r.plan, &plan))
    };
    if let Some(same) = waiting.iter().find(same) {
        return Ok(Err(Problem::AlreadyRequested { request: same.id.clone() }));
    }
    let request = fresh(ctx, by, plan, rule).await?;
    reachable(ctx, request).await
}

/// A request of this plan, unchecked.
pub(super) async fn fresh(ctx: &Ctx, by: By<'_>, plan: Plan, rule: ApprovalRule) -> Result<Request, PortError> {
    Ok(Request {
        id: fresh_id(ctx, by.key).await?,
        digest: plan.digest(),
        plan,
        rule,
        asked_by: by.asker.clone(),
        asked_at: ctx.clock.now(),
        channel: by.channel.clone(),
        approvers: Vec::new(),
        expires_at: None,
        state: RequestState::Open,
        decisions: Vec::new(),
        decided_at: None,
        reminders: 0,
        review: None,
        void: None,
        replaced_by: None,
        run: None,
        told: None,
        version: 0,
    })
}

/// The commit that asks for it: its message is its answer.
pub(super) fn ask(ctx: &Ctx, asked: &Asked<'_>, request: &Request) -> Result<Commit, PortError> {
    Ok(Commit {
        claim: Some(asked.envelope.key.clone()),
        records: vec![RecordWrite::of(request, 0)?],
        outbox: vec![show_now(ctx, request)],
        audit: vec![note(ctx, Some(asked), request, asked.command.action().name(), "asked-for-approval")],
        ..Commit::default()
    })
}

/// What is known about somebody where a request belongs, and whether the policy allows them `action` there.
pub(super) async fn standing_of(
    ctx: &Ctx,
    who: &Actor,
    request: &Request,
    action: Action,
    job: Option<&JobName>,
) -> Result<Decision, PortError> {
    let permitted = permitted_channel(ctx, &request.channel).await?;
    let place = Place::Channel { id: &request.channel, permitted };
    Ok(ctx.policy.decide(&standing_now(ctx, who).await?, place, action, job))
}

/// Whether somebody may vote on a request now: a role that the rule names, and the policy's word.
pub(super) async fn may_vote(ctx: &Ctx, who: &Actor, request: &Request) -> Result<bool, PortError> {
    let standing = standing_now(ctx, who).await?;
    let permitted = permitted_channel(ctx, &request.channel).await?;
    Ok(votes(ctx, &standing, permitted, request) && has_role(&standing, &request.rule.roles))
}

/// Whether the policy lets somebody vote at all on this plan.
pub(super) fn votes(ctx: &Ctx, who: &Standing, permitted: bool, request: &Request) -> bool {
    let place = Place::Channel { id: &request.channel, permitted };
    ctx.policy.decide(who, place, Action::Approve, request.plan.job()).allowed()
}

pub(super) fn has_role(who: &Standing, roles: &[Role]) -> bool {
    who.listed.as_ref().is_some_and(|listed| listed.roles.iter().any(|role| roles.contains(role)))
}

/// The key that a run which the request leads to is named after.
pub(super) fn origin_of(request: &Request) -> Result<EnvelopeId, PortError> {
    EnvelopeId::parse(format!("request:{}", request.id))
        .map_err(|e| PortError::permanent("could not name what a request leads to").because(e))
}

/// The request's message stands: from now on its time runs.
pub(super) async fn posted(ctx: &Ctx, mut request: Request) -> Result<(), PortError> {
    if !request.is_open() || request.expires_at.is_some() {
        return Ok(());
    }
    let expected = request.version;
    request.posted(ctx.clock.now());
    let deadlines = next_look(ctx, &request);
    let commit = Commit { records: vec![RecordWrite::of(&request, expected)?], deadlines, ..Commit::default() };
    match ctx.store.commit(commit).await {
        // Somebody voted meanwhile: the message is brought up to date again, and the time set then.
        Err(error) if error.kind == Kind::Conflict => Err(PortError::transient("the request was decided meanwhile")),
        result => result,
    }
}

/// Its time has come: a reminder, or the end.
pub(super) async fn look(ctx: &Ctx, id: &RequestId) -> Result<Commit, PortError> {
    let subject = Subject::Request(id.clone());
    let found: Option<Request> = load(ctx.store.as_ref(), &request_key(id)).await?;
    let Some(mut request) = found.filter(Request::is_open) else {
        return Ok(Commit { clear: vec![subject.deadline()], ..Commit::default() });
    };
    let now = ctx.clock.now();
    let expected = request.version;
    if request.ends_at().is_some_and(|at| now >= at) {
        if request.expired(now).is_err() {
            return Ok(Commit::default());
        }
        let mut commit = ended(ctx, &request);
        commit.records.push(RecordWrite::of(&request, expected)?);
        commit.audit.push(note(ctx, None, &request, "expire", "expired"));
        return Ok(commit);
    }
    if let Some(ended) = task::beat(ctx, &request).await? {
        return Ok(ended);
    }
    if request.next_look().is_none_or(|at| now < at) || request.expires_at.is_none() {
        return Ok(Commit { deadlines: next_look(ctx, &request), ..Commit::default() });
    }
    request.reminders += 1;
    let missing = missing(ctx, &request).await?;
    let reply = Reply::RequestReminder { request: Box::new(request.clone()), missing, now };
    let unique = format!("{id}.{}", request.reminders);
    let tell = Effect::TellInThread { request: id.clone(), reply: Box::new(reply) };
    Ok(Commit {
        deadlines: next_look(ctx, &request),
        records: vec![RecordWrite::of(&request, expected)?],
        outbox: vec![effect(tell, &unique, Priority::Later, now), show_now(ctx, &request)],
        ..Commit::default()
    })
}

/// It was decided against, expired or void: its message says so, whoever asked is told, and nobody is reminded any more.
pub(super) fn ended(ctx: &Ctx, request: &Request) -> Commit {
    let now = ctx.clock.now();
    let mut outbox = vec![show_now(ctx, request)];
    if let Some(asker) = request.asked_by.person() {
        let reply = Box::new(Reply::RequestEnded { request: Box::new(request.clone()) });
        let tell = Effect::Tell { to: Target::Direct(asker.user.clone()), reply };
        outbox.push(effect(tell, &format!("ended:{}", request.id), Priority::First, now));
    }
    outbox.extend(task::answer_due(ctx, request));
    Commit { clear: vec![Subject::Request(request.id.clone()).deadline()], outbox, ..Commit::default() }
}

/// When it is looked at next: for a reminder, its end, or a heartbeat.
pub(super) fn next_look(ctx: &Ctx, request: &Request) -> Vec<Deadline> {
    let subject = Subject::Request(request.id.clone());
    let due = request.next_look().into_iter().chain(task::next_beat(ctx, request)).min();
    due.map(|due| Deadline { key: subject.deadline(), due, subject }).into_iter().collect()
}

/// Who could still vote and has not.
async fn missing(ctx: &Ctx, request: &Request) -> Result<Vec<Actor>, PortError> {
    let mut missing = Vec::new();
    for who in &request.approvers {
        let voted = request.decisions.iter().any(|d| (&d.by.team, &d.by.user) == (&who.team, &who.user));
        if !voted && may_vote(ctx, who, request).await? {
            missing.push(who.clone());
        }
    }
    Ok(missing)
}

/// Whether enough people could approve it, by name. They are the ones who are mentioned.
async fn reachable(ctx: &Ctx, mut request: Request) -> Result<Result<Request, Problem>, PortError> {
    let mut cannot = Vec::new();
    for who in ctx.directory.holders(&request.rule.roles).await? {
        let decision = standing_of(ctx, &who, &request, Action::Approve, request.plan.job()).await?;
        if request.is_asker(&who) && !request.rule.self_approval {
            cannot.push((who.name, "asked-for-it".to_owned()));
        } else if decision.allowed() {
            request.approvers.push(who);
        } else {
            cannot.push((who.name, decision.code().to_owned()));
        }
    }
    if request.approvers.len() >= request.rule.quorum as usize || !request.rule.break_glass.is_empty() {
        return Ok(Ok(request));
    }
    let can = request.approvers.iter().map(|who| who.name.clone()).collect();
    Ok(Err(Problem::NoQuorum { need: request.rule.quorum, can, cannot, roles: request.rule.roles }))
}

fn is_same_move(one: &Plan, other: &Plan) -> bool {
    match (one, other) {
        (Plan::FailOver(one), Plan::FailOver(other)) => {
            (one.kind, &one.to, one.epoch) == (other.kind, &other.to, other.epoch)
        }
        _ => false,
    }
}

async fn fresh_id(ctx: &Ctx, origin: &EnvelopeId) -> Result<RequestId, PortError> {
    let mut round = 0;
    let mut id = RequestId::derive(origin, round);
    while ctx.store.record(&request_key(&id)).await?.is_some() && round < u8::MAX {
        round += 1;
        id = RequestId::derive(origin, round);
    }
    Ok(id)
}
