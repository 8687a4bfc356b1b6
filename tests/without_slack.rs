//! Votes while Slack cannot be asked about anybody: those proved by a one-time code count, all others wait.

use crate::harness::bot::{Bot, CHANNEL, Setup};
use switchman::domain::actor::Actor;
use switchman::domain::approval::{Request, RequestState};
use switchman::domain::command::Command;
use switchman::domain::envelope::{Envelope, Event, Origin, Proof};
use switchman::domain::id::{ChannelId, EnvelopeId, RequestId, TeamId, UserId};
use switchman::playground::Fault;
use switchman::ports::{Clock, WAITING_REQUESTS, load, load_list, request_key};

const GUARD: &str = "[[approval]]\nactions = [\"start-batch\"]\nroles = [\"approver\"]\nquorum = 2\n";

async fn vote(bot: &Bot, user: &str, id: &RequestId, proof: Option<Proof>) {
    let user_id = UserId::parse(user).unwrap();
    let actor = Actor { team: TeamId::parse("T0LOCAL").unwrap(), user: user_id, name: user.into() };
    let channel = ChannelId::parse(CHANNEL).unwrap();
    let key = EnvelopeId::parse(format!("vote:{user}")).unwrap();
    let event = Event::Asked {
        origin: Origin { actor, channel, response_url: None, permitted: vec![], proof },
        command: Command::Approve { request: id.clone(), words: None },
    };
    bot.ports().bus.publish(Envelope { id: key.clone(), key, issued_at: bot.clock.now(), event }).await.unwrap();
    bot.drain().await;
}

async fn request(bot: &Bot, id: &RequestId) -> Request {
    load(bot.ports().store.as_ref(), &request_key(id)).await.unwrap().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proved_vote_counts_while_slack_is_down_and_any_other_waits_for_it() {
    let mut bot = Bot::with(Setup { more: GUARD, ..Setup::default() }).await;
    bot.operator().types("start-batch sales").await;
    bot.drain().await;
    let waiting: Vec<Request> = load_list(bot.ports().store.as_ref(), WAITING_REQUESTS, 10).await.unwrap();
    let open = &waiting[0];
    // What the bot remembers about people goes with it.
    bot.restart().await;
    bot.slack.fault("*", Fault::ServerError { status: 503 }, None);
    let proof = Proof { digest: Some(open.digest.clone()), stepped_up: true, ..Proof::default() };
    vote(&bot, "U0APPROVER1", &open.id, Some(proof.clone())).await;
    assert_eq!(request(&bot, &open.id).await.counted(&[]), 1);
    vote(&bot, "U0APPROVER2", &open.id, Some(Proof { stepped_up: false, ..proof })).await;
    assert_eq!(request(&bot, &open.id).await.counted(&[]), 1, "nobody knows whether this account is still open");
    bot.slack.clear_faults();
    bot.settle().await;
    assert_eq!(request(&bot, &open.id).await.state, RequestState::Done);
    assert_eq!(bot.runs().await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_slack_knows_to_be_closed_does_not_vote_by_a_code_either() {
    let mut bot = Bot::with(Setup { more: GUARD, ..Setup::default() }).await;
    bot.operator().types("start-batch sales").await;
    bot.drain().await;
    let waiting: Vec<Request> = load_list(bot.ports().store.as_ref(), WAITING_REQUESTS, 10).await.unwrap();
    bot.slack.set_deactivated("U0APPROVER1", true);
    bot.restart().await;
    let proof = Proof { digest: Some(waiting[0].digest.clone()), stepped_up: true, ..Proof::default() };
    vote(&bot, "U0APPROVER1", &waiting[0].id, Some(proof)).await;
    assert_eq!(request(&bot, &waiting[0].id).await.counted(&[]), 0);
    assert!(bot.audit().await.iter().any(|record| record.draft.result == "outsider"));
}
