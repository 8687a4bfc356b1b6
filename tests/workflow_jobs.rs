//! Any workflow is a job: started with typed values by text or form, watched, stopped, run again and approved like every other, and
//! shown as what it is: nobody counts its rows.

use crate::harness::bot::{Bot, Setup, Wrap};
use crate::harness::requests::results;
use crate::harness::workflows::{Workflows, with_nightly};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::approval::{ApprovalRule, Guarded, RequestState};
use switchman::domain::command::{Action, Scope};
use switchman::domain::run::RunState;
use switchman::playground::{Act, Place};
use switchman::ports::ExecutionState;
use switchman::processor::Ctx;

fn wrap(workflows: &Workflows, guarded: Vec<Guarded>) -> Wrap {
    let workflows = workflows.clone();
    Arc::new(move |ctx: Ctx| {
        let catalog = Arc::new(with_nightly(&ctx.catalog).guarded_by(guarded.clone()));
        workflows.put_into(Ctx { catalog, ..ctx })
    })
}

async fn bot(workflows: &Workflows) -> Bot {
    Bot::with(Setup { wrap: Some(wrap(workflows, vec![])), ..Setup::default() }).await
}

/// A start that is under way.
async fn running(bot: &Bot, line: &str) {
    assert!(bot.operator().types(line).await.is_ok());
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
}

/// The newest execution comes to its end, and people are told.
async fn ends(bot: &Bot, workflows: &Workflows, state: ExecutionState, failure: Option<&str>) {
    workflows.comes_to(&workflows.starts().last().unwrap().key, state, failure);
    bot.clock.advance(Duration::from_secs(5));
    bot.settle().await;
}

/// What the newest execution was given.
fn given(workflows: &Workflows) -> String {
    let start = workflows.starts().pop().unwrap();
    serde_json::to_string(&start.input.parameters.unwrap().json()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_is_started_with_its_values_and_shown_without_counts() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    running(&bot, r#"start-batch nightly date=today force=yes "note=some text""#).await;
    let day = "2026-03-02";
    let values = format!(r#"{{"date":"{day}","mode":"full","tries":3,"force":true,"note":"some text"}}"#);
    assert_eq!(given(&workflows), values);
    insta::assert_snapshot!(bot.channel(), @r##"
    ▶️ *Run r-1: running*
    workflow `nightly`, asked for by @Operator
    `date`  `2026-03-02`
    `mode`  `full`
    `tries`  `3`
    `force`  `true`
    `note`  `some text`
    Running since 2026-03-02 08:00 UTC. A workflow does not say how far it is.
    [Cancel]
    "##);
    bot.operator().types("list-batches").await;
    bot.operator().types("status").await;
    bot.drain().await;
    let told = bot.operator().told().join("\n");
    assert!(told.contains("nightly") && !told.contains('%') && !told.contains("accepted"), "{told}");
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    insta::assert_snapshot!(bot.channel(), @r##"
    ✅ *Run r-1: finished*
    workflow `nightly`, asked for by @Operator
    `date`  `2026-03-02`
    `mode`  `full`
    `tries`  `3`
    `force`  `true`
    `note`  `some text`
    The workflow came to its end after 5.0 s.
    "##);
    bot.operator().says("status").await;
    bot.operator().says(&format!("status {}", bot.run().await.id)).await;
    let told = bot.operator().told_last();
    assert!(told.contains("finished") && !told.contains("accepted"), "{told}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_values_run_once_at_a_time_and_again_afterwards() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    running(&bot, "start-batch nightly date=2026-03-01").await;
    bot.operator().types("start-batch nightly date=yesterday mode=FULL").await;
    bot.drain().await;
    assert_eq!(results(&bot, "start-batch").await, ["done", "same-values"], "the words differ, the values do not");
    bot.operator().types("start-batch nightly date=2026-03-01 mode=delta").await;
    bot.drain().await;
    assert_eq!(workflows.starts().len(), 2, "other values are another run");
    ends(bot_ended(&bot, &workflows, 0).await, &workflows, ExecutionState::Succeeded, None).await;
    running(&bot, "start-batch nightly date=2026-03-01").await;
    assert_eq!(workflows.starts().len(), 3, "what has ended may be started again");
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    bot.finish().await;
}

/// Ends the execution of that number first.
async fn bot_ended<'a>(bot: &'a Bot, workflows: &Workflows, number: usize) -> &'a Bot {
    workflows.comes_to(&workflows.starts()[number].key, ExecutionState::Succeeded, None);
    bot.drain().await;
    bot
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_says_its_cause_and_is_run_again_as_a_whole() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    running(&bot, "start-batch nightly date=2026-03-01").await;
    ends(&bot, &workflows, ExecutionState::Failed, Some("the ledger is locked")).await;
    insta::assert_snapshot!(bot.channel(), @r##"
    ❌ *Run r-1: failed*
    workflow `nightly`, asked for by @Operator
    `date`  `2026-03-01`
    `mode`  `full`
    `tries`  `3`
    `force`  `false`
    The ledger is locked.
    What it did before stays done: look before you run it again.
    [Run it again]
    "##);
    let run = bot.run().await;
    bot.operator().says("reprocess-batch").await;
    bot.operator().says(&format!("reprocess-batch {} rows", run.id)).await;
    assert_eq!(results(&bot, "reprocess-batch").await, ["nothing-to-redo", "scope-is-empty"]);
    assert!(bot.operator().clicks("reprocess-all").await.is_ok());
    bot.until("it runs again", |bot| bot.card_text().contains("attempt 2: running")).await;
    let starts = workflows.starts();
    assert_eq!((starts.len(), starts[1].key.attempt, starts[1].scope), (2, 2, Scope::All));
    assert_eq!(starts[0].input, starts[1].input);
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    assert_eq!(bot.run().await.current().state, RunState::Succeeded);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workflow_is_stopped_where_it_is() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    running(&bot, "start-batch nightly date=2026-03-01").await;
    assert!(bot.operator().clicks("cancel-batch").await.is_ok());
    bot.settle().await;
    assert_eq!(bot.run().await.current().state, RunState::Cancelled);
    let text = format!("{}\n{}", bot.card_text(), bot.operator().told_last());
    assert!(text.contains("stays done") && !text.contains("chunk"), "{text}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_value_is_pointed_at_and_starts_nothing() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    let mut said = Vec::new();
    for line in [
        "start-batch nightly dat=2026-03-01",
        "start-batch nightly date=2026-02-30",
        "start-batch nightly date=today mode=dleta",
        "start-batch nightly date=today tries=10",
        "start-batch nightly date=today date=today",
        "start-batch nightly sales.csv",
        "start-batch nightly date=today note=\"open",
    ] {
        bot.operator().types(line).await;
        said.push(bot.operator().told_last());
    }
    insta::assert_snapshot!(said.join("\n---\n"), @r##"
    *Not done.* I could not read that: expected date=…, mode=…, tries=…, force=…, note=….
    ```start-batch nightly dat=2026-03-01
                        ^^^^^^^^^^^^^^```
    Nothing was run. Did you mean `date=2026-03-01`? The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: date must be a date such as 2026-11-01, or today or yesterday.
    ```start-batch nightly date=2026-02-30
                        ^^^^^^^^^^^^^^^```
    Nothing was run. The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: mode must be one of full, delta.
    ```start-batch nightly date=today mode=dleta
                                   ^^^^^^^^^^```
    Nothing was run. Did you mean `mode=delta`? The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: tries must be a whole number from 1 to 9.
    ```start-batch nightly date=today tries=10
                                   ^^^^^^^^```
    Nothing was run. The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: date is given twice.
    ```start-batch nightly date=today date=today
                                   ^^^^^^^^^^```
    Nothing was run. The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: expected date=…, mode=…, tries=…, force=…, note=….
    ```start-batch nightly sales.csv
                        ^^^^^^^^^```
    Nothing was run. The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    ---
    *Not done.* I could not read that: this quote is never closed.
    ```start-batch nightly date=today note="open
                                   ^^^^^^^^^^```
    Nothing was run. `/my-slack-bot help` lists the commands.
    "##);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_asked_for_in_a_form_made_of_the_types() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    assert!(bot.operator().types("start-batch nightly mode=delta note=hello").await.is_ok());
    insta::assert_snapshot!(bot.operator().reads_modal(), @r##"
    Start a job
    Job: {sales / nightly}
    The date: ____
    The mode: {full / delta}
    The tries: 3
    The force: {Yes / No}
    The note: hello
    [Start] [Close]
    "##);
    let kinds: Vec<String> = bot
        .operator()
        .modal()
        .unwrap()
        .blocks()
        .iter()
        .map(|block| block["element"]["type"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(
        kinds,
        ["static_select", "datepicker", "static_select", "number_input", "radio_buttons", "plain_text_input"]
    );
    let ack = bot.operator().submits(json!({"value:nightly:tries": "3"})).await;
    assert!(!ack.is_ok() || bot.operator().modal().is_some(), "the day is needed");
    assert!(
        bot.operator()
            .submits(json!({"value:nightly:date": "2026-03-01", "value:nightly:force": "true"}))
            .await
            .is_ok()
    );
    bot.drain().await;
    let expected = r#"{"date":"2026-03-01","mode":"delta","tries":3,"force":true,"note":"hello"}"#;
    assert_eq!(given(&workflows), expected);
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_form_of_a_job_follows_the_job_that_is_picked() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    assert!(bot.operator().types("start-batch").await.is_ok());
    assert!(bot.operator().reads_modal().contains("Input file"), "{}", bot.operator().reads_modal());
    let view = bot.operator().modal().unwrap().id;
    let pick = Act { value: Some(json!("nightly")), ..Act::click("", "job").at(Place::View(view)) };
    assert!(bot.operator().acts(&pick).await.is_ok());
    assert!(bot.operator().reads_modal().contains("The date"), "{}", bot.operator().reads_modal());
    assert!(bot.operator().submits(json!({"value:nightly:date": "2026-03-01"})).await.is_ok());
    bot.drain().await;
    assert_eq!(workflows.starts().len(), 1);
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn approvers_see_the_exact_values_and_approve_those() {
    let workflows = Workflows::default();
    let rule = ApprovalRule { quorum: 1, reason: false, ..ApprovalRule::for_regions() };
    let guarded = Guarded { actions: vec![Action::StartBatch], workflows: false, jobs: vec![], rule };
    let bot = Bot::with(Setup { wrap: Some(wrap(&workflows, vec![guarded])), ..Setup::default() }).await;
    let note = "a long note, ".repeat(30);
    bot.operator().says(&format!("start-batch nightly date=today \"note={note}\"")).await;
    let request = bot.request().await;
    let card = bot.card_text();
    assert!(card.contains("date = 2026-03-02") && card.contains(note.trim()), "{card}");
    bot.operator().says("start-batch nightly date=today note=other").await;
    let other = bot.request().await;
    assert_ne!(request.digest, other.digest, "the digest covers the values");
    bot.clock.advance(Duration::from_hours(1) / 4);
    bot.approver().types(&format!("approve {}", request.id)).await;
    bot.drain().await;
    assert_eq!(workflows.starts().len(), 1);
    assert!(given(&workflows).contains("a long note"));
    ends(&bot, &workflows, ExecutionState::Succeeded, None).await;
    bot.approver().says(&format!("deny {} no", other.id)).await;
    assert_eq!(bot.requests().await[0].state, RequestState::Done);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_may_not_start_it_starts_nothing_and_sees_no_form() {
    let workflows = Workflows::default();
    let bot = bot(&workflows).await;
    for person in [bot.stranger(), bot.viewer()] {
        person.types("start-batch nightly date=today").await;
        person.types("start-batch nightly").await;
        assert!(person.modal().is_none());
    }
    bot.settle().await;
    assert_eq!((workflows.starts().len(), bot.runs().await.len()), (0, 0));
    assert!(
        results(&bot, "start-batch").await.iter().all(|result| ["not-listed", "no-rule"].contains(&result.as_str()))
    );
    bot.finish().await;
}
