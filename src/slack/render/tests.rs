//! Everything that is said, as it is said; and nothing that can be said breaks a limit or becomes markup.

use super::*;
use crate::domain::actor::{Actor, Asker, Cause, Outsider, Role};
use crate::domain::command::{Action, Scope};
use crate::domain::grammar::{Usage, usage_at};
use crate::domain::id::{ChannelId, FileName, JobName, RunId, TeamId, UserId};
use crate::domain::policy::Decision;
use crate::domain::problem::Problem;
use crate::domain::reply::{Board, Reply};
use crate::domain::run::{Attempt, AttemptKey, Input, Progress, ReasonCount, Run, RunState};
use crate::ports::{RejectPage, RejectedRow};
use crate::slack::modal::Button;
use jiff::Timestamp;
use proptest::prelude::*;
use std::time::Duration;

pub(super) fn renderer() -> Renderer {
    Renderer::new("/my-slack-bot").across(2)
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + second).unwrap()
}

pub(super) fn actor(user: &str, name: &str) -> Actor {
    Actor { team: TeamId::parse("T0LOCAL").unwrap(), user: UserId::parse(user).unwrap(), name: name.to_owned() }
}

pub(super) fn run_id(id: &str) -> RunId {
    RunId::parse(id).unwrap()
}

pub(super) fn job() -> JobName {
    JobName::parse("sales").unwrap()
}

pub(super) fn file(name: &str) -> FileName {
    FileName::parse(name).unwrap()
}

pub(super) fn channel() -> ChannelId {
    ChannelId::parse("C0BATCH").unwrap()
}

pub(super) fn operator() -> UserId {
    UserId::parse("U0OPERATOR").unwrap()
}

/// A run on 100,000 rows whose only attempt is in `state`.
fn run(state: RunState) -> Run {
    let mut attempt = Attempt::asked(1, Scope::All, actor("U0OPERATOR", "operator"), at(0));
    attempt.state = state;
    let done = if state == RunState::Succeeded { 20 } else { 8 };
    if state != RunState::Starting {
        attempt.started_at = Some(at(1));
        attempt.progress = Progress {
            rows: 5000 * done,
            accepted: 4945 * done,
            rejected: 55 * done,
            bytes: 615_000 * done,
            bytes_total: 12_300_000,
            chunks: u32::try_from(done).unwrap(),
            chunks_total: 20,
        };
        attempt.reasons = vec![
            ReasonCount { reason: "too-long".into(), count: 50 * done },
            ReasonCount { reason: "missing-lookup".into(), count: 5 * done },
        ];
    }
    if state.is_terminal() {
        attempt.ended_at = Some(at(5));
    }
    if state == RunState::Failed {
        attempt.failure = Some("the input changed while it was read".into());
    }
    if matches!(state, RunState::Cancelling | RunState::Cancelled) {
        attempt.cancelled_by = Some(actor("U0APPROVER1", "approver one"));
    }
    Run {
        id: run_id("r-7k3f"),
        job: job(),
        input: Input {
            name: file("sales-100k.csv"),
            key: "sales/sales-100k.csv".into(),
            bytes: 12_300_000,
            fingerprint: "f".into(),
            parameters: None,
        },
        channel: channel(),
        created_at: at(0),
        attempts: vec![attempt],
        version: 3,
    }
}

pub(super) fn success() -> Run {
    run(RunState::Succeeded)
}

/// A run that began because its file arrived.
fn arrived(state: RunState) -> Run {
    let mut run = run(state);
    run.current_mut().asked_by = Asker::Bot { because: Cause::Arrival };
    run
}

/// A run whose first attempt finished with rejects and whose second does them again.
fn reprocessed() -> Run {
    let mut run = success();
    let mut second = Attempt::asked(2, Scope::Rows, actor("U0APPROVER1", "approver one"), at(60));
    second.state = RunState::Running;
    second.started_at = Some(at(61));
    second.progress =
        Progress { rows: 550, accepted: 540, rejected: 10, bytes: 50, bytes_total: 100, chunks: 0, chunks_total: 1 };
    run.attempts.push(second);
    run
}

/// A run whose first attempt was left behind in east and whose second goes on in west.
fn left_behind() -> Run {
    let mut run = reprocessed();
    (run.attempts[0].state, run.attempts[0].region) = (RunState::LeftBehind, Some(samples::region("east")));
    (run.attempts[1].scope, run.attempts[1].region) = (Scope::Chunks, Some(samples::region("west")));
    run
}

fn card(run: Run, attempt: u32) -> Reply {
    Reply::RunCard { run: Box::new(run), attempt, now: at(65) }
}

pub(super) fn board() -> Board {
    Board {
        open: vec![run(RunState::Running)],
        ended: vec![success(), run(RunState::Failed)],
        dead_letters: 1,
        now: at(600),
        ..Board::default()
    }
}

fn empty_board() -> Board {
    Board { now: at(0), ..Board::default() }
}

/// Every reply but refusals, with the name of its snapshot.
fn replies() -> Vec<(&'static str, Reply)> {
    let mut capped = run(RunState::Failed);
    capped.attempts[0].failure = Some("the disk is full ".repeat(100));
    capped.attempts[0].reasons = (0..9).map(|i| ReasonCount { reason: format!("reason-{i}"), count: 1 }).collect();
    let mut empty = success();
    empty.attempts[0].progress = Progress::default();
    empty.attempts[0].reasons = vec![];
    let why = |decision| Reply::Why {
        user: UserId::parse("U0VIEWER").unwrap(),
        command: "start-batch sales".into(),
        decision,
        roles: vec!["viewer".into()],
        channel: channel(),
    };
    vec![
        ("card_starting", card(run(RunState::Starting), 1)),
        ("card_running", Reply::RunCard { run: Box::new(run(RunState::Running)), attempt: 1, now: at(3) }),
        ("card_cancelling", card(run(RunState::Cancelling), 1)),
        ("card_finished", card(success(), 1)),
        ("card_finished_empty", card(empty, 1)),
        ("card_failed", card(run(RunState::Failed), 1)),
        ("card_failed_long", card(capped, 1)),
        ("card_cancelled", card(run(RunState::Cancelled), 1)),
        ("card_left_behind", card(left_behind(), 1)),
        ("card_went_on", card(left_behind(), 2)),
        ("card_followed", card(reprocessed(), 1)),
        ("card_arrived", card(arrived(RunState::Running), 1)),
        ("card_second_attempt", card(reprocessed(), 2)),
        ("status", Reply::RunStatus { run: Box::new(reprocessed()), now: at(65) }),
        ("board", Reply::Board { board: board() }),
        ("board_empty", Reply::Board { board: empty_board() }),
        ("runs", Reply::Runs { channel: channel(), runs: vec![run(RunState::Running), success()], now: at(600) }),
        ("runs_none", Reply::Runs { channel: channel(), runs: vec![], now: at(600) }),
        ("menu", Reply::Menu { permitted: Action::ALL.to_vec() }),
        ("menu_none", Reply::Menu { permitted: vec![] }),
        ("help", Reply::Help { about: None, permitted: vec![Action::Status, Action::Why, Action::Help] }),
        ("help_one", Reply::Help { about: Some(Action::ReprocessBatch), permitted: Action::ALL.to_vec() }),
        ("why_allowed", why(Decision::Allowed { rule: "operators-may-run".into() })),
        ("why_denied", why(Decision::DeniedByRule { rule: "not-on-fridays".into() })),
        ("why_no_rule", why(Decision::NoRule { roles: vec![Role::new("viewer")] })),
        ("why_not_listed", why(Decision::NotListed)),
        ("why_outsider", why(Decision::Outsider { kind: Outsider::Connect })),
        ("cancel_asked", Reply::CancelAsked { workflow: false, run: run_id("r-7k3f"), job: job() }),
        ("cancel_asked_workflow", Reply::CancelAsked { workflow: true, run: run_id("r-7k3f"), job: job() }),
        ("status_arrived", Reply::RunStatus { run: Box::new(arrived(RunState::Succeeded)), now: at(65) }),
        ("runs_arrived", Reply::Runs { channel: channel(), runs: vec![arrived(RunState::Running)], now: at(600) }),
        ("rejects_file_arrived", Reply::RejectsFile { run: run_id("r-7k3f"), attempt: 1, user: None, rejected: 1 }),
        (
            "rejects_file",
            Reply::RejectsFile { run: run_id("r-7k3f"), attempt: 2, user: Some(operator()), rejected: 1100 },
        ),
    ]
}

/// Those and everything said about requests and moves.
fn all_replies() -> Vec<(String, Reply)> {
    let named = |(name, reply): (&str, Reply)| (name.to_owned(), reply);
    replies().into_iter().map(named).chain(samples::replies()).chain(workflow_samples::replies()).collect()
}

/// Every problem, with the name of its snapshot.
fn problems() -> Vec<(&'static str, Problem)> {
    let run = || run_id("r-7k3f");
    let denied = |decision| Problem::NotPermitted { action: Some(Action::StartBatch), decision };
    let typo = usage_at("start-batch sale", "sale", "there is no job sale", Some("sales".into()), Action::StartBatch);
    vec![
        ("not_listed", denied(Decision::NotListed)),
        ("channel", denied(Decision::ChannelNotPermitted)),
        ("guest", denied(Decision::Outsider { kind: Outsider::Guest })),
        ("denied_by_rule", denied(Decision::DeniedByRule { rule: "not-on-fridays".into() })),
        ("no_rule", denied(Decision::NoRule { roles: vec![Role::new("viewer")] })),
        ("usage", Problem::Usage { usage: typo }),
        ("unknown_run", Problem::UnknownRun { run: run(), nearest: Some("r-7k3g".into()) }),
        (
            "unknown_file",
            Problem::UnknownFile { job: job(), file: file("sale.csv"), nearest: Some("sales.csv".into()) },
        ),
        ("no_input", Problem::NoInput { job: job(), folder: "data/sales/in".into(), finished: 0 }),
        ("no_new_input", Problem::NoInput { job: job(), folder: "data/sales/in".into(), finished: 3 }),
        ("input_busy", Problem::InputBusy { file: file("sales.csv"), run: run() }),
        ("already_finished", Problem::AlreadyFinished { file: file("sales.csv"), run: run() }),
        ("nothing_to_redo", Problem::NothingToRedo { run: Some(run()) }),
        ("nothing_to_redo_here", Problem::NothingToRedo { run: None }),
        ("scope_is_empty", Problem::ScopeIsEmpty { run: run(), scope: Scope::Rows }),
        ("still_running", Problem::StillRunning { run: run() }),
        ("already_ended", Problem::AlreadyEnded { run: run(), state: RunState::Succeeded }),
        ("already_asked", Problem::AlreadyAsked { what: "reprocess the rejected rows of r-7k3f".into() }),
        ("nothing_to_download", Problem::NothingToDownload { run: run() }),
        ("unknown_job", Problem::UnknownJob { job: job() }),
        ("given_up", Problem::GivenUp { request: "start-batch sales".into() }),
        ("not_taken", Problem::NotTaken),
        ("other_command", Problem::OtherCommand { given: "/deploy".into() }),
        ("form_expired", Problem::FormExpired { action: Some(Action::StartBatch) }),
    ]
    .into_iter()
    .chain(samples::problems())
    .chain(workflow_samples::problems())
    .collect()
}

/// Every modal and home, with the name of its snapshot.
fn views() -> Vec<(&'static str, Surface, View)> {
    let render = renderer();
    let jobs = [JobChoice::new(&job(), "Sales with prices"), JobChoice::new(&JobName::parse("returns").unwrap(), "")];
    let files = [FileChoice::new(&file("sales-100k.csv"), 12_300_000), FileChoice::new(&file(&"ä".repeat(150)), 5)];
    let runs = [RunChoice::new(&success(), at(600)), RunChoice::new(&run(RunState::Running), at(600))];
    let key = AttemptKey { run: run_id("r-7k3f"), attempt: 1 };
    let row = |line| RejectedRow {
        line,
        column: "country".into(),
        reason: "too-long".into(),
        explanation: "more characters than the maximum".into(),
        value: "x".repeat(250),
    };
    let page = RejectPage { rows: vec![row(7), row(1_000_007)], total: 25 };
    let nothing = RejectPage::default();
    vec![
        ("loading", Surface::Modal, render.loading(Action::StartBatch)),
        ("start_form", Surface::Modal, render.start_form(&jobs, Some(&job()), &files, "C0BATCH")),
        ("start_form_none", Surface::Modal, render.start_form(&[], None, &[], "C0BATCH")),
        ("reprocess_form", Surface::Modal, render.reprocess_form(&runs, "C0BATCH")),
        ("reprocess_form_none", Surface::Modal, render.reprocess_form(&[], "C0BATCH")),
        ("cancel_form", Surface::Modal, render.run_form(Action::CancelBatch, &runs, "C0BATCH")),
        ("status_form", Surface::Modal, render.run_form(Action::Status, &runs, "C0BATCH")),
        ("cancel_form_none", Surface::Modal, render.run_form(Action::CancelBatch, &[], "C0BATCH")),
        ("why_form", Surface::Modal, render.why_form("C0BATCH")),
        ("rejects", Surface::Modal, render.rejects(&key, &page, 12)),
        ("rejects_first", Surface::Modal, render.rejects(&key, &page, 0)),
        ("rejects_none", Surface::Modal, render.rejects(&key, &nothing, 0)),
        ("problem", Surface::Modal, render.problem_view(&Problem::NotTaken)),
        ("home", Surface::Home, render.home(&Reply::Home { board: board(), permitted: Action::ALL.to_vec() })),
        (
            "home_busy",
            Surface::Home,
            render.home(&Reply::Home { board: samples::busy_board(), permitted: Action::ALL.to_vec() }),
        ),
        ("home_none", Surface::Home, render.home(&Reply::Home { board: empty_board(), permitted: vec![] })),
    ]
    .into_iter()
    .chain(samples::views())
    .chain(workflow_samples::views())
    .collect()
}

/// Whether a template failed and the plain way out was taken.
fn is_plain(blocks: &Value) -> bool {
    blocks[0]["block_id"] == PLAIN
}

#[test]
fn every_reply_is_said_as_approved() {
    for (name, reply) in all_replies() {
        let message = renderer().message(&reply);
        insta::assert_json_snapshot!(name, message.as_json());
    }
}

#[test]
fn every_refusal_is_said_as_approved() {
    let texts: Vec<Value> = problems()
        .into_iter()
        .map(|(name, problem)| {
            let message = renderer().message(&Reply::refused(problem));
            let blocks: Vec<&Value> =
                message.blocks().as_array().unwrap().iter().map(|block| &block["text"]["text"]).collect();
            json!({"problem": name, "aloud": message.text(), "shown": blocks})
        })
        .collect();
    insta::assert_json_snapshot!("refusals", texts);
}

#[test]
fn every_view_is_shown_as_approved() {
    for (name, _, view) in views() {
        insta::assert_json_snapshot!(format!("view_{name}"), view.as_json());
    }
    let link = "https://files.example/output.csv?signed=1";
    let message =
        renderer().download(&run_id("r-7k3f"), "sales-100k.output.csv", 12_300_000, link, Duration::from_mins(15));
    insta::assert_json_snapshot!("download", message.as_json());
}

#[test]
fn everything_said_is_within_the_limits_and_reads_well_aloud() {
    let refusals = problems().into_iter().map(|(name, problem)| (name.to_owned(), Reply::refused(problem)));
    for (name, reply) in all_replies().into_iter().chain(refusals) {
        let message = renderer().message(&reply);
        assert_eq!(limits::check(Surface::Message, &message.as_json()), [], "{name}");
        let text = message.text();
        assert!(
            text.ends_with(['.', '?', '!'])
                && text.starts_with(|c: char| c.is_uppercase() || c.is_ascii_digit() || c == '<'),
            "{name}: {text}"
        );
        assert!(
            !text.contains(['█', '░', '*', '`', '\n']) && !text.contains("  ") && !text.contains(".."),
            "{name}: {text}"
        );
        assert!(!is_plain(message.blocks()), "{name}");
    }
    for (name, surface, view) in views() {
        assert_eq!(limits::check(surface, view.as_json()), [], "{name}");
        assert!(!is_plain(&view.as_json()["blocks"]), "{name}");
    }
}

#[test]
fn the_state_is_always_a_word() {
    for state in RunState::ALL {
        let message = renderer().message(&card(run(state), 1));
        assert!(message.blocks()[0]["text"]["text"].as_str().unwrap().contains(state.word()), "{state:?}");
    }
}

#[test]
fn a_form_with_mistakes_says_where() {
    let errors = renderer().field_errors(&[(ids::FILE, "another run has this file"), (ids::JOB, &"x".repeat(400))]);
    assert_eq!(errors["response_action"], "errors");
    assert_eq!(errors["errors"][ids::FILE], "another run has this file");
    assert_eq!(errors["errors"][ids::JOB].as_str().unwrap().chars().count(), 150);
}

#[test]
fn a_file_keeps_its_name_as_value_where_slack_takes_it() {
    assert_eq!(option_value(&file("sales.csv")), "sales.csv");
    let (one, other) = (file(&"a".repeat(80)), file(&"a".repeat(81)));
    assert!(option_value(&one).starts_with("sha256:") && option_value(&one) != option_value(&other));
}

/// All buttons and menus in a payload.
fn elements(json: &Value) -> Vec<&Value> {
    match json {
        Value::Array(items) => items.iter().flat_map(elements).collect(),
        Value::Object(fields) => {
            let own = fields.contains_key("action_id").then_some(json);
            own.into_iter().chain(fields.values().flat_map(elements)).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn every_button_is_one_that_is_read_when_pressed() {
    let messages = all_replies().into_iter().map(|(name, reply)| (name, renderer().message(&reply).as_json()));
    let views = views().into_iter().map(|(name, _, view)| (name.to_owned(), view.as_json().clone()));
    let mut read = std::collections::BTreeSet::new();
    for (name, json) in messages.chain(views) {
        for element in elements(&json) {
            let (id, value) = (element["action_id"].as_str().unwrap(), element["value"].as_str());
            if element["type"] == "button" && id != ids::OPEN_LINK {
                assert!(Button::read(id, value).is_some(), "{name}: {id} with {value:?}");
                read.insert(id.to_owned());
            }
        }
    }
    let own = [
        ids::VIEW_REJECTS,
        ids::REPROCESS_ROWS,
        ids::REPROCESS_CHUNKS,
        ids::CANCEL_BATCH,
        ids::DOWNLOAD_OUTPUT,
        ids::DOWNLOAD_REJECTS,
        ids::REJECTS_EARLIER,
        ids::REJECTS_LATER,
        ids::APPROVE_REQUEST,
        ids::DENY_REQUEST,
        ids::BREAK_GLASS,
        ids::CLOSE_REVIEW,
        ids::REVIEW_REQUEST,
    ];
    let menu = Action::ALL.map(|action| format!("{}{action}", ids::MENU));
    for expected in own.map(ToOwned::to_owned).into_iter().chain(menu) {
        assert!(read.contains(&expected), "{expected} is on nothing that was shown");
    }
}

#[test]
fn every_input_of_a_form_has_a_name_that_is_read() {
    let known = [
        ids::JOB,
        ids::FILE,
        ids::RUN,
        ids::SCOPE,
        ids::USER,
        ids::COMMAND,
        ids::REQUEST,
        ids::REASON,
        ids::CONFIRM,
        ids::CODE,
        ids::REGION,
        ids::DRILL,
    ];
    for (name, _, view) in views() {
        for block in view.as_json()["blocks"].as_array().unwrap().iter().filter(|block| block["type"] == "input") {
            let names = (block["block_id"].as_str().unwrap(), block["element"]["action_id"].as_str().unwrap());
            assert!(
                (known.contains(&names.0) || names.0.starts_with("value:nightly:")) && names.0 == names.1,
                "{name}: {names:?}"
            );
        }
    }
}

/// Text as bad as people and programs can make it.
fn nasty() -> impl Strategy<Value = String> {
    let bit = prop_oneof![
        Just("<!channel>".to_owned()),
        Just("<@U0OPERATOR>".to_owned()),
        Just("```".to_owned()),
        Just("`".to_owned()),
        Just("&".to_owned()),
        Just("\u{1F980}".to_owned()),
        Just("\u{202e}".to_owned()),
        Just("\"}]}, {\"type\"".to_owned()),
        Just("{{ 7 * 7 }}{% raw %}".to_owned()),
        Just("\n".to_owned()),
        ".{0,20}",
    ];
    (prop::collection::vec(bit, 0..12), 1_usize..150).prop_map(|(bits, times)| bits.concat().repeat(times))
}

/// A file name as long and odd as the domain allows.
pub(super) fn odd_file(text: &str) -> FileName {
    let name: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '/' | '\\')).take(200).collect();
    FileName::parse(name.trim().trim_start_matches('.').trim().to_owned()).unwrap_or_else(|_| file("x"))
}

/// Every reply with foreign text in every place that takes some.
fn hostile(text: &str, many: usize, state: RunState) -> Vec<Reply> {
    let mut odd = run(state);
    odd.input.name = odd_file(text);
    let first = &mut odd.attempts[0];
    first.asked_by = actor("U0OPERATOR", text).into();
    first.failure = Some(text.to_owned());
    first.reasons = (0..many).map(|count| ReasonCount { reason: text.to_owned(), count: count as u64 }).collect();
    first.progress = Progress {
        rows: u64::MAX,
        accepted: u64::MAX,
        rejected: u64::MAX,
        bytes: 1,
        bytes_total: u64::MAX,
        chunks: u32::MAX,
        chunks_total: u32::MAX,
    };
    for number in 2..9 {
        odd.attempts.push(Attempt { number, ..odd.attempts[0].clone() });
    }
    let runs = vec![odd.clone(); many];
    let board = Board { open: runs.clone(), ended: runs.clone(), dead_letters: many, now: at(9), ..Board::default() };
    let decision = Decision::NoRule { roles: vec![Role::new(text); many] };
    let length = text.chars().count();
    let usage = |at, length| usage_of(text, at, length);
    let run = run_id("r-7k3f");
    let refusals = [
        Problem::NotPermitted { action: None, decision: decision.clone() },
        Problem::NotPermitted { action: None, decision: Decision::DeniedByRule { rule: text.to_owned() } },
        Problem::Usage { usage: usage(0, length) },
        Problem::Usage { usage: usage(length / 2, 1) },
        Problem::Usage { usage: usage(length, usize::MAX) },
        Problem::Usage { usage: usage(usize::MAX, 0) },
        Problem::UnknownRun { run: run.clone(), nearest: Some(text.to_owned()) },
        Problem::UnknownFile { job: job(), file: odd_file(text), nearest: Some(text.to_owned()) },
        Problem::NoInput { job: job(), folder: text.to_owned(), finished: many },
        Problem::InputBusy { file: odd_file(text), run: run.clone() },
        Problem::AlreadyFinished { file: odd_file(text), run },
        Problem::AlreadyAsked { what: text.to_owned() },
        Problem::GivenUp { request: text.to_owned() },
    ];
    let mut all: Vec<Reply> = refusals.into_iter().map(Reply::refused).collect();
    all.extend([
        card(odd.clone(), 1),
        card(odd.clone(), 8),
        Reply::RunStatus { run: Box::new(odd), now: at(9) },
        Reply::Board { board: board.clone() },
        Reply::Home { board, permitted: Action::ALL.to_vec() },
        Reply::Runs { channel: channel(), runs, now: at(9) },
        Reply::Why {
            user: operator(),
            command: text.to_owned(),
            decision,
            roles: vec![text.to_owned(); many],
            channel: channel(),
        },
    ]);
    all.extend(samples::hostile(text, many));
    all.extend(workflow_samples::hostile(text, many, state));
    all
}

fn usage_of(text: &str, at: usize, length: usize) -> Usage {
    Usage {
        text: text.to_owned(),
        at,
        length,
        reason: text.to_owned(),
        nearest: Some(text.to_owned()),
        action: Some(Action::Why),
    }
}

/// All that Slack would read as markup in angle brackets. It reads none in the cells of a table.
fn markup(json: &Value) -> Vec<String> {
    match json {
        // In these Slack reads no markup.
        Value::Object(fields) if fields.get("type").is_some_and(|kind| kind == "raw_text" || kind == "plain_text") => {
            Vec::new()
        }
        Value::String(text) => {
            text.split('<').skip(1).map(|rest| rest.split('>').next().unwrap_or_default().to_owned()).collect()
        }
        Value::Array(items) => items.iter().flat_map(markup).collect(),
        Value::Object(fields) => fields.values().flat_map(markup).collect(),
        _ => Vec::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn whatever_is_said_keeps_the_limits_and_foreign_text_stays_text(
        text in nasty(), many in 0_usize..40, state in prop::sample::select(RunState::ALL.to_vec())
    ) {
        let render = renderer();
        for reply in hostile(&text, many, state) {
            let message = render.message(&reply);
            prop_assert_eq!(limits::check(Surface::Message, &message.as_json()), []);
            prop_assert!(!is_plain(message.blocks()), "{:?}", reply);
            for tag in markup(&message.as_json()) {
                let ours = ["@U0OPERATOR", "@U0APPROVER1", "#C0BATCH"].contains(&tag.as_str()) || tag.starts_with("!date^");
                prop_assert!(ours, "{} in {}", tag, message.as_json());
            }
            let home = render.home(&reply);
            prop_assert_eq!(limits::check(Surface::Home, home.as_json()), []);
            prop_assert!(!is_plain(&home.as_json()["blocks"]), "{:?}", reply);
        }
    }

    #[test]
    fn whatever_a_form_shows_keeps_the_limits(text in nasty(), many in 0_usize..150, skip in any::<u64>()) {
        let render = renderer();
        let row = RejectedRow { line: u64::MAX, column: text.clone(), reason: text.clone(), explanation: text.clone(), value: text.clone() };
        let page = RejectPage { rows: vec![row; many.min(50)], total: u64::MAX };
        let key = AttemptKey { run: run_id("r-7k3f"), attempt: u32::MAX };
        let jobs = vec![JobChoice::new(&job(), &text); many];
        let files = vec![FileChoice::new(&odd_file(&text), u64::MAX); many];
        let mut odd = success();
        odd.input.name = odd_file(&text);
        let runs = vec![RunChoice::new(&odd, at(9)); many];
        let all = [
            render.rejects(&key, &page, skip),
            render.start_form(&jobs, None, &files, "m"),
            render.reprocess_form(&runs, "m"),
            render.run_form(Action::CancelBatch, &runs, "m"),
            render.problem_view(&Problem::GivenUp { request: text.clone() }),
            render.note(&text, &render.message(&Reply::refused(Problem::NotTaken))),
        ];
        for view in all.into_iter().chain(samples::hostile_forms(&text, many.min(30))).chain([workflow_samples::hostile_form(&text, many)]) {
            prop_assert_eq!(limits::check(Surface::Modal, view.as_json()), []);
            prop_assert!(!is_plain(&view.as_json()["blocks"]), "{}", view.as_json());
        }
    }
}
