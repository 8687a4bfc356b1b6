//! The planner and the parser of rows: any bytes, in any dialect, cut into chunks of any size.
//!
//! An input is one line of settings and then the file. The settings are the delimiter, the quote (`-`: none), `h` or `n` for a header,
//! and the sizes of a chunk and of the longest record: `,"n 20 64`. Corpus files are written so that people can read and add to them.
#![no_main]

#[path = "../../batch/reference.rs"]
#[expect(dead_code, reason = "the judgement of rows is for the property tests")]
mod reference;

use libfuzzer_sys::fuzz_target;
use reference::{Marks, Record, parse_within};
use std::io::{self, Cursor, Read};
use std::path::Path;
use switchman::batch::chunk::{Given, Sinks, process};
use switchman::batch::plan::Plan;
use switchman::batch::records::{Head, Reading, Records, Shape};
use switchman::batch::spec::Dialect;
use switchman::batch::split::Syntax;
use switchman::batch::{BatchError, Control, Job, Spec};

const SCHEMA: &str =
    r#"{"fields": [{"name": "a"}, {"name": "b", "type": "integer"}, {"name": "c", "constraints": {"maxLength": 3}}]}"#;

fuzz_target!(|data: &[u8]| {
    let Some((settings, file)) = settings(data) else { return };
    let Some(job) = job(&settings) else { return };
    let plan = match Plan::make(&job, file, &Control::default()) {
        Ok(plan) => plan,
        Err(BatchError::EmptyInput | BatchError::Header(_) | BatchError::Encoding(_)) => return,
        Err(other) => panic!("{other}"),
    };
    let start = covers(&plan, file, settings.chunk);
    let marks = Marks { delimiter: settings.delimiter, quote: settings.quote };
    let mut expected = parse_within(marks, settings.limit, &file[start..]);
    let before = plan.chunks.first().map_or(0, |chunk| chunk.first_line - 1);
    expected.iter_mut().for_each(|record| record.line += before);
    assert_eq!(records(&plan, &settings, file), expected);
    rows_add_up(&job, &plan, file, expected.len() as u64);
});

struct Settings {
    delimiter: u8,
    quote: Option<u8>,
    header: bool,
    chunk: u64,
    limit: usize,
}

fn settings(data: &[u8]) -> Option<(Settings, &[u8])> {
    let end = data.iter().position(|byte| *byte == b'\n')?;
    let (&[delimiter, quote, header], sizes) = data[..end].split_first_chunk()?;
    let mut sizes = std::str::from_utf8(sizes).ok()?.split_ascii_whitespace().map(str::parse::<u32>);
    let (chunk, limit) = (sizes.next()?.ok()?, sizes.next()?.ok()?);
    let quote = Some(quote).filter(|quote| *quote != b'-');
    let settings =
        Settings { delimiter, quote, header: header == b'h', chunk: u64::from(chunk), limit: limit as usize };
    Some((settings, &data[end + 1..]))
}

/// `None` where the settings are refused.
fn job(settings: &Settings) -> Option<Job> {
    let dialect = Dialect {
        delimiter: char::from(settings.delimiter),
        quote: settings.quote.map(char::from),
        header: settings.header,
        ..Dialect::default()
    };
    let spec =
        Spec { dialect, chunk_bytes: settings.chunk, max_record_bytes: settings.limit, ..Spec::new("schema.json") };
    let mut open = |_: &Path| -> io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(SCHEMA))) };
    Job::load_with(&spec, &mut open).ok()
}

/// The chunks lie one behind the other and cover the file from behind its header to its end; says where they begin.
fn covers(plan: &Plan, file: &[u8], chunk_bytes: u64) -> usize {
    let size = file.len() as u64;
    assert_eq!(plan.bytes, size);
    let mut at = plan.chunks.first().map_or(size, |chunk| chunk.start);
    let start = usize::try_from(at).expect("an offset in the file");
    for (index, chunk) in plan.chunks.iter().enumerate() {
        assert_eq!((chunk.index, chunk.start), (index, at));
        assert!(chunk.bytes > 0);
        assert!(chunk.bytes >= chunk_bytes || index + 1 == plan.chunks.len(), "only the last one is smaller");
        at += chunk.bytes;
    }
    assert_eq!(at, size);
    start
}

/// The records of all chunks, each chunk read by itself.
fn records(plan: &Plan, settings: &Settings, file: &[u8]) -> Vec<Record> {
    let reading =
        Reading { syntax: Syntax { delimiter: settings.delimiter, quote: settings.quote }, max_record: settings.limit };
    let mut found: Vec<Record> = Vec::new();
    for chunk in &plan.chunks {
        let mut records = Records::new(bytes(file, chunk.start, chunk.bytes), reading, chunk.start, chunk.first_line);
        let mut end = chunk.start;
        while let Some(head) = records.advance().expect("memory can be read") {
            assert_eq!(head.offset, end, "nothing is left out");
            end += head.len as u64;
            add(&mut found, &records, &head, reading.syntax);
        }
        assert_eq!(end, chunk.start + chunk.bytes);
    }
    found
}

fn add<R: Read>(found: &mut Vec<Record>, records: &Records<R>, head: &Head, syntax: Syntax) {
    let body = records.body(head);
    match head.shape {
        Shape::Record => {
            let cell = |cell: &_| syntax.value(body, *cell, &mut Vec::new()).to_vec();
            let cells = Some(records.cells().iter().map(cell).collect());
            found.push(Record { line: head.line, raw: body.to_vec(), cells });
        }
        Shape::Torn { first: true, .. } => found.push(Record { line: head.line, raw: body.to_vec(), cells: None }),
        // A further piece of the same line.
        Shape::Torn { first: false, .. } => found.last_mut().expect("a first piece").raw.extend_from_slice(body),
    }
}

/// Every record is accepted or rejected, and what the chunks write is what one chunk over everything writes.
fn rows_add_up(job: &Job, plan: &Plan, file: &[u8], rows: u64) {
    let run = |plan: &Plan| {
        let (mut output, mut rejects, mut counted) = (Vec::new(), Vec::new(), 0);
        for chunk in &plan.chunks {
            let input = bytes(file, chunk.start, chunk.bytes);
            let sinks = Sinks { output: &mut output, rejects: &mut rejects, keys: None };
            let done = process(job, chunk, input, sinks, Given::default(), &Control::default());
            counted += done.expect("the file did not change").counted.rows();
        }
        (output, rejects, counted)
    };
    let cut = run(plan);
    assert_eq!(cut.2, rows);
    let mut whole = job.spec.clone();
    whole.chunk_bytes = u64::MAX;
    let mut open = |_: &Path| -> io::Result<Box<dyn Read>> { Ok(Box::new(Cursor::new(SCHEMA))) };
    let whole = Job::load_with(&whole, &mut open).expect("the size of a chunk makes no job wrong");
    let whole = Plan::make(&whole, file, &Control::default()).expect("it was planned before");
    assert!(whole.chunks.len() <= 1);
    assert_eq!(run(&whole), cut);
}

fn bytes(file: &[u8], start: u64, length: u64) -> &[u8] {
    let place = |offset: u64| usize::try_from(offset).expect("an offset in the file");
    &file[place(start)..place(start + length)]
}
