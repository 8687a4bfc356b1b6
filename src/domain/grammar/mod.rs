//! The grammar of the commands, from one table: parsing, rendering, help, usage errors, the manifest's hint and the menu all read [`SPECS`].

mod parse;
mod spec;
mod usage;
mod words;

pub use parse::{Parsed, parse, read_back};
pub use spec::{Arg, Kind, SPECS, Spec, spec, usage_hint};
pub use usage::{Usage, nearest, usage_at};
pub use words::Vocabulary;

use super::command::Command;

/// The word that turns a fail-over into a drill.
const DRILL: &str = "drill";

/// The command as text, as [`parse()`] reads it back: `parse(render(c)) == c`.
pub fn render(command: &Command) -> String {
    let mut words = vec![command.action().name().to_owned()];
    match command {
        Command::StartBatch { job, file, values } => {
            words.push(job.to_string());
            words.extend(file.as_ref().map(|f| file_word(f.as_str())));
            words.extend(values.iter().map(|one| format!("{}={}", one.name, quote(&one.text))));
        }
        Command::ReprocessBatch { run, scope } => {
            words.extend(run.as_ref().map(ToString::to_string));
            words.extend(scope.map(|s| s.name().to_owned()));
        }
        Command::CancelBatch { run } => words.push(run.to_string()),
        Command::Status { run } => words.extend(run.as_ref().map(ToString::to_string)),
        Command::ListBatches | Command::FailBack => {}
        Command::FailOver { region, drill } => {
            words.extend(region.as_ref().map(ToString::to_string));
            words.extend(drill.then(|| DRILL.to_owned()));
        }
        Command::Approve { request, words: text } | Command::Deny { request, reason: text } => {
            words.push(request.to_string());
            words.extend(text.as_ref().map(|t| quote(t)));
        }
        Command::Why { user, command } => {
            words.push(format!("<@{user}>"));
            words.push(render(command));
        }
        Command::Help { about } => words.extend(about.map(|a| a.name().to_owned())),
    }
    words.join(" ")
}

/// A file's name; one that looks like a value is quoted, which a value's name never is.
fn file_word(name: &str) -> String {
    let word = quote(name);
    if words::given(&word).is_some() { format!("\"{word}\"") } else { word }
}

/// A word as it has to be typed: in quotes where it has blanks or quotes.
pub fn quote(text: &str) -> String {
    let plain = text.chars().all(|c| !c.is_whitespace() && !is_quote(c) && c != '\\');
    if plain {
        return text.to_owned();
    }
    // Every quote, because a curly one closes what a straight one has opened: Slack's clients change them while people type.
    let escaped = text.chars().flat_map(|c| (is_quote(c) || c == '\\').then_some('\\').into_iter().chain([c]));
    format!("\"{}\"", escaped.collect::<String>())
}

/// Slack's clients turn straight quotes into curly ones while people type.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201c}' | '\u{201d}')
}

#[cfg(test)]
mod tests;
