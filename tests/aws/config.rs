//! `[backend] kind = "aws"`: what it takes and what it refuses, and what a tool does with it.

use std::fs;
use std::ops::Add;
use std::path::PathBuf;
use switchman::config::{Backend, Config};
use tempfile::TempDir;

const NEEDED: &str = r#"
[backend]
kind = "aws"
region = "eu-central-1"
queue_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/commands"
dead_letter_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/commands-dead"
signals_url = "https://sqs.eu-central-1.amazonaws.com/123456789012/signals"
"#;

const FIRST: &str = r#"
[[region]]
name = "eu-central-1"
bucket = "switchman-files"
state_machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:switchman-batch"
"#;

const SECOND: &str = r#"
[[region]]
name = "eu-west-1"
bucket = "switchman-files-2"
state_machine = "arn:aws:states:eu-west-1:123456789012:stateMachine:switchman-batch"
event_bus = "arn:aws:events:eu-west-1:123456789012:event-bus/command-event-bus"
"#;

const ROUTING: &str = r#"
[failover.routing]
multi_region_access_point = "arn:aws:s3::123456789012:accesspoint/mfzwi23gnjvgw.mrap"
region_switch_plan = "arn:aws:arc-region-switch::123456789012:plan/switchman:ab12cd"
"#;

/// A backend with `more` keys and one region.
fn one(more: &str) -> String {
    format!("{NEEDED}{more}{FIRST}")
}

fn file(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("switchman.toml");
    fs::write(&file, text).unwrap();
    (folder, file)
}

fn mistakes(text: &str) -> Vec<String> {
    let (_folder, file) = file(text);
    let Err(mistakes) = Config::load(&file) else { return Vec::new() };
    assert!(mistakes.0.iter().all(|mistake| mistake.line > 0), "{mistakes}");
    mistakes.0.iter().map(|mistake| format!("{}: {}", mistake.key, mistake.what)).collect()
}

#[test]
fn what_is_left_out_has_the_names_of_the_template() {
    let (_folder, file) = file(&one(""));
    let Backend::Aws(names) = Config::load(&file).unwrap().backend else { panic!("not AWS") };
    assert_eq!((names.table.as_str(), names.people_table.as_str()), ("switchman", "authorized-users"));
    assert_eq!((names.event_bus.as_str(), names.slack_access.as_str()), ("command-event-bus", "switchman/slack"));
    assert_eq!(names.channels_parameter, "/switchman/permitted-channels");
    assert_eq!((names.active_table.as_str(), names.here().bucket.as_str()), ("switchman-active", "switchman-files"));
    let given = one("event_bus = \"arn:aws:events:eu-central-1:123456789012:event-bus/x\"\nslack_access = \
         \"arn:aws:secretsmanager:eu-central-1:123456789012:secret:slack-AbCdEf\"\ntable = \"a.b_c-d\"\n");
    assert_eq!(mistakes(&given), Vec::<String>::new());
}

#[test]
fn each_wrong_missing_or_useless_key_is_named_and_all_at_once() {
    let found = mistakes("[backend]\nkind = \"aws\"\n");
    for key in ["region", "queue_url", "dead_letter_url", "signals_url"] {
        assert!(found.contains(&format!("backend.{key}: is missing")), "{key}: {found:?}");
    }
    assert!(found.contains(&"region: there is none".to_owned()), "{found:?}");
    for (key, value) in [
        ("region", "Frankfurt"),
        ("region", "eu-central"),
        ("signals_url", "signals"),
        ("queue_url", "http://example.com/commands"),
        ("queue_url", "commands"),
    ] {
        let line = NEEDED.lines().find(|line| line.starts_with(key)).unwrap();
        let found = mistakes(&one("").replace(line, &format!("{key} = {value:?}")));
        assert!(found.len() == 1 && found[0].starts_with(&format!("backend.{key}: ")), "{key} {value}: {found:?}");
    }
    for (key, value) in [
        ("table", "t"),
        ("table", "authorized-users"),
        ("people_table", "a b"),
        ("active_table", "a b"),
        ("bucket", "switchman-files"),
        ("event_bus", "arn:aws:sqs:x:1:y"),
        ("channels_parameter", "a b"),
        ("slack_access", "a b"),
        ("data", "var"),
        ("colour", "red"),
    ] {
        let found = mistakes(&one(&format!("{key} = {value:?}\n")));
        assert!(found.len() == 1 && found[0].starts_with(&format!("backend.{key}: ")), "{key}: {found:?}");
    }
    for (key, other) in [("dead_letter_url", "commands-dead"), ("signals_url", "/signals")] {
        let same = one("").replace(other, if other.starts_with('/') { "/commands" } else { "commands" });
        assert_eq!(mistakes(&same), [format!("backend.{key}: is another queue's address already")]);
    }
    let lists = one("") + "[[channel]]\nid = \"C0BATCH\"\n[[user]]\nteam = \"T0LOCAL\"\nid = \"U0X\"\n";
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
    assert_eq!(mistakes(&one("").add(rule)), Vec::<String>::new());
    let found = mistakes(&one("").add(&rule.replace("C0BATCH", "#batch")));
    assert!(found.len() == 1 && found[0].contains("#batch"), "{found:?}");
}

#[test]
fn regions_say_what_was_deployed_into_each() {
    let (_folder, file) = file(&format!("{NEEDED}{FIRST}{SECOND}{ROUTING}"));
    let config = Config::load(&file).unwrap();
    assert_eq!(
        config.region_names().iter().map(|name| name.as_str()).collect::<Vec<_>>(),
        ["eu-central-1", "eu-west-1"]
    );
    let Backend::Aws(names) = config.backend else { panic!("not AWS") };
    assert_eq!(names.here().name.as_str(), "eu-central-1");
    assert!(names.regions[0].event_bus.is_none() && names.regions[1].event_bus.is_some());
    assert!(names.routing.multi_region_access_point.is_some() && names.routing.region_switch_plan.is_some());
}

#[test]
fn every_mistake_about_regions_is_named_and_all_at_once() {
    let two = format!("{NEEDED}{FIRST}{SECOND}{ROUTING}");
    assert_eq!(mistakes(&two), Vec::<String>::new());
    let arn = "\"arn:aws:states:eu-west-1:123456789012:stateMachine:switchman-batch\"";
    for (from, to, said) in [
        ("region = \"eu-central-1\"\nq", "region = \"eu-west-3\"\nq", "backend.region: \"eu-west-3\" is not one of"),
        ("name = \"eu-west-1\"", "name = \"west\"", "region[2].name: \"west\" cannot be one"),
        ("name = \"eu-west-1\"\n", "", "region[2].name: is missing"),
        ("switchman-files-2", "switchman-files", "region.eu-west-1.bucket: is the bucket of the region eu-central-1"),
        ("switchman-files-2", "Files_2", "region.eu-west-1.bucket: \"Files_2\" cannot be one"),
        ("bucket = \"switchman-files-2\"\n", "", "region.eu-west-1.bucket: is missing"),
        (arn, "\"switchman-batch\"", "region.eu-west-1.state_machine: \"switchman-batch\" is not an ARN"),
        ("states:eu-west-1", "states:eu-west-2", "region.eu-west-1.state_machine: lies in \"eu-west-2\""),
        ("events:eu-west-1", "events:eu-west-2", "region.eu-west-1.event_bus: lies in \"eu-west-2\""),
        ("arn:aws:s3:", "arn:aws:sqs:", "failover.routing.multi_region_access_point: "),
        ("arn:aws:arc", "arn:aws:rac", "failover.routing.region_switch_plan: "),
        ("region_switch_plan", "plan", "failover.routing.plan: unknown key"),
        (SECOND.trim(), "", "failover.routing: there is only one region"),
        (FIRST.trim(), FIRST.replace("bucket", "data = \"x\"\nbucket").trim(), "region.eu-central-1.data: unknown key"),
    ] {
        let found = mistakes(&two.replace(from, to));
        assert!(found.len() == 1 && found[0].starts_with(said), "{said}: {found:?}");
    }
    let twice = format!("{NEEDED}{FIRST}{FIRST}");
    assert_eq!(mistakes(&twice), ["region.eu-central-1.name: the region eu-central-1 stands twice"]);
    let copied = format!("{two}[replication]\nlag = \"2s\"\n");
    assert_eq!(
        mistakes(&copied),
        ["replication: has no effect with the backend aws: S3 replicates from bucket to bucket there"]
    );
    let alone = one("").add("event_bus = \"arn:aws:events:eu-central-1:123456789012:event-bus/x\"\n");
    assert_eq!(
        mistakes(&alone),
        ["region.eu-central-1.event_bus: there is only one region, so nothing is ever handed over to it"]
    );
    let all = two.replace("switchman-files-2", "_").replace("kind", "colour = 1\nkind").replace("aws:s3:", "aws:x:");
    assert_eq!(mistakes(&all).len(), 3, "the names are wrong, and everything else is said all the same");
    assert_eq!(
        mistakes(ROUTING),
        ["failover.routing: has no effect with the backend embedded: there is nothing to route"]
    );
}
