//! The modals and buttons: what each holds. How they look stands in `blocks/`, like everything people see.

use super::render::{FileChoice, JobChoice, Renderer, RunChoice, View, ids};
use crate::domain::command::{Action, Scope};
use crate::domain::id::{ChannelId, JobName};
use crate::domain::job::Job;
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Input, Run};
use crate::ports::{ArtifactKind, RejectPage};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    },
    Reprocess {
        metadata: Metadata,
        runs: Vec<Run>,
        now: Timestamp,
    },
    Cancel {
        metadata: Metadata,
        runs: Vec<Run>,
        now: Timestamp,
    },
    Why {
        metadata: Metadata,
    },
    /// One page of the rejected rows, with `skip` rows before it.
    Rejects {
        key: AttemptKey,
        page: RejectPage,
        skip: u64,
    },
    /// A link that works for `life`.
    Download {
        key: AttemptKey,
        name: String,
        bytes: u64,
        link: String,
        life: Duration,
    },
    /// Instead of one of the others.
    Refused(Problem),
}

/// What a modal has to remember between being opened and being sent (Slack's `private_metadata`). It decides nothing: rights are asked
/// again when the form comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub channel: ChannelId,
}

impl Metadata {
    pub fn write(&self) -> String {
        serde_json::to_string(self).expect("metadata is plain data")
    }

    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }
}

impl Renderer {
    /// The modal as Slack shows it.
    pub fn modal(&self, modal: &Modal) -> View {
        match modal {
            Modal::Loading { action } => self.loading(action.unwrap_or(Action::Status)),
            Modal::Start { metadata, jobs, job, inputs } => {
                let jobs: Vec<JobChoice> = jobs.iter().map(|j| JobChoice::new(&j.name, &j.summary)).collect();
                let files: Vec<FileChoice> = inputs.iter().map(|i| FileChoice::new(&i.name, i.bytes)).collect();
                self.start_form(&jobs, job.as_ref(), &files, &metadata.write())
            }
            Modal::Reprocess { metadata, runs, now } => self.reprocess_form(&choices(runs, *now), &metadata.write()),
            Modal::Cancel { metadata, runs, now } => {
                self.run_form(Action::CancelBatch, &choices(runs, *now), &metadata.write())
            }
            Modal::Why { metadata } => self.why_form(&metadata.write()),
            Modal::Rejects { key, page, skip } => self.rejects(key, page, *skip),
            Modal::Download { key, name, bytes, link, life } => {
                self.note("Download", &self.download(&key.run, name, *bytes, link, *life))
            }
            Modal::Refused(problem) => self.problem_view(problem),
        }
    }
}

fn choices(runs: &[Run], now: Timestamp) -> Vec<RunChoice> {
    runs.iter().map(|run| RunChoice::new(run, now)).collect()
}

/// The buttons on messages and in modals. They carry ids only; everything else is read again when one is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Button {
    /// In the menu and on the Home tab: give this command, or open its form.
    Command(Action),
    ViewRejects(AttemptKey),
    Reprocess(AttemptKey, Scope),
    Cancel(AttemptKey),
    Download(AttemptKey, ArtifactKind),
    /// In the rejects modal: another page, from so many rows on.
    RejectsPage(AttemptKey, u64),
    /// In the start form: another job was picked.
    JobPicked(String),
}

impl Button {
    /// Reads a pressed element; `None` for what is not ours or opens a link.
    pub fn read(action_id: &str, value: Option<&str>) -> Option<Self> {
        if let Some(name) = action_id.strip_prefix(ids::MENU) {
            return Action::parse(name).map(Self::Command);
        }
        let value = value?;
        let key = || AttemptKey::parse(value);
        match action_id {
            ids::VIEW_REJECTS => key().map(Self::ViewRejects),
            ids::REPROCESS_ROWS => key().map(|k| Self::Reprocess(k, Scope::Rows)),
            ids::REPROCESS_CHUNKS => key().map(|k| Self::Reprocess(k, Scope::Chunks)),
            ids::REPROCESS_ALL => key().map(|k| Self::Reprocess(k, Scope::All)),
            ids::CANCEL_BATCH => key().map(Self::Cancel),
            ids::DOWNLOAD_OUTPUT => key().map(|k| Self::Download(k, ArtifactKind::Output)),
            ids::DOWNLOAD_REJECTS => key().map(|k| Self::Download(k, ArtifactKind::Rejects)),
            ids::REJECTS_EARLIER | ids::REJECTS_LATER => {
                let (key, skip) = value.rsplit_once(':')?;
                Some(Self::RejectsPage(AttemptKey::parse(key)?, skip.parse().ok()?))
            }
            ids::JOB => Some(Self::JobPicked(value.to_owned())),
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
        assert_eq!(Button::read("menu:status", Some("status")), Some(Button::Command(Action::Status)));
        assert_eq!(Button::read("view-rejects", Some("r-7k3f.2")), Some(Button::ViewRejects(key.clone())));
        let redo = Button::Reprocess(key.clone(), Scope::Rows);
        assert_eq!(Button::read("reprocess-rows", Some("r-7k3f.2")), Some(redo));
        let whole = Button::Reprocess(key.clone(), Scope::All);
        assert_eq!(Button::read("reprocess-all", Some("r-7k3f.2")), Some(whole));
        assert_eq!(Button::read("rejects-later", Some("r-7k3f.2:20")), Some(Button::RejectsPage(key, 20)));
        for (id, value) in [
            ("open-link", None),
            ("view-rejects", Some("r-7k3f")),
            ("view-rejects", None),
            ("reprocess-everything", Some("r-7k3f.2")),
            ("rejects-later", Some("r-7k3f.2:x")),
            ("menu:format-disk", None),
            ("", None),
        ] {
            assert_eq!(Button::read(id, value), None, "{id}");
        }
    }
}
