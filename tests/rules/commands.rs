//! What each command has: its use case, its help entry, its templates, its tests, and among them the refusal of somebody without the right.

use super::File;
use super::tokens::tokens;

/// What each command says, as templates of `blocks/`.
const SAYS: &[(&str, &[&str])] = &[
    ("start-batch", &["run_card.json", "start_form.json"]),
    ("reprocess-batch", &["run_card.json", "reprocess_form.json"]),
    ("cancel-batch", &["cancel_asked.json", "run_form.json"]),
    ("status", &["run_status.json", "board.json"]),
    ("list-batches", &["runs.json"]),
    ("fail-over", &["request_card.json", "fail_over_form.json", "move_card.json"]),
    ("fail-back", &["request_card.json", "move_card.json"]),
    ("approve", &["vote_form.json", "vote_counted.json", "request_form.json"]),
    ("deny", &["vote_form.json", "request_ended.json"]),
    ("why", &["why.json", "why_form.json"]),
    ("help", &["help.json", "menu.json"]),
];

/// Every part that a command lacks. `explained` are the actions of the help table.
pub(crate) fn check(actions: &[&str], explained: &[&str], files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    let there = |path: &str| files.iter().any(|(name, _)| name == path);
    for action in actions {
        let mut lacks = |what: String| broken.push(format!("{action}: {what}"));
        let module = action.replace('-', "_");
        if !there(&format!("src/processor/{module}.rs")) {
            lacks(format!("no use case src/processor/{module}.rs"));
        }
        if explained.iter().filter(|e| *e == action).count() != 1 {
            lacks("has to stand once in domain::grammar::SPECS".to_owned());
        }
        match SAYS.iter().find(|(name, _)| name == action) {
            None => lacks("name its templates in tests/rules/commands.rs".to_owned()),
            Some((_, templates)) => {
                templates
                    .iter()
                    .filter(|name| !there(&format!("blocks/{name}")))
                    .for_each(|name| lacks(format!("no template blocks/{name}")));
            }
        }
        match files.iter().find(|(path, _)| path.starts_with("tests/") && path.ends_with(&format!("/{module}.rs"))) {
            None => lacks(format!("no tests in tests/{module}.rs")),
            Some((path, text)) if !refuses(text) => {
                lacks(format!("no test in {path} is named for the unauthorised case"));
            }
            Some(_) => {}
        }
    }
    broken
}

/// Whether a test there is named for the case of somebody without the right.
fn refuses(text: &str) -> bool {
    tokens(text).windows(2).any(|pair| pair[0].text == "fn" && pair[1].text.contains("unauthorised"))
}

/// Templates that nothing names, besides the list that loads them; and names without a template.
pub(crate) fn templates(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter_map(|(path, _)| path.strip_prefix("blocks/"))
        .filter(|name| uses(name, files) < 2)
        .map(|name| format!("blocks/{name}: loaded and used nowhere, or not loaded at all"))
        .collect()
}

/// How often the name stands in quotes in the renderer or in another template: once where it is loaded, once more where it is used.
fn uses(name: &str, files: &[File]) -> usize {
    let quoted = [format!("\"{name}\""), format!("'{name}'")];
    files
        .iter()
        .filter(|(path, _)| {
            path.starts_with("src/slack/render/") || (path.starts_with("blocks/") && *path != format!("blocks/{name}"))
        })
        .map(|(_, text)| quoted.iter().map(|q| text.matches(q.as_str()).count()).sum::<usize>())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted;

    const WHOLE: &[(&str, &str)] = &[
        ("src/processor/list_batches.rs", ""),
        ("blocks/runs.json", ""),
        ("tests/scenarios/list_batches.rs", "#[test] fn an_unauthorised_person_is_refused() {}"),
    ];

    #[test]
    fn a_whole_command_passes() {
        assert_eq!(check(&["list-batches"], &["list-batches"], &planted(WHOLE)), Vec::<String>::new());
    }

    #[test]
    fn each_missing_part_is_seen() {
        for left_out in 0..WHOLE.len() {
            let mut files = planted(WHOLE);
            let (path, _) = files.remove(left_out);
            let broken = check(&["list-batches"], &["list-batches"], &files);
            assert_eq!(broken.len(), 1, "without {path}: {broken:?}");
        }
        assert!(check(&["list-batches"], &[], &planted(WHOLE))[0].contains("SPECS"));
        let mut files = planted(WHOLE);
        files[2].1 = "// unauthorised\n#[test] fn works() {}".to_owned();
        assert!(check(&["list-batches"], &["list-batches"], &files)[0].contains("unauthorised case"));
    }

    #[test]
    fn a_command_without_a_row_here_is_seen() {
        let broken = check(
            &["fly"],
            &["fly"],
            &planted(&[("src/processor/fly.rs", ""), ("tests/fly.rs", "fn unauthorised() {}")]),
        );
        assert!(broken.len() == 1 && broken[0].contains("name its templates"), "{broken:?}");
    }

    #[test]
    fn an_unused_template_is_seen() {
        let loaded = ("src/slack/render/templates.rs", "templates![\"a.json\", \"b.json\", \"parts.json\"]");
        let used = ("src/slack/render/replies.rs", "fill(\"a.json\")");
        let files = planted(&[
            loaded,
            used,
            ("blocks/a.json", "{% from \"parts.json\" import x %}"),
            ("blocks/b.json", "\"b.json\""),
            ("blocks/parts.json", ""),
        ]);
        let broken = templates(&files);
        assert!(broken.len() == 1 && broken[0].starts_with("blocks/b.json"), "{broken:?}");
    }
}
