//! `start-batch`, from the line that is typed to the message that is left.

use crate::harness::bot::{Bot, OPERATOR, Setup};
use serde_json::json;
use switchman::domain::id::{FileName, JobName};
use switchman::domain::run::RunState;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_starts_a_batch_and_is_told_how_it_went() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-batch sales
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Switchman edits: ✅ *Run r-1: finished*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        30 rows rejected (1.5 %), the rest is in the output. No row was dropped.
        *Rows* 2,000 · *Accepted* 1,970 · *Rejected* 30 (1.5 %) · *Time* TIME
        *Rejected because*
        `missing-lookup`  10 rows
        `missing-value`  5 rows
        `bad-date`  5 rows
        `not-in-list`  3 rows
        `short-row`  3 rows
        `long-row`  3 rows
        `pattern-mismatch`  1 row
        [View rejects] [Reprocess rejected] [Download output]
    Switchman (in a thread): @Operator here are the 30 rejected rows of run r-1, each with its line, column and reason.
        [file sales.r-1.rejects.csv]
    "#);
    let run = bot.run().await;
    let progress = &run.current().progress;
    assert_eq!((progress.accepted, progress.rejected), (bot.totals.accepted, bot.totals.rejected));
    assert!(progress.chunks_total > 3, "{progress:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_start_is_told_which_run_has_the_file() {
    let bot = Bot::with(Setup::endless()).await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    bot.operator().types("start-batch sales sales.csv").await;
    bot.until("the answer", |bot| !bot.operator().told().is_empty()).await;
    bot.operator().clicks("cancel-batch").await;
    bot.settle().await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-batch sales
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Operator> /my-slack-bot start-batch sales sales.csv
    Switchman (only Operator): *Not done.* The run r-1 has `sales.csv` already, and one file has one run at a time.
        Nothing was started, and that run goes on. `/my-slack-bot status r-1` shows how far it is.
    Operator clicks [Cancel]
    Switchman (only Operator): *The stop of r-1 was taken.*
        Nothing half-done of `sales` is published, and chunks that are done are kept. The run's own message says when it has stopped.
    Switchman edits: ⏹️ *Run r-1: cancelled*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        Stopped by @Operator. Nothing half-done was published. 0 of 5 chunks are done and kept.
        [Reprocess the rest]
    "#);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_was_done_is_not_done_again_unless_it_changed() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    bot.operator().says("start-batch sales sales.csv").await;
    bot.operator().says("start-batch sales").await;
    let told = bot.operator().told().join("\n\n");
    insta::assert_snapshot!(crate::harness::scene::steady(&told), @r#"
    *Not done.* The run r-1 has finished `sales.csv`, and the file has not changed since.
    Nothing was started, and its output is there. `/my-slack-bot reprocess-batch r-1 all` does it again.

    *Not done.* Every input of the job sales has a finished run (1 input).
    Nothing was started. Put a new file into `input`, or do a finished run again with `/my-slack-bot reprocess-batch RUN all`.
    "#);
    assert_eq!(bot.runs().await.len(), 1);
    let file = bot.path("input/sales.csv");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.lines().take(101).fold(String::new(), |all, line| all + line + "\n")).unwrap();
    bot.operator().says("start-batch sales").await;
    assert_eq!(bot.runs().await[0].current().progress.rows, 100);
    assert_eq!(bot.cards().len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_word_is_pointed_at() {
    let bot = Bot::new().await;
    for line in ["start-bach sales", "start-batch salse", "start-batch sales sale.csv", "start-batch sales \"sales.csv"]
    {
        bot.operator().says(line).await;
    }
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-bach sales
    Switchman (only Operator): *Not done.* I could not read that: this is not a command.
        ```start-bach sales
        ^^^^^^^^^^```
        Nothing was run. Did you mean `start-batch`? `/my-slack-bot help` lists the commands.
    Operator> /my-slack-bot start-batch salse
    Switchman (only Operator): *Not done.* I could not read that: expected one of the jobs here: sales.
        ```start-batch salse
                    ^^^^^```
        Nothing was run. Did you mean `sales`? The command is `/my-slack-bot start-batch JOB [FILE|NAME=VALUE…]`, for example `/my-slack-bot start-batch sales`.
    Operator> /my-slack-bot start-batch sales sale.csv
    Switchman (only Operator): *Not done.* The job sales has no input `sale.csv`.
        Nothing was changed. Did you mean `sales.csv`?
    Operator> /my-slack-bot start-batch sales "sales.csv
    Switchman (only Operator): *Not done.* I could not read that: this quote is never closed.
        ```start-batch sales "sales.csv
                          ^^^^^^^^^^```
        Nothing was run. `/my-slack-bot help` lists the commands.
    "#);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_asked_for_in_a_form() {
    let bot = Bot::new().await;
    assert!(bot.operator().types("start-batch").await.is_ok());
    assert!(bot.operator().submits(json!({"file": "sales.csv"})).await.is_ok());
    bot.settle().await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-batch
    Operator sees a modal: Start a job
        One moment, looking up what there is to choose from…
        [Close]
    Operator's modal changes: Start a job
        Job: {sales}
        Input file: {The newest without a finished run / sales.csv}
        [Start] [Close]
    Operator presses [Start] with job=sales, file=sales.csv
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Switchman edits: ✅ *Run r-1: finished*
        `sales` on `sales.csv` (143.5 kB), asked for by @Operator
        30 rows rejected (1.5 %), the rest is in the output. No row was dropped.
        *Rows* 2,000 · *Accepted* 1,970 · *Rejected* 30 (1.5 %) · *Time* TIME
        *Rejected because*
        `missing-lookup`  10 rows
        `missing-value`  5 rows
        `bad-date`  5 rows
        `not-in-list`  3 rows
        `short-row`  3 rows
        `long-row`  3 rows
        `pattern-mismatch`  1 row
        [View rejects] [Reprocess rejected] [Download output]
    Switchman (in a thread): @Operator here are the 30 rejected rows of run r-1, each with its line, column and reason.
        [file sales.r-1.rejects.csv]
    "#);
    assert_eq!(bot.run().await.current().state, RunState::Succeeded);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mistake_in_the_form_is_shown_beside_its_field() {
    let bot = Bot::new().await;
    bot.operator().types("start-batch").await;
    std::fs::rename(bot.path("input/sales.csv"), bot.path("input/other.csv")).unwrap();
    let ack = bot.operator().submits(json!({"file": "sales.csv"})).await;
    assert_eq!(ack.errors, [("file".to_owned(), "This file is not there any more. Choose another.".to_owned())]);
    assert!(bot.operator().modal().is_some(), "the form stays open");
    assert!(bot.operator().submits(json!({"file": "newest"})).await.is_ok());
    bot.settle().await;
    assert_eq!(bot.run().await.input.name.as_str(), "other.csv");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_file_is_the_newest_input() {
    let bot = Bot::new().await;
    let text = std::fs::read(bot.path("input/sales.csv")).unwrap();
    let (job, name) = (JobName::parse("sales").unwrap(), FileName::parse("my sales (März).csv").unwrap());
    bot.ports().regions.here().await.unwrap().1.files.put_input(&job, &name, &text).await.unwrap();
    bot.operator().says("start-batch sales").await;
    assert_eq!(bot.run().await.input.name, name);
    assert!(bot.card_text().contains("my sales (März).csv"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_rejects_fail_the_run_and_nothing_is_published() {
    let bot = Bot::with(Setup { bad_percent: 8.0, ..Setup::default() }).await;
    bot.operator().says("start-batch sales").await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Operator> /my-slack-bot start-batch sales
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (143.3 kB), asked for by @Operator
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Switchman edits: ❌ *Run r-1: failed*
        `sales` on `sales.csv` (143.3 kB), asked for by @Operator
        8.5 % of the rows were rejected and the job tolerates 5 %; the output is kept aside.
        Nothing was published under the output's name. 5 of 5 chunks are done and kept.
        *Rows* 2,000 · *Accepted* 1,830 · *Rejected* 170 (8.5 %) · *Time* TIME
        *Rejected because*
        `missing-value`  32 rows
        `bad-date`  31 rows
        `pattern-mismatch`  28 rows
        `long-row`  28 rows
        `not-in-list`  25 rows
        `short-row`  16 rows
        `missing-lookup`  10 rows
        [View rejects] [Reprocess rejected]
    Switchman (in a thread): @Operator here are the 170 rejected rows of run r-1, each with its line, column and reason.
        [file sales.r-1.rejects.csv]
    "#);
    assert!(!bot.path("output").exists() || std::fs::read_dir(bot.path("output")).unwrap().next().is_none());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_input_that_changed_before_the_start_fails_the_run() {
    let bot = Bot::new().await;
    bot.operator().types("start-batch sales").await;
    bot.step().await.unwrap();
    std::fs::write(bot.path("input/sales.csv"), "uuid\n").unwrap();
    bot.settle().await;
    assert_eq!(bot.run().await.current().state, RunState::Failed);
    assert!(bot.card_text().contains("changed after the run was asked for"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_are_refused_in_private_and_told_why() {
    let bot = Bot::new().await;
    for line in ["start-batch sales", "start-batch", "start-bach"] {
        bot.stranger().types(line).await;
    }
    bot.viewer().types("start-batch sales").await;
    bot.approver().types("start-batch").await;
    bot.operator().types_in("C0RANDOM", "start-batch sales").await;
    bot.settle().await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Stranger> /my-slack-bot start-batch sales
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Stranger> /my-slack-bot start-batch
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Stranger> /my-slack-bot start-bach
    Switchman (only Stranger): *Not done.* You are not on the list of people who may use this bot.
        Nothing was run. Ask an administrator to put you on it.
    Viewer> /my-slack-bot start-batch sales
    Switchman (only Viewer): *Not done.* You may not do that here: no rule allows it to the role viewer.
        Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.
    Approver 1> /my-slack-bot start-batch
    Switchman (only Approver 1): *Not done.* You may not do that here: no rule allows it to the role approver.
        Nothing was run. Ask somebody who may; `/my-slack-bot why @USER COMMAND` says whether somebody may, and by which rule.
    Operator> /my-slack-bot start-batch sales
    Switchman (only Operator): *Not done.* This bot does not work in this channel.
        Nothing was run. Use one of its channels, or ask an administrator to permit this one.
    "#);
    assert_eq!(bot.runs().await.len(), 0);
    let refusals = bot.audit().await;
    assert_eq!(refusals.len(), 6, "each refusal is in the audit trail");
    bot.finish().await;
}

/// People on the list who are ruled out by what Slack knows of them.
const OUTSIDERS: &str = r#"
[[user]]
team = "T0LOCAL"
id = "U0GUEST"
roles = ["operator"]
[[user]]
team = "T0LOCAL"
id = "U0PARTNER"
roles = ["operator"]
[[user]]
team = "T0OTHER"
id = "U0PARTNER"
roles = ["operator"]
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_people_of_other_workspaces_and_closed_accounts_are_refused_even_if_listed() {
    use switchman::playground::Member;
    let bot = Bot::with(Setup { more: OUTSIDERS, ..Setup::default() }).await;
    bot.slack.add_member(Member::new("U0GUEST", "guest", "Guest", "").guest());
    bot.slack.add_member(Member::new("U0PARTNER", "partner", "Partner", "").connect("T0OTHER"));
    bot.person("U0GUEST").types("start-batch sales").await;
    bot.person("U0PARTNER").types("start-batch sales").await;
    bot.operator().types("start-batch sales").await;
    bot.slack.set_deactivated(OPERATOR, true);
    bot.settle().await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Guest> /my-slack-bot start-batch sales
    Partner> /my-slack-bot start-batch sales
    Operator> /my-slack-bot start-batch sales
    Switchman (only Guest): *Not done.* Guests may not use this bot.
        Nothing was run. Ask a member of the workspace who may.
    Switchman (only Partner): *Not done.* Only members of this workspace may use this bot.
        Nothing was run. Ask a member of the workspace who may.
    Switchman (only Operator): *Not done.* Your account is deactivated.
        Nothing was run. Ask a member of the workspace who may.
    "#);
    assert_eq!(bot.runs().await.len(), 0);
    bot.finish().await;
}
