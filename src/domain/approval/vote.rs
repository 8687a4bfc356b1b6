//! The decision function: one for button, modal, text and command line.

use super::Digest;
use super::request::{Decision, Request, RequestEvent, RequestState};
use crate::domain::actor::{Actor, Role};
use crate::domain::failover::Drift;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// For or against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Approve,
    Deny,
}

/// A vote as somebody gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ballot {
    pub by: Actor,
    pub verdict: Verdict,
    pub reason: Option<String>,
    /// The digest of the plan that was read; `None` where only the request's id was given (it names one plan for good).
    pub digest: Option<Digest>,
    /// What was typed to confirm.
    pub confirmed: Option<String>,
    pub break_glass: bool,
    /// Whether a one-time code was accepted with it.
    pub stepped_up: bool,
}

/// What is known about the voters when the vote is counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    /// The voter may approve now: role and policy.
    pub may_vote: bool,
    /// The voter may break the glass now.
    pub may_break_glass: bool,
    /// Of those who voted before: who could not any more. Their votes do not count.
    pub lost_rights: Vec<Actor>,
}

/// Why a vote was not counted. Each is a private answer of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "refusal")]
pub enum Refusal {
    /// It was decided before, by whom and when.
    Decided {
        state: RequestState,
        by: Vec<Actor>,
        at: Option<Timestamp>,
    },
    Expired {
        at: Timestamp,
    },
    /// Whoever asked does not count.
    Own,
    NotOnTheList {
        roles: Vec<Role>,
    },
    /// This person was counted before.
    Counted {
        have: u32,
        need: u32,
    },
    /// The plan that was read is not the plan that would be carried out.
    OtherPlan,
    ReasonNeeded,
    /// The word has to be typed.
    ConfirmationNeeded {
        word: String,
        given: Option<String>,
    },
    CodeNeeded,
    NoBreakGlass,
    /// The review is closed, or there is none.
    ReviewedBefore {
        by: Actor,
        at: Timestamp,
    },
    /// Whoever broke the glass does not review it.
    OwnGlass,
}

impl Refusal {
    /// A stable word for audit and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Decided { .. } => "decided-before",
            Self::Expired { .. } => "request-expired",
            Self::Own => "own-request",
            Self::NotOnTheList { .. } => "not-an-approver",
            Self::Counted { .. } => "counted-before",
            Self::OtherPlan => "other-plan",
            Self::ReasonNeeded => "reason-needed",
            Self::ConfirmationNeeded { .. } => "confirmation-needed",
            Self::CodeNeeded => "code-needed",
            Self::NoBreakGlass => "no-break-glass",
            Self::ReviewedBefore { .. } => "reviewed-before",
            Self::OwnGlass => "own-glass",
        }
    }
}

/// Why a request is void.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "void")]
pub enum Void {
    /// Something the plan names is not what it was: in words.
    Changed {
        what: String,
    },
    Drifted {
        drift: Drift,
    },
}

impl Request {
    /// Counts a vote: the request as it is then, or why it was not counted. Pure: the caller makes it count by one conditional write.
    pub fn cast(&self, ballot: &Ballot, rights: &Rights, now: Timestamp) -> Result<Self, Refusal> {
        if self.review_is_open() {
            return self.review(ballot, rights, now);
        }
        self.still_votable(ballot, now)?;
        if ballot.verdict == Verdict::Deny && self.is_asker(&ballot.by) {
            return self.denied(ballot, now);
        }
        if ballot.break_glass {
            return self.glass_broken(ballot, rights, now);
        }
        self.may_count(ballot, rights)?;
        match ballot.verdict {
            Verdict::Deny => self.denied(ballot, now),
            Verdict::Approve => self.approved(ballot, rights, now),
        }
    }

    /// Whether this is the person who asked. Names do not matter.
    pub fn is_asker(&self, who: &Actor) -> bool {
        self.asked_by.person().is_some_and(|asker| same(asker, who))
    }

    /// The votes that count towards the quorum now.
    pub fn counted(&self, lost_rights: &[Actor]) -> u32 {
        let counts = |d: &&Decision| !lost_rights.iter().any(|lost| same(lost, &d.by));
        u32::try_from(self.approvals().filter(counts).count()).unwrap_or(u32::MAX)
    }

    fn still_votable(&self, ballot: &Ballot, now: Timestamp) -> Result<(), Refusal> {
        match (&self.review, self.state, self.ends_at()) {
            (Some(review), _, _) if review.closed.is_some() => {
                let closed = review.closed.as_ref().unwrap_or(&review.broken);
                Err(Refusal::ReviewedBefore { by: closed.by.clone(), at: closed.at })
            }
            (_, RequestState::Expired, Some(at)) => Err(Refusal::Expired { at }),
            (_, RequestState::Open, Some(at)) if now >= at => Err(Refusal::Expired { at }),
            (_, RequestState::Open, _) if ballot.digest.as_ref().is_some_and(|seen| *seen != self.digest) => {
                Err(Refusal::OtherPlan)
            }
            (_, RequestState::Open, _) => Ok(()),
            (_, state, _) => {
                let by = self.decisions.iter().map(|d| d.by.clone()).collect();
                Err(Refusal::Decided { state, by, at: self.decided_at })
            }
        }
    }

    fn may_count(&self, ballot: &Ballot, rights: &Rights) -> Result<(), Refusal> {
        if self.is_asker(&ballot.by) && !self.rule.self_approval {
            return Err(Refusal::Own);
        }
        if !rights.may_vote {
            return Err(Refusal::NotOnTheList { roles: self.rule.roles.clone() });
        }
        let before = self.approvals().any(|d| same(&d.by, &ballot.by));
        if before && ballot.verdict == Verdict::Approve {
            return Err(Refusal::Counted { have: self.counted(&rights.lost_rights), need: self.rule.quorum });
        }
        self.complete(ballot)
    }

    /// Whether the ballot has everything that the rule asks for.
    fn complete(&self, ballot: &Ballot) -> Result<(), Refusal> {
        let approves = ballot.verdict == Verdict::Approve;
        if (self.rule.reason || !approves || ballot.break_glass) && blank(ballot.reason.as_deref()) {
            return Err(Refusal::ReasonNeeded);
        }
        if approves
            && let Some(word) = self.plan.confirmation()
            && ballot.confirmed.as_deref().map(str::trim) != Some(word)
        {
            return Err(Refusal::ConfirmationNeeded { word: word.to_owned(), given: ballot.confirmed.clone() });
        }
        if self.rule.step_up && approves && !ballot.stepped_up {
            return Err(Refusal::CodeNeeded);
        }
        Ok(())
    }

    fn approved(&self, ballot: &Ballot, rights: &Rights, now: Timestamp) -> Result<Self, Refusal> {
        let mut request = self.clone();
        request.decisions.retain(|d| !rights.lost_rights.iter().any(|lost| same(lost, &d.by)));
        request.decisions.push(decision(ballot, now));
        if request.counted(&[]) >= self.rule.quorum {
            request.step(RequestEvent::Approve, now)?;
        }
        Ok(request)
    }

    fn denied(&self, ballot: &Ballot, now: Timestamp) -> Result<Self, Refusal> {
        if blank(ballot.reason.as_deref()) {
            return Err(Refusal::ReasonNeeded);
        }
        let mut request = self.clone();
        request.decisions.push(decision(ballot, now));
        request.step(RequestEvent::Deny, now)?;
        Ok(request)
    }

    fn glass_broken(&self, ballot: &Ballot, rights: &Rights, now: Timestamp) -> Result<Self, Refusal> {
        if self.rule.break_glass.is_empty() {
            return Err(Refusal::NoBreakGlass);
        }
        if !rights.may_break_glass {
            return Err(Refusal::NotOnTheList { roles: self.rule.break_glass.clone() });
        }
        self.complete(ballot)?;
        let mut request = self.clone();
        let broken = decision(ballot, now);
        request.decisions.push(broken.clone());
        request.review = Some(super::Review { broken, closed: None });
        request.step(RequestEvent::Approve, now)?;
        Ok(request)
    }

    /// After the glass was broken somebody else looks at it, and says so; either verdict closes the review.
    fn review(&self, ballot: &Ballot, rights: &Rights, now: Timestamp) -> Result<Self, Refusal> {
        let mut request = self.clone();
        let Some(review) = request.review.as_mut() else { return Err(Refusal::NoBreakGlass) };
        if same(&review.broken.by, &ballot.by) {
            return Err(Refusal::OwnGlass);
        }
        if !rights.may_vote {
            return Err(Refusal::NotOnTheList { roles: self.rule.roles.clone() });
        }
        if blank(ballot.reason.as_deref()) {
            return Err(Refusal::ReasonNeeded);
        }
        review.closed = Some(decision(ballot, now));
        Ok(request)
    }

    fn step(&mut self, event: RequestEvent, now: Timestamp) -> Result<(), Refusal> {
        let refused = Refusal::Decided { state: self.state, by: Vec::new(), at: self.decided_at };
        self.state = self.state.next(event).map_err(|_| refused)?;
        self.decided_at = Some(now);
        Ok(())
    }
}

fn decision(ballot: &Ballot, now: Timestamp) -> Decision {
    Decision {
        by: ballot.by.clone(),
        verdict: ballot.verdict,
        reason: ballot.reason.clone().filter(|r| !r.trim().is_empty()),
        at: now,
        stepped_up: ballot.stepped_up,
    }
}

/// Team and user; the name is for display only.
fn same(one: &Actor, other: &Actor) -> bool {
    one.team == other.team && one.user == other.user
}

fn blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}
