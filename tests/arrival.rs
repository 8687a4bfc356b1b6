//! Jobs that start by themselves: a file arrives in the input folder, and its run begins, once for each content.

use crate::harness::bot::{self, Bot, CHANNEL, SECRET, Setup, TOKEN};
use crate::harness::clock::ManualClock;
use crate::harness::process::Served;
use std::fs;
use std::io::Write;
use std::time::Duration;
use switchman::config::FILE_NAME;
use switchman::config::starter::Starter;
use switchman::domain::command::Scope;
use switchman::domain::envelope::Envelope;
use switchman::domain::id::{EnvelopeId, FileName, JobName};
use switchman::domain::run::RunState;
use switchman::ports::Clock;

const FILE: &str = "input/sales.csv";

fn on_arrival() -> Setup {
    Setup { on_arrival: true, ..Setup::default() }
}

/// A bot that waits for files, with its input laid aside under `aside.csv`.
async fn waiting(setup: Setup) -> Bot {
    let bot = Bot::with(Setup { on_arrival: true, ..setup }).await;
    fs::rename(bot.path(FILE), bot.path("aside.csv")).unwrap();
    bot.looks_for_files_at_rest().await;
    bot.settle().await;
    assert_eq!(bot.runs().await.len(), 0);
    bot
}

/// Everything that follows from the files that are there now.
async fn looked(bot: &Bot) {
    bot.looks_for_files_at_rest().await;
    bot.settle().await;
}

/// The first lines of the input that was laid aside.
fn rows(bot: &Bot, lines: usize) -> String {
    let text = fs::read_to_string(bot.path("aside.csv")).unwrap();
    text.lines().take(lines).fold(String::new(), |all, line| all + line + "\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_moved_in_is_run_and_reported_without_anybody_asking() {
    let bot = waiting(Setup { bad_percent: 0.5, missing_percent: 0.0, ..Setup::default() }).await;
    fs::rename(bot.path("aside.csv"), bot.path(FILE)).unwrap();
    looked(&bot).await;
    insta::assert_snapshot!(bot.scene(), @r#"
    Switchman: ⏳ *Run r-1: starting*
        `sales` on `sales.csv` (142.1 kB), started because `sales.csv` arrived
        Taken, and safely noted. It starts as soon as there is a free place.
        [Cancel]
    Switchman edits: ✅ *Run r-1: finished*
        `sales` on `sales.csv` (142.1 kB), started because `sales.csv` arrived
        10 rows rejected (0.5 %), the rest is in the output. No row was dropped.
        *Rows* 2,000 · *Accepted* 1,990 · *Rejected* 10 (0.5 %) · *Time* TIME
        *Rejected because*
        `not-in-list`  4 rows
        `missing-value`  3 rows
        `pattern-mismatch`  2 rows
        `bad-date`  1 row
        [View rejects] [Reprocess rejected] [Download output]
    Switchman (in a thread): Here are the 10 rejected rows of run r-1, each with its line, column and reason.
        [file sales.r-1.rejects.csv]
    "#);
    let started = bot.audit().await.into_iter().find(|record| record.draft.action == "start-batch").unwrap().draft;
    assert_eq!((started.actor, started.result.as_str()), (None, "done"));
    assert!(started.why.starts_with("on_arrival of the job sales, request arrived:sales:"), "{}", started.why);
    bot.operator().says("status").await;
    assert!(bot.operator().told_last().contains("started by the file's arrival"), "{}", bot.operator().told_last());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_grows_is_left_alone_until_it_rests() {
    let bot = waiting(on_arrival()).await;
    let text = rows(&bot, 301);
    let mut file = fs::File::create(bot.path(FILE)).unwrap();
    for part in text.as_bytes().chunks(text.len() / 5 + 1) {
        file.write_all(part).unwrap();
        bot.looks_for_files().await;
        bot.clock.advance(Duration::from_secs(2));
        bot.looks_for_files().await;
        bot.drain().await;
        assert_eq!(bot.runs().await.len(), 0, "it grew a moment ago");
    }
    bot.clock.advance(Duration::from_secs(1));
    bot.looks_for_files().await;
    bot.settle().await;
    assert_eq!(bot.run().await.current().progress.rows, 300);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_content_is_run_once_and_new_content_anew() {
    let mut bot = waiting(on_arrival()).await;
    fs::write(bot.path(FILE), rows(&bot, 101)).unwrap();
    looked(&bot).await;
    assert_eq!(bot.run().await.current().progress.rows, 100);
    for again in ["written anew", "after a restart"] {
        fs::remove_file(bot.path(FILE)).unwrap();
        looked(&bot).await;
        fs::write(bot.path(FILE), rows(&bot, 101)).unwrap();
        looked(&bot).await;
        assert_eq!(bot.runs().await.len(), 1, "{again}");
        bot.restart().await;
    }
    fs::write(bot.path(FILE), rows(&bot, 201)).unwrap();
    looked(&bot).await;
    assert_eq!(bot.runs().await[0].current().progress.rows, 200);
    // Another name is another file.
    fs::write(bot.path("input/more.csv"), rows(&bot, 201)).unwrap();
    looked(&bot).await;
    assert_eq!((bot.runs().await.len(), bot.cards().len()), (3, 3));
    assert!(bot.operator().told().is_empty() && bot.operator().direct().is_empty());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_were_there_first_are_run_unless_a_run_has_done_them() {
    let mut bot = Bot::with(Setup { rows: 300, ..on_arrival() }).await;
    bot.operator().says("start-batch sales").await;
    fs::copy(bot.path(FILE), bot.path("input/second.csv")).unwrap();
    fs::write(bot.path("input/.third.csv.tmp"), "not yet").unwrap();
    fs::write(bot.path("input/notes.txt"), "not an input").unwrap();
    looked(&bot).await;
    assert_eq!(bot.runs().await.len(), 2);
    assert_eq!(bot.runs().await[0].input.name.as_str(), "second.csv");
    bot.restart().await;
    looked(&bot).await;
    looked(&bot).await;
    assert_eq!(bot.runs().await.len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_arrival_and_start_loses_and_repeats_nothing() {
    let mut bot = waiting(on_arrival()).await;
    fs::write(bot.path(FILE), rows(&bot, 101)).unwrap();
    bot.looks_for_files_at_rest().await;
    assert_eq!(bot.ports().bus.depth().await.unwrap(), 1, "it is told, and nothing has been done about it");
    bot.restart().await;
    assert_eq!(bot.runs().await.len(), 0);
    looked(&bot).await;
    bot.restart().await;
    looked(&bot).await;
    assert_eq!(bot.run().await.current().state, RunState::Succeeded);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bots_on_one_record_start_one_run() {
    let mut bot = waiting(on_arrival()).await;
    bot.start_second();
    for file in ["input/a.csv", "input/b.csv", "input/c.csv"] {
        fs::write(bot.path(file), rows(&bot, 101)).unwrap();
    }
    bot.looks_for_files_at_rest().await;
    bot.looks_for_files_at_rest().await;
    bot.settle().await;
    looked(&bot).await;
    let mut files: Vec<_> = bot.runs().await.into_iter().map(|run| run.input.name.to_string()).collect();
    files.sort();
    assert_eq!(files, ["a.csv", "b.csv", "c.csv"]);
    assert_eq!(bot.cards().len(), 3);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_file_is_left_alone_and_its_new_content_waits() {
    let bot = Bot::with(Setup { on_arrival: true, ..Setup::endless() }).await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    let first = bot.card();
    bot.looks_for_files_at_rest().await;
    fs::write(bot.path(FILE), "uuid\n1\n").unwrap();
    bot.looks_for_files_at_rest().await;
    bot.drain().await;
    assert_eq!((bot.runs().await.len(), bot.cards().len()), (1, 1));
    bot.operator().clicks_on(&first, "cancel-batch").await;
    bot.settle().await;
    looked(&bot).await;
    assert_eq!(bot.runs().await.len(), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_by_hand_is_told_which_run_has_the_file_and_may_cancel_it() {
    let bot = waiting(Setup::endless()).await;
    fs::rename(bot.path("aside.csv"), bot.path(FILE)).unwrap();
    bot.looks_for_files_at_rest().await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    bot.operator().types("start-batch sales sales.csv").await;
    bot.until("the answer", |bot| !bot.operator().told().is_empty()).await;
    let run = bot.run().await;
    let told = bot.operator().told_last();
    assert!(told.contains(&format!("The run {} has `sales.csv` already", run.id)), "{told}");
    bot.operator().clicks("cancel-batch").await;
    looked(&bot).await;
    assert_eq!(bot.run().await.current().state, RunState::Cancelled, "what was cancelled does not come back");
    assert_eq!(bot.run().await.current().scope, Scope::All);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_does_not_fit_fails_once() {
    let mut bot = waiting(on_arrival()).await;
    fs::write(bot.path(FILE), "uuid,Land\n1,x\n").unwrap();
    looked(&bot).await;
    looked(&bot).await;
    bot.restart().await;
    looked(&bot).await;
    assert_eq!(bot.run().await.current().state, RunState::Failed);
    assert!(bot.card_text().contains("unknown \"Land\""), "{}", bot.card_text());
    bot.finish().await;
}

const OTHER_CHANNEL: &str = "[[channel]]\nid = \"C0RANDOM\"\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_are_reported_where_the_job_says() {
    let bot =
        Bot::with(Setup { rows: 100, more: OTHER_CHANNEL, arrival_channel: Some("C0RANDOM"), ..on_arrival() }).await;
    bot.slack.set_bot_in("C0RANDOM", true);
    looked(&bot).await;
    assert!(bot.cards().is_empty());
    let said = bot.slack.messages("C0RANDOM");
    assert!(bot.slack.read(&said[0]).contains("started because `sales.csv` arrived"), "{said:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_cannot_be_used_gets_its_message_once_it_can_be_again() {
    let bot = waiting(on_arrival()).await;
    bot.slack.archive(CHANNEL, true);
    fs::write(bot.path(FILE), rows(&bot, 101)).unwrap();
    bot.looks_for_files_at_rest().await;
    let results = |bot: &Bot| fs::read_dir(bot.path("output")).map_or(0, Iterator::count);
    bot.until("its results are there", |bot| results(bot) == 2).await;
    bot.slack.archive(CHANNEL, false);
    bot.settle().await;
    assert!(bot.card_text().contains("finished"), "{}", bot.card_text());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_arrival_that_the_catalog_does_not_permit_is_unauthorised_and_starts_nothing() {
    let bot = Bot::new().await;
    looked(&bot).await;
    assert_eq!(bot.counts().await.audit, 0, "nobody looks");
    let ports = bot.ports();
    let input =
        ports.regions.here().await.unwrap().1.files.inputs(&JobName::parse("sales").unwrap()).await.unwrap().remove(0);
    for job in ["sales", "gone"] {
        let (job, file) = (JobName::parse(job).unwrap(), FileName::parse("sales.csv").unwrap());
        let key = EnvelopeId::parse(format!("arrived:{job}:x")).unwrap();
        let envelope = Envelope::arrived(job, file, input.fingerprint.clone(), key, bot.clock.now());
        ports.bus.publish(envelope).await.unwrap();
    }
    bot.settle().await;
    assert_eq!((bot.runs().await.len(), bot.cards().len()), (0, 0));
    let results: Vec<_> = bot.audit().await.into_iter().map(|record| record.draft.result).collect();
    assert!(
        results.contains(&"not-on-arrival".to_owned()) && results.contains(&"unknown-job".to_owned()),
        "{results:?}"
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_real_program_looks_by_itself_and_ends_when_it_is_told_to() {
    let dir = tempfile::tempdir().unwrap();
    Starter::small().write(dir.path()).unwrap();
    let file = dir.path().join(FILE_NAME);
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, text.replace("127.0.0.1:3000", "127.0.0.1:0").replace("#on_arrival", "on_arrival")).unwrap();
    let (slack, server) = bot::slack(&ManualClock::new()).await;
    let mut served = Served::start(dir.path(), &slack.api_url(), SECRET, TOKEN);
    served.ready().await;
    let finished = |slack: &switchman::playground::Playground| {
        let said = slack.messages(CHANNEL).iter().map(|message| slack.read(message)).collect::<Vec<_>>();
        said.iter().any(|text| text.contains("finished") && text.contains("`sales.csv` arrived")).then_some(())
    };
    assert!(slack.wait_for(Duration::from_mins(1), finished).await.is_some(), "{}", slack.transcript());
    assert_eq!(served.stop().await, Some(0));
    slack.shut_down();
    server.abort();
}
