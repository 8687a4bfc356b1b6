//! Moves to another region as templates see them: the plan, and what became of each file. The words stand in `blocks/move_parts.json`.

use super::words;
use crate::domain::failover::{
    FailOver, FailOverPlan, FailOverState, FileCase, FileOutcome, FileReport, FileState, Move, Routed, Treatment,
    Unknown,
};
use crate::domain::region::Replication;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

/// Files that are named in one list of a card; the rest is counted.
pub(super) const NAMED: usize = 10;
/// Files that are named in a form, where somebody decides.
pub(super) const ALL_NAMED: usize = 400;
/// Files in the table of outcomes: what can be read, and far below Slack's 100 rows and 10,000 characters.
const ROWS: usize = 25;
/// Characters of a file's name and of a reason in a list.
const FILE: usize = 60;
const WHY: usize = 100;

/// A plan of a move.
#[derive(Debug, Serialize)]
pub(super) struct PlanCard {
    kind: Move,
    from: String,
    to: String,
    epoch: u64,
    /// Seconds since 1970.
    made_at: i64,
    copy: Copy,
    expected: Option<String>,
    recovery_target: String,
    loss_target: String,
    /// Whether what is known to be behind is within the target; `None`: it is not known.
    loss_met: Option<bool>,
    groups: Vec<Group>,
    total: usize,
    lost: Vec<Named>,
    lost_count: usize,
    unknowns: Vec<UnknownCard>,
    more_unfinished: u32,
    more_lag: String,
}

/// How far a copy is behind.
#[derive(Debug, Serialize)]
pub(super) struct Copy {
    /// `None`: it could not be measured.
    lag: Option<String>,
    /// Nothing is behind.
    level: bool,
    pending: Option<u64>,
    /// When it was last complete, in seconds since 1970.
    complete_at: Option<i64>,
}

/// Files in the same state.
#[derive(Debug, Serialize)]
struct Group {
    #[serde(flatten)]
    state: FileState,
    treatment: Treatment,
    count: usize,
}

#[derive(Debug, Serialize)]
struct Named {
    file: String,
    job: String,
    /// What is known about it in the region it is moved to.
    #[serde(flatten)]
    state: FileState,
    why: Option<String>,
    percent: Option<u8>,
}

#[derive(Debug, Serialize)]
struct UnknownCard {
    #[serde(flatten)]
    unknown: Unknown,
    /// Seconds since 1970.
    since_at: Option<i64>,
}

/// A move that was approved.
#[derive(Debug, Serialize)]
pub(super) struct MoveCard {
    id: String,
    plan: PlanCard,
    state: FailOverState,
    word: &'static str,
    sign: &'static str,
    by: String,
    by_name: String,
    approved_at: i64,
    switched_at: Option<i64>,
    ended_at: Option<i64>,
    epoch: Option<u64>,
    /// How long it took, or has taken so far.
    took: String,
    recovery_met: Option<bool>,
    data_loss: Option<String>,
    loss_met: Option<bool>,
    total: usize,
    accounted: usize,
    percent: u8,
    recovered: usize,
    kept: usize,
    working: usize,
    pending: usize,
    failed: usize,
    lost: usize,
    working_files: Vec<Named>,
    lost_files: Vec<Named>,
    failed_files: Vec<Named>,
    rows: Vec<Row>,
    more_rows: usize,
    /// Who else was told of the switch, and why one does not know.
    routed: Vec<Routed>,
    ago: Option<String>,
    days: Option<i64>,
}

/// One file of the outcome table.
#[derive(Debug, Serialize)]
struct Row {
    file: String,
    #[serde(flatten)]
    before: FileState,
    outcome: &'static str,
    how: Option<Treatment>,
    run: Option<String>,
    why: Option<String>,
}

impl PlanCard {
    /// Up to `names` files that would be lost are named.
    pub(super) fn of(plan: &FailOverPlan, names: usize) -> Self {
        let lost: Vec<&FileCase> = plan.lost().collect();
        Self {
            kind: plan.kind,
            from: plan.from.to_string(),
            to: plan.to.to_string(),
            epoch: plan.epoch,
            made_at: plan.made_at.as_second(),
            copy: Copy::of(&plan.replication),
            expected: plan.expected.map(duration),
            recovery_target: duration(plan.targets.recovery_time),
            loss_target: duration(plan.targets.data_loss),
            loss_met: plan.replication.lag.map(|lag| lag <= plan.targets.data_loss),
            groups: groups(&plan.files),
            total: plan.files.len(),
            lost: lost.iter().take(names).map(|case| named(case)).collect(),
            lost_count: lost.len(),
            unknowns: plan.unknowns.iter().map(UnknownCard::of).collect(),
            more_unfinished: plan.tolerance.more_unfinished,
            more_lag: duration(plan.tolerance.more_lag),
        }
    }
}

impl Copy {
    pub(super) fn of(replication: &Replication) -> Self {
        Self {
            lag: replication.lag.map(duration),
            level: replication.lag.is_some_and(|lag| lag.is_zero()) && replication.pending.unwrap_or(0) == 0,
            pending: replication.pending,
            complete_at: replication.complete_at.map(Timestamp::as_second),
        }
    }
}

impl UnknownCard {
    fn of(unknown: &Unknown) -> Self {
        let since_at = match unknown {
            Unknown::RegionUnreadable { since, .. } => since.map(Timestamp::as_second),
            Unknown::LagUnmeasured | Unknown::NotListed { .. } => None,
        };
        Self { unknown: unknown.clone(), since_at }
    }
}

impl MoveCard {
    pub(super) fn of(record: &FailOver, now: Timestamp) -> Self {
        let count = |outcome: &str| record.with_outcome(|o| key(o) == outcome).count();
        let files = |outcome: &str| record.with_outcome(|o| key(o) == outcome).take(NAMED).map(reported).collect();
        let accounted = record.with_outcome(FileOutcome::is_final).count();
        let took = record.ended_at.unwrap_or(now).duration_since(record.approved_at);
        let targets = record.plan.targets;
        Self {
            id: record.id.to_string(),
            plan: PlanCard::of(&record.plan, NAMED),
            state: record.state,
            word: record.state.word(),
            sign: sign(record),
            by: record.asked_by.user.to_string(),
            by_name: super::card::name(&record.asked_by),
            approved_at: record.approved_at.as_second(),
            switched_at: record.switched_at.map(Timestamp::as_second),
            ended_at: record.ended_at.map(Timestamp::as_second),
            epoch: record.epoch,
            took: duration(took),
            recovery_met: record.recovery_time().map(|time| time <= targets.recovery_time),
            data_loss: record.data_loss.map(duration),
            loss_met: record.data_loss.map(|lag| lag <= targets.data_loss),
            total: record.files.len(),
            accounted,
            percent: percent(accounted, record.files.len()),
            recovered: count("recovered"),
            kept: count("kept"),
            working: count("working"),
            pending: count("pending"),
            failed: count("failed"),
            lost: count("lost"),
            working_files: files("working"),
            lost_files: files("lost"),
            failed_files: files("failed"),
            rows: rows(&record.files),
            more_rows: record.files.len().saturating_sub(ROWS),
            routed: record.routed.clone(),
            ago: record.ended_at.map(|at| words::ago(at, now)),
            days: record.ended_at.map(|at| now.duration_since(at).as_secs().max(0) / 86_400),
        }
    }
}

/// The files by state, those first that need the most attention.
fn groups(files: &[FileCase]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for case in files {
        let state = alike(&case.state);
        match groups.iter_mut().find(|g| g.state == state && g.treatment == case.treatment) {
            Some(group) => group.count += 1,
            None => groups.push(Group { state, treatment: case.treatment, count: 1 }),
        }
    }
    groups.sort_by_key(|group| (weight(group.treatment), std::cmp::Reverse(group.count)));
    groups
}

/// The state without what differs from file to file: of the chunks, only whether there are any.
fn alike(state: &FileState) -> FileState {
    let (some, chunks_total) = (|chunks: u32| chunks.min(1), 0);
    match state {
        FileState::MidFlight { chunks, .. } => FileState::MidFlight { chunks: some(*chunks), chunks_total },
        FileState::InputMissing { chunks, .. } => FileState::InputMissing { chunks: some(*chunks), chunks_total },
        FileState::Failed { chunks, .. } => FileState::Failed { chunks: some(*chunks), chunks_total },
        other => other.clone(),
    }
}

fn weight(treatment: Treatment) -> u8 {
    match treatment {
        Treatment::Lose => 0,
        Treatment::Resume => 1,
        Treatment::Restart => 2,
        Treatment::Adopt => 3,
        Treatment::Keep => 4,
    }
}

fn named(case: &FileCase) -> Named {
    Named {
        file: words::cut(case.file.as_str(), FILE),
        job: case.job.to_string(),
        state: case.state.clone(),
        why: None,
        percent: None,
    }
}

fn reported(report: &FileReport) -> Named {
    let (why, percent) = match &report.outcome {
        FileOutcome::Working { percent, .. } => (None, Some(*percent)),
        FileOutcome::Failed { why, .. } | FileOutcome::Lost { why } => (Some(words::cut(why.trim(), WHY)), None),
        FileOutcome::Pending | FileOutcome::Kept | FileOutcome::Recovered { .. } => (None, None),
    };
    Named { why, percent, ..named(&report.case) }
}

/// The files that need the most attention first: lost, failed, recovered, and those that were kept.
fn rows(files: &[FileReport]) -> Vec<Row> {
    let mut sorted: Vec<&FileReport> = files.iter().collect();
    sorted.sort_by_key(|report| importance(&report.outcome));
    sorted.into_iter().take(ROWS).map(row).collect()
}

fn importance(outcome: &FileOutcome) -> u8 {
    match outcome {
        FileOutcome::Lost { .. } => 0,
        FileOutcome::Failed { .. } => 1,
        FileOutcome::Pending | FileOutcome::Working { .. } => 2,
        FileOutcome::Recovered { .. } => 3,
        FileOutcome::Kept => 4,
    }
}

fn row(report: &FileReport) -> Row {
    let run = match &report.outcome {
        FileOutcome::Working { attempt, .. }
        | FileOutcome::Recovered { attempt, .. }
        | FileOutcome::Failed { attempt, .. } => Some(attempt.run.to_string()),
        FileOutcome::Pending | FileOutcome::Kept | FileOutcome::Lost { .. } => None,
    };
    let how = match &report.outcome {
        FileOutcome::Recovered { how, .. } => Some(*how),
        _ => None,
    };
    Row {
        file: words::cut(report.case.file.as_str(), FILE),
        before: report.case.state.clone(),
        outcome: key(&report.outcome),
        how,
        run,
        why: reported(report).why,
    }
}

/// The outcome as templates know it.
fn key(outcome: &FileOutcome) -> &'static str {
    match outcome {
        FileOutcome::Pending => "pending",
        FileOutcome::Working { .. } => "working",
        FileOutcome::Kept => "kept",
        FileOutcome::Recovered { .. } => "recovered",
        FileOutcome::Failed { .. } => "failed",
        FileOutcome::Lost { .. } => "lost",
    }
}

fn sign(record: &FailOver) -> &'static str {
    let bad = |o: &FileOutcome| matches!(o, FileOutcome::Lost { .. } | FileOutcome::Failed { .. });
    match record.state {
        FailOverState::Switching | FailOverState::Recovering => "▶️",
        FailOverState::Finished if record.with_outcome(bad).next().is_some() => "⚠️",
        FailOverState::Finished => "✅",
        FailOverState::Overtaken => "⏹️",
    }
}

fn percent(part: usize, whole: usize) -> u8 {
    u8::try_from((part * 100).checked_div(whole).unwrap_or(100)).unwrap_or(100)
}

/// A length of time in words.
pub(super) fn duration(length: SignedDuration) -> String {
    words::duration(u64::try_from(length.as_millis()).unwrap_or(0))
}
