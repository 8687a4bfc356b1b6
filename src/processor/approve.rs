//! `approve ID [REASON…]`: a vote for a request, or the word that closes the review of a broken glass.

use super::asked::Asked;
use super::{Ctx, votes};
use crate::domain::approval::{Ballot, Request, Verdict};
use crate::domain::id::RequestId;
use crate::ports::{Commit, PortError};

/// What stands before the reason where somebody breaks the glass by text.
const BREAK_GLASS: &str = "break-glass";

pub(super) async fn handle(
    ctx: &Ctx,
    asked: &Asked<'_>,
    request: &RequestId,
    words: Option<&str>,
) -> Result<Commit, PortError> {
    votes::cast(ctx, asked, request, |request| ballot(asked, request, words)).await
}

/// A form sends its fields apart; in a typed line they stand one after the other.
fn ballot(asked: &Asked<'_>, request: &Request, words: Option<&str>) -> Ballot {
    let by = asked.origin.actor.clone();
    let ballot = |reason: Option<&str>, confirmed: Option<String>, break_glass| Ballot {
        by: by.clone(),
        verdict: Verdict::Approve,
        reason: reason.map(str::to_owned),
        digest: None,
        confirmed,
        break_glass,
        stepped_up: false,
    };
    if let Some(proof) = &asked.origin.proof {
        let typed = ballot(words, proof.confirmed.clone(), proof.break_glass);
        return Ballot { digest: proof.digest.clone(), stepped_up: proof.stepped_up, ..typed };
    }
    let (break_glass, rest) = match words.and_then(|words| words.strip_prefix(BREAK_GLASS)) {
        Some(rest) => (true, Some(rest.trim()).filter(|rest| !rest.is_empty())),
        None => (false, words),
    };
    match (request.plan.confirmation(), rest) {
        (Some(_), Some(rest)) if request.is_open() => {
            let (word, reason) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            ballot(Some(reason.trim()).filter(|r| !r.is_empty()), Some(word.to_lowercase()), break_glass)
        }
        _ => ballot(rest, None, break_glass),
    }
}
