//! The record of a request and its states.

use super::{ApprovalRule, Digest, Plan, Verdict};
use crate::domain::actor::{Actor, Asker};
use crate::domain::id::{ChannelId, RequestId, RunId};
use crate::domain::task::Told;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequestState {
    Open,
    /// Enough people approved, or the glass was broken; what was planned is under way.
    Approved,
    Denied,
    Expired,
    /// The world moved away from the plan.
    Void,
    /// What was planned has come to its end.
    Done,
}

/// What can happen to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RequestEvent {
    Approve,
    Deny,
    Expire,
    Drift,
    Finish,
}

/// One counted vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    pub by: Actor,
    pub verdict: Verdict,
    pub reason: Option<String>,
    pub at: Timestamp,
    /// Whether a one-time code was given with it.
    pub stepped_up: bool,
}

/// What remains to be looked at after the glass was broken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Review {
    /// Who broke the glass, why and when.
    pub broken: Decision,
    /// Who closed the review, with which word; `None` while it is open.
    pub closed: Option<Decision>,
}

/// The record of a request. `version` goes up by one at each write (compare and set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    pub id: RequestId,
    pub plan: Plan,
    /// The digest of `plan`: it never changes; another plan is another request.
    pub digest: Digest,
    /// How it is approved, as the catalog said when it was asked for.
    pub rule: ApprovalRule,
    pub asked_by: Asker,
    pub asked_at: Timestamp,
    /// Where it was asked for and is reported.
    pub channel: ChannelId,
    /// Who could approve when it was asked for; mentioned once.
    pub approvers: Vec<Actor>,
    /// From the moment it is posted.
    pub expires_at: Option<Timestamp>,
    pub state: RequestState,
    /// Counted votes, in order.
    pub decisions: Vec<Decision>,
    pub decided_at: Option<Timestamp>,
    /// Reminders sent so far.
    pub reminders: u32,
    pub review: Option<Review>,
    /// Why it is void, for people.
    pub void: Option<super::Void>,
    /// The request with the new plan, where this one is void.
    pub replaced_by: Option<RequestId>,
    /// The run it led to.
    pub run: Option<RunId>,
    /// Whether the workflow that asked has its answer; `None`: not yet, or nobody waits for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told: Option<Told>,
    pub version: u64,
}

/// An event that a state does not allow.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("{event:?} cannot happen to a request that is {state:?}")]
pub struct IllegalStep {
    pub state: RequestState,
    pub event: RequestEvent,
}

/// Reminders after these eighths of a request's life: each gap is twice the one before.
const REMINDERS: [i32; 3] = [1, 3, 7];

impl RequestState {
    pub const ALL: [Self; 6] = [Self::Open, Self::Approved, Self::Denied, Self::Expired, Self::Void, Self::Done];

    /// Whether nothing can happen to it any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Denied | Self::Expired | Self::Void | Self::Done)
    }

    /// The word people are shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "waiting for approval",
            Self::Approved => "approved",
            Self::Denied => "denied",
            Self::Expired => "expired",
            Self::Void => "void",
            Self::Done => "done",
        }
    }

    /// The state after `event`. An approved request can still become void: the switch itself may find the world moved.
    pub fn next(self, event: RequestEvent) -> Result<Self, IllegalStep> {
        match (self, event) {
            (Self::Open, RequestEvent::Approve) => Ok(Self::Approved),
            (Self::Open, RequestEvent::Deny) => Ok(Self::Denied),
            (Self::Open, RequestEvent::Expire) => Ok(Self::Expired),
            (Self::Open | Self::Approved, RequestEvent::Drift) => Ok(Self::Void),
            (Self::Approved, RequestEvent::Finish) => Ok(Self::Done),
            (Self::Open, RequestEvent::Finish)
            | (Self::Approved, RequestEvent::Approve | RequestEvent::Deny | RequestEvent::Expire)
            | (Self::Denied | Self::Expired | Self::Void | Self::Done, _) => Err(IllegalStep { state: self, event }),
        }
    }
}

impl Request {
    pub fn is_open(&self) -> bool {
        self.state == RequestState::Open
    }

    /// Whether somebody still has to look at it: it is open, under way, or its glass was broken and nobody has closed the review.
    pub fn needs_somebody(&self) -> bool {
        !self.state.is_terminal() || self.review_is_open()
    }

    pub fn review_is_open(&self) -> bool {
        self.review.as_ref().is_some_and(|review| review.closed.is_none())
    }

    /// Votes for it so far.
    pub fn approvals(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|d| d.verdict == Verdict::Approve)
    }

    /// The request was posted at `now`: from here it lives as long as its rule says, and no longer than whoever waits for it.
    pub fn posted(&mut self, now: Timestamp) {
        let usual = now + self.rule.expires;
        let at = self.last_moment().map_or(usual, |last| last.min(usual));
        self.expires_at.get_or_insert(at);
    }

    /// When it is over whether it was posted or not: a workflow does not wait for ever.
    fn last_moment(&self) -> Option<Timestamp> {
        match &self.plan {
            Plan::Task(plan) => plan.last_moment(self.asked_at),
            Plan::Command(_) | Plan::FailOver(_) => None,
        }
    }

    /// When it expires, as far as that is known.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.expires_at.or_else(|| self.last_moment())
    }

    /// When it has to be looked at next: for a reminder, or because it expires. `None`: it is not posted yet, or decided.
    pub fn next_look(&self) -> Option<Timestamp> {
        let ends = self.ends_at().filter(|_| self.is_open())?;
        let Some(expires) = self.expires_at else { return Some(ends) };
        let life = self.rule.expires.min(expires.duration_since(self.asked_at));
        let due = |eighths: i32| expires - life + life / 8 * eighths;
        Some(REMINDERS.get(self.reminders as usize).map_or(expires, |eighths| due(*eighths)))
    }

    /// What is left of its life.
    pub fn time_left(&self, now: Timestamp) -> Option<SignedDuration> {
        self.expires_at.map(|at| at.duration_since(now).max(SignedDuration::ZERO))
    }

    /// Makes it void: the world is not what the plan says.
    pub fn drifted(&mut self, void: super::Void, now: Timestamp) -> Result<(), IllegalStep> {
        self.state = self.state.next(RequestEvent::Drift)?;
        self.void = Some(void);
        self.decided_at.get_or_insert(now);
        Ok(())
    }

    /// Lets it expire, where its time is over.
    pub fn expired(&mut self, now: Timestamp) -> Result<(), IllegalStep> {
        self.state = self.state.next(RequestEvent::Expire)?;
        self.expires_at.get_or_insert(now);
        self.decided_at = Some(now);
        Ok(())
    }
}
