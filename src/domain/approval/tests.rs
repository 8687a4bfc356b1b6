//! The decision function against a small model of what it must never do, and its refusals one by one.

use super::*;
use crate::domain::actor::{Actor, Asker, Role};
use crate::domain::command::Action;
use crate::domain::id::{ChannelId, FileName, JobName, RequestId, TeamId, UserId};
use crate::domain::run::Input;
use crate::domain::task::{TaskOutcome, TaskWaiting};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn person(n: u8) -> Actor {
    let user = UserId::parse(format!("U{n}")).unwrap();
    Actor { team: TeamId::parse("T1").unwrap(), user, name: format!("name {n}") }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn rule(quorum: u32) -> ApprovalRule {
    ApprovalRule {
        quorum,
        reason: false,
        expires: SignedDuration::from_secs(80),
        break_glass: vec![Role::new("lead")],
        ..ApprovalRule::for_regions()
    }
}

/// Person 0 asked.
fn request(rule: ApprovalRule) -> Request {
    let input = Input {
        name: FileName::parse("a.csv").unwrap(),
        key: "k".into(),
        bytes: 1,
        fingerprint: "f".into(),
        parameters: None,
    };
    let plan = Plan::Command(CommandPlan {
        action: Action::StartBatch,
        job: JobName::parse("sales").unwrap(),
        definition: "d".into(),
        input,
        attempt: None,
        scope: None,
    });
    Request {
        id: RequestId::parse("q-7k3f").unwrap(),
        digest: plan.digest(),
        plan,
        rule,
        asked_by: person(0).into(),
        asked_at: at(0),
        channel: ChannelId::parse("C1").unwrap(),
        approvers: vec![person(1), person(2), person(3)],
        expires_at: Some(at(80)),
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

fn vote(by: u8, verdict: Verdict) -> Ballot {
    let reason = Some("because".to_owned());
    Ballot { by: person(by), verdict, reason, digest: None, confirmed: None, break_glass: false, stepped_up: false }
}

fn rights() -> Rights {
    Rights { may_vote: true, ..Rights::default() }
}

#[test]
fn distinct_people_reach_the_quorum_and_everybody_else_is_told_why_not() {
    let open = request(rule(2));
    let approve = |request: &Request, by| request.cast(&vote(by, Verdict::Approve), &rights(), at(1));
    assert_eq!(approve(&open, 0), Err(Refusal::Own));
    let one = approve(&open, 1).unwrap();
    assert_eq!((one.state, one.counted(&[])), (RequestState::Open, 1));
    assert_eq!(approve(&one, 1), Err(Refusal::Counted { have: 1, need: 2 }));
    let renamed = Ballot { by: Actor { name: "somebody else".into(), ..person(1) }, ..vote(1, Verdict::Approve) };
    assert_eq!(one.cast(&renamed, &rights(), at(1)), Err(Refusal::Counted { have: 1, need: 2 }));
    let two = approve(&one, 2).unwrap();
    assert_eq!((two.state, two.decided_at), (RequestState::Approved, Some(at(1))));
    let by = vec![person(1), person(2)];
    assert_eq!(approve(&two, 3), Err(Refusal::Decided { state: RequestState::Approved, by, at: Some(at(1)) }));
    let stranger = Rights::default();
    let not_listed = Refusal::NotOnTheList { roles: open.rule.roles.clone() };
    assert_eq!(open.cast(&vote(9, Verdict::Approve), &stranger, at(1)), Err(not_listed));
    assert_eq!(open.cast(&vote(1, Verdict::Approve), &rights(), at(80)), Err(Refusal::Expired { at: at(80) }));
    let other = Ballot { digest: Some(Digest::parse("0".repeat(64)).unwrap()), ..vote(1, Verdict::Approve) };
    assert_eq!(open.cast(&other, &rights(), at(1)), Err(Refusal::OtherPlan));
    let silent = Ballot { reason: Some("  ".into()), ..vote(1, Verdict::Deny) };
    assert_eq!(open.cast(&silent, &rights(), at(1)), Err(Refusal::ReasonNeeded));
    assert_eq!(open.cast(&vote(1, Verdict::Deny), &rights(), at(1)).unwrap().state, RequestState::Denied);
    assert_eq!(open.cast(&vote(0, Verdict::Deny), &rights(), at(1)).unwrap().state, RequestState::Denied);
}

#[test]
fn a_vote_whose_giver_lost_the_right_does_not_count_any_more() {
    let one = request(rule(2)).cast(&vote(1, Verdict::Approve), &rights(), at(1)).unwrap();
    let lost = Rights { lost_rights: vec![person(1)], ..rights() };
    let still_one = one.cast(&vote(2, Verdict::Approve), &lost, at(2)).unwrap();
    assert_eq!((still_one.state, still_one.counted(&[])), (RequestState::Open, 1));
}

#[test]
fn a_code_is_asked_for_where_the_rule_wants_one() {
    let open = request(ApprovalRule { step_up: true, ..rule(1) });
    assert_eq!(open.cast(&vote(1, Verdict::Approve), &rights(), at(1)), Err(Refusal::CodeNeeded));
    let proved = Ballot { stepped_up: true, ..vote(1, Verdict::Approve) };
    assert_eq!(open.cast(&proved, &rights(), at(1)).unwrap().state, RequestState::Approved);
}

#[test]
fn broken_glass_decides_alone_and_stays_open_for_review_by_somebody_else() {
    let open = request(rule(3));
    let glass = |by| Ballot { break_glass: true, ..vote(by, Verdict::Approve) };
    let lead = Rights { may_break_glass: true, ..rights() };
    assert_eq!(
        open.cast(&glass(1), &rights(), at(1)),
        Err(Refusal::NotOnTheList { roles: open.rule.break_glass.clone() })
    );
    let silent = Ballot { reason: None, ..glass(1) };
    assert_eq!(open.cast(&silent, &lead, at(1)), Err(Refusal::ReasonNeeded));
    let broken = open.cast(&glass(1), &lead, at(1)).unwrap();
    assert_eq!(broken.state, RequestState::Approved);
    assert!(broken.review_is_open() && broken.needs_somebody());
    assert_eq!(broken.cast(&vote(1, Verdict::Approve), &lead, at(2)), Err(Refusal::OwnGlass));
    let closed = broken.cast(&vote(2, Verdict::Deny), &rights(), at(3)).unwrap();
    assert!(!closed.review_is_open() && closed.state == RequestState::Approved);
    assert_eq!(
        closed.cast(&vote(3, Verdict::Approve), &rights(), at(4)),
        Err(Refusal::ReviewedBefore { by: person(2), at: at(3) })
    );
    let none = request(ApprovalRule { break_glass: vec![], ..rule(3) });
    assert_eq!(none.cast(&glass(1), &lead, at(1)), Err(Refusal::NoBreakGlass));
}

#[test]
fn reminders_come_at_growing_gaps_and_then_it_expires() {
    let mut open = request(rule(1));
    let mut looks = Vec::new();
    for _ in 0..4 {
        looks.push(open.next_look().unwrap().as_second());
        open.reminders += 1;
    }
    assert_eq!(looks, [10, 30, 70, 80]);
    open.expired(at(80)).unwrap();
    assert_eq!((open.state, open.next_look()), (RequestState::Expired, None));
    assert!(open.expired(at(81)).is_err());
}

#[derive(Debug, Clone)]
enum Step {
    Vote { by: u8, verdict: Verdict, may: bool, glass: bool, lead: bool },
    LoseRights { who: u8 },
    Expire,
    Drift,
    Finish,
}

fn any_step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![4 => Just(Verdict::Approve), 1 => Just(Verdict::Deny)];
    prop_oneof![
        8 => (0..5_u8, verdict, any::<bool>(), prop::bool::weighted(0.1), any::<bool>())
            .prop_map(|(by, verdict, may, glass, lead)| Step::Vote { by, verdict, may, glass, lead }),
        1 => (1..5_u8).prop_map(|who| Step::LoseRights { who }),
        1 => Just(Step::Expire),
        1 => Just(Step::Drift),
        1 => Just(Step::Finish),
    ]
}

proptest! {
    #[test]
    fn no_path_approves_without_enough_different_people(quorum in 1..4_u32, steps in proptest::collection::vec(any_step(), 0..30)) {
        let mut request = request(rule(quorum));
        let mut lost: Vec<u8> = Vec::new();
        for (n, step) in steps.into_iter().enumerate() {
            let now = at(i64::try_from(n).unwrap());
            let before = request.clone();
            match step {
                Step::Vote { by, verdict, may, glass, lead } => {
                    let may_vote = may && !lost.contains(&by);
                    let rights = Rights { may_vote, may_break_glass: lead, lost_rights: lost.iter().map(|n| person(*n)).collect() };
                    let ballot = Ballot { break_glass: glass, ..vote(by, verdict) };
                    if let Ok(next) = request.cast(&ballot, &rights, now) {
                        if before.is_open() && next.state == RequestState::Approved {
                            let mut people: Vec<_> = next.approvals().map(|d| d.by.user.clone()).collect();
                            people.sort();
                            people.dedup();
                            let enough = people.len() >= quorum as usize
                                && !people.contains(&person(0).user)
                                && !lost.iter().any(|n| people.contains(&person(*n).user))
                                && may_vote;
                            prop_assert!(enough || (glass && lead), "{people:?}");
                        }
                        request = next;
                    }
                }
                Step::LoseRights { who } => lost.push(who),
                Step::Expire => drop(request.expired(now)),
                Step::Drift => drop(request.drifted(Void::Changed { what: "it".into() }, now)),
                Step::Finish => if let Ok(next) = request.state.next(RequestEvent::Finish) { request.state = next },
            }
            if before.state.is_terminal() {
                prop_assert_eq!(request.state, before.state, "terminal stays terminal");
            }
        }
    }
}

/// The question of a workflow that waits for another 1,000 seconds.
fn task() -> Request {
    let body = serde_json::json!({
        "token": "AQCE", "job": "nightly", "channel": "C1", "question": "Go on?", "details": {"rows": 1},
        "expiresIn": "PT1000S", "heartbeat": "PT60S",
    });
    let task = TaskWaiting::read(&body, None, at(0)).unwrap();
    let plan = Plan::Task(Box::new(TaskPlan::of(&task, task.token.key().unwrap())));
    let asked_by = Asker::Workflow { workflow: task.workflow };
    let rule = ApprovalRule::for_workflows();
    Request { digest: plan.digest(), plan, asked_by, expires_at: None, ..request(rule) }
}

#[test]
fn a_workflow_is_answered_before_it_stops_waiting_whenever_its_question_was_posted() {
    let mut early = task();
    assert_eq!((early.ends_at(), early.next_look()), (Some(at(940)), Some(at(940))), "posted or not");
    early.posted(at(1));
    assert_eq!(early.expires_at, Some(at(940)));
    assert_eq!(
        early.next_look(),
        Some(at(0) + SignedDuration::from_secs(940) / 8),
        "reminders share what time there is"
    );
    let late = early.cast(&vote(1, Verdict::Approve), &rights(), at(940));
    assert_eq!(late, Err(Refusal::Expired { at: at(940) }));
    let unposted = task().cast(&vote(1, Verdict::Approve), &rights(), at(940));
    assert_eq!(unposted, Err(Refusal::Expired { at: at(940) }));
    let mut short = task();
    short.rule.expires = SignedDuration::from_secs(100);
    short.posted(at(1));
    assert_eq!(short.expires_at, Some(at(101)), "the rule may be shorter");
}

#[test]
fn the_answer_says_who_decided_and_why() {
    assert_eq!(task().outcome(), None, "nobody has decided");
    let approved = task().cast(&vote(1, Verdict::Approve), &rights(), at(5)).unwrap();
    let Some(TaskOutcome::Success { output }) = approved.outcome() else { panic!("it was approved") };
    assert_eq!(output["approved"], true);
    assert_eq!(
        (output["by"][0]["id"].as_str(), output["reason"].as_str()),
        (Some(person(1).user.as_str()), Some("because"))
    );
    assert_eq!(output["digest"], approved.digest.to_string());
    let error = |request: &Request| match request.outcome() {
        Some(TaskOutcome::Failure { error, cause }) => (error, cause),
        other => panic!("{other:?}"),
    };
    let denied = task().cast(&vote(1, Verdict::Deny), &rights(), at(5)).unwrap();
    assert_eq!(error(&denied).0, "Denied");
    assert!(error(&denied).1.ends_with("because"));
    let mut expired = task();
    expired.expired(at(940)).unwrap();
    assert_eq!(error(&expired), ("Expired", "request q-7k3f expired with 0 of 1 approvals".to_owned()));
    let mut refused = task();
    refused.drifted(Void::Changed { what: "nobody can".into() }, at(1)).unwrap();
    assert_eq!(error(&refused), ("Refused", "request q-7k3f was not put to anybody: nobody can".to_owned()));
}

#[test]
fn the_digest_covers_every_word_of_a_question_and_the_question_itself() {
    let Plan::Task(plan) = task().plan else { panic!("it is a task") };
    let digest = |change: &dyn Fn(&mut TaskPlan)| {
        let mut other = (*plan).clone();
        change(&mut other);
        Plan::Task(Box::new(other)).digest()
    };
    let same = digest(&|_| {});
    let all: [&dyn Fn(&mut TaskPlan); 4] = [
        &|plan| plan.question.push('!'),
        &|plan| plan.details[0].value.push('0'),
        &|plan| plan.workflow = JobName::parse("other").unwrap(),
        &|plan| plan.task = crate::domain::id::EnvelopeId::parse("task:2").unwrap(),
    ];
    for change in all {
        assert_ne!(digest(change), same);
    }
    assert!(!serde_json::to_string(&task()).unwrap().contains("AQCE"), "the token is in no request");
}
