//! A request for somebody who decides without Slack: the whole plan, its digest, and how it stands.

use crate::domain::actor::{Actor, Asker};
use crate::domain::approval::{CommandPlan, Plan, Request, TaskPlan};
use crate::domain::failover::{FailOverPlan, FileState, Treatment, Unknown};
use jiff::{SignedDuration, Timestamp};

/// Everything that approvers decide about, line by line.
pub(super) fn lines(request: &Request, now: Timestamp) -> Vec<String> {
    let mut lines = vec![
        format!("request: {} ({})", request.id, request.state.word()),
        format!("command: {}", request.plan.line()),
        format!("asked by: {} at {:.0}", asker(&request.asked_by), request.asked_at),
        format!("channel: {}", request.channel),
    ];
    match &request.plan {
        Plan::Command(plan) => lines.extend(of_job(plan)),
        Plan::FailOver(plan) => lines.extend(of_move(plan)),
        Plan::Task(plan) => lines.extend(of_task(plan)),
    }
    lines.push(format!("approvals: {} of {}", request.counted(&[]), request.rule.quorum));
    for decision in &request.decisions {
        let reason = decision.reason.as_deref().map(|r| format!(": {r}")).unwrap_or_default();
        lines.push(format!("  {:?} by {} at {:.0}{reason}", decision.verdict, decision.by.name, decision.at));
    }
    if let Some(left) = request.time_left(now).filter(|_| request.is_open()) {
        lines.push(format!("time left: {}", length(left)));
    }
    if request.review_is_open() {
        lines.push("review: the glass was broken; another approver's word closes the review".to_owned());
    }
    if let Some(word) = request.plan.confirmation() {
        lines.push(format!("to confirm: {word}"));
    }
    lines.push(format!("digest: {} ({})", request.digest.short(), request.digest));
    lines
}

fn asker(asker: &Asker) -> String {
    match asker.person() {
        Some(Actor { team, user, name }) => format!("{name} ({team}/{user})"),
        None => asker.shown(),
    }
}

fn of_task(plan: &TaskPlan) -> Vec<String> {
    let mut lines = vec![format!("question: {}", plan.question)];
    lines.extend(plan.details.iter().map(|detail| format!("  {}: {}", detail.name, detail.value)));
    lines.extend(plan.expires_at.map(|at| format!("the workflow waits until: {at:.0}")));
    lines
}

fn of_job(plan: &CommandPlan) -> Vec<String> {
    let mut lines = vec![
        format!("job: {} (definition {})", plan.job, plan.definition),
        format!("input: {} ({} bytes)", plan.input.name, plan.input.bytes),
    ];
    lines.extend(plan.attempt.as_ref().map(|attempt| format!("attempt: {attempt}")));
    lines.extend(plan.scope.map(|scope| format!("scope: {}", scope.name())));
    lines
}

fn of_move(plan: &FailOverPlan) -> Vec<String> {
    let lag = plan.replication.lag.map_or("not known".to_owned(), length);
    let expected = plan.expected.map_or("not known".to_owned(), length);
    let mut lines = vec![
        format!("{}: from {} (epoch {}) to {}", plan.kind.word(), plan.from, plan.epoch, plan.to),
        format!("made at: {:.0}", plan.made_at),
        format!("replication lag: {lag}"),
        format!("expected time: {expected} (target {})", length(plan.targets.recovery_time)),
        format!("files: {}, unfinished {}, lost {}", plan.files.len(), plan.unfinished().count(), plan.lost().count()),
    ];
    for case in &plan.files {
        let attempt = case.attempt.as_ref().map(|a| format!(" ({a})")).unwrap_or_default();
        lines.push(format!(
            "  {} {}{attempt}: {}, {}",
            case.job,
            case.file,
            state(&case.state),
            treatment(case.treatment)
        ));
    }
    lines.extend(plan.unknowns.iter().map(|unknown| format!("unknown: {}", what_is_unknown(unknown))));
    lines
}

fn state(state: &FileState) -> String {
    match state {
        FileState::NotReplicated => "nothing of it has arrived".to_owned(),
        FileState::Untouched => "untouched".to_owned(),
        FileState::MidFlight { chunks, chunks_total } => format!("{chunks} of {chunks_total} chunks have arrived"),
        FileState::InputMissing { chunks, chunks_total } => {
            format!("{chunks} of {chunks_total} chunks have arrived, its input has not")
        }
        FileState::Merged => "complete, not told yet".to_owned(),
        FileState::Done => "done".to_owned(),
        FileState::ResultMissing => "done, its result has not arrived".to_owned(),
        FileState::Failed { chunks, chunks_total } => format!("failed, with {chunks} of {chunks_total} chunks"),
        FileState::Waiting => "not started".to_owned(),
        FileState::Unknown => "not known".to_owned(),
    }
}

fn treatment(treatment: Treatment) -> &'static str {
    match treatment {
        Treatment::Keep => "stays as it is",
        Treatment::Adopt => "is taken over",
        Treatment::Resume => "goes on",
        Treatment::Restart => "starts again",
        Treatment::Lose => "IS LOST",
    }
}

fn what_is_unknown(unknown: &Unknown) -> String {
    match unknown {
        Unknown::RegionUnreadable { region, since } => {
            let since = since.map(|at| format!(" since {at:.0}")).unwrap_or_default();
            format!("{region} cannot be read; whatever arrived there{since} is not in this plan")
        }
        Unknown::LagUnmeasured => "how far the copy is behind".to_owned(),
        Unknown::NotListed { files } => format!("{files} more files than a plan can name"),
    }
}

/// A length of time for people.
fn length(length: SignedDuration) -> String {
    format!("{:#}", SignedDuration::from_secs(length.as_secs()))
}
