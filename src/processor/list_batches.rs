//! `list-batches`: the runs of this channel, the newest first.

use super::Ctx;
use super::asked::Asked;
use super::outcome::answer;
use crate::domain::command::Action;
use crate::domain::reply::Reply;
use crate::ports::{Commit, PortError, RunQuery};

/// How many are shown: what fits a screen.
const SHOWN: usize = 20;

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>) -> Result<Commit, PortError> {
    let channel = asked.origin.channel.clone();
    let mut runs = ctx.store.runs(RunQuery::Channel(channel.clone()), SHOWN).await?;
    runs.retain(|run| ctx.policy.decide(&asked.standing, asked.place(), Action::ListBatches, Some(&run.job)).allowed());
    let reply = Reply::Runs { channel, runs, now: ctx.clock.now() };
    Ok(answer(ctx, asked, reply, "list", "done"))
}
