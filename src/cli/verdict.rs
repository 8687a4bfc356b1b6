//! What became of a vote, in words: the counted ones by the state of the request, the others by the code of their refusal.

use crate::domain::approval::{Request, RequestState, Verdict};

/// Whether the vote counts.
pub(super) fn counted(result: &str) -> bool {
    RequestState::ALL.iter().any(|state| state.word() == result)
}

pub(super) fn words(request: &Request, result: &str) -> String {
    let id = &request.id;
    if counted(result) {
        return state(request, result);
    }
    match result {
        "decided-before" => format!("not counted: {}", state(request, request.state.word())),
        "request-expired" => format!("not counted: {id} has expired; ask for it again"),
        "own-request" => {
            format!("not counted: you asked for {id} yourself; others decide (you may deny it, which withdraws it)")
        }
        "not-an-approver" => {
            let roles: Vec<&str> = request.rule.roles.iter().map(|r| r.0.as_str()).collect();
            format!("not counted: votes on {id} come from people with the role {}", roles.join(" or "))
        }
        "counted-before" => format!("counted before: {} of {}", request.counted(&[]), request.rule.quorum),
        "other-plan" => {
            format!("not counted: the plan of {id} has the digest {}; read it again", request.digest.short())
        }
        "reason-needed" => "not counted: it needs a reason; add --reason \"…\"".to_owned(),
        "confirmation-needed" => {
            let word = request.plan.confirmation().unwrap_or_default();
            format!("not counted: it has to be confirmed by its target's name; add --confirm {word}")
        }
        "no-break-glass" => format!("not counted: nobody may break the glass for {id}"),
        "reviewed-before" => format!("not counted: the review of {id} is closed"),
        "own-glass" => format!("not counted: you broke the glass of {id}; somebody else reviews it"),
        "not-handled-yet" => format!(
            "taken, and not counted yet: no bot has handled it. It is kept and counts as soon as one works on these records; \
             `switchman requests {id}` shows how it stands"
        ),
        "given-up" => format!(
            "{id}: what became of the vote is not in the audit trail; `switchman requests {id}` shows how it stands"
        ),
        code => format!("not counted: refused ({code}); `switchman policy explain` says which rule decides"),
    }
}

fn state(request: &Request, word: &str) -> String {
    let id = &request.id;
    let names = |verdict: Verdict| {
        let by = request.decisions.iter().filter(|d| d.verdict == verdict);
        by.map(|d| if d.by.name.is_empty() { d.by.user.as_str() } else { d.by.name.as_str() })
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (have, need) = (request.counted(&[]), request.rule.quorum);
    let at = request.decided_at.map(|at| format!(" at {at:.0}")).unwrap_or_default();
    match request.state {
        RequestState::Open => format!("{id}: counted, {have} of {need}"),
        RequestState::Approved | RequestState::Done => {
            let run = request.run.as_ref().map(|run| format!("; it is run {run}")).unwrap_or_default();
            format!("{id} is {word}: approved by {}{at}{run}", names(Verdict::Approve))
        }
        RequestState::Denied => format!("{id} was denied by {}{at}", names(Verdict::Deny)),
        RequestState::Expired => format!("{id} has expired"),
        RequestState::Void => {
            let next =
                request.replaced_by.as_ref().map(|next| format!("; {next} has the new plan")).unwrap_or_default();
            format!("{id} is void: the world is not what its plan says{next}")
        }
    }
}
