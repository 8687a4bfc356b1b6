//! Random dialects, random garbage, random worker counts, random kills: always the reference's answer.
use super::reference::{Marks, Record, parse, verdict};
use super::support::{Bench, Ran};
use proptest::prelude::*;
use serde_json::json;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use switchman::batch::Control;

fn bench(marks: Marks, unique: bool) -> Bench {
    let mut schema = json!({"fields": [
        {"name": "a", "constraints": {"required": true}},
        {"name": "b", "type": "integer", "constraints": {"maximum": 50}},
        {"name": "c", "constraints": {"enum": ["x", "yy"]}},
    ]});
    if unique {
        schema["primaryKey"] = json!("a");
    }
    let mut bench = Bench::new(&schema);
    bench.spec.dialect.delimiter = char::from(marks.delimiter);
    bench.spec.dialect.quote = marks.quote.map(char::from);
    bench
}

fn marks() -> impl Strategy<Value = Marks> {
    let delimiter = prop::sample::select(vec![b',', b';', b'\t', b'|']);
    let quote = prop::sample::select(vec![Some(b'"'), Some(b'"'), Some(b'\''), None]);
    (delimiter, quote).prop_map(|(delimiter, quote)| Marks { delimiter, quote })
}

/// Text in which everything that has a meaning is frequent; `D` and `Q` stand for the dialect's marks.
fn garbage() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&[u8]> = vec![
        b"a",
        b"x",
        b"yy",
        b"7",
        b"51",
        b"-3",
        b"D",
        b"D",
        b"D",
        b"Q",
        b"QQ",
        b"\n",
        b"\n",
        b"\r\n",
        b"\r",
        b" ",
        "é".as_bytes(),
        b"\xff",
        b"\0",
        b"aD7Dx\n",
        b"QaQD8Dyy\r\n",
        b"QaQQDQD9D\n",
    ];
    prop::collection::vec(prop::sample::select(pieces), 0..60).prop_map(|pieces| pieces.concat())
}

fn written(marks: Marks, text: &[u8]) -> Vec<u8> {
    let mark = |byte: &u8| match byte {
        b'D' => Some(marks.delimiter),
        b'Q' => marks.quote.or(Some(b'q')),
        byte => Some(*byte),
    };
    text.iter().filter_map(mark).collect()
}

/// Header, then rows: what is to be compared of a file.
fn rows(marks: Marks, file: &[u8]) -> Vec<Record> {
    parse(marks, file).split_off(1)
}

fn header(marks: Marks, names: &[&str]) -> Vec<u8> {
    let mut line = names.join(&char::from(marks.delimiter).to_string()).into_bytes();
    line.push(b'\n');
    line
}

fn check(marks: Marks, input: &[u8], ran: &Ran) {
    let header_end = header(marks, &["a", "b", "c"]);
    assert!(ran.output.starts_with(&header_end));
    let (mut output, mut rejects) = (rows(marks, &ran.output).into_iter(), rows(marks, &ran.rejects).into_iter());
    for record in rows(marks, input) {
        match verdict(&record, 3) {
            None => assert_eq!(output.next().unwrap().cells, record.cells),
            Some((reason, column)) => {
                let reject = rejects.next().unwrap();
                let cells = reject.cells.clone().unwrap();
                let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
                assert_eq!(
                    (text(&cells[0]), text(&cells[1]), text(&cells[2])),
                    (record.line.to_string(), column.to_owned(), reason.to_owned())
                );
                if record.cells.is_some() {
                    assert!(reject.raw.ends_with(&record.raw), "the row is untouched");
                } else {
                    assert_eq!(cells[4], record.raw);
                }
            }
        }
    }
    assert_eq!((output.next(), rejects.next()), (None, None));
}

/// Runs an attempt that is killed every few steps until one comes through; returns how often it was killed.
pub(crate) fn killed_again_and_again(bench: &Bench, out: &str, kills: &[usize]) -> (Ran, usize) {
    for (killed, &after) in kills.iter().chain(std::iter::once(&usize::MAX)).enumerate() {
        let steps = AtomicUsize::new(0);
        let control = Control::with_listener(move |_| {
            if steps.fetch_add(1, SeqCst) >= after {
                resume_unwind(Box::new("killed"));
            }
        });
        if let Ok(result) = catch_unwind(AssertUnwindSafe(|| bench.execute(out, None, &control))) {
            let summary = result.unwrap();
            assert_eq!(
                (control.progress().accepted, control.progress().rejected),
                (summary.accepted, summary.rejected)
            );
            return (bench.ran(out, summary), killed);
        }
    }
    unreachable!("the last attempt is not killed")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_row_ends_once_where_the_reference_says(marks in marks(), text in garbage(), chunk in 1_u64..200, workers in 1_usize..4) {
        let mut bench = bench(marks, false);
        bench.spec.chunk_bytes = chunk;
        bench.spec.workers = workers;
        let input = [header(marks, &["a", "b", "c"]), written(marks, &text)].concat();
        check(marks, &input, &bench.run(&input));
    }

    #[test]
    fn chunks_workers_and_kills_change_no_byte(
        marks in marks(), text in garbage(), chunk in 1_u64..100, limit in 16_usize..80, unique: bool, kills in prop::collection::vec(0_usize..14, 0..6)
    ) {
        let mut bench = bench(marks, unique);
        bench.spec.max_record_bytes = limit;
        bench.spec.workers = 1;
        bench.spec.chunk_bytes = 1 << 20;
        let input = [header(marks, &["a", "b", "c"]), written(marks, &text)].concat();
        let whole = bench.run(&input);
        bench.spec.chunk_bytes = chunk;
        bench.spec.workers = 2;
        let (ran, _) = killed_again_and_again(&bench, "cut", &kills);
        prop_assert_eq!(ran.output, whole.output);
        prop_assert_eq!(ran.rejects, whole.rejects);
    }
}

#[test]
fn every_kill_point_of_one_run_leads_to_the_same_result() {
    let marks = Marks { delimiter: b',', quote: Some(b'"') };
    let mut bench = bench(marks, true);
    bench.spec.chunk_bytes = 8;
    bench.spec.workers = 1;
    let whole = bench.run("a,b,c\n1,1,x\n2,,\n\"3\n3\",,\n1,7,yy\nbad\n2,,\n4,,\n");
    let mut points = 0;
    loop {
        let out = format!("out-{points}");
        let (ran, killed) = killed_again_and_again(&bench, &out, &[points]);
        assert_eq!((ran.output, ran.rejects), (whole.output.clone(), whole.rejects.clone()));
        if killed == 0 {
            break;
        }
        points += 1;
    }
    assert!(points > 20, "only {points} points");
}
