//! Secrets do not belong in the file: finds keys that are named like one and values that look like one, and never repeats them.

use super::mistake::Notes;
use toml::de::{DeTable, DeValue};

const NAMES: [&str; 6] = ["secret", "token", "password", "passwd", "credential", "private_key"];

/// Whether a key is named like a secret.
pub(super) fn names_a_secret(key: &str) -> bool {
    let key = key.to_lowercase().replace('-', "_");
    NAMES.iter().any(|name| key.contains(name))
}

/// Whether a value is a Slack token by its form (`xoxb-`, `xoxp-`, `xoxe.xoxb-`, `xapp-`, …).
pub(super) fn looks_secret(value: &str) -> bool {
    let value = value.trim();
    value.starts_with("xapp-")
        || value.strip_prefix("xox").is_some_and(|rest| {
            let kind = rest.bytes().take_while(u8::is_ascii_lowercase).count();
            kind > 0 && rest[kind..].starts_with(['-', '.'])
        })
}

/// Notes every secret of the table, whatever its depth.
pub(super) fn note_secrets(notes: &Notes, path: &str, table: &DeTable<'_>) {
    for (name, value) in table {
        let key = if path.is_empty() { name.get_ref().to_string() } else { format!("{path}.{}", name.get_ref()) };
        let at = name.span().start;
        match value.get_ref() {
            _ if names_a_secret(name.get_ref()) => note(notes, at, &key),
            value => inside(notes, at, &key, value),
        }
    }
}

fn inside(notes: &Notes, at: usize, key: &str, value: &DeValue<'_>) {
    match value {
        DeValue::String(text) if looks_secret(text) => note(notes, at, key),
        DeValue::Table(table) => note_secrets(notes, key, table),
        DeValue::Array(items) => {
            for item in items {
                inside(notes, item.span().start, key, item.get_ref());
            }
        }
        _ => {}
    }
}

fn note(notes: &Notes, at: usize, key: &str) {
    notes.add(
        at,
        key,
        "a secret does not belong in this file",
        "remove it here, give Slack's secrets as SLACK_SIGNING_SECRET, SLACK_BOT_TOKEN and SLACK_APP_TOKEN in the environment, and replace it at Slack if the file was shared",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_tokens_are_known_by_their_form() {
        for token in ["xoxb-1-2-abc", "xoxp-1", "xapp-1-A", "xoxe.xoxb-1", "xoxe-1", " xoxb-1"] {
            assert!(looks_secret(token), "{token}");
        }
        for text in ["xox", "xoxo", "sales", "xbox-1", ""] {
            assert!(!looks_secret(text), "{text}");
        }
    }
}
