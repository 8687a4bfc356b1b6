//! Tables of bad files: every mistake at once, at its line.

use super::{Config, read};
use crate::domain::actor::Role;
use crate::domain::approval::ApprovalRule;
use crate::domain::command::Action;
use crate::domain::id::JobName;
use jiff::SignedDuration;
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

const PEOPLE: &str = r#"
[[channel]]
id = "C1"
[[user]]
team = "T1"
id = "U1"
name = "Ann"
roles = ["operator", "approver"]
[[user]]
team = "T1"
id = "U2"
name = "Bob"
roles = ["approver"]
[[user]]
team = "T1"
id = "U3"
name = "Cyd"
roles = ["lead", "viewer"]
[[job]]
name = "prices"
schema = "schema.json"
tolerated_rejects_percent = 1
[[job]]
name = "sales"
schema = "schema.json"
pattern = "s*.csv"
tolerated_rejects_percent = 1
"#;

#[test]
fn approvals_are_read_key_by_key_and_have_their_defaults() {
    let dir = folder();
    let text = r#"
[[approval]]
actions = ["start-batch", "cancel-batch"]
jobs = ["sales"]
roles = ["approver", "lead"]
quorum = 2
self_approval = true
expires = "2 d"
reason = true
step_up = true
break_glass = ["lead"]
[[approval]]
actions = ["start-batch"]
roles = ["lead"]
[[approval]]
actions = ["fail-over"]
roles = ["approver", "lead"]
[failover]
recovery_time = "2h"
data_loss = "0s"
more_unfinished = 0
more_lag = "90s"
"#;
    let config = parse(dir.path(), &format!("{PEOPLE}{text}")).unwrap();
    assert!(config.warnings().is_empty(), "{:?}", config.warnings());
    let catalog = config.catalog();
    let rule = |action, job: Option<&str>| catalog.approval(action, job.map(|j| JobName::parse(j).unwrap()).as_ref());
    let (approver, lead) = (Role::new("approver"), Role::new("lead"));
    let full = ApprovalRule {
        roles: vec![approver.clone(), lead.clone()],
        quorum: 2,
        self_approval: true,
        expires: SignedDuration::from_hours(48),
        reason: true,
        step_up: true,
        break_glass: vec![lead.clone()],
    };
    assert_eq!(rule(Action::StartBatch, Some("sales")), Some(full.clone()));
    assert_eq!(rule(Action::CancelBatch, Some("sales")), Some(full));
    let usual = ApprovalRule {
        roles: vec![lead.clone()],
        quorum: 1,
        self_approval: false,
        expires: SignedDuration::from_hours(4),
        reason: false,
        step_up: false,
        break_glass: vec![],
    };
    assert_eq!(rule(Action::StartBatch, Some("prices")), Some(usual));
    assert_eq!(rule(Action::CancelBatch, Some("prices")), None);
    let moves = ApprovalRule { roles: vec![approver, lead], ..ApprovalRule::for_regions() };
    assert_eq!(rule(Action::FailOver, None), Some(moves));
    assert_eq!(rule(Action::FailBack, None), Some(ApprovalRule::for_regions()));
    let moves = catalog.moves();
    assert_eq!(
        (moves.targets.recovery_time, moves.targets.data_loss),
        (SignedDuration::from_hours(2), SignedDuration::ZERO)
    );
    assert_eq!((moves.tolerance.more_unfinished, moves.tolerance.more_lag), (0, SignedDuration::from_secs(90)));
}

#[test]
fn approvals_that_cannot_be_had_or_mean_nothing_are_mistakes() {
    let dir = folder();
    let text = r#"
[[approval]]
roles = []
[[approval]]
actions = ["status", "fail-ovr"]
roles = ["aprover"]
break_glass = ["leed"]
quorum = 0
expires = "15m"
self_approval = "no"
step_upp = true
[[approval]]
actions = ["fail-over", "fail-back"]
jobs = ["sales"]
roles = ["approver"]
expires = "31d"
[[approval]]
actions = ["start-batch", "fail-over"]
jobs = ["price"]
roles = ["approver"]
quorum = 1
[failover]
recovery_time = "soon"
data_loss = 60
more_files = 1
"#;
    insta::assert_snapshot!(parse(dir.path(), &format!("{PEOPLE}{text}")).unwrap_err());
}

#[test]
fn a_quorum_that_nobody_can_reach_is_a_mistake_by_name() {
    let dir = folder();
    for (table, expected) in [
        // Ann is the only one who asks, so Bob is left.
        (
            "actions = [\"start-batch\"]\nroles = [\"approver\"]\nquorum = 2",
            Some("2 must approve, and besides whoever asks only Bob can"),
        ),
        ("actions = [\"start-batch\"]\nroles = [\"approver\"]\nquorum = 2\nself_approval = true", None),
        ("actions = [\"start-batch\"]\nroles = [\"approver\", \"lead\"]\nquorum = 2", None),
        (
            "actions = [\"start-batch\"]\nroles = [\"operator\"]",
            Some("1 must approve, and besides whoever asks nobody can"),
        ),
        ("actions = [\"fail-over\"]\nroles = [\"lead\"]", Some("2 must approve, and only Cyd can")),
        (
            "actions = [\"fail-over\"]\nroles = [\"lead\"]\nbreak_glass = [\"approver\"]",
            Some("2 must approve, and only Cyd can"),
        ),
        ("actions = [\"cancel-batch\"]\nroles = [\"approver\"]\nbreak_glass = [\"lead\"]", None),
    ] {
        let found = parse(dir.path(), &format!("{PEOPLE}\n[[approval]]\n{table}")).err();
        match (expected, &found) {
            (None, None) => {}
            (Some(part), Some(text)) => {
                assert!(text.contains(&format!("approval[1].quorum: {part};")), "{table}: {text}");
            }
            _ => panic!("{table}: {found:?}"),
        }
    }
}

#[test]
fn approvers_whom_the_policy_lets_not_vote_do_not_count() {
    let dir = folder();
    let rules = r#"
[[rule]]
name = "all"
effect = "allow"
[[rule]]
name = "not-lead"
effect = "deny"
roles = ["lead"]
actions = ["approve"]
[[approval]]
actions = ["fail-over"]
roles = ["lead", "approver"]
break_glass = ["lead"]
quorum = 3
"#;
    let found = parse(dir.path(), &format!("{PEOPLE}{rules}")).unwrap_err();
    assert!(found.contains("quorum: 3 must approve, and only Ann and Bob can; give"), "{found}");
    assert!(found.contains("break_glass: nobody with the role lead may approve"), "{found}");
}

#[test]
fn a_command_that_is_guarded_already_is_a_mistake() {
    let dir = folder();
    for (first, second, wrong) in [("", "jobs = [\"sales\"]", true), ("jobs = [\"sales\"]", "", false), ("", "", true)]
    {
        let table = |jobs| format!("[[approval]]\nactions = [\"start-batch\"]\nroles = [\"approver\"]\n{jobs}\n");
        let found = parse(dir.path(), &format!("{PEOPLE}{}{}", table(first), table(second))).err();
        let expected = "approval[2].actions: start-batch is guarded by the table of line 28 already";
        assert_eq!(found.as_ref().is_some_and(|text| text.contains(expected)), wrong, "{first} {second}: {found:?}");
    }
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
fn where_arrivals_are_reported_is_known_or_a_mistake() {
    let job = |keys: &str| format!("[[job]]\nname = \"prices\"\nschema = \"schema.json\"\n{keys}");
    let channels = "[[channel]]\nid = \"C1\"\n[[channel]]\nid = \"C2\"\n";
    let dir = folder();
    let reported = |keys: &str| {
        let config = parse(dir.path(), &format!("{channels}{}", job(keys))).unwrap();
        config.catalog().jobs()[0].arrival.as_ref().map(|id| id.as_str().to_owned())
    };
    assert_eq!(reported(""), None);
    assert_eq!(reported("on_arrival = false\n"), None);
    assert_eq!(reported("on_arrival = true\n").as_deref(), Some("C1"));
    assert_eq!(reported("on_arrival = true\narrival_channel = \"C2\"\n").as_deref(), Some("C2"));
    let wrong = [
        format!("{channels}{}", job("arrival_channel = \"C1\"\n")),
        format!("{channels}{}", job("on_arrival = true\narrival_channel = \"C3\"\n")),
        format!("{channels}{}", job("on_arrival = \"yes\"\n")),
        job("on_arrival = true\n"),
    ];
    insta::assert_snapshot!(wrong.map(|text| mistakes(&text)).join("\n"), @r#"
    switchman.toml:8: job.prices.arrival_channel: does nothing without on_arrival = true; add that, or remove this
    switchman.toml:9: job.prices.arrival_channel: "C3" is not a channel of this file; did you mean "C1"?
    switchman.toml:8: job.prices.on_arrival: expected true or false, found the text "yes"
    switchman.toml:4: job.prices.on_arrival: there is no channel in which the runs could be reported; add a [[channel]] with the id of a channel that the bot works in
    "#);
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
[[approval]]
actions = ["fail-over"]
roles = ["approver"]
quorum = 1
self_approval = true
[[user]]
team = "T1"
id = "U3"
roles = ["approver"]
[[approval]]
actions = ["fail-back"]
roles = ["approver"]
quorum = 1
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

#[test]
fn regions_have_names_and_folders_of_their_own() {
    let dir = folder();
    let text = "[backend]\ndata = \"state\"\n[[region]]\nname = \"east\"\n[[region]]\nname = \"west\"\n[[region]]\nname = \"north\"\ndata = \"other\"\n[replication]\nlag = \"500 ms\"\n";
    let regions = parse(dir.path(), text).unwrap().regions;
    let folders: Vec<_> = regions.all.iter().map(|region| region.data.clone()).collect();
    let expected = ["state/regions/east", "state/regions/west", "other"].map(|name| dir.path().join(name));
    assert_eq!(folders, expected);
    assert_eq!(regions.lag, std::time::Duration::from_millis(500));
    assert!(parse(dir.path(), "").unwrap().regions.all.is_empty());
}

#[test]
fn every_mistake_about_regions_is_said_at_its_line() {
    for (text, expected) in [
        (
            "[[region]]\nname = \"east\"",
            "switchman.toml:1: region.east.name: there is only one region, so there is nowhere to fail over to; add a second [[region]], or remove this one",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"a\"",
            "switchman.toml:4: region.a.name: the region a stands twice; it stands in line 2 already; give this one another name",
        ),
        (
            "[[region]]\nname = \"a\"\ndata = \"x\"\n[[region]]\nname = \"b\"",
            "switchman.toml:3: region.a.data: the first region has no folder of its own; remove it: the first region has the folders of the jobs and of [backend]",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"b\"\ndata = \"var\"",
            "switchman.toml:5: region.b.data: is the folder of [backend], which the first region uses; name another folder",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"b\"\ndata = \"x\"\n[[region]]\nname = \"c\"\ndata = \"x\"",
            "switchman.toml:8: region.c.data: is the folder of the region b; give each region a folder of its own, or losing one would lose the other",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"b\"\ndata = \"prices.csv\"",
            "switchman.toml:5: region.b.data: DIR/prices.csv is not a folder; name a folder; it is made when needed",
        ),
        (
            "[[region]]\n[[region]]\nname = \"b\"",
            "switchman.toml:1: region[1].name: is missing; lower-case letters, digits and dashes, such as \"east\"",
        ),
        (
            "[[region]]\nname = \"drill\"\n[[region]]\nname = \"b\"",
            "switchman.toml:2: region[1].name: \"drill\" is not a region name; write 1 to 30 lower-case letters, digits and dashes, starting with a letter, and not \"drill\"",
        ),
        (
            "[replication]\nlag = \"2s\"",
            "switchman.toml:2: replication.lag: there is nothing to copy without a [[region]]; add two, or remove it",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"b\"\n[replication]\nlag = \"2 weeks\"",
            "switchman.toml:6: replication.lag: \"2 weeks\" is not a time of at most an hour; write something like \"2s\" or \"500 ms\"",
        ),
        (
            "[[region]]\nname = \"a\"\n[[region]]\nname = \"b\"\ncolour = 1",
            "switchman.toml:5: region.b.colour: unknown key; possible: name, data",
        ),
    ] {
        assert_eq!(mistakes(text), expected);
    }
}
