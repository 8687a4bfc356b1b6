//! A worker killed between any two calls, its last one carried out or not: called again, the same bytes.

use super::ground::{Files, Ground, drive_on};
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
