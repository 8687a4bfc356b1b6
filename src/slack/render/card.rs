//! A run as templates see it: text is still foreign here and is made harmless where the template writes it.

use super::words;
use crate::domain::command::Scope;
use crate::domain::parameter::{Parameter, Parameters};
use crate::domain::run::{Attempt, Input, Run, RunState};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Reasons shown on a card; the rest is counted.
const REASONS: usize = 10;
/// Characters of a file name on a card.
const FILE: usize = 80;
/// Characters of a failure.
const FAILURE: usize = 700;
/// A run that took less has no rate worth telling.
const RATED: SignedDuration = SignedDuration::from_secs(2);

/// One attempt of a run.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    run: String,
    job: String,
    file: String,
    bytes: u64,
    state: RunState,
    word: &'static str,
    /// A sign beside the word, never instead of it.
    sign: &'static str,
    attempt: u32,
    /// What this attempt does again; absent in the first.
    again: Option<&'static str>,
    /// Who asked; nobody where the file's arrival did.
    by: Option<String>,
    by_name: Option<String>,
    cancelled_by: Option<String>,
    percent: u8,
    rows: u64,
    accepted: u64,
    rejected: u64,
    chunks: u32,
    chunks_total: u32,
    rate: Option<u64>,
    left: Option<String>,
    took: Option<String>,
    asked_ago: String,
    ended_ago: Option<String>,
    reasons: Vec<Reason>,
    more_reasons: usize,
    failure: Option<String>,
    /// The whole failure did not fit.
    failure_cut: bool,
    /// What its buttons carry.
    key: String,
    /// What `reprocess-batch` would do again, where this is the newest attempt.
    redo: Option<Scope>,
    /// The number of the attempt that came after this one.
    followed_by: Option<u32>,
    /// Where that one is.
    followed_in: Option<String>,
    /// Where it is worked on.
    region: Option<String>,
    /// It has not ended.
    open: bool,
    workflow: bool,
    /// What a workflow was given.
    values: Vec<Given>,
    /// Since when it runs, in seconds since 1970.
    since: Option<i64>,
}

#[derive(Debug, Serialize)]
pub(super) struct Given {
    name: String,
    value: String,
}

/// The values of a workflow, whole.
pub(super) fn values(input: &Input) -> Vec<Given> {
    let one = |p: &Parameter| Given { name: p.name.to_string(), value: p.value.to_string() };
    input.parameters.iter().flat_map(Parameters::iter).map(one).collect()
}

#[derive(Debug, Serialize)]
struct Reason {
    reason: String,
    count: u64,
}

/// What is done again, in words.
fn scope_words(scope: Scope) -> &'static str {
    match scope {
        Scope::Rows => "the rejected rows",
        Scope::Chunks => "the chunks that were not finished",
        Scope::All => "the whole input",
    }
}

/// For people who look for a run among many; the word says it to everybody.
fn sign(state: RunState) -> &'static str {
    match state {
        RunState::Starting => "⏳",
        RunState::Running => "▶️",
        RunState::Cancelling => "✋",
        RunState::Succeeded => "✅",
        RunState::Failed => "❌",
        RunState::Cancelled => "⏹️",
        RunState::LeftBehind => "↪️",
    }
}

impl Card {
    /// The attempt of that number, or the newest where there is none.
    pub(super) fn of(run: &Run, attempt: u32, now: Timestamp) -> Self {
        let shown = run.attempt(attempt).unwrap_or_else(|| run.current());
        let newest = run.current().number;
        let failure = shown.failure.as_deref().map(str::trim).filter(|failure| !failure.is_empty());
        Self {
            run: run.id.to_string(),
            job: run.job.to_string(),
            file: words::cut(run.input.name.as_str(), FILE),
            bytes: run.input.bytes,
            state: shown.state,
            word: shown.state.word(),
            sign: sign(shown.state),
            attempt: shown.number,
            again: (shown.number > 1).then(|| scope_words(shown.scope)),
            by: shown.asked_by.person().map(|person| person.user.to_string()),
            by_name: shown.asked_by.person().map(name),
            cancelled_by: shown.cancelled_by.as_ref().map(|actor| actor.user.to_string()),
            percent: shown.progress.percent(),
            rows: shown.progress.rows,
            accepted: shown.progress.accepted,
            rejected: shown.progress.rejected,
            chunks: shown.progress.chunks,
            chunks_total: shown.progress.chunks_total,
            rate: rate(shown, now),
            left: left(shown, now),
            took: took(shown),
            asked_ago: words::ago(shown.asked_at, now),
            ended_ago: shown.ended_at.map(|ended| words::ago(ended, now)),
            reasons: shown
                .reasons
                .iter()
                .take(REASONS)
                .map(|r| Reason { reason: r.reason.clone(), count: r.count })
                .collect(),
            more_reasons: shown.reasons.len().saturating_sub(REASONS),
            failure: failure.map(|failure| words::cut(failure, FAILURE)),
            failure_cut: failure.is_some_and(|failure| failure.chars().nth(FAILURE).is_some()),
            key: format!("{}.{}", run.id, shown.number),
            redo: if shown.number == newest { run.to_redo() } else { None },
            followed_by: (shown.number < newest).then_some(newest),
            followed_in: run.current().region.as_ref().map(ToString::to_string),
            region: shown.region.as_ref().map(ToString::to_string),
            open: !shown.state.is_terminal(),
            workflow: run.input.parameters.is_some(),
            values: values(&run.input),
            since: shown.started_at.map(Timestamp::as_second),
        }
    }

    /// The newest attempt.
    pub(super) fn newest(run: &Run, now: Timestamp) -> Self {
        Self::of(run, run.current().number, now)
    }
}

/// A name people know; the id where Slack sent none.
pub(super) fn name(actor: &crate::domain::actor::Actor) -> String {
    if actor.name.trim().is_empty() { actor.user.to_string() } else { words::cut(&actor.name, 60) }
}

/// Rows per second: so far while it runs, over all once it has ended. A run that was over at once says nothing about speed.
fn rate(attempt: &Attempt, now: Timestamp) -> Option<u64> {
    let started = attempt.started_at?;
    if attempt.ended_at.is_some_and(|ended| ended.duration_since(started) < RATED) {
        return None;
    }
    attempt.progress.rows_per_second(started, attempt.ended_at.unwrap_or(now))
}

fn left(attempt: &Attempt, now: Timestamp) -> Option<String> {
    let left = attempt.progress.time_left(attempt.started_at?, now).filter(|_| attempt.state == RunState::Running)?;
    let seconds = u64::try_from(left.as_secs()).ok()?;
    // A tenth of a second would be a guess.
    Some(match seconds {
        0 => "under 1 s left".to_owned(),
        1..10 => format!("about {seconds} s left"),
        _ => format!("about {} left", words::duration(seconds * 1000)),
    })
}

fn took(attempt: &Attempt) -> Option<String> {
    let took = attempt.ended_at?.duration_since(attempt.started_at?);
    Some(words::duration(u64::try_from(took.as_millis()).unwrap_or(0)))
}
