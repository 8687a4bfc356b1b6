//! `switchman manifest`. That it is valid against Slack's own schema is `tests/manifest/validate.py`'s business.

use super::{initialised, switchman};
use std::fs;

#[test]
fn it_names_the_command_every_address_and_no_scope_that_reads_messages() {
    let dir = initialised();
    let ran = switchman(dir.path(), &["manifest"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    insta::assert_snapshot!(ran.out);
}

#[test]
fn the_public_address_takes_the_place_of_the_example() {
    let dir = initialised();
    let file = dir.path().join("switchman.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(
        &file,
        text.replace("#public_url = \"https://switchman.example.com\"", "public_url = \"https://bot.test/\""),
    )
    .unwrap();
    let ran = switchman(dir.path(), &["manifest"]);
    assert_eq!(ran.out.matches("\"https://bot.test/slack/events\"").count(), 3, "{}", ran.out);
    assert!(!ran.out.contains("example"), "{}", ran.out);
}

#[test]
fn socket_mode_needs_no_address() {
    let dir = initialised();
    let ran = switchman(dir.path(), &["manifest", "--socket-mode"]);
    assert_eq!(ran.code, 0);
    assert!(ran.out.contains("socket_mode_enabled: true") && !ran.out.contains("url:"), "{}", ran.out);
}
