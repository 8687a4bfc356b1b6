//! Rows: schema, plan chunks, process a chunk, merge. No Slack, no AWS, no clock on the wall; memory is bounded by
//! workers × chunk. What never happens here: a row that is in neither the output nor the rejects.
#[cfg_attr(not(feature = "aws"), expect(dead_code, reason = "only the engine on AWS runs its steps apart"))]
pub(crate) mod apart;
mod attempt;
mod carry;
pub mod chunk;
pub mod control;
mod course;
mod crew;
mod decimal;
mod duplicates;
pub(crate) mod durable;
pub(crate) mod earlier;
pub mod error;
pub mod field;
mod held;
pub mod job;
pub mod keys;
pub mod ledger;
mod lookup;
mod marks;
mod merge;
pub(crate) mod parts;
mod placing;
pub mod plan;
mod quote;
pub mod reason;
pub mod records;
mod rejects;
mod rows;
mod run;
pub mod sample;
pub mod schema;
pub mod spec;
pub mod split;
mod syncer;
mod temporal;
mod words;
mod work;

pub use carry::{Trace, carry, trace, whole};
pub use control::{Control, Phase, Progress, Step};
pub use error::{BatchError, LoadError};
pub use job::Job;
pub use reason::{Reason, Tally};
pub use rejects::{Rejected, read_rejects, read_rejects_from};
pub use run::{Outcome, Redo, Scope, Summary, Task, execute, is_planned, is_running, stored_progress, summary};
pub use spec::Spec;

/// The output of an attempt that tolerates its rejects.
pub const OUTPUT: &str = "output.csv";
/// The output of an attempt with too many rejects.
pub const ASIDE: &str = "output.over-tolerance.csv";
/// The rejects of a finished attempt.
pub const REJECTS: &str = "rejects.csv";
/// The summary; where it stands, the attempt is finished.
pub const SUMMARY: &str = "summary.json";

pub(crate) const PLAN: &str = "plan.json";
pub(crate) const MANIFEST: &str = "chunks.json";
const COMPARED: &str = "duplicates.json";
const LOCK: &str = "lock";
const BOM: &[u8] = b"\xef\xbb\xbf";
