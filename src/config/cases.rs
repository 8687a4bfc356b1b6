//! Cases for `switchman policy test`: who, where, what, and what the policy has to say to it.

use super::mistake::{Mistakes, Notes};
use super::read::tables;
use super::section::Section;
use crate::domain::actor::Outsider;
use std::path::Path;

/// One case of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyCase {
    /// Where it stands in its file.
    pub line: usize,
    /// A user id, or TEAM/USER; not necessarily on the list.
    pub user: String,
    pub channel: String,
    /// What would be typed after the slash command.
    pub command: String,
    /// What Slack would say of this person that rules them out.
    pub outsider: Option<Outsider>,
    pub allow: bool,
    /// The rule that has to decide, or the code of the refusal.
    pub because: Option<String>,
}

const OUTSIDERS: [(&str, Outsider); 4] = [
    ("guest", Outsider::Guest),
    ("connect", Outsider::Connect),
    ("deactivated", Outsider::Deactivated),
    ("bot", Outsider::Bot),
];

/// Reads the cases of a file; all mistakes come at once.
pub fn policy_cases(file: &Path) -> Result<Vec<PolicyCase>, Mistakes> {
    let shown = file.display().to_string();
    let text =
        std::fs::read_to_string(file).map_err(|e| Mistakes::of_file(&shown, format!("cannot be read: {e}"), ""))?;
    parse(&shown, &text)
}

fn parse(shown: &str, text: &str) -> Result<Vec<PolicyCase>, Mistakes> {
    let notes = Notes::new(shown, text);
    let Some(table) = tables(&notes, text) else { return Err(notes.finish()) };
    let root = Section::new(&notes, "", 0, Some(&table));
    let sections = root.sections("case");
    let cases = sections.iter().filter_map(case).collect();
    root.finish();
    if sections.is_empty() {
        notes.add(0, "case", "there is none", "write [[case]] tables with user, channel, command and expect");
    }
    if notes.is_empty() { Ok(cases) } else { Err(notes.finish()) }
}

fn case(section: &Section<'_>) -> Option<PolicyCase> {
    let user = section.required("user", "a user id such as \"U0OPERATOR\", or \"T0LOCAL/U0OPERATOR\"");
    let channel = section.required("channel", "a channel id such as \"C0BATCH\"");
    let command =
        section.required("command", "what would be typed after the slash command, such as \"start-batch sales\"");
    let expect = section.required("expect", "write \"allow\" or \"deny\"");
    let because = section.text("because").map(|t| t.value);
    let outsider = section.text("outsider");
    section.finish();
    let outsider = match outsider {
        None => None,
        Some(text) => match OUTSIDERS.iter().find(|(word, _)| *word == text.value) {
            Some((_, kind)) => Some(*kind),
            None => {
                section.unknown("outsider", &text, "a kind of outsider", &OUTSIDERS.map(|(word, _)| word));
                return None;
            }
        },
    };
    let expect = expect?;
    let allow = match expect.value.as_str() {
        "allow" => true,
        "deny" => false,
        _ => {
            section.unknown("expect", &expect, "a verdict", &["allow", "deny"]);
            return None;
        }
    };
    let line = section.notes.line(section.at);
    Some(PolicyCase {
        line,
        user: user?.value,
        channel: channel?.value,
        command: command?.value,
        outsider,
        allow,
        because,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mistake_of_the_cases_comes_at_once() {
        let text = "[[case]]\nuser = \"U1\"\nchanel = \"C1\"\ncommand = \"\"\nexpect = \"denied\"\n";
        insta::assert_snapshot!(parse("cases.toml", text).unwrap_err(), @r#"
        cases.toml:1: case[1].channel: is missing; a channel id such as "C0BATCH"
        cases.toml:3: case[1].chanel: unknown key; did you mean "channel"?
        cases.toml:4: case[1].command: is empty; what would be typed after the slash command, such as "start-batch sales"
        cases.toml:5: case[1].expect: "denied" is not a verdict; possible: allow, deny
        "#);
        assert!(parse("cases.toml", "").is_err());
    }
}
