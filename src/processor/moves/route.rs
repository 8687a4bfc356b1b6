//! After a switch: what else is told of it, so that requests go where the work is. The switch holds whether this works or not; where it
//! does not, people are told what to do by hand.

use super::super::Ctx;
use super::super::deliver::done;
use super::{shown, step};
use crate::domain::failover::{FailOver, Routed};
use crate::domain::id::RequestId;
use crate::ports::{Commit, Kind, PortError, Priority, RecordWrite, Settled, load, move_key};

/// With the waits between them these tries take half a minute.
const TRIES: u32 = 6;

/// Tells `name` which region is active since this move. `tries`: how often it was tried, this time included.
pub(in crate::processor) async fn route(
    ctx: &Ctx,
    id: &RequestId,
    name: &str,
    tries: u32,
) -> Result<Settled, PortError> {
    let found: Option<FailOver> = load(ctx.store.as_ref(), &move_key(id)).await?;
    let Some(mut record) = found.filter(|record| record.routed.iter().all(|routed| routed.name != name)) else {
        return Ok(done(ctx));
    };
    let active = ctx.regions.active().await?;
    if record.epoch != Some(active.epoch) {
        // Somebody has switched again, and that switch routes by itself.
        return Ok(done(ctx));
    }
    let failure = match ctx.regions.route(name, &active).await {
        Ok(()) => None,
        Err(error) => {
            let hopeless = matches!(error.kind, Kind::Permanent | Kind::Denied | Kind::Gone);
            if !hopeless && tries < TRIES {
                return Err(error);
            }
            tracing::error!(request = %id, %error, "{name} does not know that {} is active", active.region);
            Some(error.what)
        }
    };
    let expected = record.version;
    let result = failure.as_ref().map_or_else(|| "done".to_owned(), |why| format!("failed: {why}"));
    record.routed.push(Routed { name: name.to_owned(), failure });
    let commit = Commit {
        records: vec![RecordWrite::of(&record, expected)?],
        outbox: vec![shown(&record, Priority::First, ctx.clock.now())],
        audit: vec![step(ctx, &record, &format!("route {name}"), &result)],
        ..Commit::default()
    };
    match ctx.store.commit(commit).await {
        // The move has gone on meanwhile; telling again is harmless.
        Err(error) if error.kind == Kind::Conflict => {
            Err(PortError::transient(format!("{name} was told, and the record of the move changed meanwhile")))
        }
        result => result.map(|()| done(ctx)),
    }
}
