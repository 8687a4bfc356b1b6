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
    Commit, ENDED_DRILLS, Effect, HOME_READERS, HomeReader, OPEN_MOVES, PortError, Priority, RecordWrite, RunQuery,
    WAITING_REQUESTS, home_key, load, load_list,
};
use jiff::{SignedDuration, Timestamp};
use std::sync::{Mutex, PoisonError};

/// How many of the newest runs are looked through for those that ended last: a run may be done again long after it was made.
const LOOKED_THROUGH: usize = 100;
/// How many runs of each kind the board shows.
const SHOWN: usize = 10;
/// Tabs that follow what happens, and for how long after they were opened.
const READERS: usize = 50;
const LATELY: SignedDuration = SignedDuration::from_hours(24);
/// Changes are gathered for this long: Slack takes some hundred views a minute.
const GATHER: SignedDuration = SignedDuration::from_secs(3);
const ASK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

/// The tab was opened: its content is an effect like any other, and from now on it follows what happens.
pub(super) async fn opened(ctx: &Ctx, envelope: &Envelope, actor: &Actor) -> Result<Commit, PortError> {
    let (team, user, opened_at) = (actor.team.clone(), actor.user.clone(), ctx.clock.now());
    let before: Option<HomeReader> = load(ctx.store.as_ref(), &home_key(&team, &user)).await?;
    let expected = before.map_or(0, |reader| reader.version);
    let home = Effect::Home { user: user.clone(), team: team.clone() };
    let reader = HomeReader { team, user, opened_at, version: expected };
    Ok(Commit {
        claim: Some(envelope.key.clone()),
        records: vec![RecordWrite::of(&reader, expected)?],
        outbox: vec![effect(home, "", Priority::First, opened_at)],
        ..Commit::default()
    })
}

/// Has the tabs of those who opened theirs lately brought up to date.
pub(super) async fn refresh(ctx: &Ctx) -> Result<(), PortError> {
    let now = ctx.clock.now();
    let readers: Vec<HomeReader> = load_list(ctx.store.as_ref(), HOME_READERS, READERS).await?;
    let lately = readers.into_iter().filter(|reader| now.duration_since(reader.opened_at) < LATELY);
    let home = |reader: HomeReader| Effect::Home { user: reader.user, team: reader.team };
    let outbox: Vec<_> = lately.map(|reader| effect(home(reader), "", Priority::Later, now)).collect();
    if outbox.is_empty() {
        return Ok(());
    }
    ctx.store.commit(Commit { outbox, ..Commit::default() }).await
}

/// Whether anybody has ever opened a tab: asked at most once a minute, so that a bot whose tab nobody uses pays nothing for it.
#[derive(Default)]
pub(super) struct Readers {
    known: Mutex<Option<(Timestamp, bool)>>,
}

impl Readers {
    /// Adds the refresh of the tabs to a commit that changes what they show.
    pub(super) async fn follow(&self, ctx: &Ctx, commit: &mut Commit) -> Result<(), PortError> {
        let changes = !commit.runs.is_empty() || !commit.records.is_empty();
        if changes && self.are_there(ctx).await? {
            commit.outbox.push(effect(Effect::Homes, "", Priority::Later, ctx.clock.now() + GATHER));
        }
        Ok(())
    }

    async fn are_there(&self, ctx: &Ctx) -> Result<bool, PortError> {
        let now = ctx.clock.now();
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, there)) = known.filter(|(asked, _)| now.duration_since(*asked) < ASK_AGAIN) {
            return Ok(there);
        }
        let there = !ctx.store.records(HOME_READERS, 1).await?.is_empty();
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, there));
        Ok(there)
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
