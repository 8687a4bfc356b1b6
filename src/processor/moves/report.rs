//! The report of a move as a file: every file by name, before and after.

use super::super::Ctx;
use super::super::deliver::done;
use super::super::pace::BETWEEN_EDITS;
use crate::domain::failover::{FailOver, FileOutcome, FileReport, FileState};
use crate::domain::id::RequestId;
use crate::domain::reply::Reply;
use crate::ports::{Effect, Kind, PortError, Settled, load, move_key};

/// Attaches it to the message of the move.
pub(in crate::processor) async fn attach_report(ctx: &Ctx, id: &RequestId) -> Result<Settled, PortError> {
    let Some(at) = ctx.store.receipt(&Effect::ShowMove { request: id.clone() }.key("")).await? else {
        let why = "the message to attach to is not posted yet".to_owned();
        return Ok(Settled::Later { at: ctx.clock.now() + BETWEEN_EDITS, why, count: true });
    };
    let Some(record) = load::<FailOver>(ctx.store.as_ref(), &move_key(id)).await? else {
        return Ok(done(ctx));
    };
    let name = format!("{}-{id}.csv", record.plan.kind.word());
    let comment =
        Reply::FailOverReport { request: id.clone(), files: record.files.len(), user: record.asked_by.user.clone() };
    match ctx.chat.attach(&at, &name, csv(&record)?, &comment).await {
        Err(error) if !matches!(error.kind, Kind::Transient { .. }) => {
            tracing::warn!(request = %id, %error, "the report of {id} could not be attached; its message has the outcome");
            Ok(done(ctx))
        }
        result => result.map(|()| done(ctx)),
    }
}

fn csv(record: &FailOver) -> Result<Vec<u8>, PortError> {
    let failed = |e: csv::Error| PortError::permanent("the report cannot be written").because(e);
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["job", "file", "run", "before", "after", "detail"]).map_err(failed)?;
    for report in &record.files {
        let run = report.case.attempt.as_ref().map(|key| key.run.to_string()).unwrap_or_default();
        let (after, detail) = after(report);
        let line =
            [report.case.job.as_str(), report.case.file.as_str(), &run, &before(&report.case.state), after, &detail];
        writer.write_record(line).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| PortError::permanent("the report cannot be written").because(e.to_string()))
}

fn before(state: &FileState) -> String {
    match state {
        FileState::NotReplicated => "not replicated".to_owned(),
        FileState::Untouched => "untouched".to_owned(),
        FileState::MidFlight { chunks, chunks_total } => format!("{chunks} of {chunks_total} chunks done"),
        FileState::InputMissing { chunks, .. } => format!("{chunks} chunks there and the input not"),
        FileState::Merged => "merged and not announced".to_owned(),
        FileState::Done => "done".to_owned(),
        FileState::ResultMissing => "done and its result not replicated".to_owned(),
        FileState::Failed { chunks, chunks_total } => format!("failed with {chunks} of {chunks_total} chunks done"),
        FileState::Waiting => "waiting".to_owned(),
        FileState::Unknown => "unknown".to_owned(),
    }
}

fn after(report: &FileReport) -> (&'static str, String) {
    match &report.outcome {
        FileOutcome::Pending => ("pending", String::new()),
        FileOutcome::Working { attempt, percent } => ("under way", format!("{attempt}, {percent} %")),
        FileOutcome::Kept => ("kept", String::new()),
        FileOutcome::Recovered { attempt, .. } => ("recovered", attempt.to_string()),
        FileOutcome::Failed { attempt, why } => ("failed", format!("{attempt}: {why}")),
        FileOutcome::Lost { why } => ("lost", why.clone()),
    }
}
