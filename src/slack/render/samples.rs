//! Requests and moves in every state that people see them in.

use super::tests::{actor, at, board, channel, file, job, odd_file, operator, renderer, run_id, success};
use super::*;
use crate::domain::actor::{Asker, Role};
use crate::domain::approval::{
    ApprovalRule, CommandPlan, Decision as Voted, Plan, Refusal, Request, RequestState, Review, TaskPlan, Verdict, Void,
};
use crate::domain::command::{Action, Scope};
use crate::domain::failover::{
    Drift, FailOver, FailOverPlan, FailOverState, FileCase, FileOutcome, FileReport, FileState, Move, Routed, Targets,
    Tolerance, Treatment, Unknown,
};
use crate::domain::id::{EnvelopeId, JobName, RegionName, RequestId};
use crate::domain::problem::Problem;
use crate::domain::region::Replication;
use crate::domain::reply::{Board, Reply};
use crate::domain::run::{AttemptKey, Input};
use crate::domain::task::{Detail, Told};
use crate::slack::modal::{Modal, VoteKind};
use jiff::SignedDuration;

pub(super) fn region(name: &str) -> RegionName {
    RegionName::parse(name).unwrap()
}

pub(super) fn request_id(id: &str) -> RequestId {
    RequestId::parse(id).unwrap()
}

pub(super) fn input() -> Input {
    success().input
}

pub(super) fn start() -> Plan {
    command(Action::StartBatch, None, None)
}

pub(super) fn command(action: Action, attempt: Option<u32>, scope: Option<Scope>) -> Plan {
    let attempt = attempt.map(|attempt| AttemptKey { run: run_id("r-7k3f"), attempt });
    Plan::Command(CommandPlan { action, job: job(), definition: "d".into(), input: input(), attempt, scope })
}

fn case(name: &str, state: FileState) -> FileCase {
    let attempt = (state != FileState::Waiting).then(|| AttemptKey { run: run_id("r-7k3f"), attempt: 1 });
    FileCase { job: job(), file: file(name), attempt, bytes: 12_300_000, treatment: state.treatment(), state }
}

/// One file in each state there is.
pub(super) fn cases() -> Vec<FileCase> {
    let (chunks, chunks_total) = (4, 10);
    [
        ("monday.csv", FileState::Done),
        ("tuesday.csv", FileState::Done),
        ("wednesday.csv", FileState::Merged),
        ("thursday.csv", FileState::MidFlight { chunks, chunks_total }),
        ("friday.csv", FileState::Untouched),
        ("saturday.csv", FileState::NotReplicated),
        ("sunday.csv", FileState::InputMissing { chunks, chunks_total }),
        ("april.csv", FileState::ResultMissing),
        ("may.csv", FileState::Failed { chunks, chunks_total }),
        ("june.csv", FileState::Waiting),
        ("july.csv", FileState::MidFlight { chunks: 0, chunks_total }),
    ]
    .into_iter()
    .map(|(name, state)| case(name, state))
    .collect()
}

pub(super) fn plan(kind: Move, files: Vec<FileCase>) -> FailOverPlan {
    let (from, to) = if kind == Move::FailBack { ("west", "east") } else { ("east", "west") };
    FailOverPlan {
        kind,
        from: region(from),
        to: region(to),
        epoch: 3,
        made_at: at(0),
        replication: Replication {
            lag: Some(SignedDuration::from_millis(4200)),
            pending: Some(2),
            complete_at: Some(at(-5)),
        },
        files,
        expected: Some(SignedDuration::from_secs(185)),
        targets: Targets { recovery_time: SignedDuration::from_mins(15), data_loss: SignedDuration::from_mins(1) },
        unknowns: Vec::new(),
        tolerance: Tolerance { more_unfinished: 5, more_lag: SignedDuration::from_mins(1) },
    }
}

/// The primary is wholly unreadable.
pub(super) fn blind() -> FailOverPlan {
    FailOverPlan {
        replication: Replication { lag: None, pending: None, complete_at: Some(at(-300)) },
        expected: None,
        unknowns: vec![
            Unknown::RegionUnreadable { region: region("east"), since: Some(at(-300)) },
            Unknown::LagUnmeasured,
            Unknown::NotListed { files: 12 },
        ],
        ..plan(Move::FailOver, cases())
    }
}

pub(super) fn many_cases(many: usize) -> Vec<FileCase> {
    (0..many).map(|n| case(&format!("file-{n:03}.csv"), cases()[n % 11].state.clone())).collect()
}

pub(super) fn request(plan: Plan, rule: ApprovalRule) -> Request {
    Request {
        id: request_id("q-7k3f"),
        digest: plan.digest(),
        plan,
        rule,
        asked_by: actor("U0OPERATOR", "operator").into(),
        asked_at: at(0),
        channel: channel(),
        approvers: vec![actor("U0APPROVER1", "approver one"), actor("U0APPROVER2", "approver two")],
        expires_at: Some(at(1800)),
        state: RequestState::Open,
        decisions: Vec::new(),
        decided_at: None,
        reminders: 0,
        review: None,
        void: None,
        replaced_by: None,
        run: None,
        told: None,
        version: 1,
    }
}

pub(super) fn move_request(plan: FailOverPlan) -> Request {
    request(Plan::FailOver(Box::new(plan)), ApprovalRule::for_regions())
}

pub(super) fn one_approval() -> ApprovalRule {
    ApprovalRule { quorum: 1, reason: false, ..ApprovalRule::for_regions() }
}

pub(super) fn strict() -> ApprovalRule {
    ApprovalRule { step_up: true, break_glass: vec![Role::new("lead")], ..ApprovalRule::for_regions() }
}

pub(super) fn voted(user: &str, name: &str, verdict: Verdict, reason: Option<&str>) -> Voted {
    let reason = reason.map(str::to_owned);
    Voted { by: actor(user, name), verdict, reason, at: at(120), stepped_up: false }
}

pub(super) fn approved_by_one() -> Voted {
    voted("U0APPROVER1", "approver one", Verdict::Approve, Some("looks right"))
}

pub(super) fn ended(mut request: Request, state: RequestState, decisions: Vec<Voted>) -> Request {
    request.state = state;
    request.decisions = decisions;
    request.decided_at = Some(at(120));
    request
}

pub(super) fn void_request(plan: FailOverPlan, drift: Drift) -> Request {
    let mut void = ended(move_request(plan), RequestState::Void, vec![approved_by_one()]);
    void.void = Some(Void::Drifted { drift });
    void.replaced_by = Some(request_id("q-8m4g"));
    void
}

pub(super) fn broken_glass() -> Request {
    let broken = voted("U0LEAD", "lead", Verdict::Approve, Some("the region is on fire and nobody answers"));
    let mut request = ended(request(start(), strict()), RequestState::Done, vec![broken.clone()]);
    request.review = Some(Review { broken, closed: None });
    request.run = Some(run_id("r-7k3f"));
    request
}

pub(super) fn reviewed() -> Request {
    let mut request = broken_glass();
    let closed = voted("U0APPROVER1", "approver one", Verdict::Approve, Some("it was right"));
    request.review.as_mut().unwrap().closed = Some(closed);
    request
}

/// A request in every state, by name.
pub(super) fn requests() -> Vec<(&'static str, Request)> {
    let half = |mut request: Request| {
        request.decisions.push(approved_by_one());
        request
    };
    let denial = || voted("U0APPROVER2", "approver two", Verdict::Deny, Some("wrong file <!channel>"));
    let withdrawal = voted("U0OPERATOR", "operator", Verdict::Deny, Some("not needed any more"));
    let mut started = ended(request(start(), one_approval()), RequestState::Done, vec![approved_by_one()]);
    started.run = Some(run_id("r-7k3f"));
    let second = voted("U0APPROVER2", "approver two", Verdict::Approve, None);
    let mut changed = ended(request(start(), one_approval()), RequestState::Void, vec![approved_by_one()]);
    changed.void = Some(Void::Changed { what: "the file sales-100k.csv changed after it was asked for".into() });
    let two = || vec![approved_by_one(), second.clone()];
    let mut nobody = request(start(), strict());
    nobody.approvers.clear();
    let lag = |now| Drift::LagGrew { planned: SignedDuration::from_secs(4), now };
    let full = || plan(Move::FailOver, cases());
    let scoped = |scope| request(command(Action::ReprocessBatch, Some(1), Some(scope)), one_approval());
    vec![
        ("start", request(start(), one_approval())),
        ("start_strict", request(start(), strict())),
        ("start_nobody", nobody),
        ("reprocess_rows", scoped(Scope::Rows)),
        ("reprocess_chunks", scoped(Scope::Chunks)),
        ("reprocess_all", scoped(Scope::All)),
        ("cancel", request(command(Action::CancelBatch, Some(1), None), one_approval())),
        ("fail_over", move_request(full())),
        ("fail_over_half", half(move_request(full()))),
        ("fail_over_blind", move_request(blind())),
        ("fail_over_300", move_request(plan(Move::FailOver, many_cases(300)))),
        ("fail_back", move_request(plan(Move::FailBack, vec![]))),
        ("drill", move_request(plan(Move::Drill, cases()))),
        ("approved", started),
        ("move_approved", ended(move_request(full()), RequestState::Approved, two())),
        ("move_done", ended(move_request(full()), RequestState::Done, two())),
        ("denied", ended(request(start(), one_approval()), RequestState::Denied, vec![denial()])),
        ("withdrawn", ended(request(start(), one_approval()), RequestState::Denied, vec![withdrawal])),
        ("expired", ended(move_request(full()), RequestState::Expired, vec![approved_by_one()])),
        ("void_changed", changed),
        ("void_epoch", void_request(full(), Drift::EpochMoved { planned: 3, now: 4 })),
        ("void_lost", void_request(full(), Drift::MoreLost { files: vec![file("august.csv"), file("may.csv")] })),
        ("void_unfinished", void_request(full(), Drift::MoreUnfinished { planned: 5, now: 12 })),
        ("void_lag", void_request(full(), lag(Some(SignedDuration::from_mins(2))))),
        ("void_lag_unknown", void_request(full(), lag(None))),
        ("void_less_known", void_request(full(), Drift::LessKnown)),
        ("glass", broken_glass()),
        ("reviewed", reviewed()),
    ]
    .into_iter()
    .chain(tasks())
    .collect()
}

/// The question of a workflow.
pub(super) fn task() -> Request {
    let detail = |name: &str, value: &str| Detail { name: name.into(), value: value.into() };
    let plan = Plan::Task(Box::new(TaskPlan {
        workflow: JobName::parse("price-list").unwrap(),
        question: "Publish the price list of <November> & December?".into(),
        details: vec![detail("rows", "812"), detail("largest change", "<Tea & milk> +30 %\nsecond line")],
        region: None,
        expires_at: Some(at(7200)),
        heartbeat: Some(SignedDuration::from_mins(5)),
        task: EnvelopeId::parse("task:1").unwrap(),
    }));
    let asked_by = Asker::Workflow { workflow: JobName::parse("price-list").unwrap() };
    Request { asked_by, ..request(plan, ApprovalRule::for_workflows()) }
}

fn tasks() -> Vec<(&'static str, Request)> {
    let yes = || vec![voted("U0APPROVER1", "approver one", Verdict::Approve, Some("looks right"))];
    let no = || vec![voted("U0APPROVER1", "approver one", Verdict::Deny, Some("not before noon"))];
    let told = |request: Request, told: Told| Request { told: Some(told), ..request };
    let in_vain = |what: &str, decisions: Vec<Voted>, said: Option<Told>| {
        let void = Some(Void::Changed { what: what.into() });
        Request { void, told: said, ..ended(task(), RequestState::Void, decisions) }
    };
    let failed = Told::Failed { why: "not permitted".into() };
    vec![
        ("task", task()),
        ("task_approved", ended(task(), RequestState::Approved, yes())),
        ("task_done", told(ended(task(), RequestState::Done, yes()), Told::Answered)),
        ("task_unconfirmed", told(ended(task(), RequestState::Done, yes()), Told::Unconfirmed)),
        ("task_denied", told(ended(task(), RequestState::Denied, no()), Told::Answered)),
        ("task_denied_late", told(ended(task(), RequestState::Denied, no()), Told::TooLate)),
        ("task_expired", ended(task(), RequestState::Expired, vec![])),
        ("task_too_late", in_vain("the workflow had ended before it could be told", yes(), Some(Told::TooLate))),
        ("task_untold", in_vain("the workflow could not be told: not permitted", yes(), Some(failed))),
        ("task_refused", in_vain("2 must approve, and only 1 of the people who are listed can", vec![], None)),
    ]
}

pub(super) fn boxed(request: Request) -> Box<Request> {
    Box::new(request)
}

/// A move whose files came to every outcome there is.
pub(super) fn record(plan: FailOverPlan, state: FailOverState) -> FailOver {
    let attempt = || AttemptKey { run: run_id("r-7k3f"), attempt: 2 };
    let open = state == FailOverState::Recovering;
    let files = plan.files.iter().enumerate().map(|(at, case)| {
        let outcome = match case.treatment {
            _ if state == FailOverState::Switching || state == FailOverState::Overtaken => FileOutcome::Pending,
            Treatment::Lose => FileOutcome::Lost { why: "its input had not arrived in west before the switch".into() },
            Treatment::Keep => FileOutcome::Kept,
            _ if open && at % 2 == 0 => FileOutcome::Working { attempt: attempt(), percent: 40 },
            _ if open && at % 5 == 0 => FileOutcome::Pending,
            _ if at % 8 == 7 => FileOutcome::Failed { attempt: attempt(), why: "the disk is full".into() },
            how => FileOutcome::Recovered { attempt: attempt(), how },
        };
        FileReport { case: case.clone(), outcome }
    });
    let files = files.collect();
    let switched = !matches!(state, FailOverState::Switching | FailOverState::Overtaken);
    FailOver {
        id: request_id("q-7k3f"),
        state,
        channel: channel(),
        asked_by: actor("U0OPERATOR", "operator"),
        approved_at: at(120),
        switched_at: switched.then(|| at(122)),
        ended_at: state.is_terminal().then(|| at(305)),
        epoch: switched.then_some(4),
        data_loss: plan.replication.lag.filter(|_| switched),
        files,
        routed: Vec::new(),
        version: 2,
        plan,
    }
}

pub(super) fn finished(kind: Move) -> FailOver {
    record(plan(kind, cases()), FailOverState::Finished)
}

fn records() -> Vec<(&'static str, FailOver)> {
    let late = FailOver { ended_at: Some(at(2000)), ..record(blind(), FailOverState::Finished) };
    let routed = |name: &str, failure: Option<&str>| Routed { name: name.into(), failure: failure.map(str::to_owned) };
    let by_hand =
        "could not start the plan. By hand: aws arc-region-switch start-plan-execution: AWS answered Throttled";
    let unrouted = FailOver {
        routed: vec![routed("S3 Multi-Region Access Point", None), routed("Route 53 ARC Region switch", Some(by_hand))],
        ..finished(Move::FailOver)
    };
    let all = plan(Move::FailOver, many_cases(300));
    let clean = plan(Move::FailBack, cases().into_iter().filter(|c| c.treatment == Treatment::Keep).collect());
    vec![
        ("switching", record(plan(Move::FailOver, cases()), FailOverState::Switching)),
        ("recovering", record(plan(Move::FailOver, cases()), FailOverState::Recovering)),
        ("recovering_300", record(all.clone(), FailOverState::Recovering)),
        ("overtaken", record(plan(Move::FailOver, cases()), FailOverState::Overtaken)),
        ("finished", finished(Move::FailOver)),
        ("finished_unrouted", unrouted),
        ("finished_300", record(all, FailOverState::Finished)),
        ("finished_late", late),
        ("finished_clean", record(clean, FailOverState::Finished)),
        ("finished_none", record(plan(Move::FailOver, vec![]), FailOverState::Finished)),
        ("drill_recovering", record(plan(Move::Drill, cases()), FailOverState::Recovering)),
        ("drill_finished", finished(Move::Drill)),
    ]
}

/// The board of two regions while much is going on.
pub(super) fn busy_board() -> Board {
    Board {
        active: Some(crate::domain::region::Active { region: region("east"), epoch: 3, since: at(-86_400) }),
        standby: vec![
            (region("west"), Some(plan(Move::FailOver, vec![]).replication)),
            (region("north"), Some(Replication::default())),
            (region("south"), None),
        ],
        requests: vec![move_request(plan(Move::FailOver, cases())), broken_glass()],
        moving: Some(Box::new(record(plan(Move::FailOver, cases()), FailOverState::Recovering))),
        last_drill: Some(Box::new(finished(Move::Drill))),
        now: at(12 * 86_400 + 305),
        ..board()
    }
}

/// The board of two regions while nothing is going on.
fn calm_board() -> Board {
    let replication = Replication { lag: Some(SignedDuration::ZERO), pending: Some(0), complete_at: Some(at(0)) };
    Board {
        standby: vec![(region("west"), Some(replication))],
        requests: vec![],
        moving: None,
        last_drill: None,
        ..busy_board()
    }
}

/// Everything said about requests and moves, with the name of its snapshot.
pub(super) fn replies() -> Vec<(String, Reply)> {
    let of = |name: &str| requests().into_iter().find(|(n, _)| *n == name).map(|(_, r)| boxed(r)).unwrap();
    let cards = requests().into_iter().map(|(name, request)| {
        (format!("request_{name}"), Reply::RequestCard { request: boxed(request), now: at(60) })
    });
    let moves = records()
        .into_iter()
        .map(|(name, record)| (format!("move_{name}"), Reply::FailOverCard { record: Box::new(record), now: at(150) }));
    let ended = ["denied", "withdrawn", "expired", "void_changed", "void_lost", "task_too_late", "task_denied_late"]
        .map(|name| (format!("ended_{name}"), Reply::RequestEnded { request: of(name) }));
    let counted =
        ["fail_over_half", "approved", "move_approved", "denied", "withdrawn", "void_lost", "glass", "reviewed"]
            .into_iter()
            .chain(["task_approved", "task_denied"])
            .map(|name| (format!("counted_{name}"), Reply::VoteCounted { request: of(name) }));
    let reminder = |missing| Reply::RequestReminder { request: of("fail_over_half"), missing, now: at(900) };
    let report = |files| Reply::FailOverReport { request: request_id("q-7k3f"), files, user: operator() };
    let more = [
        ("reminder", reminder(vec![actor("U0APPROVER2", "approver two")])),
        ("reminder_nobody", reminder(vec![])),
        ("glass_broken", Reply::GlassBroken { request: of("glass") }),
        ("move_report", report(300)),
        ("move_report_one", report(1)),
        ("board_busy", Reply::Board { board: busy_board() }),
        ("board_calm", Reply::Board { board: calm_board() }),
    ];
    let more = more.map(|(name, reply)| (name.to_owned(), reply));
    cards.chain(moves).chain(ended).chain(counted).chain(more).collect()
}

/// Every form of approvals and moves, with its name.
pub(super) fn views() -> Vec<(&'static str, Surface, View)> {
    let render = renderer();
    let of = |name: &str| requests().into_iter().find(|(n, _)| *n == name).map(|(_, r)| r).unwrap();
    let form = |name, kind, own| render.vote_form(&of(name), kind, own, "m", at(60));
    let strict_move = request(Plan::FailOver(Box::new(plan(Move::FailOver, many_cases(300)))), strict());
    let choices = [RequestChoice::new(&of("fail_over_half"), at(600)), RequestChoice::new(&broken_glass(), at(600))];
    let (east, west) = (region("east"), region("west"));
    let review = |name| Modal::Review { request: boxed(of(name)), now: at(60) };
    vec![
        ("approve", Surface::Modal, form("start", VoteKind::Approve, false)),
        ("approve_task", Surface::Modal, form("task", VoteKind::Approve, false)),
        ("deny_task", Surface::Modal, form("task", VoteKind::Deny, false)),
        ("approve_move", Surface::Modal, form("fail_over_half", VoteKind::Approve, false)),
        ("approve_drill", Surface::Modal, form("drill", VoteKind::Approve, false)),
        ("approve_strict", Surface::Modal, render.vote_form(&strict_move, VoteKind::Approve, false, "m", at(60))),
        ("deny", Surface::Modal, form("fail_over_half", VoteKind::Deny, false)),
        ("withdraw", Surface::Modal, form("start", VoteKind::Deny, true)),
        ("break_glass", Surface::Modal, form("start_strict", VoteKind::BreakGlass, false)),
        ("close_review", Surface::Modal, form("glass", VoteKind::CloseReview, false)),
        ("review_request", Surface::Modal, render.modal(&review("fail_over_300"))),
        ("review_decided", Surface::Modal, render.modal(&review("approved"))),
        ("request_form", Surface::Modal, render.request_form(Action::Approve, &choices, "m")),
        ("request_form_none", Surface::Modal, render.request_form(Action::Deny, &[], "m")),
        ("fail_over_form", Surface::Modal, render.fail_over_form(&east, &[west], "m")),
    ]
}

/// What foreign text can be part of, with that text.
pub(super) fn hostile(text: &str, many: usize) -> Vec<Reply> {
    let person = || actor("U0APPROVER1", text);
    let odd = |mut case: FileCase| {
        case.file = odd_file(text);
        case
    };
    let files: Vec<FileCase> = many_cases(many * 10).into_iter().map(odd).collect();
    let mut plan = plan(Move::FailOver, files);
    plan.unknowns = vec![Unknown::LagUnmeasured; many.min(20)];
    let mut rule = strict();
    (rule.roles, rule.break_glass) = (vec![Role::new(text); many], vec![Role::new(text); many.max(1)]);
    let mut open = request(Plan::FailOver(Box::new(plan.clone())), rule);
    (open.asked_by, open.approvers) = (actor("U0OPERATOR", text).into(), vec![person(); many]);
    let vote = Voted { by: person(), ..voted("U0APPROVER1", text, Verdict::Approve, Some(text)) };
    open.decisions = vec![vote.clone(); many];
    let mut broken = ended(open.clone(), RequestState::Done, open.decisions.clone());
    broken.review = Some(Review { broken: vote.clone(), closed: None });
    let mut closed = broken.clone();
    closed.review.as_mut().unwrap().closed = Some(vote);
    let mut changed = ended(open.clone(), RequestState::Void, open.decisions.clone());
    changed.void = Some(Void::Changed { what: text.to_owned() });
    let mut lost = changed.clone();
    lost.void = Some(Void::Drifted { drift: Drift::MoreLost { files: vec![odd_file(text); many] } });
    let mut record = record(plan, FailOverState::Finished);
    for report in &mut record.files {
        if let FileOutcome::Lost { why } | FileOutcome::Failed { why, .. } = &mut report.outcome {
            *why = text.to_owned();
        }
    }
    let under_way = FailOver { state: FailOverState::Recovering, ended_at: None, ..record.clone() };
    let all = [open.clone(), broken.clone(), closed, changed, lost];
    let board = Board {
        requests: vec![open.clone(); many],
        moving: Some(Box::new(under_way.clone())),
        last_drill: Some(Box::new(record.clone())),
        open: vec![success(); many],
        ended: vec![success(); many],
        standby: (0..many).map(|_| (region("west"), None)).collect(),
        ..busy_board()
    };
    let named = vec![(text.to_owned(), text.to_owned()); many];
    let decided = Refusal::Decided { state: RequestState::Done, by: vec![person(); many], at: None };
    let given = Refusal::ConfirmationNeeded { word: "west".into(), given: Some(text.to_owned()) };
    let refused = |refusal| Problem::VoteRefused { request: request_id("q-7k3f"), refusal };
    let problems = [
        refused(decided),
        refused(given),
        refused(Refusal::NotOnTheList { roles: vec![Role::new(text); many] }),
        Problem::UnknownRequest { request: request_id("q-7k3f"), nearest: Some(text.to_owned()) },
        Problem::NoQuorum { need: 2, can: vec![text.to_owned(); many], cannot: named, roles: vec![Role::new(text)] },
    ];
    let mut said: Vec<Reply> = problems.into_iter().map(Reply::refused).collect();
    for request in all {
        said.push(Reply::RequestCard { request: boxed(request.clone()), now: at(60) });
        said.push(Reply::RequestEnded { request: boxed(request.clone()) });
        said.push(Reply::VoteCounted { request: boxed(request) });
    }
    said.push(Reply::RequestReminder { request: boxed(open), missing: vec![person(); many], now: at(60) });
    said.push(Reply::GlassBroken { request: boxed(broken) });
    said.push(Reply::FailOverCard { record: Box::new(record), now: at(60) });
    said.push(Reply::FailOverCard { record: Box::new(under_way), now: at(60) });
    said.push(Reply::Board { board: board.clone() });
    said.push(Reply::Home { board, permitted: Action::ALL.to_vec() });
    said
}

/// The forms of a request with such text.
pub(super) fn hostile_forms(text: &str, many: usize) -> Vec<View> {
    let cards = hostile(text, many).into_iter().filter_map(|reply| match reply {
        Reply::RequestCard { request, .. } => Some(request),
        _ => None,
    });
    let kinds = [VoteKind::Approve, VoteKind::Deny, VoteKind::BreakGlass];
    cards
        .flat_map(|request| {
            let choices = vec![RequestChoice::new(&request, at(9)); many];
            let forms = kinds.map(|kind| renderer().vote_form(&request, kind, false, "m", at(9)));
            let review = renderer().modal(&Modal::Review { request, now: at(9) });
            forms.into_iter().chain([review, renderer().request_form(Action::Approve, &choices, "m")])
        })
        .collect()
}

/// Every problem of approvals and regions, with its name.
pub(super) fn problems() -> Vec<(&'static str, Problem)> {
    let id = || request_id("q-7k3f");
    let refused = |refusal| Problem::VoteRefused { request: id(), refusal };
    let one = || actor("U0APPROVER1", "approver one");
    let two = || actor("U0APPROVER2", "approver two");
    let decided = |state, by| refused(Refusal::Decided { state, by, at: Some(at(120)) });
    let word = || "west".to_owned();
    let behind = Replication { lag: Some(SignedDuration::from_mins(4)), pending: Some(12), complete_at: None };
    vec![
        ("unknown_request", Problem::UnknownRequest { request: id(), nearest: Some("q-7k3g".into()) }),
        ("decided_approved", decided(RequestState::Done, vec![one(), two()])),
        ("decided_denied", decided(RequestState::Denied, vec![two()])),
        ("decided_void", decided(RequestState::Void, vec![one()])),
        ("request_expired", refused(Refusal::Expired { at: at(1800) })),
        ("own_request", refused(Refusal::Own)),
        ("not_an_approver", refused(Refusal::NotOnTheList { roles: vec![Role::new("approver")] })),
        ("nobody_approves", refused(Refusal::NotOnTheList { roles: vec![] })),
        ("counted_before", refused(Refusal::Counted { have: 1, need: 2 })),
        ("other_plan", refused(Refusal::OtherPlan)),
        ("reason_needed", refused(Refusal::ReasonNeeded)),
        ("confirmation_needed", refused(Refusal::ConfirmationNeeded { word: word(), given: Some("wset".into()) })),
        ("confirmation_missing", refused(Refusal::ConfirmationNeeded { word: word(), given: None })),
        ("code_needed", refused(Refusal::CodeNeeded)),
        ("no_break_glass", refused(Refusal::NoBreakGlass)),
        ("reviewed_before", refused(Refusal::ReviewedBefore { by: one(), at: at(120) })),
        ("own_glass", refused(Refusal::OwnGlass)),
        ("already_requested", Problem::AlreadyRequested { request: id() }),
        (
            "no_quorum",
            Problem::NoQuorum {
                need: 2,
                can: vec!["approver one".into()],
                cannot: vec![("operator".into(), "asked-for-it".into()), ("approver two".into(), "outsider".into())],
                roles: vec![Role::new("approver")],
            },
        ),
        ("no_quorum_at_all", Problem::NoQuorum { need: 1, can: vec![], cannot: vec![], roles: vec![] }),
        (
            "unknown_region",
            Problem::UnknownRegion { region: region("wset"), known: vec![region("east"), region("west")] },
        ),
        ("one_region", Problem::OneRegion),
        ("already_active", Problem::AlreadyActive { region: region("west") }),
        ("move_under_way", Problem::MoveUnderWay { request: id() }),
        ("not_caught_up", Problem::NotCaughtUp { region: region("east"), replication: behind }),
        ("not_measured", Problem::NotCaughtUp { region: region("east"), replication: Replication::default() }),
        ("region_unreachable", Problem::RegionUnreachable { region: region("east") }),
    ]
}
