//! `switchman init`.

use super::{initialised, switchman};
use std::fs;

#[test]
fn it_says_what_it_wrote_and_what_comes_next() {
    let dir = tempfile::tempdir().unwrap();
    let ran = switchman(dir.path(), &["init", "bot"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let wrote: Vec<&str> = ran.out.lines().filter_map(|line| line.strip_prefix("wrote: ")).collect();
    assert_eq!(wrote.len(), 6);
    for file in wrote {
        assert!(dir.path().join(file).is_file(), "{file}");
    }
    for part in ["SLACK_SIGNING_SECRET", "SLACK_BOT_TOKEN", "switchman serve --config bot/switchman.toml"] {
        assert!(ran.out.contains(part), "{part}");
    }
    assert_eq!(switchman(dir.path(), &["check", "--config", "bot/switchman.toml"]).code, 0);
}

#[test]
fn a_second_time_changes_nothing_and_lists_what_is_there() {
    let dir = initialised();
    let input = dir.path().join("input/sales.csv");
    fs::write(&input, "mine").unwrap();
    let ran = switchman(dir.path(), &["init"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for name in ["switchman.toml", "financials.csv", "input/sales.csv"] {
        assert!(ran.err.contains(name), "{name} in {}", ran.err);
    }
    assert_eq!(fs::read_to_string(&input).unwrap(), "mine");
}
