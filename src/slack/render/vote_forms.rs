//! Modals of approvals and moves.

use super::forms::{OPTION_TEXT, OPTIONS, callback, title};
use super::request::RequestCard;
use super::templates::value;
use super::{Renderer, View, words};
use crate::domain::approval::Request;
use crate::domain::command::Action;
use crate::domain::id::RegionName;
use crate::slack::limits::Surface;
use crate::slack::modal::VoteKind;
use jiff::Timestamp;
use minijinja::context;
use serde::Serialize;

const PLAINLY: &str = "The form cannot be shown. Type the command with its arguments.";

/// A request to choose.
#[derive(Debug, Clone, Serialize)]
pub struct RequestChoice {
    value: String,
    text: String,
    note: String,
}

impl RequestChoice {
    pub fn new(request: &Request, now: Timestamp) -> Self {
        let text = format!("{} {}", request.id, request.plan.line());
        let stands = if request.review_is_open() {
            "review open".to_owned()
        } else {
            format!("{} of {}", request.counted(&[]), words::counted(u64::from(request.rule.quorum), "approval"))
        };
        let by = request.asked_by.person().map_or_else(|| request.asked_by.shown(), super::card::name);
        let note = format!("{stands}, asked for by {by} {}", words::ago(request.asked_at, now));
        Self {
            value: request.id.to_string(),
            text: words::cut(&text, OPTION_TEXT),
            note: words::cut(&note, OPTION_TEXT),
        }
    }
}

impl Renderer {
    /// Asks for what a vote needs, below the whole plan. `own`: whoever asked withdraws. `metadata` comes back with the form.
    pub fn vote_form(&self, request: &Request, kind: VoteKind, own: bool, metadata: &str, now: Timestamp) -> View {
        let approves = matches!(kind, VoteKind::Approve | VoteKind::BreakGlass);
        let action = if kind == VoteKind::Deny { Action::Deny } else { Action::Approve };
        let shown = match kind {
            VoteKind::Deny if own => "withdraw",
            VoteKind::Approve => "approve",
            VoteKind::Deny => "deny",
            VoteKind::BreakGlass => "break-glass",
            VoteKind::CloseReview => "close-review",
        };
        let context = context! {
            request => value(RequestCard::whole(request, now)), kind => shown, callback => callback(action),
            metadata => metadata, reason_needed => kind != VoteKind::Approve || request.rule.reason,
            confirmation => request.plan.confirmation().filter(|_| approves),
            code => approves && request.rule.step_up,
        };
        self.view_from(Surface::Modal, "vote_form.json", &context, PLAINLY)
    }

    /// Asks which request is meant.
    pub fn request_form(&self, action: Action, requests: &[RequestChoice], metadata: &str) -> View {
        let context = context! {
            callback => callback(action), title => title(action), metadata => metadata,
            requests => value(&requests[..requests.len().min(OPTIONS)]),
        };
        self.view_from(Surface::Modal, "request_form.json", &context, PLAINLY)
    }

    /// Asks for the region to fail over to; there is at least one.
    pub fn fail_over_form(&self, active: &RegionName, others: &[RegionName], metadata: &str) -> View {
        let others: Vec<String> = others.iter().take(OPTIONS).map(ToString::to_string).collect();
        let context = context! {
            callback => callback(Action::FailOver), title => title(Action::FailOver), metadata => metadata,
            active => active.as_str(), others => others,
        };
        self.view_from(Surface::Modal, "fail_over_form.json", &context, PLAINLY)
    }
}
