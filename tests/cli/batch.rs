//! `switchman batch` and `switchman sample`: a run without the bot, checked against the sample's own totals.

use super::{initialised, switchman};
use serde_json::Value;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// The job of the folder, with a sample of this many flaws in place of its own.
fn with_sample(bad: &str) -> tempfile::TempDir {
    let dir = initialised();
    let args = ["sample", "--rows", "3000", "--bad", bad, "--missing", "1", "--seed", "7", "--out", "made"];
    let ran = switchman(dir.path(), &args);
    assert_eq!(ran.code, 0, "{}", ran.err);
    fs::rename(dir.path().join("made/financials.csv"), dir.path().join("jobs/sales/financials.csv")).unwrap();
    dir
}

fn totals(dir: &Path) -> Value {
    json(&fs::read_to_string(dir.join("made/sales.totals.json")).unwrap())
}

#[test]
fn a_run_comes_to_the_totals_of_the_sample() {
    let dir = with_sample("2");
    let ran = switchman(dir.path(), &["batch", "sales", "made/sales.csv", "--out", "out", "--json"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let (summary, totals) = (json(&ran.out), totals(dir.path()));
    assert_eq!(summary["outcome"], "succeeded");
    for key in ["accepted", "rejected", "reasons"] {
        assert_eq!(summary[key], totals[key], "{key}");
    }
    let lines = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap().lines().count() as u64;
    assert_eq!(lines(summary["output"].as_str().unwrap()), summary["accepted"].as_u64().unwrap() + 1);
    assert_eq!(summary["rows"], 3000);
}

#[test]
fn more_rejects_than_tolerated_is_exit_code_1() {
    let dir = with_sample("20");
    let ran = switchman(dir.path(), &["batch", "sales", "made/sales.csv", "--out", "out"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("5 % are tolerated"), "{}", ran.err);
    assert!(ran.out.starts_with("rows: 3000 ("), "{}", ran.out);
    let ran = switchman(dir.path(), &["batch", "sales", "made/sales.csv", "--out", "again", "--json"]);
    let summary = json(&ran.out);
    assert_eq!((ran.code, summary["outcome"].as_str()), (1, Some("too-many-rejects")));
    assert_eq!(summary["output"], "again/output.over-tolerance.csv");
}

#[test]
fn killed_in_the_middle_and_repeated_it_writes_the_same_bytes() {
    let dir = initialised();
    let made = ["sample", "--rows", "40000", "--bad", "2", "--missing", "1", "--seed", "9", "--out", "made"];
    assert_eq!(switchman(dir.path(), &made).code, 0);
    fs::rename(dir.path().join("made/financials.csv"), dir.path().join("jobs/sales/financials.csv")).unwrap();
    let usual = fs::read_to_string(dir.path().join("switchman.toml")).unwrap().replace("\"1 MiB\"", "\"64 KiB\"");
    let set = |text: &str| fs::write(dir.path().join("switchman.toml"), text).unwrap();
    set(&usual);
    let batch = |out| switchman(dir.path(), &["batch", "sales", "made/sales.csv", "--out", out]);
    assert_eq!(batch("whole").code, 0);
    // A brake gives time to kill it; it is no part of the result, so it may go before the second try.
    set(&usual.replace("#max_rows_per_second = 20000", "max_rows_per_second = 5000"));
    let mut child = Command::new(env!("CARGO_BIN_EXE_switchman"))
        .args(["batch", "sales", "made/sales.csv", "--out", "cut"])
        .current_dir(dir.path())
        .env_clear()
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let cut = dir.path().join("cut");
    let done = || fs::read(cut.join("parts/result.done")).unwrap_or_default().iter().filter(|b| **b == b'\n').count();
    while done() < 2 || !cut.join("plan.json").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!cut.join("output.csv").exists() && !cut.join("summary.json").exists());
    set(&usual);
    let ran = batch("cut");
    assert_eq!(ran.code, 0, "{}", ran.err);
    for name in ["output.csv", "rejects.csv", "summary.json"] {
        let read = |out: &str| fs::read(dir.path().join(out).join(name)).unwrap();
        assert!(read("cut") == read("whole"), "{name} differs");
    }
}

#[test]
fn wrong_names_and_used_folders_are_wrong_usage() {
    let dir = initialised();
    let good = ["batch", "sales", "input/sales.csv", "--out", "out"];
    assert_eq!(switchman(dir.path(), &good).code, 0);
    for (args, part) in [
        (good, "holds a finished batch"),
        (["batch", "sale", "input/sales.csv", "--out", "new"], "did you mean \"sales\"?"),
        (["batch", "sales", "input/other.csv", "--out", "new"], "there is no file"),
        (["batch", "sales", "input/sales.csv", "--out", "switchman.toml"], "switchman.toml is no folder"),
    ] {
        let ran = switchman(dir.path(), &args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(part), "{}", ran.err);
    }
}

#[test]
fn an_input_that_does_not_fit_the_schema_fails_and_says_which_column() {
    let dir = initialised();
    fs::write(dir.path().join("input/odd.csv"), "uuid,Land\n").unwrap();
    let ran = switchman(dir.path(), &["batch", "sales", "input/odd.csv", "--out", "out"]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("unknown \"Land\""), "{}", ran.err);
}

#[test]
fn names_in_a_file_are_no_commands_for_the_terminal() {
    let dir = initialised();
    fs::write(dir.path().join("input/odd.csv"), "uuid,\u{1b}[2J\u{9b}31mLand\n").unwrap();
    let ran = switchman(dir.path(), &["batch", "sales", "input/odd.csv", "--out", "o\u{1b}[1mut"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains(r"\u{1b}[2J\u{9b}31mLand"), "{}", ran.err);
    let ran = switchman(dir.path(), &["batch", "sales", "input/no\u{1b}ne.csv", "--out", "out"]);
    assert!(ran.err.contains(r"no\u001bne.csv"), "{}", ran.err);
    assert!(!ran.err.trim_end().contains(char::is_control), "{}", ran.err);
}

#[test]
fn a_sample_has_as_many_flaws_as_were_asked_for_and_impossible_ones_are_refused() {
    let dir = with_sample("2.5");
    let totals = totals(dir.path());
    assert_eq!((&totals["accepted"], &totals["rejected"]), (&2895.into(), &105.into()));
    let reasons = totals["reasons"].as_object().unwrap();
    let bad: u64 = reasons.iter().filter(|(kind, _)| *kind != "missing-lookup").map(|(_, n)| n.as_u64().unwrap()).sum();
    assert_eq!((bad, &totals["reasons"]["missing-lookup"]), (75, &30.into()));
    for (bad, missing) in [("200", "0"), ("60", "60"), ("nan", "0")] {
        let ran = switchman(dir.path(), &["sample", "--rows", "9", "--bad", bad, "--missing", missing, "--out", "no"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains("between 0 and 100") && !dir.path().join("no").exists(), "{}", ran.err);
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes_and_nothing_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    for out in ["a", "b"] {
        assert_eq!(switchman(dir.path(), &["sample", "--rows", "100", "--seed", "3", "--out", out]).code, 0);
    }
    let read = |name: &str| fs::read(dir.path().join(name)).unwrap();
    assert_eq!(read("a/sales.csv"), read("b/sales.csv"));
    let ran = switchman(dir.path(), &["sample", "--rows", "100", "--seed", "4", "--out", "b"]);
    assert_eq!(ran.code, 2);
    assert_eq!(read("a/sales.csv"), read("b/sales.csv"));
}
