//! Fail or die at every port call in turn, from the command to its final answer; then start again on the same data. Whatever the
//! point: one run, one effect of each decision, one message with the end in it, nothing lost, nothing left over.

#![expect(clippy::print_stdout, reason = "the counts are for whoever reads the log")]

use crate::harness::bot::{Bot, Setup};
use crate::harness::faults::{Blow, Faults};
use crate::harness::workflows::{Workflows, question};
use std::collections::BTreeMap;
use std::sync::Arc;
use switchman::domain::approval::RequestState;
use switchman::domain::run::{Run, RunState};
use switchman::domain::task::Told;
use switchman::playground::{Ack, Message, Outcome};
use tokio::task::JoinSet;

/// Starts need one approval.
const GUARDED: &str = "[[approval]]\nactions = [\"start-batch\"]\nroles = [\"approver\"]\nreason = false\n";
/// Points that are gone through side by side: most of the time is waiting for the disk.
const SIDE_BY_SIDE: u64 = 4;

/// The command that is swept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Swept {
    Start,
    Reprocess,
    Cancel,
    /// A guarded start: it is asked for, and stays so.
    Ask,
    /// The vote that decides about one.
    Approve,
    /// The vote that decides about the question of a workflow.
    Answer,
    /// No command: a file arrives.
    Arrive,
}

impl Swept {
    fn is_guarded(self) -> bool {
        matches!(self, Self::Ask | Self::Approve)
    }
}

/// What was seen at one point.
struct Seen {
    /// The call that was hit; none where the command needed fewer calls.
    struck: Option<&'static str>,
    /// Whether Slack was told that the command was taken.
    taken: bool,
}

/// Goes through all points of one kind and prints what was seen.
async fn sweep(swept: Swept, blow: Blow) {
    let mut calls: BTreeMap<&'static str, u64> = BTreeMap::new();
    let (mut points, mut not_taken, mut next) = (0, 0, 1);
    loop {
        let mut batch = JoinSet::new();
        for n in next..next + SIDE_BY_SIDE {
            batch.spawn(point(swept, blow, n));
        }
        next += SIDE_BY_SIDE;
        let seen = batch.join_all().await;
        for seen in &seen {
            let Some(call) = seen.struck else { continue };
            points += 1;
            *calls.entry(call).or_default() += 1;
            not_taken += u64::from(!seen.taken);
        }
        if seen.iter().any(|seen| seen.struck.is_none()) {
            break;
        }
    }
    println!(
        "crash sweep of {swept:?}, {blow:?}: {points} points, {not_taken} where Slack was told that it was not taken"
    );
    for (call, times) in &calls {
        println!("  {times:>4} x {call}");
    }
    assert!(points >= 15, "{swept:?} needs more calls than {points}");
}

/// One point, from a fresh bot to a settled one.
async fn point(swept: Swept, blow: Blow, n: u64) -> Seen {
    let (faults, workflows) = (Faults::new(blow), Workflows::default());
    let (between, behind) = (faults.clone(), workflows.clone());
    let brake = (swept == Swept::Cancel).then_some(1);
    let mut bot = Bot::with(Setup {
        rows: 60,
        bad_percent: 5.0,
        missing_percent: 0.0,
        chunk: "4 KiB",
        brake,
        on_arrival: swept == Swept::Arrive,
        wrap: Some(Arc::new(move |ctx| between.wrap(behind.put_into(ctx)))),
        more: if swept.is_guarded() { GUARDED } else { "" },
        ..Setup::default()
    })
    .await;
    match swept {
        Swept::Start | Swept::Ask | Swept::Arrive => {}
        Swept::Reprocess | Swept::Approve => bot.operator().says("start-batch sales").await,
        Swept::Answer => bot.is_asked(&question()).await,
        Swept::Cancel => {
            bot.operator().types("start-batch sales").await;
            bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
        }
    }
    let card = matches!(swept, Swept::Reprocess | Swept::Cancel).then(|| bot.card());
    bot.put_between(workflows.wrap());
    faults.arm(n);
    if swept == Swept::Arrive {
        arrive(&mut bot, &faults).await;
        faults.arm(0);
        let seen = Seen { struck: faults.struck(), taken: true };
        check(&bot, swept, &format!("{swept:?}, {blow:?} at call {n} ({})", seen.struck.unwrap_or("none"))).await;
        bot.finish().await;
        return seen;
    }
    let ack = ask(&mut bot, &faults, swept, card.as_ref()).await;
    let taken = ack.outcome == Outcome::Acknowledged;
    if !taken {
        // People who read that it failed try again, unless the button is gone: then it was taken all the same.
        let ack = ask(&mut bot, &faults, swept, card.as_ref()).await;
        assert!(matches!(ack.outcome, Outcome::Acknowledged | Outcome::NotSent(_)), "{ack:?}");
    }
    settle(&mut bot, &faults).await;
    // The calls that follow are not the command's.
    faults.arm(0);
    let seen = Seen { struck: faults.struck(), taken };
    let at = format!("{swept:?}, {blow:?} at call {n} ({})", seen.struck.unwrap_or("none"));
    if swept == Swept::Answer {
        check_answer(&bot, &workflows, &at).await;
    }
    if swept.is_guarded() {
        check_request(&bot, swept, &at).await;
    }
    if !matches!(swept, Swept::Ask | Swept::Answer) {
        check(&bot, swept, &at).await;
    }
    bot.finish().await;
    seen
}

/// What must hold of the request, whatever the point was.
async fn check_request(bot: &Bot, swept: Swept, at: &str) {
    let requests = bot.requests().await;
    assert_eq!(requests.len(), 1, "{at}: {requests:?}\n{}", bot.slack.transcript());
    let request = &requests[0];
    let state = if swept == Swept::Ask { RequestState::Open } else { RequestState::Done };
    assert_eq!(request.state, state, "{at}");
    assert!(request.expires_at.is_some(), "{at}: its time runs");
    let cards = bot.cards().into_iter().filter(|card| bot.slack.read(card).contains(request.id.as_str())).count();
    assert_eq!(cards, 1, "{at}: one message\n{}", bot.slack.transcript());
    if swept == Swept::Ask {
        assert_eq!(bot.runs().await.len(), 0, "{at}");
    } else {
        assert_eq!(request.decisions.len(), 1, "{at}: counted once");
    }
}

/// The workflow heard one answer, and people read that it has it.
async fn check_answer(bot: &Bot, workflows: &Workflows, at: &str) {
    let transcript = bot.slack.transcript();
    assert_eq!(workflows.answers().len(), 1, "{at}: one answer\n{transcript}");
    let request = bot.request().await;
    assert_eq!((request.state, request.decisions.len()), (RequestState::Done, 1), "{at}");
    assert!(matches!(request.told, Some(Told::Answered | Told::Unconfirmed)), "{at}: {:?}", request.told);
    assert_eq!((bot.cards().len(), bot.replies().len()), (1, 0), "{at}: one message\n{transcript}");
    let text = bot.card_text();
    assert!(text.contains("has its answer") || text.contains("was answered"), "{at}: {text}");
}

/// A file is seen, told of and run. Looks go on for ever, so that one that fails is made good by the next.
async fn arrive(bot: &mut Bot, faults: &Faults) {
    for _ in 0..3 {
        if faults.is_dead() {
            bot.looks_for_files_at_rest().await;
        } else {
            tokio::select! {
                () = bot.looks_for_files_at_rest() => {}
                () = faults.died() => revive(bot).await,
            }
        }
        settle(bot, faults).await;
    }
}

/// Gives the command. Where the process dies on it, it is started again.
async fn ask(bot: &mut Bot, faults: &Faults, swept: Swept, card: Option<&Message>) -> Ack {
    let slack = bot.slack.clone();
    let card = card.map(|card| card.ts.clone()).unwrap_or_default();
    let votes = matches!(swept, Swept::Approve | Swept::Answer);
    let request = if votes { bot.request().await.id.to_string() } else { String::new() };
    let asked = tokio::spawn(async move {
        match swept {
            Swept::Arrive => unreachable!("nobody gives a command"),
            Swept::Start | Swept::Ask => {
                slack.type_command("U0OPERATOR", "C0BATCH", "/my-slack-bot start-batch sales").await
            }
            Swept::Reprocess => slack.click("U0OPERATOR", &card, "reprocess-rows").await,
            Swept::Cancel => slack.click("U0OPERATOR", &card, "cancel-batch").await,
            Swept::Approve | Swept::Answer => {
                slack.type_command("U0APPROVER1", "C0BATCH", &format!("/my-slack-bot approve {request}")).await
            }
        }
    });
    tokio::pin!(asked);
    if faults.is_dead() {
        // It lives again, and nothing stands between it and its ports.
        return asked.await.unwrap();
    }
    tokio::select! {
        ack = &mut asked => return ack.unwrap(),
        () = faults.died() => {}
    }
    revive(bot).await;
    asked.await.unwrap()
}

/// Works until nothing is left, over the death of the process.
async fn settle(bot: &mut Bot, faults: &Faults) {
    if !faults.is_dead() {
        tokio::select! {
            () = bot.settle() => return,
            () = faults.died() => {}
        }
        revive(bot).await;
    }
    bot.settle().await;
}

async fn revive(bot: &mut Bot) {
    bot.restart().await;
}

/// What must hold whatever the point was.
async fn check(bot: &Bot, swept: Swept, at: &str) {
    let run: Run = bot.run().await;
    let attempts = if swept == Swept::Reprocess { 2 } else { 1 };
    let state = if swept == Swept::Cancel { RunState::Cancelled } else { RunState::Succeeded };
    let transcript = bot.slack.transcript();
    assert_eq!(run.attempts.len(), attempts, "{at}: attempts\n{transcript}");
    assert_eq!(run.current().state, state, "{at}\n{transcript}");
    let mut cards = bot.cards();
    cards.drain(..usize::from(swept == Swept::Approve));
    assert_eq!(cards.len(), attempts, "{at}: one message for each attempt\n{transcript}");
    for (card, attempt) in cards.iter().zip(&run.attempts) {
        let text = bot.slack.read(card);
        assert!(text.contains(attempt.state.word()) && text.contains(run.id.as_str()), "{at}: {text}\n{transcript}");
        let open = text.contains("[Cancel]");
        assert!(!open, "{at}: {text}");
    }
    if state == RunState::Succeeded {
        let progress = &run.current().progress;
        let found = (progress.accepted, progress.rejected);
        assert_eq!(found, (bot.totals.accepted, bot.totals.rejected), "{at}: every row is accounted for");
        let output = std::fs::read_dir(bot.path("output")).unwrap().count();
        assert!(output >= 2, "{at}: output and rejects are where people look");
    }
    let attached = bot.replies().len();
    let most = if swept == Swept::Cancel { 0 } else { attempts + 1 };
    assert!(attached <= most, "{at}: {attached} attachments\n{transcript}");
    let audit = bot.audit().await;
    let ends = audit.iter().filter(|record| record.draft.action == "end").count();
    assert_eq!(ends, attempts, "{at}: each attempt ends once in the audit trail");
}

macro_rules! sweeps {
    ($($name:ident: $swept:ident, $blow:ident;)+) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            sweep(Swept::$swept, Blow::$blow).await;
        })+
    };
}

sweeps! {
    start_survives_failing_calls: Start, Fails;
    start_survives_lost_answers: Start, AnswerLost;
    start_survives_death_before_each_call: Start, DiesBefore;
    start_survives_death_after_each_call: Start, DiesAfter;
    reprocess_survives_failing_calls: Reprocess, Fails;
    reprocess_survives_lost_answers: Reprocess, AnswerLost;
    reprocess_survives_death_before_each_call: Reprocess, DiesBefore;
    reprocess_survives_death_after_each_call: Reprocess, DiesAfter;
    arrival_survives_failing_calls: Arrive, Fails;
    arrival_survives_lost_answers: Arrive, AnswerLost;
    arrival_survives_death_before_each_call: Arrive, DiesBefore;
    arrival_survives_death_after_each_call: Arrive, DiesAfter;
    cancel_survives_failing_calls: Cancel, Fails;
    cancel_survives_lost_answers: Cancel, AnswerLost;
    cancel_survives_death_before_each_call: Cancel, DiesBefore;
    cancel_survives_death_after_each_call: Cancel, DiesAfter;
    asking_for_approval_survives_lost_answers: Ask, AnswerLost;
    asking_for_approval_survives_death_after_each_call: Ask, DiesAfter;
    approval_survives_failing_calls: Approve, Fails;
    approval_survives_lost_answers: Approve, AnswerLost;
    approval_survives_death_before_each_call: Approve, DiesBefore;
    approval_survives_death_after_each_call: Approve, DiesAfter;
    answering_a_workflow_survives_failing_calls: Answer, Fails;
    answering_a_workflow_survives_lost_answers: Answer, AnswerLost;
    answering_a_workflow_survives_death_before_each_call: Answer, DiesBefore;
    answering_a_workflow_survives_death_after_each_call: Answer, DiesAfter;
}
