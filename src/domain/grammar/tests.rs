//! parse∘render is the identity; nothing panics; mistakes are pointed at.

use super::*;
use crate::domain::command::{Action, Scope};
use crate::domain::id::{FileName, JobName, RunId, UserId};
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
    "[^\\p{C}/]{1,40}|[a-c\"\u{201c}\u{201d} ]{1,12}".prop_filter_map("a valid name", |t| FileName::parse(t).ok())
}

fn any_command() -> impl Strategy<Value = Command> {
    let scope = proptest::option::of(proptest::sample::select(Scope::ALL.to_vec()));
    let plain = prop_oneof![
        (proptest::sample::select(jobs()), proptest::option::of(any_file()))
            .prop_map(|(job, file)| Command::StartBatch { job, file, values: vec![] }),
        (proptest::option::of(any_run()), scope).prop_map(|(run, scope)| Command::ReprocessBatch { run, scope }),
        any_run().prop_map(|run| Command::CancelBatch { run }),
        proptest::option::of(any_run()).prop_map(|run| Command::Status { run }),
        Just(Command::ListBatches),
        proptest::option::of(proptest::sample::select(Action::ALL.to_vec())).prop_map(|about| Command::Help { about }),
    ];
    let why = ("[UW][A-Z0-9]{1,12}", plain.clone())
        .prop_map(|(user, command)| Command::Why { user: UserId::parse(user).unwrap(), command: Box::new(command) });
    prop_oneof![6 => plain, 1 => why]
}

proptest! {
    #[test]
    fn parse_after_render_is_the_identity(command in any_command()) {
        prop_assert_eq!(parse(&render(&command), &jobs()), Ok(Parsed::Complete(command.clone())));
        prop_assert_eq!(read_back(&render(&command)), Ok(command));
    }

    #[test]
    fn no_text_panics_and_every_error_points_into_the_line(text in "\\PC{0,60}|(start-batch|why|reprocess-batch)[ \"\\\\<@>|a-zU-]{0,40}") {
        if let Err(wrong) = parse(&text, &jobs()) {
            prop_assert!(wrong.at + wrong.length <= text.chars().count().max(1));
            prop_assert!(!wrong.reason.is_empty());
            let _ = wrong.caret();
        }
    }
}
