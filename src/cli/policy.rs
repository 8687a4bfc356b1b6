//! `switchman policy explain | test`: the decision function of the bot, asked from outside.

use super::args::{ExplainArgs, PolicyCommand, PolicyTestArgs};
use super::{Failure, Outcome, Terminal};
use crate::config::{Config, PolicyCase, policy_cases};
use crate::domain::actor::{Actor, Outsider, Standing};
use crate::domain::command::Action;
use crate::domain::grammar::{self, Parsed, Usage};
use crate::domain::id::{BadId, ChannelId, JobName, TeamId, UserId};
use crate::domain::policy::{Decision, Place};

pub(super) fn run(command: &PolicyCommand, terminal: &mut Terminal) -> Outcome {
    match command {
        PolicyCommand::Explain(args) => explain(args, terminal),
        PolicyCommand::Test(args) => test(args, terminal),
    }
}

fn explain(args: &ExplainArgs, terminal: &mut Terminal) -> Outcome {
    let config = Config::load(&args.file.config)?;
    let line = line(&args.command);
    let asked = ask(&config, &args.user, &args.channel, &line, None).map_err(Failure::Wrong)?;
    terminal.say(&format!("{}: {}", verdict(asked.decision.allowed()), reason(&asked.decision)))?;
    let who = &asked.who.actor;
    let roles = match &asked.who.listed {
        Some(listed) if listed.roles.is_empty() => "listed without a role".to_owned(),
        Some(listed) => listed.roles.iter().map(|r| r.0.as_str()).collect::<Vec<_>>().join(", "),
        None => "on no list".to_owned(),
    };
    terminal.say(&format!("person: {}/{} ({roles})", who.team, who.user))?;
    terminal.say(&format!("channel: {}", asked.channel))?;
    terminal.say(&format!("command: {line}"))
}

/// The words of the shell as one line of Slack: a word with blanks needs its quotes back.
fn line(words: &[String]) -> String {
    match words {
        [line] => line.clone(),
        words => {
            let quoted = |w: &String| if w.contains(char::is_whitespace) { format!("\"{w}\"") } else { w.clone() };
            words.iter().map(quoted).collect::<Vec<_>>().join(" ")
        }
    }
}

fn test(args: &PolicyTestArgs, terminal: &mut Terminal) -> Outcome {
    let (config, cases) = super::serve::both(Config::load(&args.config.config), policy_cases(&args.file))?;
    let mut answers = Vec::new();
    let mut wrong = Vec::new();
    for case in &cases {
        match ask(&config, &case.user, &case.channel, &case.command, case.outsider) {
            Ok(asked) => answers.push((case, asked.decision)),
            Err(text) => wrong.push(format!("{}:{}: {text}", args.file.display(), case.line)),
        }
    }
    if !wrong.is_empty() {
        return Err(Failure::Wrong(wrong.join("\n")));
    }
    let failed: Vec<_> = answers.iter().filter(|(case, decision)| !fits(case, decision)).collect();
    for (case, decision) in &failed {
        let because = case.because.as_ref().map(|b| format!(" because {b}")).unwrap_or_default();
        terminal.say(&format!(
            "{}:{}: {} in {}: {}",
            args.file.display(),
            case.line,
            case.user,
            case.channel,
            case.command
        ))?;
        terminal.say(&format!("  - expected {}{because}", if case.allow { "allow" } else { "deny" }))?;
        let actual = if decision.allowed() { "allow" } else { "deny" };
        terminal.say(&format!("  + found    {actual} because {} ({})", cause(decision), reason(decision)))?;
    }
    terminal.say(&format!("{} of {} cases passed", cases.len() - failed.len(), cases.len()))?;
    if failed.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

fn fits(case: &PolicyCase, decision: &Decision) -> bool {
    let because =
        case.because.as_deref().is_none_or(|because| because == cause(decision) || because == decision.code());
    decision.allowed() == case.allow && because
}

struct Asked {
    who: Standing,
    channel: ChannelId,
    decision: Decision,
}

fn ask(config: &Config, user: &str, channel: &str, command: &str, outsider: Option<Outsider>) -> Result<Asked, String> {
    let bad = |e: BadId| format!("{e}; found {channel:?}");
    let channel = ChannelId::parse(channel).map_err(bad)?;
    let who = Standing { outsider, ..standing(config, user)? };
    let (action, job) = understand(config, command)?;
    let place = Place::Channel { id: &channel, permitted: config.channels.contains(&channel) };
    let decision = config.policy.decide(&who, place, action, job.as_ref());
    Ok(Asked { who, channel, decision })
}

/// Who is meant by USER or TEAM/USER, and what the list says about them.
pub(super) fn standing(config: &Config, text: &str) -> Result<Standing, String> {
    let (team, user) = match text.split_once('/') {
        Some((team, user)) => (Some(TeamId::parse(team).map_err(|e| format!("{e}; found {team:?}"))?), user),
        None => (None, text),
    };
    let user = UserId::parse(user).map_err(|e| format!("{e}; found {user:?}"))?;
    let mut teams: Vec<&TeamId> = config.people.iter().filter(|p| p.user == user).map(|p| &p.team).collect();
    if teams.is_empty() {
        teams = config.people.iter().map(|p| &p.team).collect();
        teams.dedup();
        teams.truncate(1);
    }
    let team = match (team, teams.as_slice()) {
        (Some(team), _) => team,
        (None, [team]) => (*team).clone(),
        (None, []) => return Err(format!("nobody is listed, so the team of {user} is not known; write TEAM/{user}")),
        (None, _) => return Err(format!("{user} is listed for several teams; write TEAM/{user}")),
    };
    let listed = config.listed(&team, &user);
    let name = listed.as_ref().map(|l| l.name.clone()).unwrap_or_default();
    Ok(Standing { actor: Actor { team, user, name }, listed, outsider: None })
}

/// What a line asks for, and the job it concerns where it names one.
fn understand(config: &Config, line: &str) -> Result<(Action, Option<JobName>), String> {
    match grammar::parse(line, config.catalog().names()) {
        Ok(Parsed::Complete(command)) => Ok((command.action(), command.job().cloned())),
        Ok(Parsed::Incomplete(action)) => Ok((action, None)),
        Ok(Parsed::Unfilled { job, .. }) => Ok((Action::StartBatch, Some(job))),
        Ok(Parsed::Menu) => Err("the command is empty; the menu shows everybody what they may do".to_owned()),
        Err(usage) => Err(pointed(&usage)),
    }
}

fn pointed(usage: &Usage) -> String {
    let near = usage.nearest.as_ref().map(|near| format!("; did you mean {near:?}?")).unwrap_or_default();
    format!("{}{near}\n{}", usage.reason, usage.caret())
}

fn verdict(allowed: bool) -> &'static str {
    if allowed { "allowed" } else { "denied" }
}

/// The rule that decided, or the code of the refusal.
fn cause(decision: &Decision) -> &str {
    match decision {
        Decision::Allowed { rule } | Decision::DeniedByRule { rule } => rule,
        other => other.code(),
    }
}

fn reason(decision: &Decision) -> String {
    match decision {
        Decision::Allowed { rule } => format!("by the rule {rule}"),
        Decision::DeniedByRule { rule } => format!("by the deny rule {rule}"),
        Decision::NoRule { roles } if roles.is_empty() => "no rule allows it to somebody without a role".to_owned(),
        Decision::NoRule { roles } => {
            let roles: Vec<&str> = roles.iter().map(|r| r.0.as_str()).collect();
            format!("no rule allows it to the role {}", roles.join(" or "))
        }
        Decision::NotListed => "this person is on no list".to_owned(),
        Decision::Outsider { .. } => "this person is not a full member of the workspace".to_owned(),
        Decision::ChannelNotPermitted => "the bot does not work in this channel".to_owned(),
    }
}
