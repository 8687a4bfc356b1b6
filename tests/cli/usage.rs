//! Wrong usage is told on stderr with exit code 2; help and version are no failures.

use super::{switchman, switchman_with};

#[test]
fn wrong_usage_is_exit_code_2_with_nothing_on_stdout() {
    let dir = tempfile::tempdir().unwrap();
    for (args, part) in [
        (&["chek"][..], "check"),
        (&["batch", "sales"], "--out"),
        (&["serve", "--port", "1"], "--port"),
        (&["sample", "--rows", "many", "--out", "x"], "many"),
        (&["sample", "--rows", "1", "--bad", "90", "--missing", "20", "--out", "x"], "percent"),
        (&["dead-letters", "replay"], "--all"),
        (&["dead-letters", "replay", "id", "--all"], "--all"),
        (&["playground", "--port", "70000"], "70000"),
        (&["approve", "q-7k3f"], "--as"),
        (&["totp", "enrol"], "USER"),
    ] {
        let ran = switchman(dir.path(), args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains(part), "{args:?}: {}", ran.err);
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_missing_configuration_says_how_to_get_one() {
    let dir = tempfile::tempdir().unwrap();
    for args in [
        &["check"][..],
        &["serve"],
        &["manifest"],
        &["audit", "verify"],
        &["dead-letters", "list"],
        &["requests"],
        &["totp", "list"],
    ] {
        let ran = switchman(dir.path(), args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}");
        assert!(ran.err.contains("switchman init"), "{args:?}: {}", ran.err);
    }
}

#[test]
fn help_and_version_go_to_stdout() {
    let dir = tempfile::tempdir().unwrap();
    let help = switchman(dir.path(), &["--help"]);
    assert_eq!((help.code, help.err.as_str()), (0, ""));
    let words = [
        "init",
        "playground",
        "serve",
        "check",
        "manifest",
        "batch",
        "sample",
        "policy",
        "audit",
        "approve",
        "deny",
        "requests",
        "totp",
        "dead-letters",
    ];
    for word in words {
        assert!(help.out.contains(&format!("\n  {word} ")), "{word}");
    }
    assert_eq!(switchman(dir.path(), &["--version"]).code, 0);
}

#[test]
fn bad_log_settings_are_wrong_usage() {
    let dir = tempfile::tempdir().unwrap();
    for (name, value) in [("SWITCHMAN_LOG", "switchman=loud"), ("SWITCHMAN_LOG_FORMAT", "xml")] {
        let ran = switchman_with(dir.path(), &["check"], &[(name, value)]);
        assert_eq!(ran.code, 2);
        assert!(ran.err.contains(&format!("{name}:")), "{}", ran.err);
    }
}

#[test]
fn serve_names_the_mistakes_of_file_and_environment_together() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("switchman.toml"), "[server]\nlisten = \"nowhere\"\n").unwrap();
    let ran = switchman_with(dir.path(), &["serve"], &[("SLACK_BOT_TOKEN", "xoxp-not-a-bot")]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("switchman.toml:2: server.listen"), "{}", ran.err);
    assert!(ran.err.contains("SLACK_SIGNING_SECRET: is not set"), "{}", ran.err);
    assert!(ran.err.contains("SLACK_BOT_TOKEN: is a token of another kind"), "{}", ran.err);
    assert!(!ran.err.contains("not-a-bot"), "{}", ran.err);
}
