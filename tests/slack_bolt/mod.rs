//! Slack's own Python framework against the playground: an outside opinion on whether it is like Slack.
//!
//! Needs a Python with `requirements.txt` installed; the variable `SWITCHMAN_PYTHON` names its executable. Without it the
//! test says that it was left out.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use switchman::playground::{Clock, Playground, PlaygroundConfig};

const TOKEN: &str = "xoxb-playground";
const SECRET: &str = "playground-secret";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slack_bolt_and_slack_sdk_work_against_the_playground() {
    let Some(python) = std::env::var_os("SWITCHMAN_PYTHON") else {
        println!("left out: slack_bolt (set SWITCHMAN_PYTHON to a Python with tests/slack_bolt/requirements.txt)");
        return;
    };
    #[expect(clippy::disallowed_methods, reason = "slack_bolt checks the time stamp against the real clock")]
    let clock: Clock = Arc::new(jiff::Timestamp::now);
    let playground = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), clock)).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    playground.set_base_url(&base);
    let server = tokio::spawn({
        let router = playground.router();
        async move { axum::serve(listener, router).await.unwrap() }
    });
    let hearing = playground.clone();
    let (passed, report) = tokio::task::spawn_blocking(move || run(Path::new(&python), &base, &hearing)).await.unwrap();
    println!("{report}");
    assert!(passed, "{report}");
    assert!(report.lines().filter(|line| line.starts_with("ok ")).count() >= 25, "{report}");
    server.abort();
}

/// Runs the client to its end; whether all held, and what it printed.
fn run(python: &Path, base: &str, playground: &Playground) -> (bool, String) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slack_bolt/client.py");
    let mut client = Command::new(python)
        .arg(script)
        .args([base, TOKEN, SECRET])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(client.stdout.take().unwrap());
    let mut bot_url = String::new();
    output.read_line(&mut bot_url).unwrap();
    playground.set_bot_url(bot_url.trim());
    client.stdin.take().unwrap().write_all(b"go\n").unwrap();
    let mut report = String::new();
    output.read_to_string(&mut report).unwrap();
    (client.wait().unwrap().success(), report)
}
