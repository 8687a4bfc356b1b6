//! `switchman policy explain` and `policy test`: the decisions of the bot, asked from outside.

use super::{initialised, switchman};
use std::fs;

fn explain(args: &[&str]) -> (i32, String, String) {
    let dir = initialised();
    let ran = switchman(dir.path(), &[&["policy", "explain"], args].concat());
    (ran.code, ran.out, ran.err)
}

#[test]
fn explain_names_the_rule_or_what_is_missing() {
    for (user, channel, command, expected) in [
        ("U0OPERATOR", "C0BATCH", "start-batch", "allowed: by the rule operators-may-run"),
        ("T0LOCAL/U0VIEWER", "C0BATCH", "status", "allowed: by the rule everyone-listed-may-look"),
        ("U0VIEWER", "C0BATCH", "start-batch", "denied: no rule allows it to the role viewer"),
        ("U0STRANGER", "C0BATCH", "status", "denied: this person is on no list"),
        ("T0OTHER/U0OPERATOR", "C0BATCH", "status", "denied: this person is on no list"),
        ("U0OPERATOR", "C0BATCH", "fail-over", "allowed: by the rule operators-may-run"),
        ("U0LEAD", "C0BATCH", "fail-back", "denied: no rule allows it to the role lead"),
        ("U0APPROVER1", "C0BATCH", "approve q-7k3f", "allowed: by the rule approvers-may-vote"),
        ("U0OPERATOR", "C0BATCH", "deny q-7k3f wrong file", "allowed: by the rule approvers-may-vote"),
        ("U0VIEWER", "C0BATCH", "approve q-7k3f", "denied: no rule allows it to the role viewer"),
        ("U0OPERATOR", "C0OTHER", "status", "denied: the bot does not work in this channel"),
    ] {
        let (code, out, _) = explain(&["--user", user, "--channel", channel, command]);
        assert_eq!(code, 0);
        assert_eq!(out.lines().next(), Some(expected), "{user} {channel} {command}");
    }
    let (_, out, _) = explain(&["--user", "U0VIEWER", "--channel", "C0BATCH", "start-batch", "sales", "my file.csv"]);
    assert!(out.ends_with("command: start-batch sales \"my file.csv\"\n"), "{out}");
}

#[test]
fn explain_points_at_what_it_cannot_read() {
    let (code, out, err) = explain(&["--user", "U0VIEWER", "--channel", "C0BATCH", "start-batch", "sale"]);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("did you mean \"sales\"?\nstart-batch sale\n            ^^^^\n"), "{err}");
    for (user, channel) in [("viewer", "C0BATCH"), ("U0VIEWER", "batch"), ("x/U0VIEWER", "C0BATCH")] {
        assert_eq!(explain(&["--user", user, "--channel", channel, "status"]).0, 2, "{user} {channel}");
    }
}

const GOOD: &str = r#"
[[case]]
user = "U0OPERATOR"
channel = "C0BATCH"
command = "start-batch sales"
expect = "allow"
because = "operators-may-run"
[[case]]
user = "U0STRANGER"
channel = "C0BATCH"
command = "help"
expect = "deny"
because = "not-listed"
[[case]]
user = "U0APPROVER2"
channel = "C0BATCH"
command = "approve q-7k3f west because the region is gone"
expect = "allow"
because = "approvers-may-vote"
[[case]]
user = "U0APPROVER2"
channel = "C0BATCH"
command = "fail-over west drill"
expect = "deny"
because = "no-rule"
[[case]]
user = "U0OPERATOR"
channel = "C0BATCH"
command = "help"
outsider = "guest"
expect = "deny"
because = "outsider"
"#;

const BAD: &str = r#"
[[case]]
user = "U0VIEWER"
channel = "C0BATCH"
command = "cancel-batch r-7k3f"
expect = "allow"
[[case]]
user = "U0VIEWER"
channel = "C0BATCH"
command = "status"
expect = "allow"
because = "operators-may-run"
"#;

#[test]
fn cases_that_hold_pass() {
    let dir = initialised();
    fs::write(dir.path().join("cases.toml"), GOOD).unwrap();
    let ran = switchman(dir.path(), &["policy", "test", "cases.toml"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "5 of 5 cases passed\n", ""));
}

#[test]
fn cases_that_do_not_hold_fail_with_what_was_expected_and_what_was_found() {
    let dir = initialised();
    fs::write(dir.path().join("cases.toml"), format!("{GOOD}{BAD}")).unwrap();
    let ran = switchman(dir.path(), &["policy", "test", "cases.toml"]);
    assert_eq!(ran.code, 1);
    insta::assert_snapshot!(ran.out);
}

#[test]
fn cases_that_cannot_be_read_are_wrong_usage() {
    let dir = initialised();
    for (text, part) in [
        ("[[case]]\nuser = \"U1\"\nexpect = \"yes\"\n", "cases.toml:3: case[1].expect"),
        ("", "there is none"),
        (&GOOD.replace("start-batch sales", "start sales"), "cases.toml:2: this is not a command"),
    ] {
        fs::write(dir.path().join("cases.toml"), text).unwrap();
        let ran = switchman(dir.path(), &["policy", "test", "cases.toml"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(part), "{part} in {}", ran.err);
    }
}
