//! `switchman check`.

use super::playground::Playground;
use super::{initialised, switchman, switchman_with};
use std::fs;

#[test]
fn what_init_writes_passes_and_is_summed_up() {
    let dir = initialised();
    let ran = switchman(dir.path(), &["check"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let out = ran.out.replace(&fs::canonicalize(dir.path()).unwrap().display().to_string(), "DIR");
    let out = out.replace(&dir.path().display().to_string(), "DIR");
    insta::assert_snapshot!(out);
}

#[test]
fn every_mistake_is_named_at_once_with_file_and_line() {
    let dir = initialised();
    let file = dir.path().join("switchman.toml");
    let text = fs::read_to_string(&file).unwrap();
    let text = text
        .replace("listen =", "lisen =")
        .replace("roles = [\"viewer\"]", "roles = [\"veiwer\"]")
        .replace("tolerated_rejects_percent = 5", "tolerated_rejects_percent = 500")
        .replace("jobs/sales/financials.csv", "jobs/sales/financial.csv");
    fs::write(&file, &text).unwrap();
    let line = |part: &str| text.lines().position(|l| l.contains(part)).unwrap() + 1;
    let ran = switchman(dir.path(), &["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for (part, key) in [
        ("lisen =", "server.lisen: unknown key; did you mean \"listen\"?"),
        ("veiwer", "user.U0VIEWER.roles: \"veiwer\""),
        ("= 500", "job.sales.tolerated_rejects_percent: expected a number from 0 to 100"),
        ("financial.csv", "job.sales.lookup[1].file:"),
    ] {
        let expected = format!("switchman.toml:{}: {key}", line(part));
        assert!(ran.err.contains(&expected), "{expected} in {}", ran.err);
    }
    assert!(ran.err.ends_with("4 mistakes\n"), "{}", ran.err);
}

#[test]
fn what_a_schema_says_and_is_not_supported_is_refused_by_name() {
    let dir = initialised();
    let file = dir.path().join("jobs/sales/sales.schema.json");
    let mut schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    schema["foreignKeys"] = serde_json::json!([]);
    let kinds = ["geopoint", "object", "array", "duration", "yearmonth", "geojson", "list"];
    for (field, kind) in kinds.into_iter().enumerate() {
        schema["fields"][field]["type"] = kind.into();
    }
    schema["fields"][7] =
        serde_json::json!({"name": "Ship Date", "format": "email", "constraints": {"jsonSchema": {}}});
    fs::write(&file, schema.to_string()).unwrap();
    let ran = switchman(dir.path(), &["check"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let places = ["foreignKeys", "\"email\"", "jsonSchema"].into_iter().chain(kinds);
    for part in places {
        let named =
            |line: &str| line.contains(part) && line.contains("not supported") && line.contains("job.sales.schema");
        assert!(ran.err.lines().any(named), "{part} in {}", ran.err);
    }
}

#[test]
fn bad_lines_of_a_lookup_are_named() {
    let dir = initialised();
    let lookup = dir.path().join("jobs/sales/financials.csv");
    fs::write(&lookup, fs::read_to_string(&lookup).unwrap() + "123456789,many,1,1,1,1,1\n").unwrap();
    let ran = switchman(dir.path(), &["check"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("many"), "{}", ran.err);
}

#[test]
fn warnings_go_to_stderr_and_are_no_failure() {
    let dir = initialised();
    let file = dir.path().join("switchman.toml");
    let text = fs::read_to_string(&file).unwrap().replace("127.0.0.1:3000", "0.0.0.0:3000");
    fs::write(&file, text).unwrap();
    let ran = switchman(dir.path(), &["check"]);
    assert_eq!(ran.code, 0);
    assert!(ran.err.starts_with("warning: server.listen: 0.0.0.0:3000"), "{}", ran.err);
    assert!(ran.out.ends_with("ok\n"), "{}", ran.out);
}

#[test]
fn asking_slack_needs_its_secrets() {
    let dir = initialised();
    let ran = switchman(dir.path(), &["check", "--online"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("SLACK_BOT_TOKEN: is not set"), "{}", ran.err);
}

fn online(dir: &std::path::Path, api_url: &str) -> (i32, String) {
    let environment = [
        ("SLACK_API_URL", api_url),
        ("SLACK_SIGNING_SECRET", "0123456789abcdef0123456789abcdef"),
        ("SLACK_BOT_TOKEN", "xoxb-1-of-nobody"),
    ];
    let ran = switchman_with(dir, &["check", "--online"], &environment);
    (ran.code, ran.err)
}

#[test]
fn a_slack_that_is_out_of_reach_is_not_blamed_on_the_token() {
    let dir = initialised();
    // A port that is ours and that nobody listens on.
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("http://{nobody}/api");
    let (code, err) = online(dir.path(), &url);
    assert_eq!(code, 1);
    assert!(err.contains(&format!("Slack could not be reached at {url}: no connection")), "{err}");
}

#[test]
fn a_refused_token_is_told_with_the_code_of_slack() {
    let dir = initialised();
    let mut slack = Playground::start(dir.path());
    let (code, err) = online(dir.path(), &format!("{}/api", slack.address()));
    assert_eq!(code, 1);
    assert!(err.contains("Slack refused the token: invalid_auth"), "{err}");
}
