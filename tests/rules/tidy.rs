//! How files look: a header, a length people can read, no shortcuts around the compiler or the test runner.

use super::File;
use super::tokens::{Token, tokens};
use std::collections::HashSet;

/// No file is longer than this, without its tests.
const LONGEST: usize = 400;
/// Half of the files are shorter than this.
const MEDIAN: usize = 150;

/// Files that do not start by saying what they are.
pub(crate) fn headers(files: &[File]) -> Vec<String> {
    let silent = |text: &str| !text.lines().next().is_some_and(|first| first.len() > 10 && first.starts_with("//! "));
    files
        .iter()
        .filter(|(_, text)| silent(text))
        .map(|(path, _)| format!("{path}: the first line has to be a `//!` header"))
        .collect()
}

/// Files that are too long, and the tree if half of its files are.
pub(crate) fn lengths(files: &[File]) -> Vec<String> {
    let mut lines: Vec<(usize, &str)> = files
        .iter()
        .filter(|(path, _)| !only_tests(path, files))
        .map(|(path, text)| (own_lines(text), path.as_str()))
        .collect();
    lines.sort_unstable();
    let mut broken: Vec<String> = lines
        .iter()
        .filter(|(n, _)| *n > LONGEST)
        .map(|(n, path)| format!("{path}: {n} lines without its tests; {LONGEST} is the most"))
        .collect();
    if let Some((median, _)) = lines.get(lines.len() / 2)
        && *median >= MEDIAN
    {
        broken.push(format!("half of the files have {median} lines or more; it should be fewer than {MEDIAN}"));
    }
    broken
}

/// Lines before the tests begin.
fn own_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let tests = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod "));
    tests.unwrap_or(lines.len())
}

/// Whether the file is a module that its parent declares for tests only.
fn only_tests(path: &str, files: &[File]) -> bool {
    let Some((folder, name)) = path.rsplit_once('/') else { return false };
    let declared = format!("#[cfg(test)]\nmod {};", name.trim_end_matches(".rs"));
    files.iter().any(|(parent, text)| {
        let (here, file) = parent.rsplit_once('/').unwrap_or(("", parent));
        here == folder && matches!(file, "mod.rs" | "lib.rs") && text.contains(&declared)
    })
}

/// Files that no module declares: they would never be compiled, and their tests never run.
pub(crate) fn unreached(files: &[File]) -> Vec<String> {
    let roots = ["src/lib.rs", "src/main.rs", "tests/main.rs", "tests/aws/main.rs"];
    let root = |path: &str| roots.contains(&path) || path.starts_with("tests/fuzz/");
    let mut declared = HashSet::new();
    for (parent, text) in files {
        let (folder, file) = parent.rsplit_once('/').unwrap_or_default();
        if matches!(file, "mod.rs" | "lib.rs" | "main.rs") {
            let words = tokens(text);
            let names = words.windows(3).filter(|w| w[0].text == "mod" && w[2].text == ";").map(|w| w[1].text.as_str());
            declared.extend(names.map(|name| format!("{folder}/{name}")));
        }
    }
    let declared = |path: &str| declared.contains(path.trim_end_matches("/mod.rs").trim_end_matches(".rs"));
    let lost = files.iter().filter(|(path, _)| !root(path) && !declared(path));
    lost.map(|(path, _)| format!("{path}: no module declares it, so it is never compiled")).collect()
}

const SHORTCUTS: &[(&[&str], &str)] = &[
    (&["#", "[", "ignore"], "a test that does not run is no test"),
    (&["todo", "!"], "finish it, or leave it out"),
    (&["unimplemented", "!"], "finish it, or leave it out"),
    (&["#", "[", "allow"], "use #[expect(lint, reason = …)]: it goes away when it is no longer needed"),
    (&["#", "!", "[", "allow"], "use #![expect(lint, reason = …)]: it goes away when it is no longer needed"),
];

/// Ways around the compiler or the test runner.
pub(crate) fn shortcuts(files: &[File]) -> Vec<String> {
    let stands =
        |pattern: &[&str], at: &[Token]| at.len() >= pattern.len() && pattern.iter().zip(at).all(|(w, t)| t.text == *w);
    let mut broken = Vec::new();
    for (path, text) in files {
        let tokens = tokens(text);
        for (pattern, why) in SHORTCUTS {
            let places = (0..tokens.len()).filter(|i| stands(pattern, &tokens[*i..]));
            broken.extend(places.map(|i| format!("{path}:{}: `{}`: {why}", tokens[i].line, pattern.concat())));
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted;

    #[test]
    fn a_file_without_a_header_is_seen() {
        let files = planted(&[
            ("src/a.rs", "use std::fmt;"),
            ("src/b.rs", "//!\n"),
            ("src/c.rs", "//! What it is.\n"),
            ("src/d.rs", ""),
        ]);
        assert_eq!(headers(&files).len(), 3);
    }

    #[test]
    fn a_long_file_is_seen_but_its_tests_do_not_count() {
        let long = "fn f() {}\n".repeat(LONGEST + 1);
        let tested = format!("fn f() {{}}\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
        let files = planted(&[
            ("src/a.rs", &long),
            ("src/b.rs", &tested),
            ("src/x/mod.rs", "#[cfg(test)]\nmod cases;\n"),
            ("src/x/cases.rs", &long),
            ("src/y/cases.rs", &long),
            ("src/c.rs", ""),
            ("src/d.rs", ""),
        ]);
        let broken = lengths(&files);
        assert_eq!(broken.len(), 2, "{broken:?}");
        assert!(broken[0].starts_with("src/a.rs: 401") && broken[1].starts_with("src/y/cases.rs: 401"), "{broken:?}");
    }

    #[test]
    fn a_tree_of_middling_files_is_seen() {
        let middling = "fn f() {}\n".repeat(MEDIAN);
        let broken = lengths(&planted(&[("src/a.rs", &middling), ("src/b.rs", &middling), ("src/c.rs", "")]));
        assert!(broken.len() == 1 && broken[0].contains("half of the files"), "{broken:?}");
    }

    #[test]
    fn a_file_outside_the_module_tree_is_seen() {
        let files = planted(&[
            ("tests/main.rs", "mod batch; // mod lost;"),
            ("tests/batch/mod.rs", "pub(crate) mod answers;"),
            ("tests/batch/answers.rs", ""),
            ("tests/batch/forgotten.rs", ""),
            ("tests/lost.rs", ""),
        ]);
        let broken = unreached(&files);
        assert!(
            broken.len() == 2
                && broken[0].starts_with("tests/batch/forgotten.rs")
                && broken[1].starts_with("tests/lost.rs"),
            "{broken:?}"
        );
    }

    #[test]
    fn every_shortcut_is_seen() {
        for (pattern, why) in SHORTCUTS {
            let broken = shortcuts(&planted(&[("tests/a.rs", &pattern.concat())]));
            assert!(broken.iter().any(|line| line.contains(why)), "{pattern:?}");
        }
        assert_eq!(
            shortcuts(&planted(&[("src/a.rs", "// todo!\n#[expect(x, reason = \"#[ignore]\")]")])),
            Vec::<String>::new()
        );
    }
}
