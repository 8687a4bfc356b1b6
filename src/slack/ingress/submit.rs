//! Submitted forms: mistakes are shown beside the field, everything else takes the way of a typed command.

use super::ask::{Asker, Wanted};
use super::{Ack, Ingress, unavailable};
use crate::domain::command::{Action, Command, Scope};
use crate::domain::grammar::{self, Parsed};
use crate::domain::id::{FileName, JobName, ParameterName, RegionName, RunId, UserId};
use crate::domain::parameter::{Declared, Given, Inputs, Unfit};
use crate::domain::problem::Problem;
use crate::slack::inbound::{State, ViewSubmission};
use crate::slack::modal::{Metadata, Modal};
use crate::slack::render::{ids, option_value};
use axum::http::StatusCode;
use serde_json::json;
use std::borrow::Cow;

/// A mistake in a field: the block it belongs to, and what to do.
pub(super) struct FieldError {
    pub block: Cow<'static, str>,
    pub text: String,
}

impl Ingress {
    pub(super) async fn submission(&self, id: &str, submission: ViewSubmission) -> Ack {
        let view = &submission.view;
        let Some(metadata) = Metadata::read(&view.private_metadata) else {
            return Ack::Empty;
        };
        let Some(action) = view.callback_id.strip_prefix(ids::FORM).and_then(Action::parse) else {
            return Ack::Empty;
        };
        let asker = match self.asker(&submission.sender, metadata.channel.clone(), None).await {
            Ok(asker) => asker,
            Err(error) => return unavailable(&error),
        };
        if matches!(action, Action::Approve | Action::Deny) {
            return match metadata.vote {
                Some(on) => self.voted(id, &asker, on, view).await,
                None => self.chosen_request(&asker, action, &view.state).await,
            };
        }
        let command = match self.filled(action, &view.state).await {
            Ok(command) => command,
            Err(error) => {
                return Ack::Json(self.doors.renderer.field_errors(&[(&error.block, &error.text)]));
            }
        };
        let what = Wanted::command(&command);
        // The form is sent once; if Slack delivers it twice, the second is the same decision.
        match self.ask(id, &format!("form:{}", view.id), &asker, command).await {
            Ok(_) => Ack::Empty,
            Err(Problem::NotTaken) => Ack::Status(StatusCode::SERVICE_UNAVAILABLE),
            Err(problem) => self.refuse_in_form(&asker, what, problem).await,
        }
    }

    pub(super) async fn refuse_in_form(&self, asker: &Asker, what: Wanted, problem: Problem) -> Ack {
        self.note_refusal(asker, what, &problem).await;
        let view = self.doors.renderer.modal(&Modal::Refused(problem));
        Ack::Json(json!({ "response_action": "update", "view": view.as_json() }))
    }

    async fn filled(&self, action: Action, state: &State) -> Result<Command, FieldError> {
        let value = |name: &str| state.get(name, name).one();
        let wrong = |block: &'static str, text: &str| FieldError { block: Cow::Borrowed(block), text: text.to_owned() };
        match action {
            Action::StartBatch => {
                let job = value(ids::JOB).and_then(|j| JobName::parse(j).ok());
                let job = job.ok_or_else(|| wrong(ids::JOB, "Choose a job."))?;
                if let Some(inputs) = self.doors.catalog.workflow(&job) {
                    return self.filled_values(job.clone(), inputs, state);
                }
                let file = match value(ids::FILE).filter(|v| *v != ids::NEWEST_FILE) {
                    Some(chosen) => Some(self.chosen_file(&job, chosen).await?),
                    None => None,
                };
                Ok(Command::StartBatch { job, file, values: Vec::new() })
            }
            Action::ReprocessBatch => {
                let run = value(ids::RUN).and_then(|r| RunId::parse(r).ok());
                let run = run.ok_or_else(|| wrong(ids::RUN, "Choose a run."))?;
                let scope = value(ids::SCOPE).and_then(Scope::parse);
                let scope = scope.ok_or_else(|| wrong(ids::SCOPE, "Choose what is done again."))?;
                Ok(Command::ReprocessBatch { run: Some(run), scope: Some(scope) })
            }
            Action::CancelBatch => {
                let run = value(ids::RUN).and_then(|r| RunId::parse(r).ok());
                Ok(Command::CancelBatch { run: run.ok_or_else(|| wrong(ids::RUN, "Choose a run."))? })
            }
            Action::FailOver => {
                let region = value(ids::REGION).and_then(|r| RegionName::parse(r).ok());
                let region = Some(region.ok_or_else(|| wrong(ids::REGION, "Choose a region."))?);
                let drill = state.get(ids::DRILL, ids::DRILL).all().contains(&ids::DRILL);
                Ok(Command::FailOver { region, drill })
            }
            Action::Why => self.filled_why(value(ids::USER), value(ids::COMMAND)),
            Action::Status | Action::ListBatches | Action::FailBack | Action::Approve | Action::Deny | Action::Help => {
                Ok(Command::Help { about: Some(action) })
            }
        }
    }

    /// The values of a workflow: what is wrong with one is said beside it.
    fn filled_values(&self, job: JobName, inputs: &Inputs, state: &State) -> Result<Command, FieldError> {
        let block = |name: &ParameterName| ids::value_block(&job, name);
        let one = |input: &Declared| {
            let block = block(&input.name);
            let text = state.get(&block, &block).one()?.to_owned();
            Some(Given { name: input.name.clone(), text })
        };
        let given: Vec<Given> = inputs.0.iter().filter_map(one).collect();
        let wrong = |name: Option<&ParameterName>, text: String| {
            let block = name.map_or(Cow::Borrowed(ids::JOB), |name| block(name).into());
            Err(FieldError { block, text })
        };
        match inputs.read(&given, self.today()) {
            Ok(values) => Ok(Command::StartBatch { job, file: None, values: values.given() }),
            Err(Unfit::Missing { names }) => wrong(names.first(), "This is needed.".to_owned()),
            Err(Unfit::Wrong { index, reason, .. }) => {
                wrong(given.get(index).map(|given| &given.name), format!("{reason}."))
            }
        }
    }

    /// The file behind an option: long names stand there as digests.
    async fn chosen_file(&self, job: &JobName, chosen: &str) -> Result<FileName, FieldError> {
        let inputs = match self.doors.regions.here().await {
            Ok((_, site)) => site.files.inputs(job).await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let found = inputs.into_iter().map(|i| i.name).find(|name| option_value(name) == chosen);
        let gone = || FieldError {
            block: ids::FILE.into(),
            text: "This file is not there any more. Choose another.".to_owned(),
        };
        found.ok_or_else(gone)
    }

    fn filled_why(&self, user: Option<&str>, text: Option<&str>) -> Result<Command, FieldError> {
        let user = user.and_then(|u| UserId::parse(u).ok());
        let user = user.ok_or_else(|| FieldError { block: ids::USER.into(), text: "Choose a person.".to_owned() })?;
        let wrong = |text: String| FieldError { block: ids::COMMAND.into(), text };
        match grammar::parse(text.unwrap_or_default(), (self.doors.catalog.as_ref(), self.today())) {
            Ok(Parsed::Complete(Command::Why { .. })) => Err(wrong("Why explains one command, not itself.".to_owned())),
            Ok(Parsed::Complete(command)) => Ok(Command::Why { user, command: Box::new(command) }),
            Ok(Parsed::Menu | Parsed::Incomplete(_) | Parsed::Unfilled { .. }) => {
                Err(wrong("Write a whole command, such as: start-batch sales".to_owned()))
            }
            Err(usage) => {
                let hint = usage.nearest.map(|n| format!(" Did you mean {n}?")).unwrap_or_default();
                Err(wrong(format!("{}.{hint}", usage.reason)))
            }
        }
    }
}
