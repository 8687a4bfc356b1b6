//! Votes by button and form. What can be known at the click is said at the click, by the same decision function that counts the vote
//! later; what counts is decided behind the bus.

use super::ask::{Asker, Given, Wanted};
use super::forms::expired;
use super::submit::FieldError;
use super::{Ack, Ingress, unavailable};
use crate::domain::actor::Role;
use crate::domain::approval::{Ballot, Refusal, Request, Rights, Verdict};
use crate::domain::command::{Action, Command};
use crate::domain::envelope::Proof;
use crate::domain::id::{ChannelId, RequestId};
use crate::domain::problem::Problem;
use crate::ports::{PortError, WAITING_REQUESTS, load, load_list, request_key};
use crate::slack::inbound::{State, View};
use crate::slack::modal::{Metadata, Modal, VoteKind, VoteOn};
use crate::slack::render::ids;
use axum::http::StatusCode;
use serde_json::json;

/// Requests to choose from: a select holds at most 100 options (Slack's limit).
const CHOICES: usize = 99;

impl VoteKind {
    /// The command that such a form gives.
    fn action(self) -> Action {
        match self {
            Self::Approve | Self::BreakGlass | Self::CloseReview => Action::Approve,
            Self::Deny => Action::Deny,
        }
    }

    /// Whether it makes the plan happen, or helps to.
    fn approves(self) -> bool {
        matches!(self, Self::Approve | Self::BreakGlass)
    }
}

impl Ingress {
    /// Where a request belongs.
    pub(super) async fn channel_of_request(&self, id: &RequestId) -> Result<Option<ChannelId>, PortError> {
        match self.request(id).await? {
            Some(request) => Ok(Some(request.channel)),
            None => Ok(self.doors.settings.channels().await?.into_iter().next()),
        }
    }

    /// Opens the form of a vote: in the modal it was asked from, or in a new one.
    pub(super) async fn open_vote(
        &self,
        asker: &Asker,
        on: (VoteKind, &RequestId),
        trigger: Option<&str>,
        view: Option<&str>,
    ) -> Result<(), Problem> {
        let (kind, id) = on;
        self.allowed(asker, kind.action(), None)?;
        match view {
            Some(view) => {
                let failed = |error: PortError| expired(Some(kind.action()), &error);
                let modal = self.vote_form(asker, kind, id).await.map_err(failed)?;
                self.show(view, &modal).await.map_err(failed)
            }
            None => self.opened(Some(kind.action()), trigger, self.vote_form(asker, kind, id)).await,
        }
    }

    /// Opens the whole plan of a request, with its buttons.
    pub(super) async fn open_review(
        &self,
        asker: &Asker,
        id: &RequestId,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        self.allowed(asker, Action::Status, None)?;
        let plan = async {
            let Some(request) = self.request(id).await? else {
                return Ok(Modal::Refused(unknown(id)));
            };
            if let Err(problem) = self.allowed(asker, Action::Status, request.plan.job()) {
                return Ok(Modal::Refused(problem));
            }
            if let Some(problem) = self.outsider(asker, Action::Status).await? {
                return Ok(Modal::Refused(problem));
            }
            Ok(Modal::Review { request: Box::new(request), now: self.doors.clock.now() })
        };
        self.opened(Some(Action::Status), trigger, plan).await
    }

    /// Requests that this person could decide about now, the newest first.
    pub(super) async fn votable(&self, asker: &Asker, action: Action) -> Result<Vec<Request>, PortError> {
        let mut waiting: Vec<Request> = load_list(self.doors.store.as_ref(), WAITING_REQUESTS, CHOICES).await?;
        waiting.retain(|request| self.would_refuse(asker, request, kind_for(action, request)).is_none());
        Ok(waiting)
    }

    /// The form of a vote, or why there is none for this person: decided by whom, not on the list, asked for it, counted before.
    async fn vote_form(&self, asker: &Asker, kind: VoteKind, id: &RequestId) -> Result<Modal, PortError> {
        let Some(request) = self.request(id).await? else {
            return Ok(Modal::Refused(unknown(id)));
        };
        let outsider = self.outsider(asker, kind.action()).await?;
        if let Some(problem) = outsider.or_else(|| self.would_refuse(asker, &request, kind)) {
            let what = Wanted::line(kind.action(), id.as_str());
            self.note_refusal(asker, what, &problem).await;
            return Ok(Modal::Refused(problem));
        }
        let vote = VoteOn { request: id.clone(), digest: request.digest.clone(), kind };
        let metadata = Metadata { channel: asker.channel.clone(), vote: Some(vote) };
        let own = request.is_asker(&asker.standing.actor);
        Ok(Modal::Vote { metadata, request: Box::new(request), kind, own, now: self.doors.clock.now() })
    }

    /// A request was chosen: its form takes the place of the choice.
    pub(super) async fn chosen_request(&self, asker: &Asker, action: Action, state: &State) -> Ack {
        let chosen = state.get(ids::REQUEST, ids::REQUEST).one().and_then(|id| RequestId::parse(id).ok());
        let Some(id) = chosen else {
            return Ack::Json(self.doors.renderer.field_errors(&[(ids::REQUEST, "Choose a request.")]));
        };
        let form = async {
            let kind = self.request(&id).await?.map_or(VoteKind::Approve, |request| kind_for(action, &request));
            self.vote_form(asker, kind, &id).await
        };
        match form.await {
            Ok(modal) => {
                let view = self.doors.renderer.modal(&modal);
                Ack::Json(json!({ "response_action": "update", "view": view.as_json() }))
            }
            Err(error) => unavailable(&error),
        }
    }

    /// The form of a vote was sent: what is missing is said beside its field, everything else behind the bus.
    pub(super) async fn voted(&self, id: &str, asker: &Asker, on: VoteOn, view: &View) -> Ack {
        let request = match self.request(&on.request).await {
            Ok(Some(request)) => request,
            Ok(None) => {
                let what = Wanted::line(on.kind.action(), on.request.as_str());
                return self.refuse_in_form(asker, what, unknown(&on.request)).await;
            }
            Err(error) => return unavailable(&error),
        };
        let given = match self.ballot(asker, &request, &on, &view.state).await {
            Ok(given) => given,
            Err(Unfit::Fields(errors)) => {
                let errors: Vec<(&str, &str)> = errors.iter().map(|e| (e.block.as_ref(), e.text.as_str())).collect();
                return Ack::Json(self.doors.renderer.field_errors(&errors));
            }
            Err(Unfit::Refused(problem)) => {
                let what = Wanted::line(on.kind.action(), on.request.as_str());
                return self.refuse_in_form(asker, what, problem).await;
            }
        };
        let what = Wanted::command(&given.command);
        // The form is sent once; if Slack delivers it twice, the second is the same decision.
        match self.ask(id, &format!("form:{}", view.id), asker, given).await {
            Ok(_) => Ack::Empty,
            Err(Problem::NotTaken) => Ack::Status(StatusCode::SERVICE_UNAVAILABLE),
            Err(problem) => self.refuse_in_form(asker, what, problem).await,
        }
    }

    /// The vote as the form gives it, or every mistake in it.
    async fn ballot(&self, asker: &Asker, request: &Request, on: &VoteOn, state: &State) -> Result<Given, Unfit> {
        let field = |name: &str| state.get(name, name).one().map(one_line).filter(|text| !text.is_empty());
        let mut wrong = Vec::new();
        let reason = field(ids::REASON);
        if reason.is_none() && (on.kind != VoteKind::Approve || request.rule.reason) {
            wrong.push(FieldError { block: ids::REASON.into(), text: "Write why, in a few words.".to_owned() });
        }
        let confirmed = field(ids::CONFIRM).map(|word| word.to_lowercase());
        if let Some(word) = request.plan.confirmation().filter(|_| on.kind.approves())
            && confirmed.as_deref() != Some(word)
        {
            let text = format!("This is not the region of this plan. Type: {word}");
            wrong.push(FieldError { block: ids::CONFIRM.into(), text });
        }
        if !wrong.is_empty() {
            return Err(Unfit::Fields(wrong));
        }
        // Somebody may have broken the glass since the form was opened: then the same words would close the review.
        if request.review_is_open() != (on.kind == VoteKind::CloseReview) {
            return Err(Unfit::Refused(decided(request)));
        }
        self.allowed(asker, on.kind.action(), request.plan.job()).map_err(Unfit::Refused)?;
        // Last, because a code that is checked is used up.
        let stepped_up = on.kind.approves() && request.rule.step_up;
        if stepped_up {
            let code = field(ids::CODE);
            self.step_up(asker, &request.id, code.as_deref()).await.map_err(|wrong| Unfit::Fields(vec![wrong]))?;
        }
        let digest = Some(on.digest.clone());
        let proof = Proof { digest, confirmed, break_glass: on.kind == VoteKind::BreakGlass, stepped_up };
        let request = on.request.clone();
        let command = match on.kind.action() {
            Action::Deny => Command::Deny { request, reason },
            _ => Command::Approve { request, words: reason },
        };
        Ok(Given { command, proof: Some(proof) })
    }

    /// Checks a one-time code and uses it up. `Err`: what to write beside the field.
    async fn step_up(&self, asker: &Asker, about: &RequestId, code: Option<&str>) -> Result<(), FieldError> {
        let wrong = |text: String| FieldError { block: ids::CODE.into(), text };
        let Some(code) = code else {
            return Err(wrong("Write the code that your authenticator app shows now.".to_owned()));
        };
        match self.doors.step_up.check(&asker.standing.actor, code, about.as_str()).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(refusal)) => Err(wrong(refusal.to_string())),
            Err(error) => {
                tracing::error!(%error, "a one-time code could not be checked");
                Err(wrong(
                    "The code could not be checked just now, and was not used up. Send the form again.".to_owned(),
                ))
            }
        }
    }

    /// Why a whole vote of this person would not count now, as far as can be known here; asked of the function that counts it.
    fn would_refuse(&self, asker: &Asker, request: &Request, kind: VoteKind) -> Option<Problem> {
        if let Err(problem) = self.allowed(asker, kind.action(), request.plan.job()) {
            return Some(problem);
        }
        if kind != VoteKind::CloseReview && request.review_is_open() {
            return Some(decided(request));
        }
        if kind == VoteKind::CloseReview && request.review.is_none() {
            return Some(refused(request, Refusal::NoBreakGlass));
        }
        let ballot = Ballot {
            by: asker.standing.actor.clone(),
            verdict: if kind == VoteKind::Deny { Verdict::Deny } else { Verdict::Approve },
            reason: Some(String::from("…")),
            digest: Some(request.digest.clone()),
            confirmed: request.plan.confirmation().map(str::to_owned),
            break_glass: kind == VoteKind::BreakGlass,
            stepped_up: true,
        };
        let votes = self.allowed(asker, Action::Approve, request.plan.job()).is_ok();
        let has = |roles: &[Role]| {
            let own = asker.standing.listed.as_ref().map(|listed| listed.roles.as_slice()).unwrap_or_default();
            own.iter().any(|role| roles.contains(role))
        };
        let rights = Rights {
            may_vote: votes && has(&request.rule.roles),
            may_break_glass: votes && has(&request.rule.break_glass),
            lost_rights: Vec::new(),
        };
        request.cast(&ballot, &rights, self.doors.clock.now()).err().map(|refusal| self::refused(request, refusal))
    }

    async fn request(&self, id: &RequestId) -> Result<Option<Request>, PortError> {
        load(self.doors.store.as_ref(), &request_key(id)).await
    }
}

/// Why a form that was sent is no vote.
enum Unfit {
    Fields(Vec<FieldError>),
    Refused(Problem),
}

/// What a vote on a request that was chosen from the list is about.
fn kind_for(action: Action, request: &Request) -> VoteKind {
    match action {
        Action::Deny => VoteKind::Deny,
        _ if request.review_is_open() => VoteKind::CloseReview,
        _ => VoteKind::Approve,
    }
}

fn unknown(id: &RequestId) -> Problem {
    Problem::UnknownRequest { request: id.clone(), nearest: None }
}

fn refused(request: &Request, refusal: Refusal) -> Problem {
    Problem::VoteRefused { request: request.id.clone(), refusal }
}

fn decided(request: &Request) -> Problem {
    let by = request.decisions.iter().map(|decision| decision.by.clone()).collect();
    refused(request, Refusal::Decided { state: request.state, by, at: request.decided_at })
}

/// Typed text as the audit trail and a command line hold it: on one line.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
