//! An attempt that was copied at any moment of its life can be gone on with where it arrived, to the same bytes.

use super::support::{result, rows};
use proptest::prelude::*;
use serde_json::json;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use switchman::batch::{
    BatchError, Control, Job, OUTPUT, Redo, Scope, Spec, Step, Task, carry, execute, stored_progress,
};
use tempfile::TempDir;

const ROWS: u32 = 4_000;
/// Never an attempt's file.
const NONE: &str = "-";

fn job(dir: &Path, unique: bool) -> Job {
    let constraints = if unique { json!({"unique": true}) } else { json!({}) };
    let schema = json!({"fields": [{"name": "id", "constraints": constraints}, {"name": "n", "type": "integer"}]});
    fs::write(dir.join("schema.json"), schema.to_string()).unwrap();
    let mut spec = Spec::new("schema.json");
    spec.chunk_bytes = 4096;
    spec.tolerated_rejects_percent = 50.0;
    Job::load(&spec, dir).unwrap()
}

/// Runs an attempt that is copied at the given steps; it is killed after the last of them where `killed`.
fn copied_at(job: &Job, dir: &Path, at: &[u32], killed: bool) {
    let (from, to) = (dir.join("here"), dir.join("there"));
    let steps = AtomicU32::new(0);
    let last = at.iter().max().copied().unwrap_or(0);
    let at = at.to_vec();
    let cell: Arc<Mutex<Option<Arc<Control>>>> = Arc::default();
    let (brake, source) = (cell.clone(), from.clone());
    let control = Arc::new(Control::with_listener(move |step| {
        if step == Step::Rows {
            return;
        }
        let now = steps.fetch_add(1, SeqCst);
        if at.contains(&now) {
            // Files may go while they are copied; the next copy makes it good, and what is there can be used.
            let _ = carry(&source, &to, NONE);
        }
        if killed
            && now >= last
            && let Some(control) = &*brake.lock().unwrap()
        {
            control.cancel();
        }
    }));
    *cell.lock().unwrap() = Some(control.clone());
    let task = Task { job, input: &dir.join("input.csv"), dir: &from, redo: None };
    match execute(&task, &control) {
        Ok(_) | Err(BatchError::Cancelled) => {}
        Err(error) => panic!("{error}"),
    }
    cell.lock().unwrap().take();
}

fn finish(job: &Job, dir: &Path, task: &str, redo: bool) -> String {
    let earlier = [dir.join("there")];
    let redo =
        (redo && earlier[0].join("plan.json").exists()).then_some(Redo { scope: Scope::Chunks, earlier: &earlier });
    let own = dir.join(task);
    execute(&Task { job, input: &dir.join("input.csv"), dir: &own, redo }, &Control::default()).unwrap();
    fs::read_to_string(own.join(OUTPUT)).unwrap()
}

/// The ends of files that a power cut or a torn copy takes away.
fn tear(dir: &Path, name: &str, bytes: u64) {
    if let Ok(file) = fs::OpenOptions::new().write(true).open(dir.join("there/parts").join(name)) {
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(bytes)).unwrap();
    }
}

fn world(unique: bool) -> (TempDir, Job) {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("input.csv"), rows(ROWS)).unwrap();
    let job = job(dir.path(), unique);
    (dir, job)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn the_bytes_are_the_same_wherever_it_is_finished(
        at in prop::collection::vec(0_u32..34, 1..5),
        unique: bool,
        killed: bool,
        torn in prop::option::of((prop::sample::select(vec!["result.output", "result.rejects", "result.done", "000001.output"]), 1_u64..6_000)),
    ) {
        let (dir, job) = world(unique);
        copied_at(&job, dir.path(), &at, killed);
        if let Some((name, bytes)) = torn {
            tear(dir.path(), name, bytes);
        }
        // Another attempt that builds on the copy, then the copy itself gone on with.
        prop_assert_eq!(finish(&job, dir.path(), "next", true), result(ROWS));
        prop_assert_eq!(finish(&job, dir.path(), "there", false), result(ROWS));
    }
}

#[test]
fn chunks_that_did_not_arrive_whole_are_done_again() {
    for (unique, name) in [(false, "result.output"), (false, "result.rejects"), (true, "000001.output")] {
        let (dir, job) = world(unique);
        copied_at(&job, dir.path(), &[12], true);
        let arrived = stored_progress(&dir.path().join("there")).unwrap().unwrap();
        assert!((2..arrived.chunks_total).contains(&arrived.chunks), "{arrived:?}");
        let torn = dir.path().join("there/parts").join(name);
        let mut bytes = fs::read(&torn).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&torn, bytes).unwrap();
        assert_eq!(finish(&job, dir.path(), "next", true), result(ROWS));
        assert_eq!(finish(&job, dir.path(), "there", false), result(ROWS));
    }
}

#[test]
fn a_copy_while_it_runs_is_never_ahead_of_its_data() {
    for unique in [false, true] {
        let (dir, job) = world(unique);
        let (from, to) = (dir.path().join("here"), dir.path().join("there"));
        std::thread::scope(|scope| {
            let work = scope.spawn(|| finish(&job, dir.path(), "here", false));
            while !work.is_finished() {
                let _ = carry(&from, &to, NONE);
            }
            assert_eq!(work.join().unwrap(), result(ROWS));
        });
        carry(&from, &to, NONE).unwrap();
        assert_eq!(carry(&from, &to, NONE).unwrap(), 0, "nothing is copied twice");
        assert_eq!(finish(&job, dir.path(), "there", false), result(ROWS));
        assert!(!to.join("parts").exists());
    }
}
