//! Submitted forms: mistakes are shown beside the field, everything else takes the way of a typed command.

use super::ask::{Asker, words};
use super::forms::chosen_file;
use super::{Ack, Ingress, unavailable};
use crate::domain::command::{Action, Command, Scope};
use crate::domain::grammar::{self, Parsed};
use crate::domain::id::{FileName, JobName, RunId, UserId};
use crate::domain::problem::Problem;
use crate::slack::inbound::{State, ViewSubmission};
use crate::slack::modal::{Metadata, Modal, names};
use crate::slack::render;
use axum::http::StatusCode;
use serde_json::json;

/// A mistake in a field: the block it belongs to, and what to do.
struct FieldError {
    block: &'static str,
    text: String,
}

impl Ingress {
    pub(super) async fn submission(&self, id: &str, submission: ViewSubmission) -> Ack {
        let view = &submission.view;
        let Some(metadata) = Metadata::read(&view.private_metadata) else {
            return Ack::Empty;
        };
        let Some(action) = view.callback_id.strip_prefix("form:").and_then(Action::parse) else {
            return Ack::Empty;
        };
        let asker = match self.asker(&submission.sender, metadata.channel, None).await {
            Ok(asker) => asker,
            Err(error) => return unavailable(&error),
        };
        let command = match self.filled(action, &view.state) {
            Ok(command) => command,
            Err(error) => {
                let errors = json!({ error.block: error.text });
                return Ack::Json(json!({ "response_action": "errors", "errors": errors }));
            }
        };
        let what = words(&command);
        // The form is sent once; if Slack delivers it twice, the second is the same decision.
        match self.ask(id, &format!("form:{}", view.id), &asker, command).await {
            Ok(_) => Ack::Empty,
            Err(Problem::NotTaken) => Ack::Status(StatusCode::SERVICE_UNAVAILABLE),
            Err(problem) => self.refuse_in_form(&asker, &what, problem).await,
        }
    }

    async fn refuse_in_form(&self, asker: &Asker, what: &str, problem: Problem) -> Ack {
        self.note_refusal(asker, what, &problem).await;
        let view = render::modal(&Modal::Refused(problem), &self.doors.command);
        Ack::Json(json!({ "response_action": "update", "view": view }))
    }

    fn filled(&self, action: Action, state: &State) -> Result<Command, FieldError> {
        let value = |name: &str| state.get(name, name).one().or_else(|| state.get(name, &format!("form:{name}")).one());
        let wrong = |block, text: &str| FieldError { block, text: text.to_owned() };
        match action {
            Action::StartBatch => {
                let job = value(names::JOB).and_then(|j| JobName::parse(j).ok());
                let job = job.ok_or_else(|| wrong(names::JOB, "Choose a job."))?;
                let file = chosen_file(value(names::FILE)).map(FileName::parse).transpose();
                let file = file.map_err(|_| wrong(names::FILE, "This is not a file name."))?;
                Ok(Command::StartBatch { job, file })
            }
            Action::ReprocessBatch => {
                let run = value(names::RUN).and_then(|r| RunId::parse(r).ok());
                let run = run.ok_or_else(|| wrong(names::RUN, "Choose a run."))?;
                let scope = value(names::SCOPE).and_then(Scope::parse);
                let scope = scope.ok_or_else(|| wrong(names::SCOPE, "Choose what is done again."))?;
                Ok(Command::ReprocessBatch { run: Some(run), scope: Some(scope) })
            }
            Action::CancelBatch => {
                let run = value(names::RUN).and_then(|r| RunId::parse(r).ok());
                Ok(Command::CancelBatch { run: run.ok_or_else(|| wrong(names::RUN, "Choose a run."))? })
            }
            Action::Why => self.filled_why(value(names::USER), value(names::COMMAND)),
            Action::Status | Action::ListBatches | Action::Help => Ok(Command::Help { about: Some(action) }),
        }
    }

    fn filled_why(&self, user: Option<&str>, text: Option<&str>) -> Result<Command, FieldError> {
        let user = user.and_then(|u| UserId::parse(u).ok());
        let user = user.ok_or_else(|| FieldError { block: names::USER, text: "Choose a person.".to_owned() })?;
        let wrong = |text: String| FieldError { block: names::COMMAND, text };
        match grammar::parse(text.unwrap_or_default(), self.doors.catalog.names()) {
            Ok(Parsed::Complete(Command::Why { .. })) => Err(wrong("Why explains one command, not itself.".to_owned())),
            Ok(Parsed::Complete(command)) => Ok(Command::Why { user, command: Box::new(command) }),
            Ok(Parsed::Menu | Parsed::Incomplete(_)) => {
                Err(wrong("Write a whole command, such as: start-batch sales".to_owned()))
            }
            Err(usage) => {
                let hint = usage.nearest.map(|n| format!(" Did you mean {n}?")).unwrap_or_default();
                Err(wrong(format!("{}.{hint}", usage.reason)))
            }
        }
    }
}
