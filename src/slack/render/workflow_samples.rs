//! Workflows as people see them: their runs in every state, their forms, and questions with foreign text in them.

use super::samples::{self, boxed, command, one_approval, request};
use super::tests::{actor, at, channel, job, renderer, run_id, success};
use super::*;
use crate::domain::actor::Asker;
use crate::domain::approval::{Plan, Request, TaskPlan, Void};
use crate::domain::command::{Action, Scope};
use crate::domain::id::{JobName, ParameterName};
use crate::domain::parameter::{Declared, Given, Inputs, Kind, Parameter, Parameters, Value as Typed};
use crate::domain::problem::Problem;
use crate::domain::reply::{Board, Reply};
use crate::domain::run::{Attempt, Progress, Run, RunState};
use crate::domain::task::{Detail, Told};
use crate::slack::modal::{Metadata, Modal, Takes, VoteKind};

fn nightly() -> JobName {
    JobName::parse("nightly").unwrap()
}

fn parameters(note: &str) -> Parameters {
    let values = [
        ("date", Typed::Date("2026-11-01".parse().unwrap())),
        ("mode", Typed::Text("full".into())),
        ("share", Typed::number("0.5").unwrap()),
        ("force", Typed::Boolean(true)),
        ("note", Typed::Text(note.to_owned())),
    ];
    let one = |(name, value): (&str, Typed)| Parameter { name: ParameterName::parse(name).unwrap(), value };
    Parameters(values.into_iter().map(one).collect())
}

/// A run of a workflow.
fn run(state: RunState) -> Run {
    let mut run = success();
    run.job = nightly();
    run.input = parameters("before noon").input(&nightly());
    let attempt = run.current_mut();
    attempt.state = state;
    attempt.progress = Progress::default();
    attempt.reasons.clear();
    attempt.started_at = (state != RunState::Starting).then(|| at(2));
    attempt.ended_at = state.is_terminal().then(|| at(65));
    attempt.failure = (state == RunState::Failed).then(|| "the ledger is locked".to_owned());
    let stopped = matches!(state, RunState::Cancelling | RunState::Cancelled);
    attempt.cancelled_by = stopped.then(|| actor("U0APPROVER1", "approver one"));
    run
}

fn again() -> Run {
    let mut run = run(RunState::Failed);
    let mut second = Attempt::asked(2, Scope::All, actor("U0APPROVER1", "approver one"), at(70));
    (second.state, second.started_at) = (RunState::Running, Some(at(71)));
    run.attempts.push(second);
    run
}

fn card(run: Run, attempt: u32) -> Reply {
    Reply::RunCard { run: Box::new(run), attempt, now: at(80) }
}

fn planned(action: Action, attempt: Option<u32>, scope: Option<Scope>, note: &str) -> Request {
    let Plan::Command(mut plan) = command(action, attempt, scope) else { unreachable!("a command was asked for") };
    (plan.job, plan.input) = (nightly(), parameters(note).input(&nightly()));
    request(Plan::Command(plan), one_approval())
}

/// Everything said about workflows, with the name of its snapshot.
pub(super) fn replies() -> Vec<(String, Reply)> {
    let states = [
        ("starting", RunState::Starting),
        ("running", RunState::Running),
        ("cancelling", RunState::Cancelling),
        ("succeeded", RunState::Succeeded),
        ("failed", RunState::Failed),
        ("cancelled", RunState::Cancelled),
    ];
    let mut bare = run(RunState::Running);
    bare.input = Parameters::default().input(&nightly());
    let runs = vec![run(RunState::Running), run(RunState::Failed)];
    let asked = |action, attempt, scope| {
        let request = boxed(planned(action, attempt, scope, "before noon"));
        Reply::RequestCard { request, now: at(60) }
    };
    let more = [
        ("without_values", card(bare, 1)),
        ("again", card(again(), 2)),
        ("followed", card(again(), 1)),
        ("status", Reply::RunStatus { run: Box::new(again()), now: at(80) }),
        ("list", Reply::Runs { channel: channel(), runs, now: at(80) }),
        ("ask_start", asked(Action::StartBatch, None, None)),
        ("ask_again", asked(Action::ReprocessBatch, Some(1), Some(Scope::All))),
        ("ask_stop", asked(Action::CancelBatch, Some(1), None)),
    ];
    let cards = states.map(|(name, state)| (name, card(run(state), 1)));
    cards.into_iter().chain(more).map(|(name, reply)| (format!("workflow_{name}"), reply)).collect()
}

pub(super) fn problems() -> Vec<(&'static str, Problem)> {
    vec![
        ("same_values", Problem::SameValues { run: run_id("r-7k3f") }),
        ("values_unfit", Problem::ValuesUnfit { job: nightly(), what: "it needs date and mode".into() }),
    ]
}

fn inputs(text: &str, many: usize) -> Inputs {
    let input = |name: &str, kind: Kind, default: Option<&str>| Declared {
        name: ParameterName::parse(name).unwrap(),
        title: if text.is_empty() { format!("The {name}") } else { text.to_owned() },
        hint: Some(text.to_owned()).filter(|text| !text.is_empty()),
        kind,
        required: default.is_none(),
        default: default.map(str::to_owned),
    };
    let choices = (0..many).map(|n| format!("choice {n}")).collect();
    let day = |text: &str| text.parse().ok();
    Inputs(vec![
        input("date", Kind::Date { min: day("2026-01-01"), max: None }, Some("yesterday")),
        input("mode", Kind::Choice { choices }, Some("choice 1")),
        input("tries", Kind::Integer { min: Some(1), max: Some(9) }, Some("3")),
        input("share", Kind::Number { min: None, max: Some("1".into()) }, None),
        input("force", Kind::Boolean, Some("false")),
        input("code", Kind::Text { pattern: Some("[A-Z]{3}".into()) }, None),
        Declared { required: false, ..input("note", Kind::Text { pattern: None }, None) },
    ])
}

fn form(text: &str, many: usize, note: &str) -> View {
    let takes = Takes {
        inputs: inputs(text, many),
        given: vec![Given { name: ParameterName::parse("note").unwrap(), text: note.to_owned() }],
        today: "2026-11-21".parse().unwrap(),
    };
    let job = |name, summary: &str| crate::domain::job::Job {
        name,
        summary: summary.to_owned(),
        definition: String::new(),
        arrival: None,
        workflow: None,
    };
    let jobs = vec![job(job_name(), "Sales"), job(nightly(), "The nightly close")];
    let metadata = Metadata::of(&channel());
    renderer().modal(&Modal::Start { metadata, jobs, job: Some(nightly()), inputs: vec![], takes: Some(takes) })
}

fn job_name() -> JobName {
    job()
}

/// Every form of workflows, with its name.
pub(super) fn views() -> Vec<(&'static str, Surface, View)> {
    let none = Takes { inputs: Inputs::default(), given: vec![], today: "2026-11-21".parse().unwrap() };
    let jobs = [JobChoice::new(&nightly(), "The nightly close")];
    let plan = planned(Action::StartBatch, None, None, "before noon");
    vec![
        ("workflow_form", Surface::Modal, form("", 3, "hello")),
        ("workflow_form_none", Surface::Modal, renderer().workflow_form(&jobs, Some(&nightly()), &none, "m")),
        ("approve_workflow", Surface::Modal, renderer().vote_form(&plan, VoteKind::Approve, false, "m", at(60))),
    ]
}

/// What foreign text can be part of, with that text.
pub(super) fn hostile(text: &str, many: usize, state: RunState) -> Vec<Reply> {
    let mut odd = run(state);
    odd.input = parameters(text).input(&nightly());
    odd.current_mut().failure = Some(text.to_owned());
    odd.current_mut().asked_by = actor("U0OPERATOR", text).into();
    for number in 2..9 {
        odd.attempts.push(Attempt { number, ..odd.attempts[0].clone() });
    }
    let detail = Detail { name: "x".repeat(60), value: text.chars().take(1000).collect() };
    let question = format!("?{}", text.chars().take(1999).collect::<String>());
    let Plan::Task(plan) = samples::task().plan else { unreachable!("it is a task") };
    let plan = TaskPlan { question, details: vec![detail; many.min(10)], ..*plan };
    let approvers = vec![actor("U0APPROVER1", text)];
    let task = Request { plan: Plan::Task(Box::new(plan)), approvers: approvers.clone(), ..samples::task() };
    let asked = Request { approvers, ..planned(Action::StartBatch, None, None, text) };
    let failed = Request {
        state: crate::domain::approval::RequestState::Void,
        void: Some(Void::Changed { what: text.to_owned() }),
        told: Some(Told::Failed { why: text.to_owned() }),
        ..task.clone()
    };
    let board = Board { open: vec![odd.clone()], requests: vec![task.clone()], now: at(9), ..Board::default() };
    vec![
        card(odd.clone(), 1),
        card(odd.clone(), 8),
        Reply::RunStatus { run: Box::new(odd), now: at(9) },
        Reply::Board { board },
        Reply::RequestCard { request: boxed(task.clone()), now: at(9) },
        Reply::RequestReminder { request: boxed(task), missing: vec![], now: at(9) },
        Reply::RequestCard { request: boxed(failed.clone()), now: at(9) },
        Reply::RequestEnded { request: boxed(failed) },
        Reply::RequestCard { request: boxed(asked), now: at(9) },
        Reply::refused(Problem::ValuesUnfit { job: nightly(), what: text.to_owned() }),
    ]
}

pub(super) fn hostile_form(text: &str, many: usize) -> View {
    form(text, many.clamp(2, 99), text)
}

#[test]
fn only_a_person_or_a_workflow_is_named_as_who_asked() {
    assert!(matches!(samples::task().asked_by, Asker::Workflow { .. }));
    let said = renderer().message(&Reply::RequestCard { request: boxed(samples::task()), now: at(9) });
    assert!(said.text().contains("Asked for by workflow price-list."), "{}", said.text());
}

/// A question is decided about as it was asked: nothing of it may be cut or changed, however long it is.
#[test]
fn a_question_is_shown_whole() {
    let question: String = "Is <this> & that *fine*? ".repeat(80);
    let value = "a & b <c> ".repeat(100);
    let Plan::Task(plan) = samples::task().plan else { unreachable!("it is a task") };
    let details = vec![Detail { name: "n".repeat(60), value: value.clone() }; 10];
    let plan = TaskPlan { question: question.clone(), details, ..*plan };
    let task = Request { plan: Plan::Task(Box::new(plan)), ..samples::task() };
    let message = renderer().message(&Reply::RequestCard { request: boxed(task.clone()), now: at(9) });
    let form = renderer().vote_form(&task, VoteKind::Approve, false, "m", at(9));
    for blocks in [message.blocks(), &form.as_json()["blocks"]] {
        let texts: Vec<&str> = blocks
            .as_array()
            .unwrap()
            .iter()
            .filter(|block| block["text"]["type"] == "plain_text")
            .filter_map(|block| block["text"]["text"].as_str())
            .collect();
        assert_eq!(texts.len(), 11);
        assert_eq!(texts[0], question);
        assert!(texts[1..].iter().all(|text| text.ends_with(&value)));
    }
}

/// A question cannot read as another one: what turns text around or hides it is taken out.
#[test]
fn a_question_reads_as_it_is_stored() {
    let Plan::Task(plan) = samples::task().plan else { unreachable!("it is a task") };
    let plan = TaskPlan { question: "Pay 1\u{202e}00?\nNow".to_owned(), ..*plan };
    let task = Request { plan: Plan::Task(Box::new(plan)), ..samples::task() };
    let said = renderer().message(&Reply::RequestCard { request: boxed(task), now: at(9) }).as_json().to_string();
    assert!(!said.contains('\u{202e}'), "{said}");
    assert!(said.contains(r"Pay 100?\nNow"), "{said}");
}
