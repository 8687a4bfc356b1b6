//! Reading the rejects of a finished attempt, a page at a time.
use super::durable;
use super::error::BatchError;
use super::plan::Plan;
use super::records::{Reading, Records};
use super::spec::Dialect;
use super::{PLAN, REJECTS};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// One rejected row, without the original columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    pub line: u64,
    pub column: String,
    pub reason: String,
    pub value: String,
}

/// Up to `max` rejects of the attempt in `dir`, from `skip` on.
pub fn read_rejects(dir: &Path, skip: u64, max: usize) -> Result<Vec<Rejected>, BatchError> {
    let path = dir.join(REJECTS);
    let plan = durable::read_json::<Plan>(&dir.join(PLAN))?;
    let plan = plan.ok_or_else(|| BatchError::State(format!("{} is not readable", path.display())))?;
    let file = File::open(&path).map_err(BatchError::io("open", &path))?;
    read_rejects_from(file, &plan, skip, max)
}

/// The same from wherever the rejects of an attempt with this plan are; no more is read than it takes.
pub fn read_rejects_from(from: impl Read, plan: &Plan, skip: u64, max: usize) -> Result<Vec<Rejected>, BatchError> {
    let damaged = || BatchError::State(format!("{REJECTS} is not readable"));
    let dialect: Dialect = serde_json::from_value(plan.dialect.clone()).map_err(|_| damaged())?;
    let syntax = dialect.syntax("dialect", &mut Vec::new());
    let mut records = Records::new(from, Reading { syntax, max_record: usize::MAX }, 0, 1);
    let (mut found, mut scratch) = (Vec::new(), Vec::new());
    let mut row = 0;
    // The header is row 0.
    while found.len() < max
        && let Some(head) = records.advance().map_err(BatchError::stream("read the rejects"))?
    {
        if row > skip {
            let body = records.body(&head);
            let mut text = |cell: usize| {
                let value = records.cells().get(cell).map(|cell| syntax.value(body, *cell, &mut scratch));
                value.map(|value| String::from_utf8_lossy(value).into_owned()).ok_or_else(damaged)
            };
            let line = text(0)?.parse().map_err(|_| damaged())?;
            found.push(Rejected { line, column: text(1)?, reason: text(2)?, value: text(3)? });
        }
        row += 1;
    }
    Ok(found)
}
