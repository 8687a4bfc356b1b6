//! Kills at the two ends of an attempt: while a large input is still planned, and while the result gets its names.
use super::properties::killed_again_and_again;
use super::support::Bench;
use serde_json::json;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use switchman::batch::{Control, Step};

fn bench(listed: &[&str]) -> Bench {
    let fields =
        json!([{"name": "id", "type": "integer"}, {"name": "word", "constraints": {"enum": listed}}, {"name": "text"}]);
    Bench::new(&json!({"fields": fields}))
}

fn rows(count: u32) -> String {
    let row = |id: u32| match id % 100 {
        7 => format!("{id},one,\"a, \"\"b\"\"\n{id}\"\n"),
        8 => format!("{id},three,\n"),
        9 => format!("no,one,\"c{id}\"\r\n"),
        _ => format!("{id},two,{:060}\n", id),
    };
    "id,word,text\n".to_owned() + &(0..count).map(row).collect::<String>()
}

#[test]
fn a_large_input_is_processed_while_it_is_planned_and_kills_change_no_byte() {
    let mut bench = bench(&["one", "two"]);
    bench.spec.workers = 1;
    bench.spec.chunk_bytes = 1 << 30;
    let input = rows(40_000);
    assert!(input.len() > 5 << 19, "too small to be planned meanwhile");
    let whole = bench.run(&input);
    bench.spec.workers = 3;
    bench.spec.chunk_bytes = 50_000;
    for kills in [&[][..], &[0], &[1, 1], &[5, 40], &[60, 3, 20], &[100]] {
        let out = format!("out-{kills:?}");
        let (ran, killed) = killed_again_and_again(&bench, &out, kills);
        assert_eq!(killed > 0, !kills.is_empty());
        assert!(ran.output == whole.output && ran.rejects == whole.rejects, "{kills:?}");
    }
}

#[test]
fn without_its_plan_nothing_counts_that_an_attempt_has_left() {
    for size in [1_000, 40_000] {
        let mut bench = bench(&["one", "two"]);
        bench.spec.workers = 1;
        bench.spec.chunk_bytes = 20_000;
        bench.write("input.csv", rows(size));
        let control = Control::with_listener(|step| {
            if step == Step::ChunkDone(2) {
                resume_unwind(Box::new("killed"));
            }
        });
        assert!(catch_unwind(AssertUnwindSafe(|| bench.execute("out", None, &control))).is_err());
        assert!(bench.path("out/parts/result.done").exists());
        let _ = fs::remove_file(bench.path("out/plan.json"));
        let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "word"}, {"name": "text"}]});
        bench.write("schema.json", schema.to_string());
        let summary = bench.execute("out", None, &Control::default()).unwrap();
        let ran = bench.ran("out", summary);
        assert!(ran == bench.run(rows(size)), "{size} rows");
    }
}

#[test]
fn what_was_published_before_a_kill_is_taken_back_and_not_done_again() {
    let mut bench = bench(&["one", "two"]);
    bench.spec.chunk_bytes = 4_000;
    let whole = bench.run(rows(500));
    for (at, published) in
        [(Step::RejectsPublished, vec!["rejects.csv"]), (Step::OutputPublished, vec!["rejects.csv", "output.csv"])]
    {
        let out = format!("{at:?}");
        let control = Control::with_listener(move |step| {
            if step == at {
                resume_unwind(Box::new("killed"));
            }
        });
        assert!(catch_unwind(AssertUnwindSafe(|| bench.execute(&out, None, &control))).is_err());
        for name in published {
            assert!(bench.path(&out).join(name).exists(), "{name} has its name at {at:?}");
        }
        let worked = Arc::new(AtomicBool::new(false));
        let (seen, folder) = (Arc::clone(&worked), bench.path(&out));
        let again = Control::with_listener(move |step| {
            if step == Step::RejectsPublished {
                assert!(!folder.join("output.csv").exists(), "the output was taken back");
            }
            seen.fetch_or(matches!(step, Step::Rows | Step::ChunkDone(_)), SeqCst);
        });
        let summary = bench.execute(&out, None, &again).unwrap();
        assert!(!worked.load(SeqCst), "rows were processed again");
        assert!(bench.ran(&out, summary) == whole, "{at:?}");
        assert!(!bench.path(&out).join("parts").exists());
    }
}
