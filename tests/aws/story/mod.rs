//! The whole story on AWS as it is deployed, told through Slack: signed requests at the HTTP front door, functions, queues, state
//! machines, two regions. Each run ends with one answer and the bytes of a run on this machine.

mod road;
mod workflow;
mod world;

use crate::proxy::Fault;
use std::sync::Arc;
use switchman::domain::run::RunState;
use switchman::ports::{RunQuery, Store};
use world::{APPROVERS, CHANNEL, OPERATOR, World};

/// Where the work is first, and where it goes.
const HOME: usize = 0;
const AWAY: usize = 1;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_the_first_command_to_the_way_back() {
    let world = World::deployed().await;
    world.what_was_deployed_is_found().await;
    world.only_those_on_the_list_are_let_in().await;
    world.a_batch_runs().await;
    world.its_rejects_are_done_again().await;
    world.a_workflow_is_approved_and_asks().await;
    world.a_region_is_lost().await;
    world.work_returns().await;
    world.settled(HOME).await;
    world.remember_calls("story");
    world.torn_down().await;
}

/// Requests are throttled, answers get lost, Slack says everything twice, and processes are killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_run_and_one_answer_whatever_is_thrown_at_it() {
    let world = World::deployed().await;
    world.put_input(HOME, "sales.csv").await;
    world.slack.deliver_twice(1);
    for road in world.roads.values() {
        road.weather(Some(Arc::new(|number, asked| match number {
            // What is asked once and not again would only make the test slow: a poll, or a function's first look at its configuration.
            _ if asked.operation == "ReceiveMessage" || asked.path.contains("/config/") => None,
            n if n % 7 == 3 && asked.service == "s3" => Some(Fault::Refused(503, "SlowDown")),
            n if n % 7 == 3 => Some(Fault::Refused(400, "ThrottlingException")),
            n if n % 11 == 5 => Some(Fault::AnswerLost),
            _ => None,
        })));
    }
    // What it is told of the second delivery is that the first was enough.
    world.slack.type_command(OPERATOR, CHANNEL, "/my-slack-bot start-batch sales").await;
    let mut killed = 0;
    for role in ["commands", "batch", "signals", "batch", "tick", "batch"] {
        world.card(&["sales.csv"]).await;
        killed += world.kill(role);
    }
    assert!(killed >= 2, "only {killed} processes were there to be killed");
    world.card(&["finished", "sales.csv", "2,000"]).await;
    for road in world.roads.values() {
        road.weather(None);
    }
    world.settled(HOME).await;
    let runs = world.store(HOME).runs(RunQuery::All, 10).await.unwrap();
    let run = match runs.as_slice() {
        [run] if run.attempts.len() == 1 => run,
        other => panic!("{other:?}"),
    };
    assert_eq!(world.output(HOME, run).await, world.undisturbed());
    assert_eq!(world.executions(HOME).await, 1);
    assert_eq!(world.cards().len(), 1, "{}", world.slack.transcript());
    world.torn_down().await;
}

impl World {
    async fn what_was_deployed_is_found(&self) {
        let said = self.checked(HOME).await;
        for found in [
            "permitted-channels: 1",
            "eu-central-1 is the active region, epoch 1, and every region's bucket can be read",
        ] {
            assert!(said.contains(found), "{said}");
        }
    }

    async fn only_those_on_the_list_are_let_in(&self) {
        self.types(OPERATOR, "help").await;
        self.told(OPERATOR, "start-batch").await;
        self.types("U0STRANGER", "start-batch sales").await;
        self.told("U0STRANGER", "not on the list").await;
        assert!(self.store(HOME).runs(RunQuery::All, 10).await.unwrap().is_empty());
    }

    async fn a_batch_runs(&self) {
        self.put_input(HOME, "sales.csv").await;
        self.types(OPERATOR, "start-batch sales").await;
        let card = self.card(&["finished", "sales.csv", "2,000"]).await;
        self.reply(&card, "30 rejected rows").await;
        let run = self.newest_run(HOME).await;
        assert_eq!(run.current().state, RunState::Succeeded);
        assert_eq!(self.output(HOME, &run).await, self.undisturbed());
    }

    async fn its_rejects_are_done_again(&self) {
        let mended = self.mend_lookup().await;
        let card = self.card(&["finished", "sales.csv"]).await;
        assert!(self.clicks(OPERATOR, &card, "reprocess-rows").await.is_ok());
        let card = self.card(&["attempt 2: finished"]).await;
        assert!(
            self.slack.read(&card).contains(&format!("*Accepted* 1,9{}", 70 + mended)),
            "{}",
            self.slack.read(&card)
        );
        let run = self.newest_run(HOME).await;
        assert_eq!((run.attempts.len(), run.current().progress.accepted), (2, 1_970 + mended));
    }

    /// A state machine of somebody else: its start is approved, and so is what it asks.
    async fn a_workflow_is_approved_and_asks(&self) {
        self.stacks[HOME].make_workflow().await;
        self.types(OPERATOR, "start-batch nightly date=2026-11-20").await;
        let request = self.request(&["nightly", "2026-11-20", "waiting for approval"]).await;
        self.types(APPROVERS[0], &format!("approve {request}")).await;
        let question = self.request(&["Publish the figures?", "waiting for approval"]).await;
        self.types(APPROVERS[1], &format!("approve {question} the sums are right")).await;
        self.card(&["finished", "nightly", "2026-11-20"]).await;
        let run = self.newest_run(HOME).await;
        assert_eq!((run.job.as_str(), run.current().state), ("nightly", RunState::Succeeded));
    }

    /// Nothing of the first region answers any more, while a batch is under way there.
    async fn a_region_is_lost(&self) {
        self.put_input(HOME, "late.csv").await;
        // No chunk of it is ever done.
        self.roads["batch"].weather(Some(Arc::new(|_, asked| {
            (asked.operation == "PutObject" && asked.path.contains("/done/")).then_some(Fault::Refused(503, "SlowDown"))
        })));
        self.types(OPERATOR, "start-batch sales late.csv").await;
        self.card(&["running", "late.csv"]).await;
        self.replicate(HOME, AWAY).await;
        self.cut_off(HOME);
        self.answer_in(AWAY);
        self.types(OPERATOR, "fail-over").await;
        let request = self.request(&["Fail over from", "waiting for approval"]).await;
        for approver in APPROVERS {
            self.types(approver, &format!("approve {request} {} it does not answer", self.name(AWAY))).await;
        }
        self.card(&["Fail-over", "finished", "all accounted for", "1 recovered"]).await;
        self.card(&["late.csv", "attempt 2: finished"]).await;
        let run = self.run_of(AWAY, "late.csv").await;
        assert_eq!(run.current().region.as_ref().unwrap().as_str(), self.name(AWAY));
        assert_eq!(run.current().epoch, 2);
        assert_eq!(self.output(AWAY, &run).await, self.undisturbed());
    }

    /// The first region answers again; what it was at is fenced.
    async fn work_returns(&self) {
        for road in self.roads.values() {
            road.weather(None);
        }
        self.replicate(AWAY, HOME).await;
        self.types(OPERATOR, "fail-back").await;
        let request = self.request(&["Fail back from", "waiting for approval"]).await;
        for approver in APPROVERS {
            self.types(approver, &format!("approve {request} {} it is well again", self.name(HOME))).await;
        }
        self.card(&["Fail-back", "finished", "all accounted for"]).await;
        self.answer_in(HOME);
        self.put_input(HOME, "home.csv").await;
        self.types(OPERATOR, "start-batch sales home.csv").await;
        self.card(&["finished", "home.csv"]).await;
        let late = self.run_of(HOME, "late.csv").await;
        let first = self.stacks[HOME].get(&format!("runs/{}.1/output.csv", late.id)).await;
        assert!(first.is_none(), "the region that was left has published what it was at");
        let run = self.newest_run(HOME).await;
        assert_eq!((run.current().epoch, run.current().region.as_ref().unwrap().as_str()), (3, self.name(HOME)));
    }
}
