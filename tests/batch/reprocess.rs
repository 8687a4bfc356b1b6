//! Doing again: rejected rows, unfinished chunks, everything; and stopping half-way.
use super::support::Bench;
use serde_json::json;
use std::fs;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::{Arc, OnceLock, Weak};
use switchman::batch::{BatchError, Control, Redo, Scope, Step};

fn shop(unique: bool) -> Bench {
    let mut schema = json!({"fields": [{"name": "id"}, {"name": "n", "type": "integer"}]});
    if unique {
        schema["primaryKey"] = json!("id");
    }
    let mut bench = Bench::new(&schema);
    bench.spec.chunk_bytes = 20;
    bench.spec.lookups =
        vec![serde_json::from_value(json!({"file": "names.csv", "key": "id", "columns": ["name"]})).unwrap()];
    bench
}

fn rows() -> String {
    let row = |id: u32| match id {
        7 => "\"7\nx\",7\n".to_owned(),
        11 => "11,no\n".to_owned(),
        12 => "12,\"never\n".to_owned(),
        id => format!("{id},{id}\n"),
    };
    let body: String = (1..=40).map(row).collect();
    format!("id,n\n{body}3,3\n")
}

fn names(all: bool) -> String {
    let line = |id: u32| if id == 7 { "\"7\nx\",seven\n".to_owned() } else { format!("{id},name {id}\n") };
    let body: String = (1..=40).filter(|id| all || id % 5 != 3).map(line).collect();
    format!("id,name\n{body}")
}

#[expect(clippy::unnecessary_wraps, reason = "what execute asks for")]
fn redo(scope: Scope, earlier: &std::path::PathBuf) -> Option<Redo<'_>> {
    Some(Redo { scope, earlier: std::slice::from_ref(earlier) })
}

/// A control that cancels itself when the step is reached.
fn stopping_at(at: Step) -> Arc<Control> {
    let own = Arc::new(OnceLock::<Weak<Control>>::new());
    let weak = Arc::clone(&own);
    let control = Arc::new(Control::with_listener(move |step| {
        if step == at {
            weak.get().and_then(Weak::upgrade).unwrap().cancel();
        }
    }));
    own.set(Arc::downgrade(&control)).unwrap();
    control
}

#[test]
fn rejected_rows_come_back_in_their_place() {
    for unique in [false, true] {
        let bench = shop(unique);
        bench.write("names.csv", names(false));
        let first = bench.run(rows());
        assert!(first.summary.rejected >= 10);
        fs::rename(bench.path("out"), bench.path("first")).unwrap();
        bench.write("names.csv", names(true));
        let earlier = bench.path("first");
        let summary = bench.execute("second", redo(Scope::Rows, &earlier), &Control::default()).unwrap();
        let second = bench.ran("second", summary);
        let fresh = bench.run(rows());
        assert_eq!(second, fresh, "unique: {unique}");
        assert_eq!(second.summary.rejected, if unique { 3 } else { 2 });
        let left: Vec<_> = fs::read_dir(&earlier).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left.len(), 6, "the earlier attempt is kept as it was: {left:?}");
    }
}

#[test]
fn accepted_rows_keep_their_output_when_the_lookup_changes() {
    let bench = shop(false);
    bench.write("names.csv", names(false));
    let first = bench.run(rows());
    fs::rename(bench.path("out"), bench.path("first")).unwrap();
    bench.write("names.csv", names(true).replace("name ", "NEW "));
    let earlier = bench.path("first");
    let summary = bench.execute("second", redo(Scope::Rows, &earlier), &Control::default()).unwrap();
    let second = bench.ran("second", summary);
    assert!(first.output().lines().all(|row| second.output().lines().any(|other| other == row)));
    assert!(second.output().contains("3,3,NEW 3\n") && second.output().contains("4,4,name 4\n"));
}

#[test]
fn unfinished_chunks_are_done_and_finished_ones_are_taken_over() {
    for unique in [false, true] {
        let mut bench = shop(unique);
        bench.write("names.csv", names(true));
        let whole = bench.run(rows());
        bench.spec.workers = 1;
        let stopped = bench.execute("first", None, &stopping_at(Step::ChunkDone(2)));
        assert!(stopped.unwrap_err().to_string().contains("cancelled"));
        assert!(!bench.path("first/output.csv").exists() && !bench.path("first/rejects.csv").exists());
        let earlier = bench.path("first");
        for scope in [Scope::Chunks, Scope::Rows] {
            let out = format!("second-{scope:?}");
            let summary = bench.execute(&out, redo(scope, &earlier), &Control::default()).unwrap();
            assert_eq!(bench.ran(&out, summary), whole, "unique: {unique}, {scope:?}");
        }
    }
}

#[test]
fn an_attempt_that_does_not_fit_is_refused() {
    let mut bench = shop(false);
    bench.write("names.csv", names(true));
    bench.run(rows());
    let earlier = bench.path("out");
    bench.spec.output = vec!["n".to_owned(), "id".to_owned()];
    let error = bench.execute("second", redo(Scope::Rows, &earlier), &Control::default()).unwrap_err();
    assert!(error.to_string().contains("output columns changed"), "{error}");
    bench.spec.output = Vec::new();
    bench.write("input.csv", rows() + "41,1\n");
    let error = bench.execute("third", redo(Scope::Rows, &earlier), &Control::default()).unwrap_err();
    assert!(error.to_string().contains("input changed"), "{error}");
    let nothing = bench.path("nothing");
    assert!(bench.execute("fourth", redo(Scope::Chunks, &nothing), &Control::default()).is_err());
    assert!(bench.execute("fifth", redo(Scope::All, &nothing), &Control::default()).is_ok());
}

#[test]
fn cancel_is_heard_within_a_chunk_and_publishes_nothing() {
    let mut bench = shop(false);
    bench.write("names.csv", names(true));
    bench.spec.chunk_bytes = 1 << 20;
    bench.spec.workers = 1;
    let body: Vec<_> = (0..5_000).map(|row| format!("{},1", row % 40 + 1)).collect();
    bench.write("input.csv", format!("id,n\n{}", body.join("\n")));
    let control = stopping_at(Step::Rows);
    assert!(bench.execute("out", None, &control).is_err());
    assert_eq!(control.progress().rows(), 0, "what was not kept does not count");
    assert!(!bench.path("out/output.csv").exists() && !bench.path("out/parts/000000.done").exists());
}

#[test]
fn an_attempt_runs_in_one_place_at_a_time() {
    let bench = Arc::new(shop(false));
    bench.write("names.csv", names(true));
    bench.write("input.csv", rows());
    let second = Arc::new(OnceLock::new());
    let (inner, seen) = (Arc::clone(&bench), Arc::clone(&second));
    let control = Control::with_listener(move |step| {
        if step == Step::Planned {
            let refused = inner.execute("out", None, &Control::default()).unwrap_err().to_string();
            seen.set(refused).unwrap();
        }
    });
    bench.execute("out", None, &control).unwrap();
    assert!(second.get().unwrap().contains("already running"));
}

#[test]
fn a_finished_attempt_answers_from_its_summary() {
    let bench = shop(false);
    bench.write("names.csv", names(true));
    let first = bench.run(rows());
    fs::remove_file(bench.path("input.csv")).unwrap();
    assert_eq!(bench.execute("out", None, &Control::default()).unwrap(), first.summary);
    let progress = switchman::batch::stored_progress(&bench.path("out")).unwrap().unwrap();
    assert_eq!((progress.accepted, progress.rejected), (first.summary.accepted, first.summary.rejected));
}

#[test]
fn what_a_cancelled_attempt_did_not_reach_comes_from_the_one_before() {
    let mut bench = shop(false);
    bench.spec.workers = 1;
    bench.write("names.csv", names(false));
    let first = bench.run(rows());
    fs::rename(bench.path("out"), bench.path("first")).unwrap();
    bench.write("names.csv", names(true).replace("name ", "NEW "));
    let earlier = [bench.path("second"), bench.path("first")];
    let stopped = bench.execute("second", redo(Scope::Rows, &earlier[1]), &stopping_at(Step::ChunkDone(3)));
    assert!(stopped.is_err());
    let again = Some(Redo { scope: Scope::Rows, earlier: &earlier });
    let summary = bench.execute("third", again, &Control::default()).unwrap();
    let third = bench.ran("third", summary);
    assert!(first.output().lines().all(|row| third.output().lines().any(|other| other == row)));
    assert_eq!(third.summary.rejected, 2);
}

#[test]
fn what_a_power_cut_has_damaged_is_done_again() {
    let parts = ["plan.json", "parts/000000.done", "parts/000001.output", "parts/000001.keys"];
    let placed = ["plan.json", "parts/result.done", "parts/result.output", "parts/result.rejects"];
    for (unique, files) in [(true, parts), (false, placed)] {
        let mut bench = shop(unique);
        bench.spec.workers = 1;
        bench.write("names.csv", names(true));
        let whole = bench.run(rows());
        for damaged in files {
            // Gone, or with other bytes and its old size.
            for text in [Vec::new(), vec![b'#'; 30]] {
                let _ = fs::remove_dir_all(bench.path("cut"));
                assert!(bench.execute("cut", None, &stopping_at(Step::ChunkDone(2))).is_err());
                let path = bench.path("cut").join(damaged);
                let mut kept = if text.is_empty() { Vec::new() } else { fs::read(&path).unwrap() };
                kept.iter_mut().zip(text).skip(10).for_each(|(byte, other)| *byte = other);
                fs::write(&path, kept).unwrap();
                let summary = bench.execute("cut", None, &Control::default()).unwrap();
                assert_eq!(bench.ran("cut", summary), whole, "{damaged}");
            }
        }
    }
}

#[test]
fn a_finished_chunk_is_not_done_again_after_a_kill() {
    let mut bench = shop(false);
    bench.spec.workers = 1;
    bench.write("names.csv", names(true));
    let whole = bench.run(rows());
    for last in 0..4 {
        let out = format!("cut-{last}");
        assert!(bench.execute(&out, None, &stopping_at(Step::ChunkDone(last))).is_err());
        let done = Arc::new(std::sync::Mutex::new(Vec::new()));
        let seen = Arc::clone(&done);
        let control = Control::with_listener(move |step| {
            if let Step::ChunkDone(chunk) = step {
                seen.lock().unwrap().push(chunk);
            }
        });
        let summary = bench.execute(&out, None, &control).unwrap();
        let expected: Vec<_> = (last + 1..summary.chunks).collect();
        assert_eq!(*done.lock().unwrap(), expected);
        assert_eq!(bench.ran(&out, summary), whole);
    }
}

#[test]
fn a_refusing_fence_publishes_nothing_and_keeps_everything() {
    for unique in [false, true] {
        let bench = shop(unique);
        bench.write("names.csv", names(true));
        let whole = bench.run(rows());
        let stale = Control::default().with_fence(|| Err(BatchError::Fenced("the epoch has changed".to_owned())));
        let error = bench.execute("first", None, &stale).unwrap_err().to_string();
        assert!(error.contains("not published") && error.contains("epoch"), "{error}");
        let names: Vec<_> =
            fs::read_dir(bench.path("first")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        let public = |name: &std::ffi::OsString| std::path::Path::new(name).extension() == Some("csv".as_ref());
        assert!(!names.iter().any(public) && !names.contains(&"summary.json".into()), "{names:?}");
        // Another attempt builds on it, and the same one can go on.
        let earlier = bench.path("first");
        let summary = bench.execute("second", redo(Scope::Chunks, &earlier), &Control::default()).unwrap();
        assert_eq!(bench.ran("second", summary), whole, "unique: {unique}");
        let processed = Arc::new(std::sync::atomic::AtomicBool::new(false));
        let seen = Arc::clone(&processed);
        let again = Control::with_listener(move |step| {
            seen.fetch_or(step == Step::Rows, SeqCst);
        });
        let summary = bench.execute("first", None, &again.with_fence(|| Ok(()))).unwrap();
        assert_eq!(bench.ran("first", summary), whole, "unique: {unique}");
        assert!(!processed.load(SeqCst), "no row was looked at again");
    }
}
