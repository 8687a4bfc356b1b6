//! What is not published: what was stopped, what cannot be done, what another region may do now. And what was damaged on the way.

use super::ground::{Ground, drive};
use jiff::SignedDuration;
use serde_json::{Value, json};
use switchman::aws::batch::{CANCELLED, DECIDED, PUBLISH, Place, STOP};
use switchman::batch;
use switchman::domain::command::Scope;

const ROWS: &str = "id,name\n1,one\n2,two\n3,three\nx,no\n5,five\n1,again\n";

async fn ground(unique: bool) -> Ground {
    let mut schema = json!({"fields": [{"name": "id", "type": "integer"}, {"name": "name"}]});
    if unique {
        schema["primaryKey"] = json!("id");
    }
    let ground = Ground::new(&schema).await;
    ground.input(ROWS).await;
    ground
}

/// One step.
async fn step(ground: &Ground, place: &Place, mut call: Value) -> Value {
    call["key"] = json!(place.key.to_string());
    ground.worker().handle(call).await.unwrap()
}

async fn plan(ground: &Ground, place: &Place) -> usize {
    let planned = step(ground, place, json!({"step": "plan"})).await;
    usize::try_from(planned["chunks"].as_u64().unwrap()).unwrap()
}

async fn chunks(ground: &Ground, place: &Place) {
    for chunk in 0..plan(ground, place).await {
        let done = step(ground, place, json!({"step": "chunk", "chunk": chunk, "round": 1})).await;
        assert_eq!(done, json!({"outcome": "done"}));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_is_heard_before_each_step_and_what_was_done_counts() {
    let ground = ground(false).await;
    let merge = json!({"step": "merge"});
    for (run, done) in ["nothing", "plan", "chunks"].into_iter().enumerate() {
        let place = ground.ask(&format!("r-stp{run}.1"), Scope::All).await;
        match done {
            "plan" => {
                plan(&ground, &place).await;
            }
            "chunks" => chunks(&ground, &place).await,
            _ => {}
        }
        ground.put(&place.at(STOP), Vec::new()).await;
        for call in [json!({"step": "plan"}), json!({"step": "chunk", "chunk": 0, "round": 1}), merge.clone()] {
            assert_eq!(step(&ground, &place, call).await, json!({"outcome": "stopped"}), "{done}");
        }
        assert_eq!(drive(&|| ground.worker(), &ground, &place).await.unwrap(), json!({"outcome": "stopped"}));
        assert!(ground.published(&place).await.is_empty());
        let ended = ground.json(&place.at("ended.json")).await;
        assert_eq!(ended["state"], "cancelled");
        assert_eq!(ended["progress"]["rows"], if done == "chunks" { 6 } else { 0 }, "{done}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_decides_first_wins() {
    let ground = ground(false).await;
    let cancelled = ground.ask("r-can1.1", Scope::All).await;
    chunks(&ground, &cancelled).await;
    ground.put(&cancelled.at(DECIDED), CANCELLED.to_vec()).await;
    assert_eq!(step(&ground, &cancelled, json!({"step": "merge"})).await["outcome"], "stopped");
    assert!(ground.published(&cancelled).await.is_empty());
    // The flag was there before; it is seen whichever step comes next.
    ground.put(&cancelled.at(STOP), Vec::new()).await;
    assert_eq!(step(&ground, &cancelled, json!({"step": "announce"})).await["outcome"], "stopped");
    let published = ground.ask("r-pub1.1", Scope::All).await;
    drive(&|| ground.worker(), &ground, &published).await.unwrap();
    assert_eq!(ground.get(&published.at(DECIDED)).await.unwrap(), b"publish");
    // Too late: it was decided to publish, and whoever was at it has died. What was begun is finished.
    let begun = ground.ask("r-pub2.1", Scope::All).await;
    chunks(&ground, &begun).await;
    ground.put(&begun.at(DECIDED), PUBLISH.to_vec()).await;
    ground.put(&begun.at(STOP), Vec::new()).await;
    let early = json!({"step": "announce", "key": begun.key.to_string()});
    assert!(ground.worker().handle(early).await.is_err(), "it has not ended");
    assert_eq!(drive(&|| ground.worker(), &ground, &begun).await.unwrap(), json!({"outcome": "succeeded"}));
    ground.assert_same(&begun, &ground.local("out", None).1, "begun").await;
    // Announced as stopped, it can never be published by a late copy of the merge.
    let late = ground.ask("r-late.1", Scope::All).await;
    chunks(&ground, &late).await;
    ground.put(&late.at(STOP), Vec::new()).await;
    assert_eq!(step(&ground, &late, json!({"step": "announce"})).await["outcome"], "stopped");
    ground.client.delete_object().bucket(&ground.bucket).key(late.at(STOP)).send().await.unwrap();
    assert_eq!(step(&ground, &late, json!({"step": "merge"})).await["outcome"], "stopped");
    assert!(ground.published(&late).await.is_empty());
    // Too late: it has ended.
    ground.put(&published.at(STOP), Vec::new()).await;
    assert_eq!(step(&ground, &published, json!({"step": "announce"})).await, json!({"outcome": "succeeded"}));
    assert_eq!(ground.json(&published.at("ended.json")).await["state"], "succeeded");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_is_over_publishes_nothing() {
    let ground = ground(false).await;
    *ground.lease.over.lock().unwrap() = Some("eu-west-1 is active since epoch 8".to_owned());
    let place = ground.ask("r-old1.1", Scope::All).await;
    let ended = drive(&|| ground.worker(), &ground, &place).await.unwrap();
    let why = "the result was not published, it is kept aside: eu-west-1 is active since epoch 8";
    assert_eq!(ended, json!({"outcome": "failed", "why": why}));
    assert!(ground.published(&place).await.is_empty());
    assert!(!ground.list(&place.at("parts/")).await.is_empty(), "kept aside");
    // What is kept can be built on.
    *ground.lease.over.lock().unwrap() = None;
    let next = ground.ask("r-old1.2", Scope::Chunks).await;
    drive(&|| ground.worker(), &ground, &next).await.unwrap();
    ground.assert_same(&next, &ground.local("out", None).1, "the next attempt").await;
    // A drill asks for no lease: what it makes lies in its sandbox.
    *ground.lease.over.lock().unwrap() = Some("over".to_owned());
    let drill = ground.ask_in("sandbox/q-7k3f/", "r-old2.1", Scope::All).await;
    assert_eq!(drive(&|| ground.worker(), &ground, &drill).await.unwrap()["outcome"], "succeeded");
    assert!(drill.at("x").starts_with("sandbox/q-7k3f/runs/"));
    ground.assert_same(&drill, &ground.local("out-2", None).1, "a drill").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_runs_out_is_an_outage_and_the_step_can_be_repeated() {
    let ground = ground(false).await;
    let place = ground.ask("r-slow.1", Scope::All).await;
    chunks(&ground, &place).await;
    *ground.lease.lasts.lock().unwrap() = SignedDuration::from_secs(4);
    let call = json!({"step": "merge", "key": place.key.to_string()});
    let error = ground.worker().handle(call).await.unwrap_err().to_string();
    assert!(error.contains("lease ran out"), "{error}");
    assert!(ground.published(&place).await.is_empty());
    *ground.lease.lasts.lock().unwrap() = SignedDuration::from_secs(60);
    assert_eq!(drive(&|| ground.worker(), &ground, &place).await.unwrap()["outcome"], "succeeded");
    assert!(ground.lease.taken.lock().unwrap().is_empty(), "the lease is given back");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_of_the_input_or_the_job_are_answers_with_the_words_of_one_machine() {
    let ground = ground(false).await;
    let mut number = 0;
    for (input, expected) in [
        ("", "the input is empty; a first line with the column names was expected"),
        ("id\n1\n", "the first line does not fit the schema: missing \"name\""),
        ("\u{1f}\u{8b}", "the first line does not fit the schema"),
    ] {
        number += 1;
        ground.input(input).await;
        let place = ground.ask(&format!("r-bad{number}.1"), Scope::All).await;
        let ended = drive(&|| ground.worker(), &ground, &place).await.unwrap();
        assert_eq!(ended["outcome"], "failed");
        assert!(ended["why"].as_str().unwrap().starts_with(expected), "{ended}");
        assert_eq!(ground.json(&place.at("ended.json")).await["failure"], ended["why"]);
    }
    ground.input(ROWS).await;
    let (changed, other_job) = (ground.ask("r-chg1.1", Scope::All).await, ground.ask("r-chg2.1", Scope::All).await);
    let gone = ground.ask("r-chg3.1", Scope::All).await;
    plan(&ground, &changed).await;
    plan(&ground, &other_job).await;
    ground.input(ROWS.replace("three", "THREE")).await;
    let chunk = json!({"step": "chunk", "chunk": 0, "round": 1});
    let failed = |why: &str| json!({"outcome": "failed", "why": why});
    let why = "the file März 1.csv changed after the run was asked for; start a new run";
    assert_eq!(step(&ground, &changed, chunk.clone()).await, failed(why));
    assert_eq!(step(&ground, &changed, json!({"step": "merge"})).await, failed(why), "the others hear of it");
    ground.client.delete_object().bucket(&ground.bucket).key("input/sales/März 1.csv").send().await.unwrap();
    let why = "the file März 1.csv is not there any more";
    assert_eq!(step(&ground, &gone, json!({"step": "plan"})).await, failed(why));
    ground.spec(|spec| spec.tolerated_rejects_percent = 3.0);
    let why = "the job changed since this batch was planned; start a new run or reprocess it";
    assert_eq!(step(&ground, &other_job, chunk).await, failed(why));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_understands_is_an_error_that_says_what_to_compare() {
    let ground = ground(false).await;
    let place = ground.ask("r-call.1", Scope::All).await;
    plan(&ground, &place).await;
    for call in [
        json!({"step": "fly", "key": place.key.to_string()}),
        json!({"step": "plan", "key": "r-call"}),
        json!({"step": "plan", "key": place.key.to_string(), "root": "../"}),
        json!({"step": "chunk", "key": place.key.to_string(), "round": 1}),
        json!({"step": "chunk", "key": place.key.to_string(), "chunk": 0, "round": 3}),
        json!({"step": "chunk", "key": place.key.to_string(), "chunk": 99, "round": 1}),
        json!({"step": "announce", "key": place.key.to_string()}),
    ] {
        let error = ground.worker().handle(call.clone()).await.unwrap_err().to_string();
        assert!(error.contains("not understood") && error.contains("state machine"), "{call}: {error}");
    }
    assert!(ground.get(&place.at("ended.json")).await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_part_that_is_not_what_its_marker_says_is_done_again_and_never_published() {
    for unique in [false, true] {
        let ground = ground(unique).await;
        let (_, local) = ground.local("out", None);
        let damages: &[(&str, &str)] =
            &[("output", "other"), ("output", "none"), ("rejects", "long"), ("keys", "other"), ("keys", "none")];
        for (run, (kind, damage)) in damages.iter().enumerate() {
            if *kind == "keys" && !unique {
                continue;
            }
            let place = ground.ask(&format!("r-dam{run}.1"), Scope::All).await;
            chunks(&ground, &place).await;
            let part = place.at(&format!("parts/000001.{kind}"));
            let mut content = ground.get(&part).await.unwrap();
            match *damage {
                "none" => {
                    ground.client.delete_object().bucket(&ground.bucket).key(&part).send().await.unwrap();
                }
                "long" => {
                    content.push(b'x');
                    ground.put(&part, content).await;
                }
                _ => {
                    content[0] ^= 1;
                    ground.put(&part, content).await;
                }
            }
            assert_eq!(drive(&|| ground.worker(), &ground, &place).await.unwrap()["outcome"], "succeeded");
            ground.assert_same(&place, &local, &format!("{kind} {damage}")).await;
        }
        ground.assert_clean();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_copies_of_every_step_at_once_leave_one_result() {
    let ground = ground(true).await;
    let place = ground.ask("r-two1.1", Scope::All).await;
    let worker = || ground.worker();
    let (one, other) = tokio::join!(drive(&worker, &ground, &place), drive(&worker, &ground, &place));
    // One may be too late to read the parts that the other has removed, as an outage; called again it finds the end.
    assert!(one.is_ok() || other.is_ok(), "{one:?} {other:?}");
    assert_eq!(drive(&worker, &ground, &place).await.unwrap()["outcome"], "succeeded");
    ground.assert_same(&place, &ground.local("out", None).1, "two copies").await;
    assert!(ground.get(&place.at(batch::OUTPUT)).await.is_some());
}
