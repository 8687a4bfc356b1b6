//! `fail-back`: back to the first region of the configuration, once it has caught up.

use super::asked::Asked;
use super::outcome::refuse;
use super::{Ctx, moves};
use crate::domain::failover::Move;
use crate::domain::problem::Problem;
use crate::ports::{Commit, PortError};
use jiff::SignedDuration;

/// A region this close behind has caught up: what is left arrives while people decide, and what does not is in the plan.
const CAUGHT_UP: SignedDuration = SignedDuration::from_secs(30);

pub(super) async fn handle(ctx: &Ctx, asked: &Asked<'_>) -> Result<Commit, PortError> {
    let home = &ctx.regions.names()[0];
    let active = ctx.regions.active().await?;
    if &active.region != home {
        let replication = ctx.regions.replication(&active.region, home).await.unwrap_or_default();
        if replication.lag.is_none_or(|lag| lag > CAUGHT_UP) {
            let problem = Problem::NotCaughtUp { region: home.clone(), replication };
            return Ok(refuse(ctx, asked, problem));
        }
    }
    moves::ask(ctx, asked, Move::FailBack, home.clone()).await
}
