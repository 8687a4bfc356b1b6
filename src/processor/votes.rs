//! Votes: what is known about the voters is asked now, the domain decides, and one conditional write makes it count. Where it decides,
//! what was planned begins in the same write.

use super::asked::Asked;
use super::guard::{carry_out, note, show_now};
use super::outcome::{effect, refuse};
use super::{Ctx, moves, requests, task};
use crate::domain::approval::{Ballot, Plan, Request, RequestEvent, RequestState, Rights, Void};
use crate::domain::grammar::nearest;
use crate::domain::id::RequestId;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::ports::{
    Commit, Effect, PortError, Priority, RecordWrite, Subject, Target, WAITING_REQUESTS, load, load_list, request_key,
};

/// Counts the vote that somebody gave, or says why not.
pub(super) async fn cast(
    ctx: &Ctx,
    asked: &Asked<'_>,
    id: &RequestId,
    ballot: impl FnOnce(&Request) -> Ballot,
) -> Result<Commit, PortError> {
    let Some(request) = load::<Request>(ctx.store.as_ref(), &request_key(id)).await? else {
        return Ok(refuse(ctx, asked, unknown(ctx, id).await?));
    };
    let rights = rights(ctx, asked, &request).await?;
    let counted = match request.cast(&ballot(&request), &rights, ctx.clock.now()) {
        Ok(counted) => counted,
        Err(refusal) => return Ok(refuse(ctx, asked, Problem::VoteRefused { request: id.clone(), refusal })),
    };
    let approved_now = request.is_open() && counted.state == RequestState::Approved;
    let denied_now = request.is_open() && counted.state == RequestState::Denied;
    let expected = request.version;
    if approved_now {
        return approved(ctx, asked, counted, expected).await;
    }
    let mut commit = if denied_now { requests::ended(ctx, &counted) } else { Commit::default() };
    commit.outbox.push(show_now(ctx, &counted));
    answer(ctx, asked, commit, counted, expected)
}

/// Enough people approved this plan: it is carried out if it still holds, and void if it does not.
async fn approved(ctx: &Ctx, asked: &Asked<'_>, mut request: Request, expected: u64) -> Result<Commit, PortError> {
    let outcome = match &request.plan {
        Plan::Command(plan) => match carry_out(ctx, asked, &request, plan).await? {
            Ok((commit, run)) => {
                request.run = Some(run.id);
                // The run has its own message and its own end.
                let done = request.state.next(RequestEvent::Finish);
                request.state = done.map_err(|e| PortError::permanent("a request cannot end").because(e))?;
                Ok(commit)
            }
            Err(void) => Err((void, None)),
        },
        Plan::FailOver(plan) => moves::begin(ctx, asked, &request, plan).await?,
        Plan::Task(_) => Ok(Commit { outbox: task::answer_due(ctx, &request), ..Commit::default() }),
    };
    match outcome {
        Ok(mut commit) => {
            commit.outbox.push(show_now(ctx, &request));
            commit.outbox.extend(skipped(ctx, &request));
            commit.clear.push(Subject::Request(request.id.clone()).deadline());
            answer(ctx, asked, commit, request, expected)
        }
        Err((void, next)) => voided(ctx, asked, request, expected, void, next.as_ref()),
    }
}

/// The plan does not hold any more. Where there is a new one, it takes the request's place.
fn voided(
    ctx: &Ctx,
    asked: &Asked<'_>,
    mut request: Request,
    expected: u64,
    void: Void,
    next: Option<&Request>,
) -> Result<Commit, PortError> {
    request
        .drifted(void, ctx.clock.now())
        .map_err(|e| PortError::permanent("a request cannot become void").because(e))?;
    request.review = None;
    request.replaced_by = next.map(|next| next.id.clone());
    let mut commit = requests::ended(ctx, &request);
    if let Some(next) = next {
        commit.records.push(RecordWrite::of(next, 0)?);
        commit.outbox.push(show_now(ctx, next));
        commit.audit.push(note(ctx, Some(asked), next, "ask-again", "asked-for-approval"));
    }
    answer(ctx, asked, commit, request, expected)
}

/// The vote's own part of the commit.
fn answer(
    ctx: &Ctx,
    asked: &Asked<'_>,
    mut commit: Commit,
    request: Request,
    expected: u64,
) -> Result<Commit, PortError> {
    commit.claim = Some(asked.envelope.key.clone());
    commit.records.push(RecordWrite::of(&request, expected)?);
    commit.audit.push(note(ctx, Some(asked), &request, asked.command.action().name(), request.state.word()));
    let reply = Reply::VoteCounted { request: Box::new(request) };
    let whisper = Effect::Whisper { to: asked.person(), reply: Box::new(reply) };
    commit.outbox.push(effect(whisper, asked.envelope.key.as_str(), Priority::First, ctx.clock.now()));
    Ok(commit)
}

/// Everybody who could have voted, and was passed over by whoever broke the glass, is told.
fn skipped(ctx: &Ctx, request: &Request) -> Vec<crate::ports::OutboxWrite> {
    let Some(review) = request.review.as_ref().filter(|review| review.closed.is_none()) else {
        return Vec::new();
    };
    let passed =
        request.approvers.iter().filter(|a| (&a.team, &a.user) != (&review.broken.by.team, &review.broken.by.user));
    passed
        .map(|who| {
            let reply = Box::new(Reply::GlassBroken { request: Box::new(request.clone()) });
            let tell = Effect::Tell { to: Target::Direct(who.user.clone()), reply };
            effect(tell, &format!("glass:{}:{}", request.id, who.user), Priority::First, ctx.clock.now())
        })
        .collect()
}

async fn rights(ctx: &Ctx, asked: &Asked<'_>, request: &Request) -> Result<Rights, PortError> {
    let votes = requests::votes(ctx, &asked.standing, asked.permitted, request);
    let mut lost_rights = Vec::new();
    for decision in request.approvals().filter(|_| request.is_open()) {
        if !requests::may_vote(ctx, &decision.by, request).await? {
            lost_rights.push(decision.by.clone());
        }
    }
    Ok(Rights {
        may_vote: votes && requests::has_role(&asked.standing, &request.rule.roles),
        may_break_glass: votes && requests::has_role(&asked.standing, &request.rule.break_glass),
        lost_rights,
    })
}

async fn unknown(ctx: &Ctx, id: &RequestId) -> Result<Problem, PortError> {
    let waiting: Vec<Request> = load_list(ctx.store.as_ref(), WAITING_REQUESTS, requests::WAITING).await?;
    let nearest = nearest(id.as_str(), waiting.iter().map(|r| r.id.as_str()));
    Ok(Problem::UnknownRequest { request: id.clone(), nearest })
}
