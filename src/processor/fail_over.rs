//! `fail-over [REGION] [drill]`: makes the plan and asks for its approval. Nothing moves here.

use super::asked::Asked;
use super::outcome::refuse;
use super::{Ctx, moves};
use crate::domain::failover::Move;
use crate::domain::id::RegionName;
use crate::domain::problem::Problem;
use crate::ports::{Commit, PortError};

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    region: Option<&RegionName>,
    drill: bool,
) -> Result<Commit, PortError> {
    let kind = if drill { Move::Drill } else { Move::FailOver };
    let target = match region {
        Some(region) => Ok(region.clone()),
        None => other(ctx, &ctx.regions.active().await?.region),
    };
    match target {
        Ok(target) => moves::ask(ctx, asked, kind, target).await,
        Err(problem) => Ok(refuse(ctx, asked, problem)),
    }
}

/// The one other region there is.
fn other(ctx: &Ctx, active: &RegionName) -> Result<RegionName, Problem> {
    let others: Vec<&RegionName> = ctx.regions.names().iter().filter(|name| *name != active).collect();
    match others.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Problem::OneRegion),
        _ => Err(Problem::UnknownRegion { region: active.clone(), known: others.into_iter().cloned().collect() }),
    }
}
