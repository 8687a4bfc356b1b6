//! What is said, as Slack shows it: a [`Reply`](crate::domain::reply::Reply) goes in, a [`Message`] or a [`View`] within Slack's limits comes out.
//! Nothing here decides what is said or to whom, and foreign text never becomes markup.
//!
//! The words and the layout are in `blocks/`; `templates` fills them, `card` prepares runs for them, `words` writes numbers, times and
//! foreign text, `replies` and `forms` choose the template, `ids` names buttons and inputs.

mod approvals;
mod board;
mod card;
mod forms;
pub mod ids;
mod moves;
mod problem;
mod replies;
mod request;
mod templates;
mod vote_forms;
mod words;
mod workflow_form;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod workflow_samples;

pub use forms::{FileChoice, JobChoice, REJECTS_PAGE, RunChoice, option_value};
pub use vote_forms::RequestChoice;
pub use words::escape;

use super::limits::{self, Surface, Violation};
use serde_json::{Value, json};
use templates::TemplateError;

/// A message within Slack's limits. Only this module makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    text: String,
    blocks: Value,
}

impl Message {
    /// The message in words, for notifications and screen readers; escaped.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The array of blocks.
    pub fn blocks(&self) -> &Value {
        &self.blocks
    }

    /// `{text, blocks}`.
    pub fn as_json(&self) -> Value {
        json!({"text": self.text, "blocks": self.blocks})
    }
}

/// A modal or an App Home within Slack's limits. Only this module makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct View(Value);

impl View {
    /// The view object.
    pub fn as_json(&self) -> &Value {
        &self.0
    }
}

/// Turns what is said into what Slack shows.
#[derive(Debug, Clone)]
pub struct Renderer {
    command: String,
    regions: usize,
}

impl Renderer {
    /// `command` is the slash command of this installation, with its slash.
    pub fn new(command: impl Into<String>) -> Self {
        Self { command: command.into(), regions: 1 }
    }

    /// The same for an installation with so many regions: where there is more than one, runs say where they are.
    #[must_use]
    pub fn across(self, regions: usize) -> Self {
        Self { regions, ..self }
    }

    /// Fills the template of a message. A template that fails is a bug of ours, and still the person is told: `plainly`, without
    /// blocks' finery.
    fn message_from(&self, template: &str, context: &minijinja::Value, plainly: &str) -> Message {
        self.try_message(template, context).unwrap_or_else(|error| {
            tracing::error!(template, %error, "the message of {template} cannot be made; the plain text goes out");
            let text = words::cut_markup(plainly, 2900);
            let blocks = plain_blocks(&text);
            Message { text, blocks }
        })
    }

    fn try_message(&self, template: &str, context: &minijinja::Value) -> Result<Message, TemplateError> {
        let mut filled = templates::fill(template, &self.with_command(context))?;
        refuse(&limits::check(Surface::Message, &filled))?;
        let text = filled["text"].as_str().unwrap_or_default().to_owned();
        Ok(Message { text, blocks: filled["blocks"].take() })
    }

    /// Fills the template of a view; where that fails, a view that says `plainly`.
    fn view_from(&self, surface: Surface, template: &str, context: &minijinja::Value, plainly: &str) -> View {
        self.try_view(surface, template, context).unwrap_or_else(|error| {
            tracing::error!(template, %error, "the view of {template} cannot be made; the plain text is shown");
            let text = words::cut_markup(plainly, 2900);
            let blocks = plain_blocks(&text);
            View(match surface {
                Surface::Home => json!({"type": "home", "blocks": blocks}),
                Surface::Message | Surface::Modal => {
                    json!({"type": "modal", "title": {"type": "plain_text", "text": "Switchman"}, "blocks": blocks})
                }
            })
        })
    }

    fn try_view(&self, surface: Surface, template: &str, context: &minijinja::Value) -> Result<View, TemplateError> {
        let filled = templates::fill(template, &self.with_command(context))?;
        refuse(&limits::check(surface, &filled))?;
        Ok(View(filled))
    }

    /// Every template may name the slash command and ask whether there is more than one region.
    fn with_command(&self, context: &minijinja::Value) -> minijinja::Value {
        minijinja::context! { slash => self.command.clone(), regions => self.regions, ..context.clone() }
    }
}

/// The block id of what is shown where a template failed.
const PLAIN: &str = "plain";

fn plain_blocks(text: &str) -> Value {
    json!([{"type": "section", "block_id": PLAIN, "text": {"type": "mrkdwn", "text": text, "verbatim": true}}])
}

fn refuse(violations: &[Violation]) -> Result<(), TemplateError> {
    match violations.first() {
        None => Ok(()),
        Some(first) => Err(TemplateError::Limit(first.to_string())),
    }
}
