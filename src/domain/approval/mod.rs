//! Approvals: a request has a plan, distinct people decide about that very plan, and one write decides.
//!
//! [`Request::cast`] is the only way to a decision, whether the vote came by button, modal, typed text or command line.

mod answer;
mod plan;
mod request;
mod rule;
mod vote;

pub use plan::{CommandPlan, Digest, Plan, TaskPlan};
pub use request::{Decision, Request, RequestEvent, RequestState, Review};
pub use rule::{ApprovalRule, Guarded};
pub use vote::{Ballot, Refusal, Rights, Verdict, Void};

#[cfg(test)]
mod tests;
