//! The switch itself. Repeating it changes nothing.

use super::super::Ctx;
use super::super::outcome::effect;
use super::{close_request, look_at, shown, step};
use crate::domain::approval::Void;
use crate::domain::failover::{Drift, FailOver, FailOverEvent, FailOverState};
use crate::domain::id::RequestId;
use crate::ports::{Commit, Effect, Kind, PortError, Priority, RecordWrite, load, move_key};

/// Makes the planned region the active one and has the recovery begin.
pub(in crate::processor) async fn switch(ctx: &Ctx, id: &RequestId) -> Result<(), PortError> {
    let found: Option<FailOver> = load(ctx.store.as_ref(), &move_key(id)).await?;
    let Some(mut record) = found.filter(|record| record.state == FailOverState::Switching) else {
        return Ok(());
    };
    let plan = &record.plan;
    // Measured before: afterwards nobody can say any more what was behind.
    let replication = ctx.regions.replication(&plan.from, &plan.to).await.unwrap_or_default();
    let now = ctx.clock.now();
    record.data_loss = replication.lag.or(replication.complete_at.map(|at| now.duration_since(at)));
    let switched = if record.is_drill() {
        ctx.regions.sandbox(&plan.to, &record.id).await.map(|_| plan.epoch)
    } else {
        ctx.regions.switch(plan.epoch, &plan.to).await.map(|active| active.epoch)
    };
    match switched {
        Ok(epoch) => recovering(ctx, record, epoch).await,
        Err(error) if error.kind == Kind::Conflict && !record.is_drill() => overtaken(ctx, record).await,
        Err(error) => Err(error),
    }
}

async fn recovering(ctx: &Ctx, mut record: FailOver, epoch: u64) -> Result<(), PortError> {
    let now = ctx.clock.now();
    let expected = record.version;
    record.state = next(&record, FailOverEvent::Switched)?;
    record.switched_at = Some(now);
    record.epoch = Some(epoch);
    let mut outbox = vec![shown(&record, Priority::First, now)];
    if !record.is_drill() {
        let route = |name: &String| Effect::Route { request: record.id.clone(), name: name.clone() };
        outbox.extend(ctx.regions.routes().iter().map(|name| effect(route(name), "", Priority::First, now)));
    }
    let commit = Commit {
        records: vec![RecordWrite::of(&record, expected)?],
        deadlines: vec![look_at(&record, now)],
        outbox,
        audit: vec![step(ctx, &record, "switch", if record.is_drill() { "sandbox" } else { "done" })],
        ..Commit::default()
    };
    written(ctx.store.commit(commit).await)
}

/// Somebody else switched between the approval and now: nothing was done here, and the approval is void.
async fn overtaken(ctx: &Ctx, mut record: FailOver) -> Result<(), PortError> {
    let now = ctx.clock.now();
    let expected = record.version;
    let active = ctx.regions.active().await?;
    record.state = next(&record, FailOverEvent::SwitchRefused)?;
    record.ended_at = Some(now);
    let drift = Drift::EpochMoved { planned: record.plan.epoch, now: active.epoch };
    let void = |request: &mut crate::domain::approval::Request| {
        request
            .drifted(Void::Drifted { drift }, now)
            .map_err(|e| PortError::permanent("a request cannot become void").because(e))
    };
    let mut records = vec![RecordWrite::of(&record, expected)?];
    records.extend(close_request(ctx, &record, void).await?);
    let request = Effect::ShowRequest { request: record.id.clone() };
    let commit = Commit {
        records,
        outbox: vec![shown(&record, Priority::First, now), effect(request, "", Priority::First, now)],
        audit: vec![step(ctx, &record, "switch", "overtaken")],
        ..Commit::default()
    };
    written(ctx.store.commit(commit).await)
}

fn next(record: &FailOver, event: FailOverEvent) -> Result<FailOverState, PortError> {
    record.state.next(event).map_err(|e| PortError::permanent("a move is not where it should be").because(e))
}

/// Another bot was faster: what it wrote is what stands.
fn written(result: Result<(), PortError>) -> Result<(), PortError> {
    match result {
        Err(error) if error.kind == Kind::Conflict => Ok(()),
        result => result,
    }
}
