//! Records for the suites.

use jiff::Timestamp;
use switchman::domain::actor::Actor;
use switchman::domain::audit::AuditDraft;
use switchman::domain::command::Scope;
use switchman::domain::envelope::{Envelope, Event};
use switchman::domain::id::{ChannelId, EnvelopeId, FileName, JobName, RunId, TeamId, UserId};
use switchman::domain::run::{Attempt, AttemptKey, Input, Run, RunState};
use switchman::ports::{Commit, Effect, OutboxWrite, Priority, RunWrite};

pub(crate) fn id(text: impl Into<String>) -> EnvelopeId {
    EnvelopeId::parse(text).unwrap()
}

/// The n-th run id.
pub(crate) fn run_id(n: u32) -> RunId {
    RunId::derive(&id(format!("sample-{n}")), 4)
}

pub(crate) fn key(n: u32) -> AttemptKey {
    AttemptKey { run: run_id(n), attempt: 1 }
}

pub(crate) fn channel(name: &str) -> ChannelId {
    ChannelId::parse(name).unwrap()
}

pub(crate) fn actor() -> Actor {
    let (team, user) = (TeamId::parse("T0LOCAL").unwrap(), UserId::parse("U0OPERATOR").unwrap());
    Actor { team, user, name: "Operator \u{1F680} \"quoted\"".into() }
}

/// A run that starts.
pub(crate) fn run(n: u32, at: Timestamp) -> Run {
    Run {
        id: run_id(n),
        job: JobName::parse("sales").unwrap(),
        input: Input {
            name: FileName::parse("März.csv").unwrap(),
            key: format!("sales/{}", n % 3),
            bytes: 10,
            fingerprint: "f".into(),
            parameters: None,
        },
        channel: channel("C0BATCH"),
        created_at: at,
        attempts: vec![Attempt::asked(1, Scope::All, actor(), at)],
        version: 0,
    }
}

/// The same run, ended.
pub(crate) fn ended(mut run: Run) -> Run {
    run.current_mut().state = RunState::Succeeded;
    run
}

pub(crate) fn create(run: Run) -> RunWrite {
    RunWrite { run, expected: 0 }
}

pub(crate) fn draft(n: u32, at: Timestamp) -> AuditDraft {
    AuditDraft {
        at,
        actor: Some(actor()),
        bot: "switchman 0.1.0".into(),
        action: "start-batch".into(),
        subject: format!("subject {n}"),
        why: "rule".into(),
        result: "done".into(),
    }
}

pub(crate) fn show(n: u32, priority: Priority, due: Timestamp) -> OutboxWrite {
    let effect = Effect::Show { key: key(n) };
    OutboxWrite { key: effect.key(""), effect, priority, due }
}

pub(crate) fn outbox(writes: impl IntoIterator<Item = OutboxWrite>) -> Commit {
    Commit { outbox: writes.into_iter().collect(), ..Commit::default() }
}

pub(crate) fn envelope(name: &str, at: Timestamp) -> Envelope {
    Envelope { id: id(format!("id-{name}")), key: id(name), issued_at: at, event: Event::Look { key: key(1) } }
}
