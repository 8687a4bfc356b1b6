//! parse∘render is the identity; nothing panics; mistakes are pointed at.

use super::*;
use crate::domain::command::{Action, Scope};
use crate::domain::id::{FileName, JobName, ParameterName, RunId, UserId};
use crate::domain::job::{Catalog, Job};
use crate::domain::parameter::{Declared, Given, Inputs, Kind as Type};
use proptest::prelude::*;

fn jobs() -> Vec<JobName> {
    ["sales", "inventory", "ledger-2"].into_iter().map(|j| JobName::parse(j).unwrap()).collect()
}

fn complete(text: &str) -> Command {
    match parse(text, &jobs()) {
        Ok(Parsed::Complete(command)) => command,
        other => panic!("{text:?} gave {other:?}"),
    }
}

fn usage(text: &str) -> Usage {
    parse(text, &jobs()).unwrap_err()
}

#[test]
fn the_table_holds_every_action_once_and_every_example_parses() {
    assert_eq!(SPECS.iter().map(|s| s.action).collect::<Vec<_>>(), Action::ALL);
    for spec in SPECS {
        let example = spec.example.replace("@Viewer", "<@U0VIEWER|Viewer>");
        assert_eq!(complete(&example).action(), spec.action, "{example}");
    }
    assert!(usage_hint().chars().count() <= 1000, "Slack's limit for a usage hint");
}

#[test]
fn words_are_read_as_people_type_them() {
    assert_eq!(parse("  ", &jobs()), Ok(Parsed::Menu));
    assert_eq!(parse("start-batch", &jobs()), Ok(Parsed::Incomplete(Action::StartBatch)));
    assert_eq!(parse("cancel-batch", &jobs()), Ok(Parsed::Incomplete(Action::CancelBatch)));
    assert_eq!(parse("why <@U1>", &jobs()), Ok(Parsed::Incomplete(Action::Why)));
    assert_eq!(
        complete("Start-Batch  SALES"),
        Command::StartBatch { job: JobName::parse("sales").unwrap(), file: None, values: vec![] }
    );
    let file = Some(FileName::parse("my \"best\" file.csv").unwrap());
    assert_eq!(
        complete("start-batch sales \u{201c}my \\\"best\\\" file.csv\u{201d}"),
        Command::StartBatch { job: JobName::parse("sales").unwrap(), file, values: vec![] }
    );
    assert_eq!(complete("reprocess-batch ROWS"), Command::ReprocessBatch { run: None, scope: Some(Scope::Rows) });
    let run = RunId::parse("r-7k3f").unwrap();
    assert_eq!(
        complete("reprocess-batch R-7K3F all"),
        Command::ReprocessBatch { run: Some(run), scope: Some(Scope::All) }
    );
    assert_eq!(
        complete("why <@U0VIEWER|viewer> status"),
        Command::Why { user: UserId::parse("U0VIEWER").unwrap(), command: Box::new(Command::Status { run: None }) }
    );
}

#[test]
fn a_file_name_with_quotes_of_any_kind_is_written_so_that_it_is_read_back() {
    for name in ["a\u{201d}b.csv", "\u{201c}a\u{201d}", "a \"b\" \u{201c}c", "\u{201d}"] {
        let file = Some(FileName::parse(name).unwrap());
        let command = Command::StartBatch { job: JobName::parse("sales").unwrap(), file, values: vec![] };
        assert_eq!(complete(&render(&command)), command, "{name}");
    }
}

#[test]
fn mistakes_are_pointed_at_with_the_nearest_word() {
    let wrong = usage("start-bach sales");
    assert_eq!((wrong.at, wrong.length, wrong.nearest.as_deref()), (0, 10, Some("start-batch")));
    let wrong = usage("start-batch salse");
    assert_eq!((wrong.at, wrong.length, wrong.nearest.as_deref()), (12, 5, Some("sales")));
    assert_eq!(wrong.caret(), "start-batch salse\n            ^^^^^");
    let wrong = usage("reprocess-batch r-7k3f row");
    assert_eq!((wrong.at, wrong.nearest.as_deref()), (23, Some("rows")));
    let wrong = usage("list-batches now");
    assert_eq!(wrong.reason, "nothing more is expected here: list-batches");
    assert_eq!(usage("start-batch sales \"open").reason, "this quote is never closed");
    assert_eq!(usage("why @bob status").at, 4);
    assert_eq!(usage("why <@U1> why <@U2> status").reason, "why explains one command, not itself");
    assert_eq!(usage("start-batch sales ../../etc/passwd").at, 18);
    assert_eq!(usage("zzzzzz").nearest, None);
}

#[test]
fn a_stored_command_is_read_back_even_if_its_job_has_left_the_catalog() {
    assert_eq!(
        read_back("start-batch gone").unwrap(),
        Command::StartBatch { job: JobName::parse("gone").unwrap(), file: None, values: vec![] }
    );
    assert!(read_back("start-batch").is_err());
}

fn any_run() -> impl Strategy<Value = RunId> {
    "r-[2-9a-h]{4,12}".prop_map(|t| RunId::parse(t).unwrap())
}

fn any_file() -> impl Strategy<Value = FileName> {
    "[^\\p{C}/]{1,40}|[a-c\"\u{201c}\u{201d} =]{1,12}".prop_filter_map("a valid name", |t| FileName::parse(t).ok())
}

/// Any value of a workflow, quotes and all.
fn any_given() -> impl Strategy<Value = Given> {
    ("[A-Za-z][a-zA-Z0-9_-]{0,8}", "[^\\p{C}]{0,20}|[a-c\"\u{201c}\u{201d}= \\\\]{0,8}")
        .prop_filter_map("a name", |(name, text)| Some(Given { name: ParameterName::parse(name).ok()?, text }))
}

fn any_command() -> impl Strategy<Value = Command> {
    let scope = proptest::option::of(proptest::sample::select(Scope::ALL.to_vec()));
    let plain = prop_oneof![
        (proptest::sample::select(jobs()), proptest::option::of(any_file()))
            .prop_map(|(job, file)| Command::StartBatch { job, file, values: vec![] }),
        (proptest::option::of(any_run()), scope).prop_map(|(run, scope)| Command::ReprocessBatch { run, scope }),
        (proptest::sample::select(jobs()), proptest::collection::vec(any_given(), 0..4))
            .prop_map(|(job, values)| Command::StartBatch { job, file: None, values }),
        any_run().prop_map(|run| Command::CancelBatch { run }),
        proptest::option::of(any_run()).prop_map(|run| Command::Status { run }),
        Just(Command::ListBatches),
        proptest::option::of(proptest::sample::select(Action::ALL.to_vec())).prop_map(|about| Command::Help { about }),
    ];
    let why = ("[UW][A-Z0-9]{1,12}", plain.clone())
        .prop_map(|(user, command)| Command::Why { user: UserId::parse(user).unwrap(), command: Box::new(command) });
    prop_oneof![6 => plain, 1 => why]
}

/// The jobs above, and a workflow.
fn catalog() -> Catalog {
    let input = |name: &str, kind: Type, required: bool| Declared {
        name: ParameterName::parse(name).unwrap(),
        title: name.to_owned(),
        hint: None,
        kind,
        required,
        default: None,
    };
    let inputs = Inputs(vec![
        input("date", Type::Date { min: None, max: None }, true),
        input("force", Type::Boolean, false),
        input("note", Type::Text { pattern: None }, false),
    ]);
    let job = |name: JobName, workflow: Option<Inputs>| Job {
        name,
        summary: String::new(),
        definition: String::new(),
        arrival: None,
        workflow,
    };
    let nightly = job(JobName::parse("nightly").unwrap(), Some(inputs));
    Catalog::new(jobs().into_iter().map(|name| job(name, None)).chain([nightly]).collect())
}

/// As it is read on 21 November 2026.
fn with_catalog(text: &str) -> Result<Parsed, Usage> {
    parse(text, (&catalog(), "2026-11-21".parse().unwrap()))
}

fn rendered(text: &str) -> String {
    match with_catalog(text) {
        Ok(Parsed::Complete(command)) => render(&command),
        other => panic!("{text:?} gave {other:?}"),
    }
}

#[test]
fn a_workflow_takes_values_and_a_job_takes_a_file_that_may_look_like_one() {
    let said = r#"start-batch nightly date=2026-11-21 force=true note="some text""#;
    assert_eq!(rendered(r#"start-batch nightly "note=some text" force=yes date=today"#), said);
    assert_eq!(rendered(r#"start-batch nightly note="some text" force=on date=2026-11-21"#), said);
    assert_eq!(rendered(said), said);
    assert_eq!(read_back(said).map(|command| render(&command)), Ok(said.to_owned()), "under any catalog");
    assert_eq!(rendered("start-batch sales date=1.csv"), "start-batch sales \"date=1.csv\"");
    let file = Some(FileName::parse("date=1.csv").unwrap());
    let job = JobName::parse("sales").unwrap();
    assert_eq!(read_back("start-batch sales \"date=1.csv\""), Ok(Command::StartBatch { job, file, values: vec![] }));
}

#[test]
fn what_a_workflow_lacks_is_asked_for_and_what_is_wrong_is_pointed_at() {
    let job = JobName::parse("nightly").unwrap();
    let given = vec![Given { name: ParameterName::parse("force").unwrap(), text: "true".into() }];
    assert_eq!(with_catalog("start-batch nightly force=true"), Ok(Parsed::Unfilled { job, given }));
    assert!(matches!(with_catalog("why <@U1> start-batch nightly"), Ok(Parsed::Complete(Command::Why { .. }))));
    for (line, at, length, near) in [
        ("start-batch nightly date=today forc=true", 31, 9, Some("force=true")),
        ("start-batch nightly force=tru date=today", 20, 9, Some("force=true")),
        ("start-batch nightly date=today note=\"a\" date=today", 40, 10, None),
        ("start-batch nightly dat", 20, 3, Some("date=")),
        ("why <@U1> start-batch nightly date=x", 30, 6, None),
    ] {
        let wrong = with_catalog(line).unwrap_err();
        assert_eq!((wrong.at, wrong.length, wrong.nearest.as_deref()), (at, length, near), "{line}: {}", wrong.reason);
        assert!(wrong.action.is_some(), "{line}");
    }
}

proptest! {
    #[test]
    fn values_survive_the_journey_whatever_they_hold(note in "[^\\p{C}]{1,40}|[a-c\"\u{201c}\u{201d}=\\\\ ]{1,12}", force in any::<bool>()) {
        let line = format!("start-batch nightly date=today force={force} note={}", quote(&note));
        if let Ok(Parsed::Complete(command)) = with_catalog(&line) {
            prop_assert_eq!(with_catalog(&render(&command)), Ok(Parsed::Complete(command.clone())));
            prop_assert_eq!(read_back(&render(&command)), Ok(command));
        } else {
            prop_assert!(false, "{} was not read", line);
        }
    }

    #[test]
    fn parse_after_render_is_the_identity(command in any_command()) {
        prop_assert_eq!(parse(&render(&command), &jobs()), Ok(Parsed::Complete(command.clone())));
        prop_assert_eq!(read_back(&render(&command)), Ok(command));
    }

    #[test]
    fn no_text_panics_and_every_error_points_into_the_line(text in "\\PC{0,60}|(start-batch|start-batch nightly|why|reprocess-batch)[ \"\\\\<@>|a-zU-]{0,40}") {
        for read in [parse(&text, &jobs()), with_catalog(&text)] {
            let Err(wrong) = read else { continue };
            prop_assert!(wrong.at + wrong.length <= text.chars().count().max(1));
            prop_assert!(!wrong.reason.is_empty());
            let _ = wrong.caret();
        }
    }
}
