//! Who may import whom.

use super::File;
use super::tokens::{crate_paths, module, tokens};

/// Each part of `src/` and what it may import of ours, besides itself. A part that is not listed may not exist.
/// Where an entry has more than one segment, only that module is open.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("ports", &["domain"]),
    ("processor", &["ports", "domain"]),
    ("slack", &["ports", "domain"]),
    ("batch", &["domain"]),
    ("embedded", &["ports", "domain", "batch"]),
    ("aws", &["ports", "domain", "batch"]),
    // It signs what it sends as Slack does, and refuses what Slack would refuse.
    ("playground", &["ports", "domain", "slack::signature", "slack::limits"]),
    // It makes the jobs of the catalog ready to run, so that a wrong schema is a mistake of the file.
    ("config", &["domain", "batch"]),
    ("health", &["ports"]),
    ("workers", &["processor", "ports", "health"]),
    ("telemetry", &["config"]),
    // The command line: it asks `app` for what is made of adapters.
    ("cli", &["app", "config", "telemetry", "batch", "ports", "domain"]),
    ("app", &["*"]),
    ("lib", &["*"]),
    ("main", &["cli", "app", "config::Environment"]),
];

/// Every import that no arrow allows.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    files.iter().flat_map(|(path, text)| check_file(path, text)).collect()
}

fn check_file(path: &str, text: &str) -> Vec<String> {
    let own = module(path);
    let part = own.first().map_or_else(|| path.trim_start_matches("src/").trim_end_matches(".rs"), String::as_str);
    let Some((_, open)) = ARROWS.iter().find(|(name, _)| *name == part) else {
        return vec![format!(
            "{path}: `{part}` is no part of the design; give it arrows in tests/rules/arrows.rs or another home"
        )];
    };
    let allowed = |target: &[String]| {
        target.first().is_some_and(|first| first == part)
            || open.iter().any(|open| {
                *open == "*" || target.starts_with(&open.split("::").map(str::to_owned).collect::<Vec<_>>())
            })
    };
    crate_paths(&tokens(text), &own)
        .into_iter()
        .filter(|(target, _)| !allowed(target))
        .map(|(target, line)| format!("{path}:{line}: `{part}` may not import `{}`", target.join("::")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted;

    fn broken(path: &str, text: &str) -> Vec<String> {
        check(&planted(&[(path, text)]))
    }

    #[test]
    fn what_the_picture_shows_is_allowed() {
        let files = planted(&[
            ("src/processor/status.rs", "use crate::ports::{Store, Clock}; use crate::domain::id; use super::show;"),
            ("src/playground/api/chat.rs", "use crate::slack::{signature::sign, limits}; use super::super::journal;"),
            ("src/embedded/engine.rs", "use crate::batch::run;"),
            ("src/batch/ledger.rs", "use crate::domain::run::Input;"),
            ("src/app/mod.rs", "use crate::{slack::client, embedded, playground};"),
            ("src/main.rs", "use switchman::cli;"),
            ("src/slack/modal.rs", "// crate::processor\n"),
        ]);
        assert_eq!(check(&files), Vec::<String>::new());
    }

    #[test]
    fn each_forbidden_arrow_is_seen() {
        let cases = [
            ("src/domain/run/mod.rs", "use crate::ports::Clock;"),
            ("src/ports/bus.rs", "use crate::processor::Step;"),
            ("src/ports/bus.rs", "use super::super::slack;"),
            ("src/processor/status.rs", "fn f() { crate::slack::render::modal() }"),
            ("src/processor/status.rs", "use crate::{domain::id, embedded::sqlite};"),
            ("src/slack/ingress/mod.rs", "use crate::processor::Processor;"),
            ("src/slack/ingress/mod.rs", "use crate::playground;"),
            ("src/slack/client/mod.rs", "use crate::config::Config;"),
            ("src/slack/client/mod.rs", "use crate::batch::Job;"),
            ("src/embedded/lists.rs", "use crate::config::Config;"),
            ("src/embedded/lists.rs", "use crate::slack::limits;"),
            ("src/playground/mod.rs", "use crate::slack::render;"),
            ("src/playground/mod.rs", "use crate::slack;"),
            ("src/playground/mod.rs", "use crate::embedded;"),
            ("src/batch/mod.rs", "use crate::config::Config;"),
            ("src/batch/mod.rs", "use crate::ports::Engine;"),
            ("src/config/mod.rs", "use crate::slack::client;"),
            ("src/cli/serve.rs", "use crate::embedded::sqlite::Sqlite;"),
            ("src/health.rs", "use crate::embedded::sqlite::Sqlite;"),
            ("src/workers.rs", "use crate::slack::client;"),
            ("src/main.rs", "use switchman::embedded;"),
            ("src/domain/id.rs", "use crate::*;"),
        ];
        for (path, text) in cases {
            assert_eq!(broken(path, text).len(), 1, "{path}: {text}");
        }
    }

    #[test]
    fn a_part_nobody_drew_is_seen() {
        assert!(broken("src/utils/mod.rs", "//! Odds and ends.")[0].contains("no part of the design"));
    }
}
