//! What callers are told when the disk fails them, and that one caller's failure is not another's.

use super::Sqlite;
use super::writer::Parts;
use crate::domain::audit::AuditDraft;
use crate::domain::envelope::{Envelope, Event};
use crate::domain::id::{EnvelopeId, RunId};
use crate::domain::run::AttemptKey;
use crate::embedded::SystemClock;
use crate::ports::{Bus, Clock, Commit, Kind, PortError, Store};
use std::sync::Arc;

fn id(text: &str) -> EnvelopeId {
    EnvelopeId::parse(text).unwrap()
}

fn envelope(name: &str) -> Envelope {
    let key = AttemptKey { run: RunId::derive(&id(name), 0), attempt: 1 };
    Envelope { id: id(name), key: id(name), issued_at: SystemClock.now(), event: Event::Look { key } }
}

fn claim(name: &str, why: &str) -> Commit {
    let audit = AuditDraft {
        at: SystemClock.now(),
        actor: None,
        bot: "switchman".into(),
        action: "start-batch".into(),
        subject: name.into(),
        why: why.into(),
        result: "done".into(),
    };
    Commit { claim: Some(id(name)), audit: vec![audit], ..Commit::default() }
}

async fn on_writer(sqlite: &Sqlite, pragma: &'static str) {
    let work = move |group: &mut super::writer::Group<'_>| {
        group.connection.query_row(pragma, [], |_| Ok(())).or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(()),
            error => Err(error.into()),
        })
    };
    sqlite.writer.write("could not set a pragma", Parts::One, work).await.unwrap();
}

fn opened() -> (tempfile::TempDir, Sqlite) {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = Sqlite::open(&folder.path().join("switchman.db"), Arc::new(SystemClock)).unwrap();
    (folder, sqlite)
}

fn is_transient(error: &PortError) -> bool {
    matches!(error.kind, Kind::Transient { .. })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_loses_nothing_that_was_answered_and_mends_by_itself() {
    let (_folder, sqlite) = opened();
    sqlite.publish(envelope("before")).await.unwrap();
    on_writer(&sqlite, "PRAGMA max_page_count = 60").await;
    let callers: Vec<_> = (0..200)
        .map(|n| {
            let sqlite = sqlite.clone();
            tokio::spawn(async move { sqlite.commit(claim(&format!("cmd-{n}"), &"long ".repeat(200))).await })
        })
        .collect();
    let (mut done, mut failed) = (0, 0);
    for (n, caller) in callers.into_iter().enumerate() {
        let answer = caller.await.unwrap();
        assert_eq!(sqlite.claimed(&id(&format!("cmd-{n}"))).await.unwrap(), answer.is_ok(), "{n}: {answer:?}");
        match answer {
            Ok(()) => done += 1,
            Err(error) => {
                assert!(is_transient(&error) && error.to_string().contains("full"), "{error}");
                failed += 1;
            }
        }
    }
    assert!(failed > 0, "{done} done, {failed} failed");
    assert_eq!(sqlite.audit(0, 1000).await.unwrap().len(), done);
    assert_eq!(sqlite.depth().await.unwrap(), 1);
    on_writer(&sqlite, "PRAGMA max_page_count = 100000").await;
    sqlite.commit(claim("after", "")).await.unwrap();
    assert_eq!(sqlite.audit_head().await.unwrap().seq, done as u64 + 1);
}

#[tokio::test]
async fn a_database_that_may_not_be_written_says_so() {
    let (_folder, sqlite) = opened();
    sqlite.ping().await.unwrap();
    on_writer(&sqlite, "PRAGMA query_only = ON").await;
    for error in [sqlite.ping().await.unwrap_err(), sqlite.publish(envelope("cmd-1")).await.unwrap_err()] {
        assert_eq!(error.kind, Kind::Denied);
        assert!(error.to_string().contains("nothing was written"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conflict_undoes_its_own_work_only() {
    let (_folder, sqlite) = opened();
    let callers: Vec<_> = (0..60)
        .map(|n| {
            let sqlite = sqlite.clone();
            // Every name is claimed three times over, all at once.
            tokio::spawn(async move { sqlite.commit(claim(&format!("cmd-{}", n % 20), &n.to_string())).await })
        })
        .collect();
    let mut won = Vec::new();
    for (n, caller) in callers.into_iter().enumerate() {
        match caller.await.unwrap() {
            Ok(()) => won.push(n.to_string()),
            Err(error) => assert_eq!(error.kind, Kind::Claimed),
        }
    }
    let mut recorded: Vec<_> = sqlite.audit(0, 100).await.unwrap().into_iter().map(|record| record.draft.why).collect();
    recorded.sort_unstable();
    won.sort_unstable();
    assert_eq!(recorded, won);
    assert_eq!(won.len(), 20);
}
