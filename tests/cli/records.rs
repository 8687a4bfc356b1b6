//! `switchman audit` and `switchman dead-letters`, on records that a bot left behind.

use super::{initialised, switchman};
use crate::harness::clock::ManualClock;
use rusqlite::Connection;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::audit::AuditDraft;
use switchman::domain::envelope::{Envelope, Event};
use switchman::domain::id::{EnvelopeId, RunId};
use switchman::domain::run::AttemptKey;
use switchman::embedded::Sqlite;
use switchman::ports::{Bus, Clock, Commit, Store};
use tempfile::TempDir;

/// A folder with a configuration, and a bot's records in it.
async fn with_records(work: impl AsyncFnOnce(&Sqlite, &ManualClock)) -> TempDir {
    let dir = initialised();
    let clock = ManualClock::new();
    let records = Sqlite::open(&dir.path().join("var/switchman.db"), Arc::new(clock.clone())).unwrap();
    work(&records, &clock).await;
    dir
}

async fn with_trail(length: u32) -> TempDir {
    with_records(async |records, clock| {
        let drafts = (1..=length).map(|n| AuditDraft {
            at: clock.now(),
            actor: None,
            bot: "switchman".into(),
            action: "start-batch".into(),
            subject: format!("r-{n}"),
            why: "operators-may-run".into(),
            result: "done".into(),
        });
        records.commit(Commit { audit: drafts.collect(), ..Commit::default() }).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn a_whole_trail_is_exported_and_verified() {
    let dir = with_trail(1_234).await;
    let ran = switchman(dir.path(), &["audit", "export"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let records: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(records.len(), 1_234);
    assert_eq!((&records[1_233]["seq"], &records[1_233]["subject"]), (&1_234.into(), &"r-1234".into()));
    let ran = switchman(dir.path(), &["audit", "verify"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "audit: 1234 records, all in their place\n", ""));
}

#[tokio::test]
async fn the_first_record_that_was_tampered_with_is_named() {
    for (sql, part) in [
        ("UPDATE audit SET draft = replace(draft, 'done', 'refused') WHERE seq = 3", "record 3 was edited"),
        ("DELETE FROM audit WHERE seq = 2", "record 2 is missing"),
        ("DELETE FROM audit WHERE seq > 4", "the tail was cut off after record 4"),
        ("DELETE FROM audit", "the tail was cut off after record 0"),
    ] {
        let dir = with_trail(6).await;
        Connection::open(dir.path().join("var/switchman.db")).unwrap().execute_batch(sql).unwrap();
        let ran = switchman(dir.path(), &["audit", "verify"]);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{sql}");
        assert!(ran.err.contains(part), "{sql}: {}", ran.err);
    }
}

async fn with_dead_letters(names: &[&str]) -> TempDir {
    with_records(async |records, clock| {
        for name in names {
            let id = EnvelopeId::parse(*name).unwrap();
            let attempt = AttemptKey { run: RunId::derive(&id, 0), attempt: 1 };
            let event = Event::Look { key: attempt };
            records.publish(Envelope { id: id.clone(), key: id, issued_at: clock.now(), event }).await.unwrap();
        }
        for delivery in records.take(names.len(), Duration::from_secs(1), Duration::ZERO).await.unwrap() {
            records.bury(&delivery, "Slack said no").await.unwrap();
        }
    })
    .await
}

fn listed(dir: &TempDir) -> Vec<Value> {
    let ran = switchman(dir.path(), &["dead-letters", "list"]);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn dead_letters_are_listed_and_replayed_by_id() {
    let dir = with_dead_letters(&["one", "two"]).await;
    let letters = listed(&dir);
    assert_eq!(letters.len(), 2);
    assert_eq!((&letters[0]["why"], &letters[0]["attempts"]), (&"Slack said no".into(), &1.into()));
    let id = letters[0]["id"].as_str().unwrap();
    let ran = switchman(dir.path(), &["dead-letters", "replay", id]);
    assert_eq!((ran.code, ran.out), (0, format!("replayed: {id}\n")));
    assert_eq!(listed(&dir).len(), 1);
    let ran = switchman(dir.path(), &["dead-letters", "replay", id]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("there is no dead letter"), "{}", ran.err);
}

#[tokio::test]
async fn all_of_them_are_replayed_at_once() {
    let dir = with_dead_letters(&["one", "two", "three"]).await;
    let ran = switchman(dir.path(), &["dead-letters", "replay", "--all"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 3), "{}", ran.err);
    for args in [&["dead-letters", "list"][..], &["dead-letters", "replay", "--all"]] {
        let ran = switchman(dir.path(), args);
        assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", "no dead letters\n"), "{args:?}");
    }
}

#[test]
fn without_records_it_says_where_they_were_looked_for() {
    let dir = initialised();
    for args in [["audit", "verify"], ["dead-letters", "list"]] {
        let ran = switchman(dir.path(), &args);
        assert_eq!((ran.code, ran.out.as_str()), (1, ""));
        assert!(ran.err.contains("var/switchman.db"), "{}", ran.err);
    }
    assert!(!dir.path().join("var").exists());
}
