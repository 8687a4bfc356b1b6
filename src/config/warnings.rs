//! What is permitted but risky or pointless.

use super::{Config, JobConfig};
use crate::domain::actor::{Actor, Standing};
use crate::domain::command::Action;
use crate::domain::policy::Place;

/// One text for each.
pub(super) fn of(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    if !config.server.listen.ip().is_loopback() {
        let listen = config.server.listen;
        warnings.push(format!("server.listen: {listen} takes requests from other machines; put TLS in front of it"));
    }
    let listed = matches!(config.backend, super::Backend::Embedded { .. });
    if listed && config.channels.is_empty() {
        warnings.push("channel: none is listed, so the bot works in no channel".to_owned());
    }
    if listed && config.people.is_empty() {
        warnings.push("user: nobody is listed, so nobody may do anything".to_owned());
    }
    if config.job_names().is_empty() {
        warnings.push("job: none is listed, so there is nothing to run".to_owned());
    }
    for person in config.people.iter().filter(|p| p.roles.is_empty()) {
        warnings.push(format!("user.{}: {} has no roles, so only rules for everybody apply", person.user, person.name));
    }
    for (number, guarded) in config.approvals.iter().enumerate() {
        let (table, rule) = (format!("approval[{}]", number + 1), &guarded.rule);
        if rule.self_approval && rule.quorum == 1 {
            warnings.push(format!("{table}: whoever asks may approve it alone"));
        }
        let moves = guarded.actions.iter().any(|a| matches!(a, Action::FailOver | Action::FailBack));
        if moves && rule.quorum == 1 && !rule.self_approval {
            warnings.push(format!("{table}: one approval is enough to move to another region; two are usual"));
        }
    }
    for job in &config.jobs {
        warnings.extend(of_job(config, job));
    }
    for (index, job) in config.jobs.iter().enumerate() {
        let same = |other: &&JobConfig| other.input == job.input && other.pattern == job.pattern;
        if let Some(other) = config.jobs[..index].iter().find(same) {
            warnings.push(format!(
                "job.{}: takes the same files as the job {}; give it an input folder or a pattern of its own",
                job.name, other.name
            ));
        }
    }
    warnings
}

fn of_job(config: &Config, job: &JobConfig) -> Option<String> {
    if job.spec.tolerated_rejects_percent >= 100.0 {
        return Some(format!(
            "job.{}.tolerated_rejects_percent: 100 means that a run of bad rows only is a success",
            job.name
        ));
    }
    let starters = config.people.iter().any(|p| {
        let actor = Actor { team: p.team.clone(), user: p.user.clone(), name: p.name.clone() };
        let who = Standing { listed: config.listed(&p.team, &p.user), actor, outsider: None };
        config.channels.iter().any(|id| {
            let place = Place::Channel { id, permitted: true };
            config.policy.decide(&who, place, Action::StartBatch, Some(&job.name)).allowed()
        })
    });
    let listed = !config.people.is_empty() && !config.channels.is_empty();
    (!starters && listed).then(|| format!("job.{}: nobody may start it", job.name))
}
