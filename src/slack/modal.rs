//! The modals and buttons: what each holds. How they look stands in `blocks/`, like everything people see.

use super::render::{FileChoice, JobChoice, Renderer, RequestChoice, RunChoice, View, ids};
use crate::domain::approval::{Digest, Request};
use crate::domain::command::{Action, Scope};
use crate::domain::id::{ChannelId, JobName, RegionName, RequestId};
use crate::domain::job::Job;
use crate::domain::parameter::{Given, Inputs};
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::run::{AttemptKey, Input, Run};
use crate::ports::{ArtifactKind, RejectPage};
use jiff::Timestamp;
use jiff::civil::Date;
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
        /// What the job takes instead of a file, where it is a workflow.
        takes: Option<Takes>,
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
    FailOver {
        metadata: Metadata,
        active: RegionName,
        others: Vec<RegionName>,
    },
    /// Which request a vote is about.
    Requests {
        metadata: Metadata,
        action: Action,
        requests: Vec<Request>,
        now: Timestamp,
    },
    /// The form of a vote. `own`: whoever asked withdraws.
    Vote {
        metadata: Metadata,
        request: Box<Request>,
        kind: VoteKind,
        own: bool,
        now: Timestamp,
    },
    /// The whole plan of a request, and its buttons.
    Review {
        request: Box<Request>,
        now: Timestamp,
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

/// What a workflow takes, and what is known of it when its form opens.
#[derive(Debug, Clone)]
pub struct Takes {
    pub inputs: Inputs,
    pub given: Vec<Given>,
    pub today: Date,
}

/// What a modal has to remember between being opened and being sent (Slack's `private_metadata`). It decides nothing: rights are asked
/// again when the form comes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Metadata {
    pub channel: ChannelId,
    /// In the form of a vote: on what.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vote: Option<VoteOn>,
}

/// The plan that somebody read before they voted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteOn {
    pub request: RequestId,
    pub digest: Digest,
    pub kind: VoteKind,
}

impl Metadata {
    /// Of a form that only needs to know its channel.
    pub fn of(channel: &ChannelId) -> Self {
        Self { channel: channel.clone(), vote: None }
    }

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
            Modal::Start { metadata, jobs, job, takes: Some(takes), .. } => {
                let jobs: Vec<JobChoice> = jobs.iter().map(|j| JobChoice::new(&j.name, &j.summary)).collect();
                self.workflow_form(&jobs, job.as_ref(), takes, &metadata.write())
            }
            Modal::Start { metadata, jobs, job, inputs, takes: None } => {
                let jobs: Vec<JobChoice> = jobs.iter().map(|j| JobChoice::new(&j.name, &j.summary)).collect();
                let files: Vec<FileChoice> = inputs.iter().map(|i| FileChoice::new(&i.name, i.bytes)).collect();
                self.start_form(&jobs, job.as_ref(), &files, &metadata.write())
            }
            Modal::Reprocess { metadata, runs, now } => self.reprocess_form(&choices(runs, *now), &metadata.write()),
            Modal::Cancel { metadata, runs, now } => {
                self.run_form(Action::CancelBatch, &choices(runs, *now), &metadata.write())
            }
            Modal::FailOver { metadata, active, others } => self.fail_over_form(active, others, &metadata.write()),
            Modal::Requests { metadata, action, requests, now } => {
                let choices: Vec<RequestChoice> = requests.iter().map(|r| RequestChoice::new(r, *now)).collect();
                self.request_form(*action, &choices, &metadata.write())
            }
            Modal::Vote { metadata, request, kind, own, now } => {
                self.vote_form(request, *kind, *own, &metadata.write(), *now)
            }
            Modal::Review { request, now } => {
                let card = Reply::RequestCard { request: request.clone(), now: *now };
                self.note(&format!("Request {}", request.id), &self.message(&card))
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
    /// On a request: the form of a vote.
    Vote(VoteKind, RequestId),
    /// On the board: the whole plan of a request.
    Review(RequestId),
}

/// What a form of a vote is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VoteKind {
    Approve,
    Deny,
    BreakGlass,
    CloseReview,
}

impl Button {
    /// Reads a pressed element; `None` for what is not ours or opens a link.
    pub fn read(action_id: &str, value: Option<&str>) -> Option<Self> {
        if let Some(name) = action_id.strip_prefix(ids::MENU) {
            return Action::parse(name).map(Self::Command);
        }
        let value = value?;
        let request = || RequestId::parse(value).ok();
        let vote = |kind| request().map(|id| Self::Vote(kind, id));
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
            ids::APPROVE_REQUEST => vote(VoteKind::Approve),
            ids::DENY_REQUEST => vote(VoteKind::Deny),
            ids::BREAK_GLASS => vote(VoteKind::BreakGlass),
            ids::CLOSE_REVIEW => vote(VoteKind::CloseReview),
            ids::REVIEW_REQUEST => request().map(Self::Review),
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
        let id = RequestId::parse("q-7k3f").unwrap();
        for (name, kind) in [
            ("approve-request", VoteKind::Approve),
            ("deny-request", VoteKind::Deny),
            ("break-glass", VoteKind::BreakGlass),
            ("close-review", VoteKind::CloseReview),
        ] {
            assert_eq!(Button::read(name, Some("q-7k3f")), Some(Button::Vote(kind, id.clone())));
        }
        assert_eq!(Button::read("review-request", Some("q-7k3f")), Some(Button::Review(id)));
        for (id, value) in [
            ("open-link", None),
            ("approve-request", Some("r-7k3f")),
            ("approve-request", None),
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
