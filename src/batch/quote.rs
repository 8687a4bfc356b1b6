//! Names and values of foreign files in errors: quoted, short, and without characters that a terminal would obey.

/// Characters of one name.
const LENGTH: usize = 60;
/// Names in one list; the rest is counted.
const NAMES: usize = 10;

/// One name or value, in quotes. Control characters and marks that turn the reading direction are escaped.
pub(super) fn quoted(text: &str) -> String {
    match text.char_indices().nth(LENGTH) {
        None => format!("{text:?}"),
        Some((end, _)) => format!("{:?}…", &text[..end]),
    }
}

/// Several of them.
pub(super) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    joined(names.into_iter().map(|name| quoted(name.as_ref())), ", ")
}

/// Several of them without quotes: what is there, beside the quoted one that was looked for.
pub(super) fn bare<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    joined(names.into_iter().map(|name| quoted(name.as_ref()).replace('"', "")), ", ")
}

/// Texts one after the other; those that are too many are counted.
pub(super) fn joined(texts: impl IntoIterator<Item = String>, between: &str) -> String {
    let mut texts = texts.into_iter();
    let mut shown: Vec<String> = texts.by_ref().take(NAMES).collect();
    match texts.count() {
        0 => {}
        more => shown.push(format!("{more} more")),
    }
    shown.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_name_reaches_the_terminal() {
        assert_eq!(quoted("Verkäufe"), "\"Verkäufe\"");
        assert_eq!(quoted("a\u{1b}[2J\r\u{202e}"), r#""a\u{1b}[2J\r\u{202e}""#);
        assert_eq!(quoted("a\u{9b}31m"), r#""a\u{9b}31m""#);
    }

    #[test]
    fn long_names_and_long_lists_are_cut() {
        assert_eq!(quoted(&"ä".repeat(61)), format!("\"{}\"…", "ä".repeat(60)));
        assert_eq!(list(["a", "b"]), r#""a", "b""#);
        assert!(list(vec!["a"; 13]).ends_with(r#""a", 3 more"#));
    }
}
