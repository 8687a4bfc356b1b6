//! The App Home tab, and the board it shares with `status`.

use super::Ctx;
use super::outcome::effect;
use super::standing::standing;
use crate::domain::actor::{Actor, Standing};
use crate::domain::command::Action;
use crate::domain::envelope::Envelope;
use crate::domain::id::RegionName;
use crate::domain::policy::Place;
use crate::domain::problem::Problem;
use crate::domain::region::{Active, Replication};
use crate::domain::reply::{Board, Reply};
use crate::domain::run::Run;
use crate::ports::{
    Commit, ENDED_DRILLS, Effect, OPEN_MOVES, PortError, Priority, RunQuery, WAITING_REQUESTS, load_list,
};

/// How many of the newest runs are looked through for those that ended last: a run may be done again long after it was made.
const LOOKED_THROUGH: usize = 100;
/// How many runs of each kind the board shows.
const SHOWN: usize = 10;

/// The tab was opened: its content is an effect like any other.
pub(super) fn opened(ctx: &Ctx, envelope: &Envelope, actor: &Actor) -> Commit {
    let home = Effect::Home { user: actor.user.clone(), team: actor.team.clone() };
    Commit {
        claim: Some(envelope.key.clone()),
        outbox: vec![effect(home, "", Priority::First, ctx.clock.now())],
        ..Commit::default()
    }
}

/// What this person's tab says now.
pub(super) async fn content(ctx: &Ctx, actor: &Actor) -> Result<Reply, PortError> {
    let standing = standing(ctx, actor, None).await?;
    let decision = ctx.policy.decide(&standing, Place::Home, Action::Status, None);
    if !decision.allowed() {
        return Ok(Reply::refused(Problem::NotPermitted { action: Some(Action::Status), decision }));
    }
    let board = board(ctx, &standing, Place::Home).await?;
    Ok(Reply::Home { board, permitted: ctx.policy.permitted_actions(&standing, Place::Home) })
}

/// What is going on, as far as this person may see it.
pub async fn board(ctx: &Ctx, who: &Standing, place: Place<'_>) -> Result<Board, PortError> {
    let visible = |run: &Run| ctx.policy.decide(who, place, Action::Status, Some(&run.job)).allowed();
    let mut open = ctx.store.runs(RunQuery::Open, SHOWN).await?;
    open.retain(visible);
    let mut ended = ctx.store.runs(RunQuery::All, LOOKED_THROUGH).await?;
    ended.retain(|run| !run.is_open() && visible(run));
    ended.sort_by_key(|run| std::cmp::Reverse(run.current().ended_at));
    ended.truncate(SHOWN);
    let dead_letters = ctx.bus.dead(100).await?.len();
    let store = ctx.store.as_ref();
    let mut requests: Vec<crate::domain::approval::Request> = load_list(store, WAITING_REQUESTS, SHOWN).await?;
    requests.retain(|r| ctx.policy.decide(who, place, Action::Status, r.plan.job()).allowed());
    let (active, standby) = regions(ctx).await?;
    Ok(Board {
        open,
        ended,
        active,
        standby,
        requests,
        moving: load_list(store, OPEN_MOVES, 1).await?.pop().map(Box::new),
        last_drill: load_list(store, ENDED_DRILLS, 1).await?.pop().map(Box::new),
        dead_letters,
        now: ctx.clock.now(),
    })
}

/// The active region and how far each other one is behind it, where there is more than one.
async fn regions(ctx: &Ctx) -> Result<(Option<Active>, Vec<(RegionName, Option<Replication>)>), PortError> {
    let names = ctx.regions.names();
    if names.len() < 2 {
        return Ok((None, Vec::new()));
    }
    let active = ctx.regions.active().await?;
    let mut standby = Vec::new();
    for name in names.iter().filter(|name| **name != active.region) {
        standby.push((name.clone(), ctx.regions.replication(&active.region, name).await.ok()));
    }
    Ok((Some(active), standby))
}
