//! `deny ID REASON…`: a vote against a request; whoever asked withdraws it.

use super::asked::Asked;
use super::{Ctx, votes};
use crate::domain::approval::{Ballot, Verdict};
use crate::domain::id::RequestId;
use crate::ports::{Commit, PortError};

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    request: &RequestId,
    reason: Option<&str>,
) -> Result<Commit, PortError> {
    let proof = asked.origin.proof.clone().unwrap_or_default();
    votes::cast(ctx, asked, request, |_| Ballot {
        by: asked.origin.actor.clone(),
        verdict: Verdict::Deny,
        reason: reason.map(str::to_owned),
        digest: proof.digest.clone(),
        confirmed: None,
        break_glass: false,
        stepped_up: proof.stepped_up,
    })
    .await
}
