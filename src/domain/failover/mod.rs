//! Fail-over, fail-back and drill: the plan people approve, and the record of carrying it out.

mod plan;
mod record;

pub use plan::{Drift, FailOverPlan, FileCase, FileState, Move, Targets, Tolerance, Treatment, Unknown};
pub use record::{FailOver, FailOverEvent, FailOverState, FileOutcome, FileReport, Routed};

#[cfg(test)]
mod tests;
