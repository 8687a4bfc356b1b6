//! A worker killed between any two calls, its last one carried out or not: called again, the same bytes.

use super::ground::{Files, Ground, drive_on};
use super::same::large;
use crate::proxy::{Fault, Proxy};
use serde_json::json;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use switchman::domain::command::Scope;

const KILLED: [Fault; 2] = [Fault::Refused(503, "ServiceUnavailable"), Fault::AnswerLost];

/// Kills whoever works on an attempt at each of its calls in turn; the step it was in is called again.
async fn sweep(ground: &Ground, local: &Files) {
    let proxy = Proxy::start().await;
    for at in 0.. {
        let place = ground.ask(&format!("killed-{at}.1"), Scope::All).await;
        let killed = AtomicBool::new(false);
        proxy.heal();
        proxy.cut(at, KILLED[at % 2]);
        let again = || {
            proxy.heal();
            !killed.swap(true, SeqCst)
        };
        let worker = || ground.worker_through(&proxy.url);
        let ended = drive_on(&worker, ground, &place, &again).await;
        assert_eq!(ended, Ok(json!({"outcome": "succeeded"})), "killed at call {at}");
        ground.assert_same(&place, local, &format!("killed at call {at}")).await;
        ground.assert_clean();
        if !killed.load(SeqCst) && proxy.heal() <= at {
            assert!(at > 30, "only {at} calls were made");
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_killed_at_any_call_the_bytes_are_the_same() {
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}], "primaryKey": "id"});
    let ground = Ground::new(&schema).await;
    ground.input("id,name\n1,one\n2,two\n3,three\nx,no\n1,again\n").await;
    let (summary, local) = ground.local("out", None);
    assert!(summary.chunks == 2 && summary.rejected == 2);
    sweep(&ground, &local).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_a_merge_of_large_parts_killed_at_each_call_in_turn_publishes_all_of_it() {
    let ground = large().await;
    let (_, local) = ground.local("out", None);
    let place = ground.ask("merged.1", Scope::All).await;
    let call = |step: &str| json!({"step": step, "key": place.key.to_string(), "chunk": 0, "round": 1});
    ground.worker().handle(call("plan")).await.unwrap();
    for chunk in ground.json(&place.at("map.json")).await.as_array().unwrap() {
        let mut one = call("chunk");
        one["chunk"] = chunk["chunk"].clone();
        ground.worker().handle(one).await.unwrap();
    }
    let proxy = Proxy::start().await;
    let mut kills = 0;
    for at in 0.. {
        proxy.cut(at, KILLED[at % 2]);
        let merged = ground.worker_through(&proxy.url).handle(call("merge")).await;
        proxy.heal();
        let published = ground.published(&place).await;
        // In this order they get their names: where one stands, those before it do.
        let stands: Vec<_> = ["rejects.csv", "output.csv", "chunks.json", "summary.json"]
            .map(|name| published.iter().any(|(other, _)| other == name))
            .to_vec();
        assert!(stands.is_sorted_by(|one, next| one >= next), "{stands:?}, killed at call {at}");
        for (name, content) in published {
            let whole = local.iter().find(|(other, _)| *other == name).unwrap();
            assert!(content == whole.1, "{name} is not whole, killed at call {at}");
        }
        if merged.is_ok() {
            break;
        }
        kills += 1;
    }
    assert!(kills > 20, "only {kills} kills");
    assert_eq!(ground.worker().handle(call("announce")).await.unwrap(), json!({"outcome": "succeeded"}));
    ground.assert_same(&place, &local, "merged").await;
    ground.assert_clean();
}
