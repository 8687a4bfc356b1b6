//! Which words may stand where: the environment, the clock, chance, and the libraries that belong to one place.

use super::File;
use super::tokens::{Token, tokens};

/// What must not stand in a file, and the places where it may stand all the same. A pattern is a row of tokens; the last may end in `*`.
struct Rule {
    pattern: &'static [&'static str],
    /// Where it is looked for.
    within: &'static str,
    /// Where it may stand.
    except: &'static [&'static str],
    why: &'static str,
}

const fn only(pattern: &'static [&'static str], except: &'static [&'static str], why: &'static str) -> Rule {
    Rule { pattern, within: "src/", except, why }
}

const fn never(within: &'static str, pattern: &'static [&'static str], why: &'static str) -> Rule {
    Rule { pattern, within, except: &[], why }
}

const PURE: &str = "the domain is pure: no I/O, no waiting, no clock, no chance";
const PORTS: &str = "no vendor type stands in a port";

const RULES: &[Rule] = &[
    only(&["env", "::", "var*"], &["src/config/"], "only config/ reads the environment"),
    only(&["SystemTime", "::", "now"], &["src/embedded/clock.rs"], "ask ports::Clock"),
    only(&["Timestamp", "::", "now"], &["src/embedded/clock.rs"], "ask ports::Clock"),
    only(&["Zoned", "::", "now"], &[], "ask ports::Clock"),
    only(&["rusqlite"], &["src/embedded/"], "SQLite belongs to embedded/"),
    only(&["slack_morphism"], &["src/slack/", "src/app/"], "the Slack library belongs to slack/"),
    only(&["aws_*"], &["src/aws/"], "AWS belongs to aws/"),
    only(&["lambda_*"], &["src/app/lambda/"], "Lambda's own runtime belongs to app/lambda/"),
    only(&["minijinja"], &["src/slack/render/"], "only render/ fills templates"),
    only(&["clap"], &["src/cli/", "src/main.rs"], "arguments belong to the command line"),
    only(&["indicatif"], &["src/cli/"], "progress bars belong to the command line"),
    never("src/domain/", &["tokio"], PURE),
    never("src/domain/", &["async"], PURE),
    never("src/domain/", &["axum"], PURE),
    never("src/domain/", &["hyper*"], PURE),
    never("src/domain/", &["tracing"], PURE),
    never("src/domain/", &["rand*"], PURE),
    never("src/domain/", &["getrandom"], PURE),
    never("src/domain/", &["uuid"], PURE),
    never("src/domain/", &["now", "(", ")"], PURE),
    never("src/domain/", &["std", "::", "fs"], PURE),
    never("src/domain/", &["std", "::", "net"], PURE),
    never("src/domain/", &["std", "::", "env"], PURE),
    never("src/domain/", &["std", "::", "thread"], PURE),
    never("src/domain/", &["std", "::", "process"], PURE),
    never("src/domain/", &["Instant"], PURE),
    never("src/ports/", &["axum"], PORTS),
    never("src/ports/", &["hyper*"], PORTS),
    never("src/processor/", &["axum"], "the processor knows no HTTP"),
    never("src/processor/", &["hyper*"], "the processor knows no HTTP"),
    never("src/aws/", &[".", "scan", "("], "nothing walks a whole table: ask along an index"),
    never("src/aws/", &[".", "execute_statement", "("], "PartiQL may walk a whole table: ask along an index"),
    never("src/batch/", &["tokio"], "rows are worked on by plain threads"),
    never("src/batch/", &["axum"], "rows know no HTTP"),
];

/// Every word that stands where it may not.
pub(crate) fn check(files: &[File]) -> Vec<String> {
    let mut broken = Vec::new();
    for (path, text) in files {
        let tokens = tokens(text);
        for rule in RULES {
            if !path.starts_with(rule.within) || rule.except.iter().any(|place| path.starts_with(place)) {
                continue;
            }
            let places = (0..tokens.len()).filter(|i| stands(rule.pattern, &tokens[*i..]));
            broken.extend(
                places.map(|i| format!("{path}:{}: `{}`: {}", tokens[i].line, rule.pattern.concat(), rule.why)),
            );
        }
    }
    broken
}

fn stands(pattern: &[&str], tokens: &[Token]) -> bool {
    tokens.len() >= pattern.len()
        && pattern.iter().zip(tokens).all(|(want, have)| match want.strip_suffix('*') {
            Some(start) => have.text.starts_with(start),
            None => have.text == *want,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::planted;

    /// Text that the pattern matches.
    fn offence(rule: &Rule) -> String {
        rule.pattern.concat().replace('*', "x")
    }

    #[test]
    fn every_rule_is_seen_to_fail() {
        for rule in RULES {
            let path = format!("{}planted.rs", rule.within);
            let broken = check(&planted(&[(&path, &offence(rule))]));
            assert!(broken.iter().any(|line| line.contains(rule.why)), "{path}: {}: {broken:?}", offence(rule));
        }
    }

    #[test]
    fn every_exception_holds() {
        for rule in RULES {
            for place in rule.except {
                let path = if place.ends_with('/') { format!("{place}planted.rs") } else { (*place).to_owned() };
                assert_eq!(check(&planted(&[(&path, &offence(rule))])), Vec::<String>::new());
            }
        }
    }

    #[test]
    fn words_in_comments_and_longer_words_do_not_count() {
        let text = "//! No tokio, no async, no now().\nlet snow = \"rusqlite\"; environment::variable();";
        assert_eq!(check(&planted(&[("src/domain/x.rs", text)])), Vec::<String>::new());
    }
}
