//! `[backend] kind = "aws"`: what it takes and what it refuses, and what a tool does with it.

use std::fs;
use std::path::PathBuf;
use switchman::config::{Backend, Config};
use tempfile::TempDir;

const NEEDED: &str = r#"
[backend]
kind = "aws"
region = "eu-central-1"
queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/commands"
dead_letter_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/commands-dead"
bucket = "switchman-files"
"#;

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchman.toml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

fn mistakes(text: &str) -> Vec<String> {
    let (_folder, file) = file(text);
    let Err(mistakes) = Config::load(&file) else { return Vec::new() };
    mistakes.0.iter().map(|mistake| format!("{}: {}", mistake.key, mistake.what)).collect()
}

#[test]
fn what_is_left_out_has_the_names_of_the_template() {
    let (_folder, file) = file(NEEDED);
    let Backend::Aws(names) = Config::load(&file).unwrap().backend else { panic!("not AWS") };
    assert_eq!((names.table.as_str(), names.people_table.as_str()), ("switchman", "authorized-users"));
    assert_eq!((names.event_bus.as_str(), names.slack_access.as_str()), ("command-event-bus", "switchman/slack"));
    assert_eq!(names.channels_parameter, "/switchman/permitted-channels");
    let given = format!(
        "{NEEDED}event_bus = \"arn:aws:events:eu-central-1:123456789012:event-bus/x\"\nslack_access = \
         \"arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-AbCdEf\"\ntable = \"a.b_c-d\"\n"
    );
    assert_eq!(mistakes(&given), Vec::<String>::new());
}

#[test]
fn each_wrong_missing_or_useless_key_is_named_and_all_at_once() {
    let found = mistakes("[backend]\nkind = \"aws\"\n");
    for key in ["region", "queue_url", "dead_letter_url", "bucket"] {
        assert!(found.contains(&format!("backend.{key}: is missing")), "{key}: {found:?}");
    }
    for (key, value) in [
        ("region", "Frankfurt"),
        ("region", "eu-central"),
        ("bucket", "Switchman_Files"),
        ("bucket", "-x-"),
        ("queue_url", "http://example.com/commands"),
        ("queue_url", "commands"),
    ] {
        let line = NEEDED.lines().find(|line| line.starts_with(key)).unwrap();
        let found = mistakes(&NEEDED.replace(line, &format!("{key} = {value:?}")));
        assert!(found.len() == 1 && found[0].starts_with(&format!("backend.{key}: ")), "{key} {value}: {found:?}");
    }
    for (key, value) in [
        ("table", "t"),
        ("people_table", "a b"),
        ("event_bus", "arn:aws:sqs:x:1:y"),
        ("channels_parameter", "a b"),
        ("slack_access", "a b"),
        ("data", "var"),
        ("colour", "red"),
    ] {
        let found = mistakes(&format!("{NEEDED}{key} = {value:?}\n"));
        assert!(found.len() == 1 && found[0].starts_with(&format!("backend.{key}: ")), "{key}: {found:?}");
    }
    let same = NEEDED.replace("commands-dead", "commands");
    assert_eq!(mistakes(&same), ["backend.dead_letter_url: is the queue itself"]);
    let lists = format!("{NEEDED}[[channel]]\nid = \"C0BATCH\"\n[[user]]\nteam = \"T0LOCAL\"\nid = \"U0X\"\n");
    let found = mistakes(&lists);
    assert!(
        found.len() == 2 && found.iter().all(|said| said.contains("has no effect with the backend aws")),
        "{found:?}"
    );
    let embedded = "[backend]\nkind = \"embedded\"\nregion = \"eu-central-1\"\n";
    assert_eq!(mistakes(embedded), ["backend.region: unknown key"]);
}

#[test]
fn rules_may_name_roles_and_channels_that_the_file_does_not_list() {
    let rule = "[[rule]]\nname = \"own\"\neffect = \"allow\"\nroles = [\"auditor\"]\nchannels = [\"C0BATCH\"]\n";
    assert_eq!(mistakes(&format!("{NEEDED}{rule}")), Vec::<String>::new());
    let found = mistakes(&format!("{NEEDED}{}", rule.replace("C0BATCH", "#batch")));
    assert!(found.len() == 1 && found[0].contains("#batch"), "{found:?}");
}
