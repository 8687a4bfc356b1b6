//! Which template says a reply, and with what.

use super::board::board_context;
use super::card::Card;
use super::problem::problem_context;
use super::templates::value;
use super::{Message, Renderer, View, words};
use crate::domain::command::Action;
use crate::domain::grammar::spec;
use crate::domain::id::UserId;
use crate::domain::policy::Decision;
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::domain::run::Run;
use crate::slack::limits::Surface;
use jiff::Timestamp;
use minijinja::{Value, context};
use serde::Serialize;

/// Runs in one list; more are counted.
const LISTED: usize = 20;
/// Earlier attempts on a status.
const EARLIER: usize = 5;

/// A command as menus and help show it.
#[derive(Debug, Serialize)]
struct Entry {
    action: &'static str,
    usage: String,
    summary: &'static str,
    detail: &'static str,
    example: &'static str,
    /// What its button says.
    label: &'static str,
    /// Its button opens a form, so that it works where no channel is: on the App Home.
    form: bool,
}

impl Renderer {
    /// The message that says a reply.
    pub fn message(&self, reply: &Reply) -> Message {
        match reply {
            Reply::RunCard { run, attempt, now } => {
                let template = if run.input.parameters.is_some() { "workflow_card.json" } else { "run_card.json" };
                self.message_from(template, &context! { card => value(Card::of(run, *attempt, *now)), mention => true, earlier => Vec::<Value>::new(), more_attempts => 0 }, &plain_run(run))
            }
            Reply::RunStatus { run, now } => {
                let earlier: Vec<Card> =
                    run.attempts.iter().rev().skip(1).take(EARLIER).map(|a| Card::of(run, a.number, *now)).collect();
                let more = run.attempts.len().saturating_sub(1 + EARLIER);
                let context = context! { card => value(Card::newest(run, *now)), mention => false, earlier => value(earlier), more_attempts => more };
                self.message_from("run_status.json", &context, &plain_run(run))
            }
            Reply::Board { board } | Reply::Home { board, .. } => self.message_from(
                "board.json",
                &context! { board => board_context(board) },
                "The board cannot be shown right now. No run is affected.",
            ),
            Reply::Runs { channel, runs, now } => {
                let context = context! { channel => channel.as_str(), runs => value(cards(runs, *now, LISTED)), more => more(runs) };
                self.message_from("runs.json", &context, "The list cannot be shown right now. No run is affected.")
            }
            Reply::Menu { permitted } => self.message_from(
                "menu.json",
                &context! { entries => value(entries(permitted)) },
                "The menu cannot be shown right now. `help` lists the commands.",
            ),
            Reply::Help { about, permitted } => {
                let about = value(about.map(entry));
                let context = context! { about => about, entries => value(entries(permitted)), hidden => permitted.len() < Action::ALL.len() };
                self.message_from("help.json", &context, "The help cannot be shown right now.")
            }
            Reply::Why { user, command, decision, roles, channel } => {
                let roles = words::cut(&roles.join(", "), 200);
                let context = context! {
                    user => user.as_str(), command => words::cut(command, 300), decision => decision_context(decision),
                    roles => roles, channel => channel.as_str(),
                };
                self.message_from("why.json", &context, "The explanation cannot be shown right now. Nothing was run.")
            }
            Reply::CancelAsked { workflow, run, job } => {
                let context = context! { workflow, run => run.as_str(), job => job.as_str() };
                self.message_from("cancel_asked.json", &context, "The stop was asked for.")
            }
            Reply::RejectsFile { run, attempt, user, rejected } => {
                let context = context! { run => run.as_str(), attempt => attempt, user => user.as_ref().map(UserId::as_str), rejected => rejected };
                self.message_from("rejects_file.json", &context, "The rejected rows are attached.")
            }
            Reply::RequestCard { request, now } => self.about("request_card.json", request, *now),
            Reply::RequestReminder { request, missing, now } => self.reminder(request, missing, *now),
            // What has happened does not change with time.
            Reply::RequestEnded { request } => self.about("request_ended.json", request, request.asked_at),
            Reply::VoteCounted { request } => self.about("vote_counted.json", request, request.asked_at),
            Reply::GlassBroken { request } => self.about("glass_broken.json", request, request.asked_at),
            Reply::FailOverCard { record, now } => self.move_card(record, *now),
            Reply::FailOverReport { request, files, user } => self.move_report(request, *files, user),
            Reply::Refused { problem } => self.refused(problem),
        }
    }

    /// The App Home that says a reply.
    pub fn home(&self, reply: &Reply) -> View {
        let (board, permitted) = match reply {
            Reply::Home { board, permitted } => (board_context(board), value(entries(permitted))),
            Reply::Board { board } => (board_context(board), value(Vec::<Entry>::new())),
            other => {
                let message = self.message(other);
                return View(serde_json::json!({"type": "home", "blocks": message.blocks}));
            }
        };
        let context = context! { entries => permitted, board => board };
        self.view_from(Surface::Home, "home.json", &context, "The board cannot be shown right now. No run is affected.")
    }

    /// Why something was not done, as a message.
    fn refused(&self, problem: &Problem) -> Message {
        self.message_from("refused.json", &problem_context(problem), "That was not done. Nothing was changed.")
    }
}

pub(super) fn decision_context(decision: &Decision) -> Value {
    let (rule, roles) = match decision {
        Decision::Allowed { rule } | Decision::DeniedByRule { rule } => (words::cut(rule, 120), String::new()),
        Decision::NoRule { roles } => {
            let names: Vec<&str> = roles.iter().map(|role| role.0.as_str()).collect();
            (String::new(), words::cut(&names.join(", "), 200))
        }
        Decision::NotListed | Decision::Outsider { .. } | Decision::ChannelNotPermitted => Default::default(),
    };
    let outsider = match decision {
        Decision::Outsider { kind } => Some(kind),
        _ => None,
    };
    context! { allowed => decision.allowed(), code => decision.code(), rule => rule, roles => roles, outsider => value(outsider) }
}

/// The newest attempts of the first runs.
pub(super) fn cards(runs: &[Run], now: Timestamp, max: usize) -> Vec<Card> {
    runs.iter().take(max).map(|run| Card::newest(run, now)).collect()
}

fn more(runs: &[Run]) -> usize {
    runs.len().saturating_sub(LISTED)
}

fn entry(action: Action) -> Entry {
    let spec = spec(action);
    Entry {
        action: action.name(),
        usage: spec.usage(),
        summary: spec.summary,
        detail: spec.detail,
        example: spec.example,
        label: label(action),
        form: action.changes_something() || action == Action::Why,
    }
}

fn label(action: Action) -> &'static str {
    match action {
        Action::StartBatch => "Start a job…",
        Action::ReprocessBatch => "Reprocess…",
        Action::CancelBatch => "Cancel a run…",
        Action::Status => "Show status",
        Action::ListBatches => "Show runs",
        Action::FailOver => "Fail over…",
        Action::FailBack => "Fail back…",
        Action::Approve => "Approve…",
        Action::Deny => "Deny…",
        Action::Why => "Explain…",
        Action::Help => "Show help",
    }
}

fn entries(permitted: &[Action]) -> Vec<Entry> {
    Action::ALL.into_iter().filter(|action| permitted.contains(action)).map(entry).collect()
}

/// A run in one line, should its template fail.
fn plain_run(run: &Run) -> String {
    let progress = &run.current().progress;
    if run.input.parameters.is_some() {
        return format!("Run {} is {}.", run.id, run.current().state.word());
    }
    format!(
        "Run {} is {}: {}, {}.",
        run.id,
        run.current().state.word(),
        words::counted(progress.accepted, "accepted row"),
        words::counted(progress.rejected, "rejected row")
    )
}
