//! `switchman check`: every mistake at once, then what is risky, then who may do what.

use super::args::CheckArgs;
use super::serve::with_access;
use super::{Failure, Outcome, Terminal, block_on};
use crate::app;
use crate::config::{Backend, Config, Person, Strings};
use crate::domain::actor::{Actor, Role, Standing};
use crate::domain::approval::ApprovalRule;
use crate::domain::command::Action;
use crate::domain::policy::Place;
use std::collections::BTreeMap;

pub(super) fn run(args: &CheckArgs, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let config = Config::load_with_data(&args.file.config);
    let (config, access) = if args.online {
        let (config, access) = with_access(config, strings)?;
        (config, Some(access))
    } else {
        (config?, None)
    };
    for warning in config.warnings() {
        terminal.note(&format!("warning: {warning}"));
    }
    for line in summary(&config) {
        terminal.say(&line)?;
    }
    let Some(access) = access else { return Ok(()) };
    for line in block_on(app::probe_online(&config, &access))?.map_err(Failure::Failed)? {
        terminal.say(&format!("online: {line}"))?;
    }
    Ok(())
}

fn summary(config: &Config) -> Vec<String> {
    let list = |words: Vec<String>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for person in &config.people {
        for role in &person.roles {
            roles.entry(&role.0).or_default().push(&person.name);
        }
    }
    let mut lines = vec![
        format!("file: {}", config.file.display()),
        format!("jobs: {}", list(config.job_names().iter().map(ToString::to_string).collect())),
        format!("channels: {}", list(config.channels.iter().map(ToString::to_string).collect())),
        format!("people: {}", config.people.len()),
    ];
    lines.extend(regions(config));
    lines.extend(roles.into_iter().map(|(role, names)| format!("role {role}: {}", names.join(", "))));
    let whose = if config.own_rules { "" } else { " (the standard ones)" };
    let rules = config.policy.rules().iter().map(|r| r.name.clone()).collect();
    lines.push(format!("rules: {}{whose}", list(rules)));
    lines.extend(guarded(config));
    lines.extend(table(config));
    lines.push("ok".to_owned());
    lines
}

/// Where work can be done, and how soon the others have what one has.
fn regions(config: &Config) -> Option<String> {
    if let Backend::Aws(names) = &config.backend {
        let each = names.regions.iter().map(|region| format!("{} in s3://{}", region.name, region.bucket));
        return Some(format!("regions: {}; this bot runs in {}", each.collect::<Vec<_>>().join(", "), names.region));
    }
    let (first, others) = config.regions.all.split_first()?;
    let others = others.iter().map(|region| format!("{} in {}", region.name, region.data.display()));
    let others = others.collect::<Vec<_>>().join(", ");
    Some(format!("regions: {} first, then {others}; copied after {:?}", first.name, config.regions.lag))
}

/// What is guarded, and who approves it.
fn guarded(config: &Config) -> Vec<String> {
    let catalog = config.catalog();
    let moves = [Action::FailOver, Action::FailBack].map(|action| (action, None));
    let of_jobs = [Action::StartBatch, Action::ReprocessBatch, Action::CancelBatch]
        .into_iter()
        .flat_map(|action| config.job_names().iter().map(move |job| (action, Some(job))));
    let mut by_rule: Vec<(ApprovalRule, Vec<String>)> = Vec::new();
    for (action, job) in of_jobs.chain(moves) {
        let Some(rule) = catalog.approval(action, job) else { continue };
        let what = job.map_or(action.to_string(), |job| format!("{action} {job}"));
        match by_rule.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, whats)) => whats.push(what),
            None => by_rule.push((rule, vec![what])),
        }
    }
    by_rule.iter().map(|(rule, whats)| format!("guarded: {}: {}", whats.join(", "), how(config, rule))).collect()
}

fn how(config: &Config, rule: &ApprovalRule) -> String {
    let names = |roles: &[Role]| {
        let holds = |person: &&Person| person.roles.iter().any(|role| roles.contains(role));
        config.people.iter().filter(holds).map(|p| p.name.as_str()).collect::<Vec<_>>().join(", ")
    };
    let mut text = format!("{} of {}", rule.quorum, names(&rule.roles));
    let mut add = |yes: bool, what: &str| text.push_str(if yes { what } else { "" });
    add(rule.self_approval, ", even who asked");
    add(rule.reason, ", with a reason");
    add(rule.step_up, ", with a one-time code");
    if !rule.break_glass.is_empty() {
        text = format!("{text}; in an emergency alone: {}", names(&rule.break_glass));
    }
    text
}

/// People down, commands across: yes, some (only certain jobs or channels) or -.
fn table(config: &Config) -> Vec<String> {
    if config.people.is_empty() || config.channels.is_empty() {
        return Vec::new();
    }
    let width = config.people.iter().map(|p| p.name.chars().count()).max().unwrap_or(0);
    let header: Vec<&str> = Action::ALL.iter().map(|a| a.name()).collect();
    let mut lines = vec![String::new(), format!("{:width$}  {}", "", header.join("  "))];
    for person in &config.people {
        let cells = Action::ALL.map(|action| {
            let column = action.name().len();
            format!("{:column$}", may(config, person, action))
        });
        lines.push(format!("{:width$}  {}", person.name, cells.join("  ")).trim_end().to_owned());
    }
    lines.push(String::new());
    lines
}

fn may(config: &Config, person: &Person, action: Action) -> &'static str {
    let actor = Actor { team: person.team.clone(), user: person.user.clone(), name: person.name.clone() };
    let who = Standing { actor, listed: config.listed(&person.team, &person.user), outsider: None };
    let concerns_a_job = action.changes_something() || action == Action::Status;
    let jobs: Vec<_> = match config.job_names() {
        jobs if concerns_a_job && !jobs.is_empty() => jobs.iter().map(Some).collect(),
        _ => vec![None],
    };
    let mut answers = config.channels.iter().flat_map(|id| {
        let who = &who;
        jobs.iter()
            .map(move |job| config.policy.decide(who, Place::Channel { id, permitted: true }, action, *job).allowed())
    });
    let first = answers.next().unwrap_or(false);
    match (first, answers.all(|answer| answer == first)) {
        (true, true) => "yes",
        (false, true) => "-",
        (_, false) => "some",
    }
}
