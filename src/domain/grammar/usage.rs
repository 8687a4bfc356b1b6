//! What was wrong with a command line: where, why, and the nearest valid word.

use crate::domain::command::Action;
use serde::{Deserialize, Serialize};

/// A usage error. Positions count characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// The line as it was typed, without the slash command.
    pub text: String,
    /// Where the wrong word starts.
    pub at: usize,
    /// How many characters it has; at least 1.
    pub length: usize,
    pub reason: String,
    /// The valid word that is nearest to the wrong one.
    pub nearest: Option<String>,
    /// The command that was meant, as far as known.
    pub action: Option<Action>,
}

impl Usage {
    /// The line with carets under the wrong word.
    pub fn caret(&self) -> String {
        let line: String = self.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        format!("{line}\n{}{}", " ".repeat(self.at), "^".repeat(self.length.max(1)))
    }
}

/// A usage error that points at `word` within `text` (or at its end).
pub fn usage_at(text: &str, word: &str, reason: impl Into<String>, nearest: Option<String>, action: Action) -> Usage {
    let (at, length) = match text.rfind(word) {
        Some(byte) if !word.is_empty() => (text[..byte].chars().count(), word.chars().count()),
        _ => (text.chars().count(), 1),
    };
    Usage { text: text.to_owned(), at, length, reason: reason.into(), nearest, action: Some(action) }
}

/// The word of `valid` that somebody who typed `word` most likely meant.
pub fn nearest<'a>(word: &str, valid: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let word = word.to_lowercase();
    let limit = (word.chars().count() / 3).max(2);
    let distance = |candidate: &str| {
        let starts = word.len() >= 2 && candidate.to_lowercase().starts_with(&word);
        if starts { 0 } else { strsim::damerau_levenshtein(&word, &candidate.to_lowercase()) }
    };
    valid
        .into_iter()
        .map(|candidate| (distance(candidate), candidate))
        .filter(|(d, candidate)| *d <= limit && *d < candidate.chars().count())
        .min_by_key(|(d, _)| *d)
        .map(|(_, candidate)| candidate.to_owned())
}
