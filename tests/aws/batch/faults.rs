//! A worker killed between any two calls, its last one carried out or not: called again, the same bytes.

use super::ground::{Ground, drive};
use crate::proxy::{Fault, Proxy};
use serde_json::json;
use switchman::domain::command::Scope;

const KILLED: [Fault; 2] = [Fault::Refused(503, "ServiceUnavailable"), Fault::AnswerLost];

/// Kills whoever works on an attempt at each of its calls in turn; then it is driven to its end.
async fn sweep(ground: &Ground, scope: Scope, first: u32, local: &super::ground::Files) {
    let proxy = Proxy::start().await;
    let (mut number, mut at) = (first, 0);
    loop {
        let (mut passed, fault) = (false, KILLED[at % 2]);
        let place = ground.ask(&format!("r-kill.{number}"), scope).await;
        proxy.heal();
        proxy.cut(at, fault);
        let broken = drive(&|| ground.worker_through(&proxy.url), ground, &place).await;
        let calls = proxy.heal();
        passed |= calls <= at;
        assert!(passed || broken.is_err() || ground.get(&place.at("ended.json")).await.is_some(), "{at}: {broken:?}");
        // Either all of the names stand, or a summary does not: nothing claims more than there is.
        if ground.get(&place.at("summary.json")).await.is_some() {
            ground.assert_same(&place, local, &format!("killed at call {at}")).await;
        }
        let ended = drive(&|| ground.worker(), ground, &place).await.unwrap();
        assert_eq!(ended, json!({"outcome": "succeeded"}), "killed at call {at}");
        ground.assert_same(&place, local, &format!("killed at call {at}")).await;
        ground.assert_clean();
        if passed {
            assert!(at > 30, "only {at} calls were made");
            return;
        }
        (number, at) = (number + 1, at + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sweep_killed_at_any_call_the_bytes_are_the_same() {
    let schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}], "primaryKey": "id"});
    let ground = Ground::new(&schema).await;
    ground.input("id,name\n1,one\n2,two\n3,three\nx,no\n1,again\n").await;
    let (summary, local) = ground.local("out", None);
    assert!(summary.chunks == 2 && summary.rejected == 2);
    sweep(&ground, Scope::All, 1, &local).await;
}
