//! Moves to another region: planned, approved, switched, and every unfinished file recovered there. Each step is one commit, so that a
//! crash between any two of them goes on where it was.

mod advance;
mod plan;
mod report;
mod route;
mod sandbox;
mod switch;

pub(super) use advance::advance;
pub(super) use plan::{inputs, state_there};
pub(super) use report::attach_report;
pub(super) use route::route;
pub(super) use switch::switch;

use super::asked::Asked;
use super::outcome::{audit, effect, refuse};
use super::requests::By;
use super::{Ctx, requests};
use crate::domain::actor::Actor;
use crate::domain::approval::{ApprovalRule, Plan, Request, Void};
use crate::domain::failover::{Drift, FailOver, FailOverPlan, FailOverState, FileOutcome, FileReport, Move};
use crate::domain::id::RegionName;
use crate::domain::problem::Problem;
use crate::ports::{Commit, Deadline, Effect, OPEN_MOVES, PortError, Priority, RecordWrite, Subject, load_list};
use jiff::Timestamp;

/// Makes the plan and asks for its approval.
pub(super) async fn ask(ctx: &Ctx, asked: &Asked<'_>, kind: Move, to: RegionName) -> Result<Commit, PortError> {
    let made = match plan::make(ctx, kind, &to).await? {
        Ok(plan) => request(ctx, asked, plan).await?,
        Err(problem) => Err(problem),
    };
    match made {
        Ok(request) => requests::ask(ctx, asked, &request),
        Err(problem) => Ok(refuse(ctx, asked, problem)),
    }
}

async fn request(ctx: &Ctx, asked: &Asked<'_>, plan: FailOverPlan) -> Result<Result<Request, Problem>, PortError> {
    if let Some(under_way) = under_way(ctx).await? {
        return Ok(Err(Problem::MoveUnderWay { request: under_way.id }));
    }
    let rule = ctx.catalog.approval(plan.action(), None);
    let rule = rule.unwrap_or_else(ApprovalRule::for_regions);
    let asker = asked.origin.actor.clone().into();
    requests::make(ctx, By::asker(asked, &asker), Plan::FailOver(Box::new(plan)), rule).await
}

/// The move that has not ended.
pub(super) async fn under_way(ctx: &Ctx) -> Result<Option<FailOver>, PortError> {
    Ok(load_list(ctx.store.as_ref(), OPEN_MOVES, 1).await?.pop())
}

/// What an approved plan begins with. `Err`: it does not hold any more, with a request for the plan that would.
pub(super) async fn begin(
    ctx: &Ctx,
    asked: &Asked<'_>,
    request: &Request,
    planned: &FailOverPlan,
) -> Result<Result<Commit, (Void, Option<Request>)>, PortError> {
    let changed = |what: String| Ok(Err((Void::Changed { what }, None)));
    let Some(asker) = request.asked_by.person() else { return changed("nobody asked for it".to_owned()) };
    let decision = requests::standing_of(ctx, asker, request, planned.action(), None).await?;
    if !decision.allowed() {
        return changed(format!("whoever asked may not do it any more ({})", decision.code()));
    }
    if let Some(other) = under_way(ctx).await? {
        return changed(format!("{} has begun meanwhile", other.id));
    }
    let now = match plan::make(ctx, planned.kind, &planned.to).await? {
        Ok(now) => now,
        Err(Problem::AlreadyActive { .. }) => {
            let drift = Drift::EpochMoved { planned: planned.epoch, now: ctx.regions.active().await?.epoch };
            return Ok(Err((Void::Drifted { drift }, None)));
        }
        Err(problem) => return changed(format!("it would be refused now ({})", problem.code())),
    };
    match planned.still_holds(&now) {
        Ok(()) => record(ctx, request, asker, (planned, &now.files)).map(Ok),
        Err(drift) => {
            let next = again(ctx, asked, request, now).await?;
            Ok(Err((Void::Drifted { drift }, next)))
        }
    }
}

/// A request for the plan as it would be now, by the person who asked for the one that became void.
async fn again(ctx: &Ctx, asked: &Asked<'_>, old: &Request, plan: FailOverPlan) -> Result<Option<Request>, PortError> {
    let by = By { key: &asked.envelope.key, asker: &old.asked_by, channel: &old.channel, instead_of: Some(&old.id) };
    Ok(requests::make(ctx, by, Plan::FailOver(Box::new(plan)), old.rule.clone()).await?.ok())
}

fn record(
    ctx: &Ctx,
    request: &Request,
    asker: &Actor,
    (plan, files): (&FailOverPlan, &[crate::domain::failover::FileCase]),
) -> Result<Commit, PortError> {
    let now = ctx.clock.now();
    let record = FailOver {
        id: request.id.clone(),
        plan: plan.clone(),
        state: FailOverState::Switching,
        channel: request.channel.clone(),
        asked_by: asker.clone(),
        approved_at: now,
        switched_at: None,
        ended_at: None,
        epoch: None,
        data_loss: None,
        routed: Vec::new(),
        files: files.iter().map(|case| FileReport { case: case.clone(), outcome: FileOutcome::Pending }).collect(),
        version: 0,
    };
    let switch = Effect::Switch { request: record.id.clone() };
    Ok(Commit {
        records: vec![RecordWrite::of(&record, 0)?],
        outbox: vec![effect(switch, "", Priority::First, now), shown(&record, Priority::First, now)],
        ..Commit::default()
    })
}

/// Brings the message of a move up to date.
fn shown(record: &FailOver, priority: Priority, due: Timestamp) -> crate::ports::OutboxWrite {
    effect(Effect::ShowMove { request: record.id.clone() }, "", priority, due)
}

/// The next look at a move.
fn look_at(record: &FailOver, due: Timestamp) -> Deadline {
    let subject = Subject::Move(record.id.clone());
    Deadline { key: subject.deadline(), due, subject }
}

/// The audit record of a step of a move.
fn step(ctx: &Ctx, record: &FailOver, what: &str, result: &str) -> crate::domain::audit::AuditDraft {
    let subject = format!(
        "{} from {} to {}, epoch {}",
        record.plan.kind.word(),
        record.plan.from,
        record.plan.to,
        record.epoch.unwrap_or(record.plan.epoch)
    );
    audit(ctx, None, what, subject, format!("request {}", record.id), result)
}

/// What became of the request behind a move, beside the move's own record.
async fn close_request(
    ctx: &Ctx,
    record: &FailOver,
    close: impl FnOnce(&mut Request) -> Result<(), PortError>,
) -> Result<Option<RecordWrite>, PortError> {
    let key = crate::ports::request_key(&record.id);
    let Some(mut request) = crate::ports::load::<Request>(ctx.store.as_ref(), &key).await? else { return Ok(None) };
    let expected = request.version;
    close(&mut request)?;
    RecordWrite::of(&request, expected).map(Some)
}
