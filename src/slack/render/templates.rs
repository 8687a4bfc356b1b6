//! The templates of `blocks/`, one file per thing that is said. Values become JSON when they are written, never by splicing strings:
//! the templates' names end in `.json`, which switches the engine to JSON.

use super::words;
use minijinja::{Environment, UndefinedBehavior, Value};
use serde::Serialize;
use std::sync::OnceLock;

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../blocks/", $name)))),*]
    };
}

/// Name and text of each template.
const TEMPLATES: &[(&str, &str)] = templates![
    "parts.json",
    "run_card.json",
    "workflow_card.json",
    "run_status.json",
    "board_parts.json",
    "board.json",
    "home.json",
    "runs.json",
    "menu.json",
    "help.json",
    "why.json",
    "cancel_asked.json",
    "rejects_file.json",
    "refused.json",
    "request_parts.json",
    "move_parts.json",
    "request_card.json",
    "request_reminder.json",
    "request_ended.json",
    "vote_counted.json",
    "glass_broken.json",
    "move_card.json",
    "move_report.json",
    "download.json",
    "vote_form.json",
    "request_form.json",
    "fail_over_form.json",
    "loading.json",
    "start_form.json",
    "workflow_form.json",
    "reprocess_form.json",
    "run_form.json",
    "why_form.json",
    "rejects_modal.json",
    "note_modal.json",
];

/// The one environment; made on first use.
fn environment() -> &'static Environment<'static> {
    static ENVIRONMENT: OnceLock<Environment<'static>> = OnceLock::new();
    ENVIRONMENT.get_or_init(|| {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.add_filter("esc", words::escape);
        environment.add_filter("literal", words::literal);
        environment.add_filter("lines", words::lines);
        environment.add_filter("code", words::code);
        environment.add_filter("fence", words::fence);
        environment.add_filter("cut", words::cut);
        environment.add_filter("cut_markup", words::cut_markup);
        environment.add_filter("sentence", words::sentence);
        environment.add_filter("capital", words::capital);
        environment.add_filter("number", words::number);
        environment.add_filter("counted", words::counted);
        environment.add_filter("share", words::share);
        environment.add_filter("bytes", words::bytes);
        environment.add_filter("bar", words::bar);
        environment.add_filter("moment", words::moment);
        environment.add_filter("utc", words::utc);
        environment.add_filter("mention", |id: &str| format!("<@{id}>"));
        environment.add_filter("channel", |id: &str| format!("<#{id}>"));
        for (name, text) in TEMPLATES {
            environment.add_template(name, text).expect("the templates are part of the program and tested");
        }
        environment
    })
}

/// Anything serialisable as the engine sees it.
pub(super) fn value(data: impl Serialize) -> Value {
    Value::from(minijinja::value::Serde(data))
}

/// Fills a template and reads the JSON it makes.
pub(super) fn fill(template: &str, context: &Value) -> Result<serde_json::Value, TemplateError> {
    let text = environment().get_template(template)?.render(context)?;
    Ok(serde_json::from_str(&text)?)
}

/// A template that cannot be filled: a bug of ours.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    #[error("{0:#}")]
    Engine(#[from] minijinja::Error),
    #[error("the template made no JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the template broke a limit: {0}")]
    Limit(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_of_the_folder_is_part_of_the_program_and_parses() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/blocks");
        let mut files: Vec<String> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        let mut known: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).collect();
        files.sort_unstable();
        known.sort_unstable();
        assert_eq!(files, known);
        for name in known {
            environment().get_template(name).unwrap();
        }
    }
}
