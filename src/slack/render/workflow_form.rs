//! The form of a workflow: one field for each input that the catalog declares.

use super::forms::{JobChoice, OPTION_TEXT, OPTIONS, callback, title};
use super::templates::value;
use super::{Renderer, View, ids, words};
use crate::domain::command::Action;
use crate::domain::id::JobName;
use crate::domain::parameter::{Declared, Kind, LONGEST};
use crate::slack::limits::Surface;
use crate::slack::modal::Takes;
use minijinja::context;
use serde::Serialize;

/// A field: what it is called, what it takes, and what stands in it at first.
#[derive(Debug, Serialize)]
struct Field {
    block: String,
    label: String,
    hint: Option<String>,
    optional: bool,
    kind: &'static str,
    initial: Option<String>,
    choices: Vec<Choice>,
    min: Option<String>,
    max: Option<String>,
    longest: usize,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    value: String,
    text: String,
}

impl Renderer {
    /// Asks for the job and for what it takes. `metadata` comes back with the form.
    pub fn workflow_form(&self, jobs: &[JobChoice], chosen: Option<&JobName>, takes: &Takes, metadata: &str) -> View {
        let jobs = &jobs[..jobs.len().min(OPTIONS)];
        let selected = jobs.iter().find(|job| job.is(chosen)).or(jobs.first());
        let fields: Vec<Field> =
            chosen.into_iter().flat_map(|job| takes.inputs.0.iter().map(|input| field(job, input, takes))).collect();
        let context = context! {
            callback => callback(Action::StartBatch), title => title(Action::StartBatch), metadata => metadata,
            jobs => value(jobs), chosen => value(selected), fields => value(fields),
        };
        self.view_from(
            Surface::Modal,
            "workflow_form.json",
            &context,
            "The form cannot be shown. Type the command with its arguments.",
        )
    }
}

fn field(job: &JobName, input: &Declared, takes: &Takes) -> Field {
    let typed = takes.given.iter().find(|given| given.name == input.name).map(|given| given.text.as_str());
    let read = |text: &str| input.kind.read(text, takes.today).ok().map(|value| value.to_string());
    let initial = typed.and_then(read).or_else(|| input.default.as_deref().and_then(read));
    let (min, max) = bounds(&input.kind);
    Field {
        block: ids::value_block(job, &input.name),
        label: words::cut(&input.title, 120),
        hint: hint(input),
        optional: !input.required && input.default.is_none(),
        kind: input.kind.word(),
        initial,
        choices: choices(&input.kind),
        min,
        max,
        longest: LONGEST,
    }
}

/// What the field itself cannot say.
fn hint(input: &Declared) -> Option<String> {
    let rule = match &input.kind {
        Kind::Text { pattern: Some(pattern) } => Some(format!("Like {pattern}")),
        Kind::Date { min, max } => match (min, max) {
            (Some(min), Some(max)) => Some(format!("From {min} to {max}")),
            (Some(min), None) => Some(format!("{min} or later")),
            (None, Some(max)) => Some(format!("{max} or earlier")),
            (None, None) => None,
        },
        Kind::Text { pattern: None }
        | Kind::Integer { .. }
        | Kind::Number { .. }
        | Kind::Boolean
        | Kind::Choice { .. } => None,
    };
    let all: Vec<String> = input.hint.iter().cloned().chain(rule).collect();
    (!all.is_empty()).then(|| words::cut(&all.join(". "), 300))
}

fn bounds(kind: &Kind) -> (Option<String>, Option<String>) {
    match kind {
        Kind::Integer { min, max } => (min.map(|n| n.to_string()), max.map(|n| n.to_string())),
        Kind::Number { min, max } => (min.clone(), max.clone()),
        Kind::Date { .. } | Kind::Text { .. } | Kind::Boolean | Kind::Choice { .. } => (None, None),
    }
}

fn choices(kind: &Kind) -> Vec<Choice> {
    let choice = |value: &str, text: &str| Choice { value: value.to_owned(), text: words::cut(text, OPTION_TEXT) };
    match kind {
        Kind::Choice { choices } => choices.iter().take(OPTIONS).map(|one| choice(one, one)).collect(),
        Kind::Boolean => vec![choice("true", "Yes"), choice("false", "No")],
        Kind::Date { .. } | Kind::Text { .. } | Kind::Integer { .. } | Kind::Number { .. } => Vec::new(),
    }
}
