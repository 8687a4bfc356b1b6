//! A small reader of Rust text: words and signs without comments, strings and characters, and the paths that stand in it.

/// A word or sign, and the line it stands on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

/// The words and signs of a text. Comments are gone; a literal in quotes is the token `""`; `::` is one token.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let (mut out, mut i, mut line) = (Vec::new(), 0, 1);
    while i < chars.len() {
        let start = i;
        let word = match at(i) {
            '/' if at(i + 1) == '/' => {
                while i < chars.len() && at(i) != '\n' {
                    i += 1;
                }
                None
            }
            '/' if at(i + 1) == '*' => {
                i = block_comment(&chars, i);
                None
            }
            '"' => {
                i = quoted(&chars, i);
                Some("\"\"".to_owned())
            }
            'r' | 'b' | 'c' if raw_quote(&chars, i).is_some() => {
                i = raw_quote(&chars, i).unwrap_or(i);
                Some("\"\"".to_owned())
            }
            // A character, and not a lifetime.
            '\'' if at(i + 1) == '\\' || at(i + 2) == '\'' => {
                i += if at(i + 1) == '\\' { 3 } else { 2 };
                while i < chars.len() && at(i) != '\'' {
                    i += 1;
                }
                i += 1;
                Some("\"\"".to_owned())
            }
            ':' if at(i + 1) == ':' => {
                i += 2;
                Some("::".to_owned())
            }
            c if c.is_alphanumeric() || c == '_' => {
                while at(i).is_alphanumeric() || at(i) == '_' {
                    i += 1;
                }
                Some(chars[start..i].iter().collect())
            }
            c => {
                i += 1;
                (!c.is_whitespace()).then(|| c.to_string())
            }
        };
        if let Some(text) = word {
            out.push(Token { text, line });
        }
        line += chars[start..i.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    out
}

fn block_comment(chars: &[char], mut i: usize) -> usize {
    let mut depth = 0;
    while i < chars.len() {
        match (chars[i], chars.get(i + 1)) {
            ('/', Some('*')) => (depth, i) = (depth + 1, i + 2),
            ('*', Some('/')) => (depth, i) = (depth - 1, i + 2),
            _ => i += 1,
        }
        if depth == 0 {
            break;
        }
    }
    i
}

fn quoted(chars: &[char], mut i: usize) -> usize {
    i += 1;
    while i < chars.len() && chars[i] != '"' {
        i += if chars[i] == '\\' { 2 } else { 1 };
    }
    i + 1
}

/// Where the literal ends that begins here with `r"`, `r#"`, `b"`, `br#"` and so on, if one does.
fn raw_quote(chars: &[char], start: usize) -> Option<usize> {
    let mut i = start;
    while chars.get(i).is_some_and(|c| matches!(c, 'b' | 'c')) {
        i += 1;
    }
    let raw = chars.get(i) == Some(&'r');
    i += usize::from(raw);
    let hashes = chars[i..].iter().take_while(|c| **c == '#').count();
    if i - start > 2 || chars.get(i + hashes) != Some(&'"') || (hashes > 0 && !raw) {
        return None;
    }
    if !raw {
        return Some(quoted(chars, i));
    }
    let mut end = i + hashes + 1;
    while end < chars.len() {
        if chars[end] == '"' && chars[end + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes {
            return Some(end + 1 + hashes);
        }
        end += 1;
    }
    Some(end)
}

/// A path of the crate, from its root, and the line where it stands.
pub(crate) type Found = (Vec<String>, usize);

/// Every path of the crate itself in a file, from the crate's root: `crate::a::b` and, in the module `a::c`, `super::b`; each leaf of a
/// use-tree for itself. `module` is the file's own path.
pub(crate) fn crate_paths(tokens: &[Token], module: &[String]) -> Vec<Found> {
    let word = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut found = Vec::new();
    // The inline modules around this place, with the depth of braces at which each ends.
    let (mut inside, mut depth): (Vec<(String, usize)>, usize) = (Vec::new(), 0);
    let mut i = 0;
    while i < tokens.len() {
        match word(i) {
            "mod" if word(i + 2) == "{" => inside.push((word(i + 1).to_owned(), depth)),
            "{" => depth += 1,
            "}" => {
                depth = depth.saturating_sub(1);
                inside.retain(|(_, at)| *at < depth);
            }
            start @ ("crate" | "super" | "switchman") if word(i + 1) == "::" && (i == 0 || word(i - 1) != "::") => {
                let mut base: Vec<String> = if start == "super" { module.to_vec() } else { Vec::new() };
                if start == "super" {
                    base.extend(inside.iter().map(|(name, _)| name.clone()));
                    base.pop();
                }
                i = leaves(tokens, i + 2, &base, &mut found);
                continue;
            }
            _ => {}
        }
        i += 1;
    }
    found
}

/// Reads the rest of a path or use-tree from `i`, notes its leaves, says where it ends.
fn leaves(tokens: &[Token], mut i: usize, base: &[String], found: &mut Vec<Found>) -> usize {
    let word = |i: usize| tokens.get(i).map_or("", |t| t.text.as_str());
    let mut path = base.to_vec();
    let line = tokens.get(i).map_or(0, |t| t.line);
    loop {
        match word(i) {
            "{" => {
                i += 1;
                while i < tokens.len() && word(i) != "}" {
                    let next = leaves(tokens, i, &path, found);
                    i = if next == i { i + 1 } else { next };
                    while i < tokens.len() && !matches!(word(i), "," | "}") {
                        i += 1;
                    }
                    i += usize::from(word(i) == ",");
                }
                return i + 1;
            }
            "super" => {
                path.pop();
            }
            "self" => {}
            name => path.push(name.to_owned()),
        }
        i += 1;
        if word(i) != "::" || word(i + 1) == "<" {
            found.push((path, line));
            return i;
        }
        i += 1;
    }
}

/// The module path of a file: `src/slack/limits/mod.rs` is `slack::limits`; the crate's root has none.
pub(crate) fn module(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if parts.last().is_some_and(|last| matches!(last.as_str(), "mod" | "lib" | "main")) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str, file: &str) -> Vec<String> {
        crate_paths(&tokens(text), &module(file)).into_iter().map(|(path, _)| path.join("::")).collect()
    }

    #[test]
    fn comments_and_literals_hold_no_paths() {
        let text = "// crate::a\n/* crate::b /* crate::c */ */ let s = \"crate::d \\\" crate::e\"; let r = r#\"crate::f\"#; 'x'; '\\''; '\"'; b\"crate::g\" br\"crate::h\" crate::i";
        assert_eq!(paths(text, "src/x.rs"), ["i"]);
    }

    #[test]
    fn use_trees_are_taken_apart() {
        let text = "use crate::{domain::{id::RunId, run as r}, ports::*, self};\nlet x = crate::slack::limits::check::<u8>(1);";
        let want = ["domain::id::RunId", "domain::run", "ports::*", "", "slack::limits::check"];
        assert_eq!(paths(text, "src/x.rs"), want);
    }

    #[test]
    fn super_is_resolved_also_inside_inline_modules() {
        let text = "use super::b; use super::super::c; mod tests { use super::*; mod deep { use super::super::d; } } use super::e;";
        assert_eq!(
            paths(text, "src/slack/limits/rules.rs"),
            ["slack::limits::b", "slack::c", "slack::limits::rules::*", "slack::limits::rules::d", "slack::limits::e"]
        );
    }

    #[test]
    fn lines_are_counted() {
        let text = "\"two\nlines\"\n// three\ncrate::a";
        assert_eq!(crate_paths(&tokens(text), &[])[0].1, 4);
    }
}
