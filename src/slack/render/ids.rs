//! The names of buttons, inputs and forms: what rendering writes and what inbound requests are recognised by.
//! Buttons carry the key of an attempt (`r-7k3f.1`), the id of a request (`q-7k3f`) or nothing; the record is read again and the
//! clicker asked about again.

use crate::domain::id::{JobName, ParameterName};

/// Opens the list of rejected rows. Value: attempt key.
pub const VIEW_REJECTS: &str = "view-rejects";
/// Does the rejected rows again. Value: attempt key.
pub const REPROCESS_ROWS: &str = "reprocess-rows";
/// Does the chunks again that were not finished. Value: attempt key.
pub const REPROCESS_CHUNKS: &str = "reprocess-chunks";
/// Does the whole input again. Value: attempt key.
pub const REPROCESS_ALL: &str = "reprocess-all";
/// Gives a link to the output. Value: attempt key.
pub const DOWNLOAD_OUTPUT: &str = "download-output";
/// Gives a link to the rejected rows as a file. Value: attempt key.
pub const DOWNLOAD_REJECTS: &str = "download-rejects";
/// Stops a run. Value: attempt key.
pub const CANCEL_BATCH: &str = "cancel-batch";
/// Another page of the list of rejected rows. Value: attempt key, colon, rows to skip.
pub const REJECTS_EARLIER: &str = "rejects-earlier";
pub const REJECTS_LATER: &str = "rejects-later";
/// Opens the form that approves a request. Value: request id, like those that follow.
pub const APPROVE_REQUEST: &str = "approve-request";
/// Opens the form that denies a request, or withdraws it.
pub const DENY_REQUEST: &str = "deny-request";
/// Opens the form that carries a request out on one person's word.
pub const BREAK_GLASS: &str = "break-glass";
/// Opens the form that closes the review of a broken glass.
pub const CLOSE_REVIEW: &str = "close-review";
/// Opens the whole plan of a request, with the buttons above.
pub const REVIEW_REQUEST: &str = "review-request";
/// A link: Slack reports the click, nothing is to be done.
pub const OPEN_LINK: &str = "open-link";
/// A button of the menu or the App Home is this and the action's name: `menu:start-batch`.
pub const MENU: &str = "menu:";

/// The block and action ids of inputs: one input per block, both have the same name.
pub const JOB: &str = "job";
pub const FILE: &str = "file";
pub const RUN: &str = "run";
pub const SCOPE: &str = "scope";
pub const USER: &str = "user";
pub const COMMAND: &str = "command";
/// Which request is voted on, where the form was opened without one.
pub const REQUEST: &str = "request";
/// Why somebody votes as they do.
pub const REASON: &str = "reason";
/// The name of the region that has to be typed.
pub const CONFIRM: &str = "confirm";
/// A one-time code.
pub const CODE: &str = "code";
/// Where to fail over to.
pub const REGION: &str = "region";
/// A box: everything but the switch. Its one option has the value `drill`.
pub const DRILL: &str = "drill";

/// The callback id of a form is this and the action's name: `form:start-batch`. The forms that approve, break the glass and close a
/// review are all `form:approve`.
pub const FORM: &str = "form:";
/// The callback id of views that are only read.
pub const READ_ONLY: &str = "read-only";
/// The callback id of the App Home.
pub const HOME: &str = "home";
/// The value of the file menu's first option: the newest input that has no finished run.
pub const NEWEST_FILE: &str = "newest";

/// The block and action id of a value in the form of a workflow. The job is part of it: what was filled in for one is not taken for
/// another's.
pub fn value_block(job: &JobName, name: &ParameterName) -> String {
    format!("value:{job}:{name}")
}
