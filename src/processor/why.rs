//! `why @USER COMMAND…`: whether somebody may do something here, and the rule that decides it. Nothing is run.

use super::Ctx;
use super::asked::Asked;
use super::outcome::answer;
use super::standing::standing;
use crate::domain::actor::Actor;
use crate::domain::command::Command;
use crate::domain::id::UserId;
use crate::domain::reply::Reply;
use crate::ports::{Commit, PortError};

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    user: &UserId,
    command: &Command,
) -> Result<Commit, PortError> {
    let somebody = Actor { team: asked.origin.actor.team.clone(), user: user.clone(), name: String::new() };
    let their = standing(ctx, &somebody, None).await?;
    let run = match command.run() {
        Some(id) => ctx.store.run(id).await?,
        None => None,
    };
    let job = run.as_ref().map(|r| &r.job).or_else(|| command.job());
    let decision = ctx.policy.decide(&their, asked.place(), command.action(), job);
    let roles = their.listed.iter().flat_map(|l| &l.roles).map(|r| r.0.clone()).collect();
    let reply = Reply::why(user.clone(), command, decision, roles, asked.origin.channel.clone());
    Ok(answer(ctx, asked, reply, user.to_string(), "done"))
}
