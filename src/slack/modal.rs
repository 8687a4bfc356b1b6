//! The modals: what each holds. How they look stands in `blocks/`, like everything people see.

use crate::domain::command::{Action, Scope};
use crate::domain::id::{ChannelId, JobName, RunId};
use crate::domain::job::Job;
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Input, Run};
use crate::ports::RejectPage;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A modal, ready to be drawn.
#[derive(Debug, Clone)]
pub enum Modal {
    /// Shown at once, because a trigger lives for three seconds; replaced by one of the others.
    Loading {
        action: Option<Action>,
    },
    Start {
        metadata: Metadata,
        jobs: Vec<Job>,
        job: Option<JobName>,
        inputs: Vec<Input>,
        folder: Option<String>,
    },
    Reprocess {
        metadata: Metadata,
        runs: Vec<Run>,
        now: Timestamp,
    },
    Cancel {
        metadata: Metadata,
        runs: Vec<Run>,
        run: Option<RunId>,
        now: Timestamp,
    },
    Why {
        metadata: Metadata,
    },
    Rejects(Box<Rejects>),
    Download {
        key: AttemptKey,
        name: String,
        bytes: u64,
        link: String,
        minutes: u64,
    },
    /// Instead of one of the others.
    Refused(Problem),
}

/// One page of the rejected rows of an attempt.
#[derive(Debug, Clone)]
pub struct Rejects {
    pub run: Run,
    pub attempt: u32,
    pub page: RejectPage,
    /// How many rows come before this page.
    pub skip: u64,
    /// Where the whole file can be had, and for how many minutes.
    pub link: Option<(String, u64)>,
}

/// What a modal has to remember between being opened and being sent (Slack's `private_metadata`). It decides nothing: rights are asked
/// again when the form comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub channel: ChannelId,
}

/// Names of blocks and elements, shared by the templates and by what reads the answers.
pub mod names {
    pub const JOB: &str = "job";
    pub const FILE: &str = "file";
    pub const RUN: &str = "run";
    pub const SCOPE: &str = "scope";
    pub const USER: &str = "user";
    pub const COMMAND: &str = "command";
    /// The option that stands for "no file named".
    pub const NEWEST: &str = "newest";
}

impl Metadata {
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("metadata is plain data")
    }

    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

/// The buttons on messages and in modals: `action_id`, with what they carry in `value`. They carry ids only; everything else is read
/// again when one is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    /// In the menu and on the Home tab: give this command, or open its form.
    Command(Action),
    /// On a run's message.
    ViewRejects(AttemptKey),
    Reprocess(AttemptKey, Scope),
    Cancel(AttemptKey),
    Download(AttemptKey),
    /// In the rejects modal: another page.
    RejectsPage(AttemptKey, u64),
    /// In the start form: another job was picked.
    JobPicked,
    /// On the Home tab.
    RefreshHome,
}

impl Button {
    /// Reads a pressed element; `None` for what is not ours or opens a link.
    pub fn read(action_id: &str, value: Option<&str>) -> Option<Self> {
        let key = || AttemptKey::parse(value?);
        let (group, name) = action_id.split_once(':')?;
        match (group, name) {
            ("command", name) => Action::parse(name).map(Self::Command),
            ("run", "rejects") => key().map(Self::ViewRejects),
            ("run", "cancel") => key().map(Self::Cancel),
            ("run", "output") => key().map(Self::Download),
            ("redo", scope) => Some(Self::Reprocess(key()?, Scope::parse(scope)?)),
            ("rejects", _) => {
                let (key, skip) = value?.split_once('@')?;
                Some(Self::RejectsPage(AttemptKey::parse(key)?, skip.parse().ok()?))
            }
            ("form", "job") => Some(Self::JobPicked),
            ("home", "refresh") => Some(Self::RefreshHome),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buttons_are_read_by_name_and_anything_else_is_nothing() {
        let key = AttemptKey::parse("r-7k3f.2").unwrap();
        assert_eq!(Button::read("command:status", None), Some(Button::Command(Action::Status)));
        assert_eq!(Button::read("run:rejects", Some("r-7k3f.2")), Some(Button::ViewRejects(key.clone())));
        assert_eq!(Button::read("redo:rows", Some("r-7k3f.2")), Some(Button::Reprocess(key.clone(), Scope::Rows)));
        assert_eq!(Button::read("rejects:next", Some("r-7k3f.2@20")), Some(Button::RejectsPage(key, 20)));
        for (id, value) in [
            ("link:download", None),
            ("run:rejects", Some("r-7k3f")),
            ("run:rejects", None),
            ("redo:everything", Some("r-7k3f.2")),
            ("rejects:next", Some("r-7k3f.2@x")),
            ("command:format-disk", None),
            ("", None),
        ] {
            assert_eq!(Button::read(id, value), None, "{id}");
        }
    }
}
