//! Modals: forms that ask for what a command left open, and lists to read.

use super::templates::value;
use super::{Message, Renderer, View, ids, words};
use crate::domain::command::Action;
use crate::domain::id::{FileName, JobName, RunId};
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Run};
use crate::ports::RejectPage;
use crate::slack::limits::Surface;
use jiff::Timestamp;
use minijinja::context;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::time::Duration;

/// Rejected rows on a page: what can be read without scrolling for long, and far below Slack's 100 blocks.
pub const REJECTS_PAGE: usize = 10;
/// Options a menu of Slack's holds, less the one that is always there.
pub(super) const OPTIONS: usize = 99;
/// Characters of an option's text.
pub(super) const OPTION_TEXT: usize = 75;
/// Characters of an option's value that every version of Slack takes.
const OPTION_VALUE: usize = 75;

/// A job to choose.
#[derive(Debug, Clone, Serialize)]
pub struct JobChoice {
    value: String,
    text: String,
    note: String,
}

/// An input file to choose.
#[derive(Debug, Clone, Serialize)]
pub struct FileChoice {
    value: String,
    text: String,
    note: String,
}

/// A run to choose.
#[derive(Debug, Clone, Serialize)]
pub struct RunChoice {
    value: String,
    text: String,
    note: String,
}

impl JobChoice {
    pub fn new(name: &JobName, summary: &str) -> Self {
        let note = if summary.trim().is_empty() { name.as_str() } else { summary };
        Self { value: name.to_string(), text: name.to_string(), note: words::cut(note, OPTION_TEXT) }
    }

    pub(super) fn is(&self, name: Option<&JobName>) -> bool {
        Some(self.value.as_str()) == name.map(JobName::as_str)
    }
}

impl FileChoice {
    pub fn new(name: &FileName, bytes: u64) -> Self {
        Self { value: option_value(name), text: words::cut(name.as_str(), OPTION_TEXT), note: words::bytes(bytes) }
    }
}

impl RunChoice {
    pub fn new(run: &Run, now: Timestamp) -> Self {
        let text = format!("{} {} on {}", run.id, run.job, run.input.name);
        let attempt = run.current();
        let note = format!("{}, asked for {}", attempt.state.word(), words::ago(attempt.asked_at, now));
        Self { value: run.id.to_string(), text: words::cut(&text, OPTION_TEXT), note: words::cut(&note, OPTION_TEXT) }
    }
}

/// The value of a file's option: its name, or a digest of a name that is too long for Slack.
pub fn option_value(name: &FileName) -> String {
    if name.as_str().chars().count() <= OPTION_VALUE {
        return name.to_string();
    }
    format!("sha256:{}", &hex::encode(Sha256::digest(name.as_str()))[..32])
}

impl Renderer {
    /// Shown at once, while what a form needs is looked up.
    pub fn loading(&self, action: Action) -> View {
        let context = context! { title => title(action) };
        self.view_from(Surface::Modal, "loading.json", &context, "One moment…")
    }

    /// Asks for the job and the file. `metadata` comes back with the form.
    pub fn start_form(
        &self,
        jobs: &[JobChoice],
        chosen: Option<&JobName>,
        files: &[FileChoice],
        metadata: &str,
    ) -> View {
        let jobs = &jobs[..jobs.len().min(OPTIONS)];
        let chosen = jobs.iter().find(|job| job.is(chosen)).or(jobs.first());
        let context = context! {
            callback => callback(Action::StartBatch), title => title(Action::StartBatch), metadata => metadata,
            jobs => value(jobs), chosen => value(chosen),
            files => value(&files[..files.len().min(OPTIONS)]), more => files.len().saturating_sub(OPTIONS),
            newest => ids::NEWEST_FILE,
        };
        self.view_from(
            Surface::Modal,
            "start_form.json",
            &context,
            "The form cannot be shown. Type the command with its arguments.",
        )
    }

    /// Asks which run to do again, and what part of it.
    pub fn reprocess_form(&self, runs: &[RunChoice], metadata: &str) -> View {
        self.run_choice("reprocess_form.json", Action::ReprocessBatch, runs, metadata)
    }

    /// Asks which run a command is about: cancel-batch, status.
    pub fn run_form(&self, action: Action, runs: &[RunChoice], metadata: &str) -> View {
        self.run_choice("run_form.json", action, runs, metadata)
    }

    fn run_choice(&self, template: &str, action: Action, runs: &[RunChoice], metadata: &str) -> View {
        let context = context! {
            callback => callback(action), title => title(action), action => action.name(), metadata => metadata,
            runs => value(&runs[..runs.len().min(OPTIONS)]), more => runs.len().saturating_sub(OPTIONS),
        };
        self.view_from(
            Surface::Modal,
            template,
            &context,
            "The form cannot be shown. Type the command with its arguments.",
        )
    }

    /// Asks about whom and which command an explanation is wanted.
    pub fn why_form(&self, metadata: &str) -> View {
        let context = context! { callback => callback(Action::Why), title => title(Action::Why), metadata => metadata };
        self.view_from(
            Surface::Modal,
            "why_form.json",
            &context,
            "The form cannot be shown. Type the command with its arguments.",
        )
    }

    /// Some of the rejected rows of an attempt, those from `skip` on.
    pub fn rejects(&self, key: &AttemptKey, page: &RejectPage, skip: u64) -> View {
        let rows: Vec<_> = page
            .rows
            .iter()
            .map(|row| {
                context! {
                    line => row.line, column => words::cut(&row.column, 60), reason => words::cut(&row.reason, 120),
                    explanation => words::cut(&row.explanation, 200),
                    value => words::cut(&row.value, 200), cut => row.value.chars().nth(200).is_some(),
                }
            })
            .collect();
        let shown = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let size = u64::try_from(REJECTS_PAGE).unwrap_or(u64::MAX);
        let context = context! {
            run => key.run.as_str(), attempt => key.attempt, key => key.to_string(), rows => rows, total => page.total,
            first => skip.saturating_add(1), last => skip.saturating_add(shown),
            earlier => (skip > 0).then(|| format!("{key}:{}", skip.saturating_sub(size))),
            later => (skip.saturating_add(shown) < page.total).then(|| format!("{key}:{}", skip.saturating_add(shown))),
        };
        self.view_from(
            Surface::Modal,
            "rejects_modal.json",
            &context,
            "The rejected rows cannot be shown. The file in the thread has them all.",
        )
    }

    /// A problem, where a form would have been.
    pub fn problem_view(&self, problem: &Problem) -> View {
        let message = self.message(&crate::domain::reply::Reply::refused(problem.clone()));
        self.note("Not done", &message)
    }

    /// A message, where a form would have been.
    pub fn note(&self, title: &str, message: &Message) -> View {
        let title = if title.trim().is_empty() { "Switchman" } else { title };
        let context = context! { title => words::cut(title, 24), blocks => value(message.blocks()) };
        self.view_from(Surface::Modal, "note_modal.json", &context, message.text())
    }

    /// A link to a file that a run left behind, which works for `life`.
    pub fn download(&self, run: &RunId, name: &str, bytes: u64, link: &str, life: Duration) -> Message {
        let context = context! {
            run => run.as_str(), name => words::cut(name, 120), bytes => bytes, link => link,
            life => words::duration(u64::try_from(life.as_millis()).unwrap_or(u64::MAX)),
        };
        self.message_from("download.json", &context, "The file is there, but its link cannot be shown.")
    }

    /// The answer to a form with mistakes: which input, and what is wrong with it.
    pub fn field_errors(&self, errors: &[(&str, &str)]) -> serde_json::Value {
        let errors: serde_json::Map<String, serde_json::Value> =
            errors.iter().map(|(block, text)| ((*block).to_owned(), words::cut(text, 150).into())).collect();
        serde_json::json!({"response_action": "errors", "errors": errors})
    }
}

pub(super) fn callback(action: Action) -> String {
    format!("{}{}", ids::FORM, action.name())
}

/// At most 24 characters.
pub(super) fn title(action: Action) -> &'static str {
    match action {
        Action::StartBatch => "Start a job",
        Action::ReprocessBatch => "Reprocess a run",
        Action::CancelBatch => "Cancel a run",
        Action::Status => "Status of a run",
        Action::ListBatches => "Runs",
        Action::FailOver => "Fail over",
        Action::FailBack => "Fail back",
        Action::Approve => "Approve a request",
        Action::Deny => "Deny a request",
        Action::Why => "Explain a permission",
        Action::Help => "Help",
    }
}
