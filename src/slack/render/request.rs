//! Requests as templates see them. The words stand in `blocks/request_parts.json`.

use super::card::{Given, name, values};
use super::moves::{ALL_NAMED, NAMED, PlanCard, duration};
use super::words;
use crate::domain::actor::{Actor, Asker};
use crate::domain::approval::{CommandPlan, Decision, Plan, Request, RequestState, Review, Verdict, Void};
use crate::domain::command::{Action, Scope};
use crate::domain::failover::Drift;
use crate::domain::task::{Detail, Told};
use jiff::Timestamp;
use serde::Serialize;

/// People who are mentioned; more are counted.
const PEOPLE: usize = 20;
/// Votes that are shown with their reason.
const VOTES: usize = 10;
/// Characters of a reason.
const REASON: usize = 300;
/// Characters of a file's name.
const FILE: usize = 80;

/// A request.
#[derive(Debug, Serialize)]
pub(super) struct RequestCard {
    id: String,
    state: RequestState,
    /// What it came to: a word of `request_parts.json`.
    stands: &'static str,
    sign: &'static str,
    open: bool,
    plan: PlanWords,
    digest: String,
    /// The word that has to be typed to approve it.
    confirmation: Option<String>,
    by: Person,
    channel: String,
    have: u32,
    need: u32,
    roles: String,
    reason: bool,
    step_up: bool,
    break_glass: Option<String>,
    approvers: Vec<Person>,
    more_approvers: usize,
    /// Seconds since 1970.
    expires_at: i64,
    /// What is left of its life.
    left: String,
    votes: Vec<Vote>,
    more_votes: usize,
    last: Option<Vote>,
    decided_at: Option<i64>,
    void: Option<VoidWords>,
    replaced_by: Option<String>,
    run: Option<String>,
    /// What became of the answer to the workflow that asked: answered, unconfirmed, too-late or failed.
    told: Option<&'static str>,
    review: Option<ReviewWords>,
    asked_ago: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Person {
    /// Absent where no person did it.
    id: Option<String>,
    name: String,
}

/// What would happen.
#[derive(Debug, Serialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
enum PlanWords {
    Command {
        action: Action,
        job: String,
        file: String,
        bytes: u64,
        run: Option<String>,
        attempt: Option<u32>,
        scope: Option<Scope>,
        /// What a workflow is given; `None`: it is about a file.
        values: Option<Vec<Given>>,
    },
    Move(Box<PlanCard>),
    Task {
        workflow: String,
        question: String,
        details: Vec<Shown>,
    },
}

#[derive(Debug, Serialize)]
struct Shown {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Vote {
    by: Person,
    did: &'static str,
    reason: Option<String>,
    at: i64,
    stepped_up: bool,
}

#[derive(Debug, Serialize)]
struct ReviewWords {
    broken: Vote,
    closed: Option<Vote>,
}

/// Why it is void, with what the words need.
#[derive(Debug, Serialize)]
struct VoidWords {
    code: &'static str,
    what: String,
    files: Vec<String>,
    more_files: usize,
    planned: Option<String>,
    now: Option<String>,
}

impl RequestCard {
    pub(super) fn of(request: &Request, now: Timestamp) -> Self {
        Self::naming(request, now, NAMED)
    }

    /// With every file that would be lost by name.
    pub(super) fn whole(request: &Request, now: Timestamp) -> Self {
        Self::naming(request, now, ALL_NAMED)
    }

    fn naming(request: &Request, now: Timestamp, names: usize) -> Self {
        let expires_at = request.expires_at.unwrap_or(now + request.rule.expires);
        Self {
            id: request.id.to_string(),
            state: request.state,
            stands: stands(request),
            sign: sign(request),
            open: request.is_open(),
            plan: PlanWords::of(&request.plan, names),
            digest: request.digest.short().to_owned(),
            confirmation: request.plan.confirmation().map(str::to_owned),
            by: Person::asker(&request.asked_by),
            channel: request.channel.to_string(),
            have: request.counted(&[]),
            need: request.rule.quorum,
            roles: roles(&request.rule.roles),
            reason: request.rule.reason,
            step_up: request.rule.step_up,
            break_glass: (!request.rule.break_glass.is_empty()).then(|| roles(&request.rule.break_glass)),
            approvers: request.approvers.iter().take(PEOPLE).map(Person::of).collect(),
            more_approvers: request.approvers.len().saturating_sub(PEOPLE),
            expires_at: expires_at.as_second(),
            left: duration(expires_at.duration_since(now).max(jiff::SignedDuration::ZERO)),
            votes: request.decisions.iter().take(VOTES).map(|vote| Vote::of(vote, request)).collect(),
            more_votes: request.decisions.len().saturating_sub(VOTES),
            last: request.decisions.last().map(|vote| Vote::of(vote, request)),
            decided_at: request.decided_at.map(Timestamp::as_second),
            void: request.void.as_ref().map(VoidWords::of),
            replaced_by: request.replaced_by.as_ref().map(ToString::to_string),
            run: request.run.as_ref().map(ToString::to_string),
            told: request.told.as_ref().map(told),
            review: request.review.as_ref().map(|review| ReviewWords::of(review, request)),
            asked_ago: words::ago(request.asked_at, now),
        }
    }
}

impl Person {
    pub(super) fn of(actor: &Actor) -> Self {
        Self { id: Some(actor.user.to_string()), name: name(actor) }
    }

    fn asker(asker: &Asker) -> Self {
        asker.person().map_or_else(|| Self { id: None, name: asker.shown() }, Self::of)
    }
}

impl PlanWords {
    fn of(plan: &Plan, names: usize) -> Self {
        match plan {
            Plan::Command(CommandPlan { action, job, input, attempt, scope, .. }) => Self::Command {
                action: *action,
                job: job.to_string(),
                file: words::cut(input.name.as_str(), FILE),
                bytes: input.bytes,
                run: attempt.as_ref().map(|key| key.run.to_string()),
                attempt: attempt.as_ref().map(|key| key.attempt),
                scope: *scope,
                values: input.parameters.is_some().then(|| values(input)),
            },
            Plan::FailOver(plan) => Self::Move(Box::new(PlanCard::of(plan, names))),
            Plan::Task(plan) => Self::Task {
                workflow: plan.workflow.to_string(),
                question: plan.question.clone(),
                details: plan
                    .details
                    .iter()
                    .map(|Detail { name, value }| Shown { name: name.clone(), value: value.clone() })
                    .collect(),
            },
        }
    }
}

impl Vote {
    fn of(decision: &Decision, request: &Request) -> Self {
        let broke = request.review.as_ref().is_some_and(|review| review.broken == *decision);
        let did = match decision.verdict {
            Verdict::Approve if broke => "broke the glass",
            Verdict::Approve => "approved",
            Verdict::Deny if request.is_asker(&decision.by) => "withdrew it",
            Verdict::Deny => "denied",
        };
        Self {
            by: Person::of(&decision.by),
            did,
            reason: decision.reason.as_deref().map(|reason| words::cut(reason.trim(), REASON)),
            at: decision.at.as_second(),
            stepped_up: decision.stepped_up,
        }
    }
}

impl ReviewWords {
    fn of(review: &Review, request: &Request) -> Self {
        let closed =
            review.closed.as_ref().map(|closed| Vote { did: "closed the review", ..Vote::of(closed, request) });
        Self { broken: Vote::of(&review.broken, request), closed }
    }
}

impl VoidWords {
    fn of(void: &Void) -> Self {
        let mut said =
            Self { code: "changed", what: String::new(), files: Vec::new(), more_files: 0, planned: None, now: None };
        let drift = match void {
            Void::Changed { what } => {
                said.what = words::cut(what.trim(), REASON);
                return said;
            }
            Void::Drifted { drift } => drift,
        };
        match drift {
            Drift::EpochMoved { planned, now } => {
                (said.code, said.planned, said.now) = ("epoch", Some(planned.to_string()), Some(now.to_string()));
            }
            Drift::MoreLost { files } => {
                said.code = "lost";
                said.files = files.iter().take(VOTES).map(|file| words::cut(file.as_str(), FILE)).collect();
                said.more_files = files.len().saturating_sub(VOTES);
            }
            Drift::MoreUnfinished { planned, now } => {
                (said.code, said.planned, said.now) = ("unfinished", Some(planned.to_string()), Some(now.to_string()));
            }
            Drift::LagGrew { planned, now } => {
                (said.code, said.planned, said.now) = ("lag", Some(duration(*planned)), now.map(duration));
            }
            Drift::LessKnown => said.code = "less-known",
        }
        said
    }
}

/// What a request came to, in more words than its state.
fn stands(request: &Request) -> &'static str {
    let withdrawn = request.decisions.last().is_some_and(|d| request.is_asker(&d.by));
    let reviewed = request.review.as_ref().is_some_and(|review| review.closed.is_some());
    match (request.state, &request.review, &request.plan) {
        (RequestState::Denied, _, _) if withdrawn => "withdrawn",
        (RequestState::Approved | RequestState::Done, Some(_), _) if reviewed => "glass broken, reviewed",
        (RequestState::Approved | RequestState::Done, Some(_), _) => "glass broken, review open",
        (RequestState::Done, None, Plan::Command(_) | Plan::Task(_)) => "approved",
        (RequestState::Approved, None, Plan::FailOver(_)) => "approved, under way",
        (RequestState::Done, None, Plan::FailOver(_)) => "approved, done",
        (state, _, _) => state.word(),
    }
}

fn sign(request: &Request) -> &'static str {
    match request.state {
        RequestState::Open => "⏳",
        RequestState::Approved | RequestState::Done if request.review_is_open() => "⚠️",
        RequestState::Approved | RequestState::Done => "✅",
        RequestState::Denied => "❌",
        RequestState::Expired => "⌛",
        RequestState::Void => "⏹️",
    }
}

fn told(told: &Told) -> &'static str {
    match told {
        Told::Answered => "answered",
        Told::Unconfirmed => "unconfirmed",
        Told::TooLate => "too-late",
        Told::Failed { .. } => "failed",
    }
}

/// Roles in one text.
pub(super) fn roles(roles: &[crate::domain::actor::Role]) -> String {
    let names: Vec<&str> = roles.iter().map(|role| role.0.as_str()).collect();
    words::cut(&names.join(", "), 120)
}
