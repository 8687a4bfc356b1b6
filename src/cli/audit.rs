//! `switchman audit export | verify`: the trail as JSON Lines, and whether it is whole.

use super::args::{AuditCommand, ConfigArg};
use super::{Failure, Outcome, Terminal, block_on};
use crate::app;
use crate::config::Config;
use crate::domain::audit::{AuditBreak, AuditRecord, Verifier};
use crate::ports::Store;
use std::sync::Arc;

/// Records read in one go.
const PAGE: usize = 1_000;

pub(super) fn run(command: &AuditCommand, terminal: &mut Terminal) -> Outcome {
    match command {
        AuditCommand::Export(file) => block_on(async { export(&*store(file).await?, terminal).await })?,
        AuditCommand::Verify(file) => block_on(async { verify(&*store(file).await?, terminal).await })?,
    }
}

async fn store(file: &ConfigArg) -> Result<Arc<dyn Store>, Failure> {
    let (store, _) = app::open_store(&Config::load(&file.config)?).await?;
    Ok(store)
}

async fn export(store: &dyn Store, terminal: &mut Terminal) -> Outcome {
    let mut after = 0;
    loop {
        let page = page(store, after).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.seq;
        for record in &page {
            terminal.say(&serde_json::to_string(record).map_err(Failure::failed)?)?;
        }
    }
}

async fn verify(store: &dyn Store, terminal: &mut Terminal) -> Outcome {
    let head = store.audit_head().await.map_err(Failure::failed)?;
    let mut verifier = Verifier::new(head);
    let mut after = 0;
    let found: Result<u64, AuditBreak> = 'trail: loop {
        let page = page(store, after).await?;
        let Some(last) = page.last() else { break verifier.finish() };
        // A trail with a record moved to its end would never get further.
        after = last.seq.max(after + 1);
        for record in &page {
            if let Err(bad) = verifier.next(record) {
                break 'trail Err(bad);
            }
        }
    };
    match found {
        Ok(count) => terminal.say(&format!("audit: {count} records, all in their place")),
        Err(bad) => {
            terminal.note(&format!("audit: {bad}"));
            Err(Failure::Told)
        }
    }
}

async fn page(store: &dyn Store, after: u64) -> Result<Vec<AuditRecord>, Failure> {
    store.audit(after, PAGE).await.map_err(Failure::failed)
}
