//! Tables of bad files: every mistake at once, at its line.

use super::{Config, read};
use std::path::Path;

fn folder() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("schema.json"), r#"{"fields":[{"name":"id"}]}"#).unwrap();
    std::fs::write(dir.path().join("prices.csv"), "id,price\n1,2\n").unwrap();
    dir
}

fn parse(dir: &Path, text: &str) -> Result<Config, String> {
    read::parse("switchman.toml", dir.join("switchman.toml"), text, super::Depth::Data)
        .map_err(|m| m.to_string().replace(&dir.display().to_string(), "DIR"))
}

fn mistakes(text: &str) -> String {
    let dir = folder();
    parse(dir.path(), text).unwrap_err()
}

#[test]
fn an_empty_file_is_a_configuration_with_the_defaults() {
    let dir = folder();
    let config = parse(dir.path(), "").unwrap();
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.public_url(), "http://127.0.0.1:3000");
    assert_eq!(config.slash_command, "/my-slack-bot");
    assert_eq!(config.backend, super::Backend::Embedded { data: dir.path().join("var") });
    assert!(!config.own_rules);
}

#[test]
fn a_full_file_is_read_key_by_key() {
    let dir = folder();
    let text = r#"
[server]
listen = "[::1]:0"
public_url = "https://bot.example.com/"
[slack]
command = "/batch"
[backend]
kind = "embedded"
data = "state"
[[channel]]
id = "C1"
[[user]]
team = "T1"
id = "W1"
name = "Ann"
roles = ["clerk"]
[[job]]
name = "prices"
summary = "Prices"
kind = "csv"
input = "in"
pattern = "p-*.csv"
output = "out"
schema = "schema.json"
columns = ["amount", "id"]
tolerated_rejects_percent = 2.5
chunk = "64 KiB"
max_record = "1 MiB"
workers = 3
max_rows_per_second = 1_00
dialect = { delimiter = "\t", quote = "", header = false }
[[job.lookup]]
key = "id"
file = "prices.csv"
columns = [{ from = "price", to = "amount" }]
schema = "schema.json"
optional = true
[[rule]]
name = "clerks"
effect = "allow"
roles = ["clerk"]
actions = ["start-batch", "status"]
jobs = ["prices"]
channels = ["C1"]
"#;
    let config = parse(dir.path(), text).unwrap();
    let job = &config.jobs[0];
    assert_eq!(job.input, dir.path().join("in"));
    assert!(job.pattern.matches("p-1.csv"));
    assert_eq!((job.spec.dialect.delimiter, job.spec.dialect.quote, job.spec.dialect.header), ('\t', None, false));
    assert_eq!((job.spec.chunk_bytes, job.spec.workers, job.spec.max_rows_per_second), (65536, 3, Some(100)));
    assert_eq!(job.load().unwrap().output_columns(), ["amount", "id"]);
    assert_eq!(config.public_url(), "https://bot.example.com");
    assert_eq!(config.policy.rules()[0].actions.len(), 2);
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
}

#[test]
fn every_mistake_of_a_file_comes_at_once_with_its_line() {
    insta::assert_snapshot!(mistakes(
        r#"
colour = "red"
[server]
lisen = "127.0.0.1:1"
public_url = "bot.example.com"
[slack]
command = "my bot"
[backend]
kind = "postgres"
[[channel]]
id = "batch"
[[channel]]
id = "C1"
[[channel]]
id = "C1"
[[user]]
id = "U1"
roles = "operator"
[[user]]
team = "T1"
id = "U1"
roles = ["operater", "operator", "operator"]
[[user]]
team = "T1"
id = "U1"
[[job]]
name = "Sales"
schema = "missing.json"
tolerated_rejects_percent = 101
chunk = "4 MB"
workers = 0
[[job]]
name = "prices"
schema = 7
pattern = "in/*.csv"
input = "same"
output = "same"
[job.dialect]
delimiter = "::"
quote = ";"
[[job.lookup]]
key = "id"
[[job]]
name = "prices"
schema = "schema.json"
[[rule]]
name = "a"
effect = "permit"
jobs = ["price"]
channels = ["C2"]
actions = ["start"]
[[rule]]
effect = "deny"
roles = ["aprover"]
"#
    ));
}

#[test]
fn wrong_shapes_say_what_was_expected() {
    insta::assert_snapshot!(mistakes(
        r#"
server = 5
job = "sales"
[channel]
id = "C1"
[[user]]
team = 1
id = true
name = 2026-01-01
roles = [1, "operator"]
"#
    ));
}

#[test]
fn every_syntax_mistake_comes_at_once_too() {
    insta::assert_snapshot!(mistakes("[server\nlisten = \"x\n[slack]\ncommand = /bot\n"));
}

#[test]
fn secrets_in_the_file_are_refused_and_not_repeated() {
    let text = mistakes(
        "[slack]\nbot_token = \"xoxb-zebra\"\ncommand = \"xapp-zebra\"\n[server]\nlisten = [\"xoxb-zebra\"]\nsigning-secret = 5\n",
    );
    assert!(!text.contains("zebra"), "{text}");
    for place in ["toml:2: slack.bot_token", "toml:3: slack.command", "toml:5: server.listen", "toml:6: server.signing"]
    {
        assert!(text.contains(place), "{place} in {text}");
    }
    assert!(text.contains("SLACK_BOT_TOKEN"));
}

#[cfg(not(feature = "aws"))]
#[test]
fn there_is_no_aws_backend_and_it_says_so() {
    insta::assert_snapshot!(mistakes("[backend]\nkind = \"aws\"\n"), @r#"switchman.toml:2: backend.kind: this build has no AWS backend; write "embedded", or build with the cargo feature aws"#);
}

#[test]
fn risky_settings_are_warned_about() {
    let dir = folder();
    let text = r#"
[server]
listen = "0.0.0.0:3000"
[[channel]]
id = "C1"
[[user]]
team = "T1"
id = "U1"
[[job]]
name = "a"
schema = "schema.json"
tolerated_rejects_percent = 5
[[job]]
name = "b"
schema = "schema.json"
"#;
    insta::assert_snapshot!(parse(dir.path(), text).unwrap().warnings().join("\n"));
}

#[test]
fn a_file_that_is_not_there_says_how_to_get_one() {
    let error = Config::load(Path::new("nowhere/switchman.toml")).unwrap_err().to_string();
    assert!(error.starts_with("nowhere/switchman.toml: cannot be read:"), "{error}");
    assert!(error.contains("switchman init"), "{error}");
}

#[test]
fn what_schema_and_lookup_say_is_checked_at_the_key_that_names_them() {
    let dir = folder();
    std::fs::write(dir.path().join("odd.json"), r#"{"fields":[{"name":"id","type":"integre"}],"foreignKeys":[]}"#)
        .unwrap();
    std::fs::write(dir.path().join("torn.csv"), "id,price\n1,2\n1,3\n2\n").unwrap();
    let text = r#"
[[job]]
name = "odd"
schema = "odd.json"
tolerated_rejects_percent = 1
[[job]]
name = "prices"
schema = "schema.json"
columns = ["id", "cost"]
dialect = { delimiter = "ä" }
[[job.lookup]]
key = "id"
file = "torn.csv"
columns = ["price"]
[[job]]
name = "names"
schema = "schema.json"
columns = ["id", "cost"]
[[job.lookup]]
key = "name"
file = "prices.csv"
columns = ["price"]
[[job.lookup]]
key = "id"
file = "prices.csv"
columns = ["amount"]
"#;
    insta::assert_snapshot!(parse(dir.path(), text).unwrap_err());
}

#[test]
fn a_bad_line_of_a_lookup_does_not_keep_the_bot_from_starting() {
    let dir = folder();
    std::fs::write(dir.path().join("prices.csv"), "id,price\n1,2\nbroken\n").unwrap();
    let text = "[[job]]\nname = \"a\"\nschema = \"schema.json\"\n[[job.lookup]]\nkey = \"id\"\nfile = \"prices.csv\"\ncolumns = [\"price\"]\n";
    let file = dir.path().join("switchman.toml");
    std::fs::write(&file, text).unwrap();
    assert!(Config::load(&file).is_ok());
    let error = Config::load_with_data(&file).unwrap_err().to_string();
    assert!(error.contains(":6: job.a.lookup[1].file: lookup prices.csv, line 3:"), "{error}");
}

#[test]
fn a_byte_order_mark_and_crlf_change_nothing() {
    let dir = folder();
    let text = "\u{feff}[server]\r\nlisten = \"127.0.0.1:1\"\r\nlisen = 1\r\n";
    let error = parse(dir.path(), text).unwrap_err();
    assert_eq!(error, "switchman.toml:3: server.lisen: unknown key; did you mean \"listen\"?");
}

proptest::proptest! {
    /// Whatever is done to a good file: it is read or refused with places within it, and never a panic.
    #[test]
    fn damaged_files_are_refused_with_lines_that_exist(
        cuts in proptest::collection::vec((0..4000_usize, 0..12_usize, "[\\[\\]{}\"'#=,.a-z0-9\n\\\\é-]{0,4}"), 1..6)
    ) {
        let mut text: Vec<char> = include_str!("starter/switchman.toml").chars().collect();
        for (at, length, instead) in cuts {
            let at = at.min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, instead.chars());
        }
        let text: String = text.into_iter().collect();
        let dir = Path::new("/nowhere");
        if let Err(mistakes) = read::parse("switchman.toml", dir.join("switchman.toml"), &text, super::Depth::Settings) {
            proptest::prop_assert!(!mistakes.0.is_empty());
            for mistake in mistakes.0 {
                proptest::prop_assert!((1..=text.lines().count().max(1) + 1).contains(&mistake.line), "{}", mistake);
                proptest::prop_assert!(!mistake.what.is_empty());
            }
        }
    }
}
