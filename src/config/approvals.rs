//! `[[approval]]`: what needs approval, by whom and how; and whether it can ever be had.

use super::jobs::FoundJob;
use super::people::{FoundChannel, FoundPerson, Person};
use super::section::{Section, Text};
use crate::domain::actor::{Actor, Listed, Role, Standing};
use crate::domain::approval::{ApprovalRule, Guarded};
use crate::domain::command::Action;
use crate::domain::id::JobName;
use crate::domain::policy::{Place, Policy};
use jiff::SignedDuration;
use std::ops::RangeInclusive;

/// What can be guarded.
const GUARDABLE: [Action; 5] =
    [Action::StartBatch, Action::ReprocessBatch, Action::CancelBatch, Action::FailOver, Action::FailBack];
/// The word for the questions of waiting workflows.
const WORKFLOW: &str = "workflow";
/// How long a request on a job stays open; one to move to another region: see [`ApprovalRule::for_regions`].
const EXPIRES: SignedDuration = SignedDuration::from_hours(4);
const EXPIRES_WITHIN: RangeInclusive<SignedDuration> =
    SignedDuration::from_mins(1)..=SignedDuration::from_hours(30 * 24);
const MOST_APPROVERS: u64 = 20;

/// What a table is checked against.
pub(super) struct World<'a> {
    pub(super) people: &'a [FoundPerson<'a>],
    /// `None`: people and channels are not listed in this file, so who can approve is not known here.
    pub(super) channels: Option<&'a [FoundChannel]>,
    pub(super) jobs: &'a [FoundJob],
    /// `None` where something else is wrong: then the policy is not the whole one.
    pub(super) policy: Option<&'a Policy>,
}

/// The roles that the tables name.
pub(super) fn roles(sections: &[Section<'_>]) -> Vec<String> {
    let named =
        sections.iter().flat_map(|section| section.texts("roles").into_iter().chain(section.texts("break_glass")));
    named.map(|text| text.value).collect()
}

/// Reads the tables, in their order: the first that covers something holds.
pub(super) fn approvals(sections: &[Section<'_>], world: &World<'_>) -> Vec<Guarded> {
    let mut found: Vec<(Guarded, usize)> = Vec::new();
    for section in sections {
        if let Some(guarded) = approval(section, world) {
            shadowed(section, &guarded, &found);
            found.push((guarded, section.notes.line(section.at)));
        }
    }
    found.into_iter().map(|(guarded, _)| guarded).collect()
}

fn approval(section: &Section<'_>, world: &World<'_>) -> Option<Guarded> {
    let (actions, workflows) = actions(section);
    let jobs = if workflows && actions.is_empty() { workflow_names(section) } else { jobs(section, world, &actions) };
    let moves = actions.iter().any(|action| is_move(*action));
    let usual = ApprovalRule::for_regions();
    let roles = section.texts("roles");
    let quorum = section.whole("quorum", 1..=MOST_APPROVERS);
    let self_approval = section.flag("self_approval").unwrap_or(false);
    let expires = section.duration("expires", EXPIRES_WITHIN);
    let reason = section.flag("reason").unwrap_or(moves);
    let step_up = section.flag("step_up").unwrap_or(false);
    let break_glass = section.texts("break_glass");
    section.finish();
    if roles.is_empty() {
        let hint = "name the roles whose people approve, such as roles = [\"approver\"]; none means nobody";
        section.wrong("roles", section.place("roles").unwrap_or(section.at), "names nobody", hint);
    }
    let known = held(section, "roles", &roles, world) & held(section, "break_glass", &break_glass, world);
    let role = |texts: &[Text]| texts.iter().map(|text| Role::new(&text.value)).collect();
    let rule = ApprovalRule {
        roles: role(&roles),
        quorum: quorum.and_then(|n| u32::try_from(n).ok()).unwrap_or(if moves { usual.quorum } else { 1 }),
        self_approval,
        expires: expires.unwrap_or(if moves { usual.expires } else { EXPIRES }),
        reason,
        step_up,
        break_glass: role(&break_glass),
    };
    let guarded = Guarded { actions, workflows, jobs, rule };
    let guards = workflows || !guarded.actions.is_empty();
    if known && guards && !guarded.rule.roles.is_empty() {
        reachable(section, &guarded, world);
        glass_can_be_broken(section, &guarded, &break_glass, world);
    }
    guards.then_some(guarded)
}

/// The commands, and whether it is about the questions of workflows.
fn actions(section: &Section<'_>) -> (Vec<Action>, bool) {
    let words: Vec<&str> = GUARDABLE.iter().map(|action| action.name()).chain([WORKFLOW]).collect();
    let texts = section.texts("actions");
    if texts.is_empty() {
        let at = section.place("actions").unwrap_or(section.at);
        section.wrong("actions", at, "guards nothing", format!("name some of: {}", words.join(", ")));
    }
    let guardable = |word: &str| match word {
        WORKFLOW => Some(None),
        word => Action::parse(word).filter(|action| GUARDABLE.contains(action)).map(Some),
    };
    let found = section.pick("actions", &texts, "a command that can be guarded", &words, guardable);
    (found.iter().flatten().copied().collect(), found.contains(&None))
}

/// Workflows that ask need not be jobs of this file.
fn workflow_names(section: &Section<'_>) -> Vec<JobName> {
    let texts = section.texts("jobs");
    texts.iter().filter_map(|text| section.id("jobs", text, JobName::parse)).collect()
}

fn jobs(section: &Section<'_>, world: &World<'_>, actions: &[Action]) -> Vec<JobName> {
    let texts = section.texts("jobs");
    let words: Vec<&str> = world.jobs.iter().map(|j| j.name.as_str()).collect();
    let known = |name: &str| world.jobs.iter().map(|j| &j.name).find(|n| n.as_str() == name).cloned();
    let jobs = section.pick("jobs", &texts, "a job of this file", &words, known);
    if let (Some(at), false, true) =
        (section.place("jobs"), actions.is_empty(), actions.iter().all(|action| is_move(*action)))
    {
        section.wrong("jobs", at, "has no effect: fail-over and fail-back concern no job", "remove it");
    }
    jobs
}

/// Whether somebody has each of these roles; where not, that is noted.
fn held(section: &Section<'_>, key: &str, roles: &[Text], world: &World<'_>) -> bool {
    if world.channels.is_none() {
        return true;
    }
    let mut holders: Vec<&str> = Vec::new();
    for role in world.people.iter().flat_map(|p| &p.person.roles).map(|r| r.0.as_str()) {
        if !holders.contains(&role) {
            holders.push(role);
        }
    }
    let unheld: Vec<&Text> = roles.iter().filter(|text| !holders.contains(&text.value.as_str())).collect();
    for text in &unheld {
        section.unknown(key, text, "a role that anybody has", &holders);
    }
    unheld.is_empty()
}

/// An action that an earlier table guards already, for every job of this one.
fn shadowed(section: &Section<'_>, new: &Guarded, before: &[(Guarded, usize)]) {
    let asked_before = |old: &Guarded| {
        old.workflows
            && (old.jobs.is_empty() || (!new.jobs.is_empty() && new.jobs.iter().all(|job| old.jobs.contains(job))))
    };
    if let Some((_, line)) = before.iter().find(|(old, _)| new.workflows && asked_before(old)) {
        let at = section.place("actions").unwrap_or(section.at);
        let hint = "the first table that covers a workflow holds; remove one, or put the one with jobs first";
        section.wrong("actions", at, format!("{WORKFLOW} is guarded by the table of line {line} already"), hint);
    }
    for action in &new.actions {
        let covers = |old: &Guarded| {
            let every_job = old.jobs.is_empty() || is_move(*action);
            old.actions.contains(action)
                && (every_job || (!new.jobs.is_empty() && new.jobs.iter().all(|job| old.jobs.contains(job))))
        };
        if let Some((_, line)) = before.iter().find(|(old, _)| covers(old)) {
            let at = section.place("actions").unwrap_or(section.at);
            let hint = "the first table that covers a command holds; remove one, or put the one with jobs first";
            section.wrong("actions", at, format!("{action} is guarded by the table of line {line} already"), hint);
        }
    }
}

/// Whether enough people can ever approve it, by name.
fn reachable(section: &Section<'_>, guarded: &Guarded, world: &World<'_>) {
    let (Some(policy), Some(_)) = (world.policy, world.channels) else { return };
    let rule = &guarded.rule;
    let can: Vec<&Person> =
        holders(world, &rule.roles).filter(|who| may(policy, world, guarded, who, &[Action::Approve])).collect();
    let askers =
        world.people.iter().map(|p| &p.person).filter(|who| may(policy, world, guarded, who, &guarded.actions));
    let besides = |asker: &Person| -> Vec<&Person> {
        can.iter()
            .copied()
            .filter(|who| rule.self_approval || (&who.team, &who.user) != (&asker.team, &asker.user))
            .collect()
    };
    // The asker who leaves the most approvers: if even that is too few, it can never be had.
    let best = askers.map(besides).max_by_key(Vec::len).unwrap_or_else(|| can.clone());
    if best.len() >= rule.quorum as usize {
        return;
    }
    let at = section.place("quorum").or(section.place("roles")).unwrap_or(section.at);
    let names = match best.iter().map(|who| who.name.as_str()).collect::<Vec<_>>() {
        names if names.is_empty() => "nobody".to_owned(),
        names => format!("only {}", names.join(" and ")),
    };
    let asking = if best.len() < can.len() { "besides whoever asks " } else { "" };
    let roles: Vec<&str> = rule.roles.iter().map(|r| r.0.as_str()).collect();
    section.wrong(
        "quorum",
        at,
        format!("{} must approve, and {asking}{names} can", rule.quorum),
        format!(
            "give more people the role {}, let a rule allow them `approve`, or lower the quorum",
            roles.join(" or ")
        ),
    );
}

/// Whoever may break the glass votes by it: the policy must let them.
fn glass_can_be_broken(section: &Section<'_>, guarded: &Guarded, roles: &[Text], world: &World<'_>) {
    let (Some(policy), Some(_)) = (world.policy, world.channels) else { return };
    for text in roles {
        let role = [Role::new(&text.value)];
        if !holders(world, &role).any(|who| may(policy, world, guarded, who, &[Action::Approve])) {
            let what =
                format!("nobody with the role {} may approve, so nobody could break the glass by it", text.value);
            section.wrong("break_glass", text.at, what, "let a rule allow them `approve`, or remove it");
        }
    }
}

fn holders<'a>(world: &'a World<'_>, roles: &'a [Role]) -> impl Iterator<Item = &'a Person> {
    world.people.iter().map(|p| &p.person).filter(|who| who.roles.iter().any(|role| roles.contains(role)))
}

/// Whether the policy allows somebody one of the actions anywhere, on anything that the table guards.
fn may(policy: &Policy, world: &World<'_>, guarded: &Guarded, who: &Person, actions: &[Action]) -> bool {
    let actor = Actor { team: who.team.clone(), user: who.user.clone(), name: who.name.clone() };
    let listed = Some(Listed { name: who.name.clone(), roles: who.roles.clone() });
    let standing = Standing { actor, listed, outsider: None };
    let all: Vec<&JobName> = world.jobs.iter().map(|job| &job.name).collect();
    let jobs: Vec<&JobName> = if guarded.jobs.is_empty() { all } else { guarded.jobs.iter().collect() };
    let moves = guarded.actions.iter().any(|action| is_move(*action)) || jobs.is_empty();
    let targets: Vec<Option<&JobName>> = jobs.into_iter().map(Some).chain(moves.then_some(None)).collect();
    let allowed = |place: Place<'_>| {
        actions.iter().any(|a| targets.iter().any(|job| policy.decide(&standing, place, *a, *job).allowed()))
    };
    // Without a channel the bot works nowhere, which is warned about; that is not this table's mistake.
    let channels = world.channels.unwrap_or_default();
    channels.is_empty() || channels.iter().any(|c| allowed(Place::Channel { id: &c.id, permitted: true }))
}

fn is_move(action: Action) -> bool {
    matches!(action, Action::FailOver | Action::FailBack)
}
