//! Pages of rejected rows, read from the bucket as far as they are needed.

use super::StepFunctionsEngine;
use crate::batch::plan::Plan;
use crate::batch::{self, BatchError, PLAN, REJECTS, Reason, Rejected, SUMMARY, Summary};
use crate::domain::run::AttemptKey;
use crate::ports::{PortError, RejectPage, RejectedRow};
use aws_sdk_s3::primitives::ByteStream;
use bytes::Bytes;
use std::io::{self, Read};
use tokio::sync::mpsc::{Receiver, channel};

/// So many pieces of an answer wait to be read.
const AHEAD: usize = 4;

pub(super) async fn rejects(
    engine: &StepFunctionsEngine,
    key: &AttemptKey,
    skip: u64,
    max: usize,
) -> Result<RejectPage, PortError> {
    let Some(summary) = engine.folders.json::<Summary>(key, SUMMARY).await? else { return Ok(RejectPage::default()) };
    let total = summary.rejected;
    if max == 0 || skip >= total {
        return Ok(RejectPage { rows: Vec::new(), total });
    }
    let gone = |what: &str| PortError::permanent(format!("{what} of {key} is not there any more; it cannot be shown"));
    let plan = engine.folders.json::<Plan>(key, PLAN).await?.ok_or_else(|| gone("the plan"))?;
    let body = engine.folders.open(key, REJECTS).await?.ok_or_else(|| gone("the list of rejected rows"))?;
    let from = piped(body);
    let reading = tokio::task::spawn_blocking(move || batch::read_rejects_from(from, &plan, skip, max)).await;
    let read = reading.map_err(|error| PortError::transient("reading rejected rows broke off").because(error))?;
    Ok(RejectPage { rows: read.map_err(unusable)?.into_iter().map(row).collect(), total })
}

fn row(row: Rejected) -> RejectedRow {
    RejectedRow {
        line: row.line,
        column: row.column,
        explanation: Reason::parse(&row.reason).map_or("", Reason::explain).to_owned(),
        reason: row.reason,
        value: row.value,
    }
}

fn unusable(error: BatchError) -> PortError {
    match error {
        BatchError::Io { what, source } => PortError::transient(format!("could not {what}")).because(source),
        error => PortError::permanent(error.to_string()),
    }
}

/// The answer for somebody who reads it on a blocking thread. When that one has enough, the rest is not fetched.
fn piped(mut body: ByteStream) -> Piped {
    let (pieces, from) = channel(AHEAD);
    tokio::spawn(async move {
        while let Some(piece) = body.next().await {
            if pieces.send(piece.map_err(io::Error::other)).await.is_err() {
                return;
            }
        }
    });
    Piped { from, piece: Bytes::new() }
}

struct Piped {
    from: Receiver<io::Result<Bytes>>,
    piece: Bytes,
}

impl Read for Piped {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() {
            match self.from.blocking_recv() {
                Some(piece) => self.piece = piece?,
                None => return Ok(0),
            }
        }
        let n = to.len().min(self.piece.len());
        to[..n].copy_from_slice(&self.piece.split_to(n));
        Ok(n)
    }
}
