//! The names of buttons, inputs and forms: what rendering writes and what inbound requests are recognised by.
//! Buttons carry the key of an attempt (`r-7k3f.1`) or nothing; the record is read again and the clicker asked about again.

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

/// The callback id of a form is this and the action's name: `form:start-batch`.
pub const FORM: &str = "form:";
/// The callback id of views that are only read.
pub const READ_ONLY: &str = "read-only";
/// The value of the file menu's first option: the newest input that has no finished run.
pub const NEWEST_FILE: &str = "newest";
