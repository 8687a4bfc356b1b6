//! `[[rule]]`: the policy, and whether everything it refers to exists.

use super::jobs::FoundJob;
use super::people::{FoundChannel, FoundPerson};
use super::section::{Section, Text};
use crate::domain::actor::Role;
use crate::domain::command::Action;
use crate::domain::id::{ChannelId, JobName};
use crate::domain::policy::{Policy, Rule, Verdict};

/// The policy of the file.
pub(super) struct FoundRules {
    pub(super) policy: Policy,
    /// Whether the file has rules; without any, the standard ones hold.
    pub(super) own: bool,
}

/// Reads the rules. A role exists when a rule of the standard policy or of the file or an approval (`approving`) names it and, for a
/// rule, somebody may have it. `channels` is `None` where people and channels are listed elsewhere: then any role and channel may exist.
pub(super) fn rules(
    sections: &[Section<'_>],
    people: &[FoundPerson<'_>],
    channels: Option<&[FoundChannel]>,
    jobs: &[FoundJob],
    approving: &[String],
) -> FoundRules {
    let mut found: Vec<(Rule, usize)> = Vec::new();
    let mut named: Vec<(String, String, usize)> = Vec::new();
    for section in sections {
        let roles = section.texts("roles");
        named.extend(roles.iter().map(|r| (r.value.clone(), section.key("roles"), r.at)));
        if let Some((rule, line)) = rule(section, &roles, channels, jobs) {
            match found.iter().find(|(r, _)| r.name == rule.name) {
                Some((_, first)) => {
                    let at = section.place("name").unwrap_or(section.at);
                    let hint = format!("the rule of line {first} has this name; decisions are explained by it");
                    section.wrong("name", at, format!("{:?} stands twice", rule.name), hint);
                }
                None => found.push((rule, line)),
            }
        }
    }
    if channels.is_some() {
        check_roles(sections, &named, people, approving);
    }
    let own = !sections.is_empty();
    let policy = if own { Policy::new(found.into_iter().map(|(rule, _)| rule).collect()) } else { Policy::standard() };
    FoundRules { policy, own }
}

fn rule(
    section: &Section<'_>,
    roles: &[Text],
    channels: Option<&[FoundChannel]>,
    jobs: &[FoundJob],
) -> Option<(Rule, usize)> {
    let name = section.required("name", "a short name: people are told which rule decided");
    let effect = section.required("effect", "write \"allow\" or \"deny\"");
    let actions = section.texts("actions");
    let job_names = section.texts("jobs");
    let channel_ids = section.texts("channels");
    section.finish();

    let words: Vec<&str> = Action::ALL.iter().map(|a| a.name()).collect();
    let actions = section.pick("actions", &actions, "a command", &words, Action::parse);
    let words: Vec<&str> = jobs.iter().map(|j| j.name.as_str()).collect();
    let known = |name: &str| jobs.iter().map(|j| &j.name).find(|n| n.as_str() == name).cloned();
    let jobs: Vec<JobName> = section.pick("jobs", &job_names, "a job of this file", &words, known);
    let channels: Vec<ChannelId> = match channels {
        Some(channels) => {
            let words: Vec<&str> = channels.iter().map(|c| c.id.as_str()).collect();
            let known = |id: &str| channels.iter().map(|c| &c.id).find(|c| c.as_str() == id).cloned();
            section.pick("channels", &channel_ids, "a channel of this file", &words, known)
        }
        None => channel_ids.iter().filter_map(|text| section.id("channels", text, ChannelId::parse)).collect(),
    };

    let (name, effect) = (name?, effect?);
    let verdict = match effect.value.as_str() {
        "allow" => Verdict::Allow,
        "deny" => Verdict::Deny,
        _ => {
            section.unknown("effect", &effect, "an effect", &["allow", "deny"]);
            return None;
        }
    };
    let roles = roles.iter().map(|r| Role::new(&r.value)).collect();
    Some((Rule { name: name.value, verdict, roles, actions, jobs, channels }, section.notes.line(name.at)))
}

/// A role that a rule names and nobody has does nothing, and neither does one that somebody has and no rule names: most often one of
/// them is misspelt. The roles of the standard policy are always known.
fn check_roles(
    sections: &[Section<'_>],
    named: &[(String, String, usize)],
    people: &[FoundPerson<'_>],
    approving: &[String],
) {
    let standard = Policy::standard();
    let standard: Vec<&str> = standard.rules().iter().flat_map(|r| &r.roles).map(|r| r.0.as_str()).collect();
    let held: Vec<&str> = people.iter().flat_map(|p| &p.person.roles).map(|r| r.0.as_str()).collect();
    let mut known: Vec<&str> = standard.clone();
    for word in named.iter().map(|(role, _, _)| role.as_str()).chain(approving.iter().map(String::as_str)) {
        if !known.contains(&word) {
            known.push(word);
        }
    }
    let Some(notes) = sections.first().map(|s| s.notes).or(people.first().map(|p| p.notes)) else { return };
    for person in people {
        for (role, at) in person.person.roles.iter().zip(&person.places) {
            if !known.contains(&role.0.as_str()) {
                let text = Text { value: role.0.clone(), at: *at };
                Section::new(notes, &person.path, *at, None).unknown("roles", &text, "a role of any rule", &known);
            }
        }
    }
    let mut holders: Vec<&str> = standard.clone();
    holders.extend(held.iter().filter(|r| !standard.contains(r)));
    for (role, path, at) in named {
        if !holders.contains(&role.as_str()) {
            let text = Text { value: role.clone(), at: *at };
            let section = Section::new(notes, path.trim_end_matches(".roles"), *at, None);
            section.unknown("roles", &text, "a role that anybody has", &holders);
        }
    }
}
