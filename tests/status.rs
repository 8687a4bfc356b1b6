//! `status`, and the Home tab that shows the same board.

use crate::harness::bot::{Bot, Setup};
use crate::harness::regions::with_sites;
use crate::harness::scene::steady;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use switchman::domain::run::{AttemptKey, Progress};
use switchman::domain::task::{TaskAnswer, TaskToken};
use switchman::playground::{Act, Place};
use switchman::ports::{Engine, Execution, ExecutionState, PortError, RejectPage, Site, StartRun};
use switchman::processor::Ctx;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_board_and_one_run_are_shown_to_whoever_may_look() {
    let bot = Bot::new().await;
    bot.viewer().says("status").await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    bot.viewer().says("status").await;
    bot.viewer().says(&format!("status {run}")).await;
    insta::assert_snapshot!(steady(&bot.viewer().told().join("\n\n")), @r#"
    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` to start something.
    # Ended last
    No run has ended yet.
    (As of 2026-03-02 08:00 UTC)

    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` to start something.
    # Ended last
    ✅ *r-1*  `sales` on `sales.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    (As of 2026-03-02 08:00 UTC)

    ✅ *Run r-1: finished*
    `sales` on `sales.csv` (143.5 kB), asked for by operator
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
    "#);
    assert_eq!(bot.cards().len(), 1, "the channel sees none of it");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_under_way_and_one_that_is_not_there() {
    let bot = Bot::with(Setup::endless()).await;
    bot.operator().types("start-batch sales").await;
    bot.until("it runs", |bot| !bot.cards().is_empty() && bot.card_text().contains("running")).await;
    let run = bot.run().await.id;
    for line in
        ["status".to_owned(), format!("status {run}"), "status r-222222222222".to_owned(), "status now".to_owned()]
    {
        let before = bot.viewer().told().len();
        bot.viewer().types(&line).await;
        bot.until("the answer", |bot| bot.viewer().told().len() > before).await;
    }
    let told = bot.viewer().told();
    assert!(told[0].contains(run.as_str()) && told[0].contains("running"), "{told:?}");
    assert!(told[1].contains("running"), "{told:?}");
    insta::assert_snapshot!(steady(&told[2..].join("\n\n")), @r#"
    *Not done.* There is no run r-1 here.
    Nothing was changed. `/my-slack-bot list-batches` lists the runs of this channel.

    *Not done.* I could not read that: expected a run id such as r-2.
    ```status now
           ^^^```
    Nothing was run. The command is `/my-slack-bot status [RUN]`, for example `/my-slack-bot status r-2`.
    "#);
    bot.operator().clicks("cancel-batch").await;
    bot.settle().await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_home_tab_shows_the_board_and_what_its_reader_may_do() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    for user in ["U0OPERATOR", "U0STRANGER"] {
        assert!(bot.slack.open_home(user).await.is_ok());
    }
    bot.settle().await;
    let home = |user: &str| bot.slack.read_view(&bot.slack.home(user).unwrap());
    insta::assert_snapshot!(steady(&home("U0OPERATOR")), @r#"
    [Start a job…] [Reprocess…] [Cancel a run…] [Fail over…] [Fail back…] [Approve…] [Deny…] [Explain…]
    # Running and waiting
    Nothing is running. Type `/my-slack-bot start-batch JOB` in a channel to start something.
    # Ended last
    ✅ *r-1*  `sales` on `sales.csv`: *finished*
    1,970 accepted, 30 rejected, asked for by operator, ended some time ago
    (As of 2026-03-02 08:00 UTC)
    "#);
    insta::assert_snapshot!(steady(&home("U0STRANGER")), @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    let click = Act::click("", "menu:start-batch").at(Place::Home);
    assert!(bot.operator().acts(&click).await.is_ok());
    assert!(bot.operator().reads_modal().contains("Input file"), "{}", bot.operator().reads_modal());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_ended_last_stands_first() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let older = bot.run().await.id;
    std::fs::copy(bot.path("input/sales.csv"), bot.path("input/again.csv")).unwrap();
    bot.operator().says("start-batch sales again.csv").await;
    let listed = async || {
        bot.viewer().says("status").await;
        let told = bot.viewer().told_last();
        told.find("`again.csv`").unwrap() < told.find("`sales.csv`").unwrap()
    };
    assert!(listed().await, "{}", bot.viewer().told_last());
    bot.operator().says(&format!("reprocess-batch {older} all")).await;
    assert!(!listed().await, "{}", bot.viewer().told_last());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_unauthorised_learn_nothing_not_even_whether_a_run_exists() {
    let bot = Bot::new().await;
    bot.operator().says("start-batch sales").await;
    let run = bot.run().await.id;
    bot.stranger().says("status").await;
    bot.stranger().says(&format!("status {run}")).await;
    bot.stranger().says("status r-222222222222").await;
    let told = bot.stranger().told();
    assert!(told.len() == 3 && told.iter().all(|text| *text == told[0]), "{told:?}");
    insta::assert_snapshot!(told[0], @r#"
    *Not done.* You are not on the list of people who may use this bot.
    Nothing was run. Ask an administrator to put you on it.
    "#);
    bot.finish().await;
}

/// An engine that has begun anew after a crash, for as long as it is told so.
struct Anew {
    engine: Arc<dyn Engine>,
    anew: Arc<AtomicBool>,
}

#[async_trait::async_trait]
impl Engine for Anew {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        self.engine.start(run).await
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        let said = self.engine.describe(key).await?;
        Ok(if said.state == ExecutionState::Running && self.anew.load(Ordering::SeqCst) {
            Execution { progress: Progress { rows: 1, bytes: 1, ..said.progress }, ..said }
        } else {
            said
        })
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        self.engine.stop(key).await
    }

    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError> {
        self.engine.answer(task).await
    }

    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError> {
        self.engine.heartbeat(token).await
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        self.engine.rejects(key, skip, max).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn progress_never_goes_back_while_it_runs() {
    let anew = Arc::<AtomicBool>::default();
    let hand = anew.clone();
    let wrap = move |ctx: Ctx| {
        let hand = hand.clone();
        let change =
            move |site: Site| Site { engine: Arc::new(Anew { engine: site.engine, anew: hand.clone() }), ..site };
        Ctx { regions: with_sites(ctx.regions.clone(), change), ..ctx }
    };
    let setup = Setup { chunk: "4 KiB", brake: Some(200), wrap: Some(Arc::new(wrap)), ..Setup::default() };
    let bot = Bot::with(setup).await;
    bot.operator().types("start-batch sales").await;
    let shown = |bot: &Bot| {
        let text = bot.cards().pop().map(|card| bot.slack.read(&card)).unwrap_or_default();
        text.split('*').find_map(|part| part.strip_suffix(" %")?.parse::<u8>().ok()).unwrap_or(0)
    };
    bot.until("some of it is done", |bot| shown(bot) >= 5).await;
    let before = bot.run().await.current().progress.clone();
    anew.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        bot.clock.advance(std::time::Duration::from_secs(2));
        bot.drain().await;
        let run = bot.run().await;
        assert!(run.is_open(), "the batch was too short for this test");
        assert!(run.current().progress.bytes >= before.bytes && shown(&bot) >= 5, "{run:?}");
    }
    anew.store(false, Ordering::SeqCst);
    bot.operator().clicks("cancel-batch").await;
    bot.settle().await;
    let run = bot.run().await;
    let reached = bot.ports().regions.of(run.current()).unwrap().engine.describe(&run.key()).await.unwrap().progress;
    assert_eq!(run.current().progress, reached, "the end is exact");
    bot.finish().await;
}
