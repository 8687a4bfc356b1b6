//! What every [`Store`] must do: commits, claims, versions, locks, deadlines, lists.

use super::Backend;
use super::samples::{actor, channel, create, draft, ended, id, key, run, run_id, show};
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::command::Scope;
use switchman::domain::id::EnvelopeId;
use switchman::domain::run::{Attempt, Run, RunState};
use switchman::ports::{
    Clock, Commit, Deadline, Kind, Priority, RecordWrite, RunQuery, RunWrite, Settled, Store, StoredRecord, Subject,
    input_lock, look_deadline,
};

macro_rules! store_contract {
    ($backend:ty) => {
        suite! { store on $backend:
            a_claim_is_given_once,
            a_version_that_moved_on_writes_nothing_of_the_commit,
            a_lock_of_another_run_writes_nothing_of_the_commit,
            a_lock_is_taken_again_by_its_own_run_and_freed_only_by_it,
            what_was_committed_is_there_for_another_process,
            two_processes_never_both_win,
            many_writes_of_one_run_number_it_without_gaps,
            lists_are_newest_first_and_bounded,
            deadlines_come_when_due_and_move_when_set_again,
            it_says_that_it_can_be_written_to,
            a_record_is_written_by_whoever_saw_its_newest_version,
            failed_runs_are_listed_until_they_are_done_again,
        }
    };
}

/// A commit with something in every part.
fn everything(n: u32, claim: &str, at: jiff::Timestamp) -> Commit {
    Commit {
        claim: Some(id(claim)),
        runs: vec![create(run(n, at))],
        records: vec![RecordWrite {
            key: format!("sample:{n}"),
            expected: 0,
            list: Some("samples".into()),
            at,
            body: "{}".into(),
        }],
        lock: vec![(input_lock(&format!("in-{n}")), run_id(n))],
        unlock: Vec::new(),
        outbox: vec![show(n, Priority::First, at)],
        deadlines: vec![Deadline { key: look_deadline(&key(n)), due: at, subject: Subject::Attempt(key(n)) }],
        clear: Vec::new(),
        audit: vec![draft(n, at)],
    }
}

/// Fails unless nothing of `everything(n, claim, …)` is stored and `before` stands.
async fn nothing_of(store: &dyn Store, n: u32, claim: &EnvelopeId, records: u64) {
    assert!(!store.claimed(claim).await.unwrap(), "claim");
    assert_eq!(store.run(&run_id(n)).await.unwrap(), None, "run");
    assert_eq!(store.holder(&input_lock(&format!("in-{n}"))).await.unwrap(), None, "lock");
    let due = store.due(jiff::Timestamp::MAX, 100).await.unwrap();
    assert!(due.iter().all(|deadline| deadline.subject != Subject::Attempt(key(n))), "deadline");
    assert!(store.record(&format!("sample:{n}")).await.unwrap().is_none(), "record");
    assert!(store.records("samples", 99).await.unwrap().iter().all(|r| r.key != format!("sample:{n}")), "list");
    assert_eq!(store.outbox_depth().await.unwrap().0, records, "outbox");
    assert_eq!(store.audit(0, 100).await.unwrap().len() as u64, records, "audit");
}

pub(crate) async fn a_claim_is_given_once(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    assert!(!store.claimed(&id("cmd-1")).await.unwrap());
    store.commit(everything(1, "cmd-1", now)).await.unwrap();
    assert!(store.claimed(&id("cmd-1")).await.unwrap());
    let again = Commit { claim: Some(id("cmd-1")), ..everything(2, "cmd-2", now) };
    assert_eq!(store.commit(again).await.unwrap_err().kind, Kind::Claimed);
    nothing_of(&*store, 2, &id("cmd-2"), 1).await;
}

pub(crate) async fn a_version_that_moved_on_writes_nothing_of_the_commit(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    store.commit(everything(1, "cmd-1", now)).await.unwrap();
    let stored = store.run(&run_id(1)).await.unwrap().unwrap();
    assert_eq!(stored.version, 1);
    for expected in [0, 2, 7] {
        let mut commit = everything(2, "cmd-2", now);
        commit.runs.push(RunWrite { run: ended(stored.clone()), expected });
        assert_eq!(store.commit(commit).await.unwrap_err().kind, Kind::Conflict, "expected {expected}");
        nothing_of(&*store, 2, &id("cmd-2"), 1).await;
    }
    let absent = RunWrite { run: run(3, now), expected: 1 };
    let commit = Commit { runs: vec![absent], ..Commit::default() };
    assert_eq!(store.commit(commit).await.unwrap_err().kind, Kind::Conflict);
    let write = RunWrite { run: ended(stored), expected: 1 };
    store.commit(Commit { runs: vec![write], ..Commit::default() }).await.unwrap();
    let stored = store.run(&run_id(1)).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.is_open()), (2, false));
}

pub(crate) async fn a_lock_of_another_run_writes_nothing_of_the_commit(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    store.commit(everything(1, "cmd-1", now)).await.unwrap();
    let mut commit = everything(2, "cmd-2", now);
    commit.lock.push((input_lock("in-1"), run_id(2)));
    assert_eq!(store.commit(commit).await.unwrap_err().kind, Kind::Conflict);
    nothing_of(&*store, 2, &id("cmd-2"), 1).await;
    assert_eq!(store.holder(&input_lock("in-1")).await.unwrap(), Some(run_id(1)));
}

pub(crate) async fn a_lock_is_taken_again_by_its_own_run_and_freed_only_by_it(backend: &impl Backend) {
    let store = backend.store();
    let lock = |n| Commit { lock: vec![(input_lock("a"), run_id(n))], ..Commit::default() };
    let unlock = |n| Commit { unlock: vec![(input_lock("a"), run_id(n))], ..Commit::default() };
    store.commit(lock(1)).await.unwrap();
    store.commit(lock(1)).await.unwrap();
    store.commit(unlock(2)).await.unwrap();
    assert_eq!(store.holder(&input_lock("a")).await.unwrap(), Some(run_id(1)));
    store.commit(unlock(1)).await.unwrap();
    assert_eq!(store.holder(&input_lock("a")).await.unwrap(), None);
    store.commit(lock(2)).await.unwrap();
    assert_eq!(store.holder(&input_lock("a")).await.unwrap(), Some(run_id(2)));
}

pub(crate) async fn what_was_committed_is_there_for_another_process(backend: &impl Backend) {
    let now = backend.clock().now();
    let first = backend.store();
    first.commit(everything(1, "cmd-1", now)).await.unwrap();
    let item = first.outbox_take(now, Duration::from_mins(1), 1).await.unwrap().remove(0);
    drop(first);
    let second = backend.store();
    assert!(second.claimed(&id("cmd-1")).await.unwrap());
    assert_eq!(second.run(&run_id(1)).await.unwrap(), Some(switchman::domain::run::Run { version: 1, ..run(1, now) }));
    assert_eq!(second.holder(&input_lock("in-1")).await.unwrap(), Some(run_id(1)));
    assert_eq!(second.due(now, 10).await.unwrap()[0].subject, Subject::Attempt(key(1)));
    assert_eq!(second.audit(0, 10).await.unwrap()[0].draft, draft(1, now));
    assert_eq!(second.audit_head().await.unwrap().seq, 1);
    assert!(
        second.outbox_take(now, Duration::from_mins(1), 1).await.unwrap().is_empty(),
        "the lease outlives its taker"
    );
    second.outbox_settle(&item, Settled::Done { receipt: None, again: now }).await.unwrap();
    assert_eq!(second.outbox_depth().await.unwrap(), (0, 0));
}

pub(crate) async fn two_processes_never_both_win(backend: &impl Backend) {
    let stores = [backend.store(), backend.store()];
    let now = backend.clock().now();
    for n in 0..40 {
        let claim = |store: &Arc<dyn Store>| {
            let (store, commit) = (Arc::clone(store), everything(n, &format!("cmd-{n}"), now));
            tokio::spawn(async move { store.commit(commit).await.map_err(|e| e.kind) })
        };
        let (a, b) = (claim(&stores[0]), claim(&stores[1]));
        let mut results = [a.await.unwrap(), b.await.unwrap()];
        results.sort_by_key(Result::is_err);
        assert_eq!(results, [Ok(()), Err(Kind::Claimed)]);
    }
    let write = |store: &Arc<dyn Store>| {
        let (store, run) = (Arc::clone(store), ended(run(1, now)));
        let commit = Commit { runs: vec![RunWrite { run, expected: 1 }], ..Commit::default() };
        tokio::spawn(async move { store.commit(commit).await.map_err(|e| e.kind) })
    };
    let (a, b) = (write(&stores[0]), write(&stores[1]));
    let mut results = [a.await.unwrap(), b.await.unwrap()];
    results.sort_by_key(Result::is_err);
    assert_eq!(results, [Ok(()), Err(Kind::Conflict)]);
    super::audit::assert_whole(&*stores[0], 40).await;
}

/// Reads the run, counts one row more and writes it, again until nobody was first. The new version, and how often somebody was.
async fn count_a_row(store: &dyn Store, name: u32) -> (u64, u32) {
    let mut lost = 0;
    loop {
        let mut run = store.run(&run_id(1)).await.unwrap().unwrap();
        let expected = run.version;
        run.current_mut().progress.rows += 1;
        let commit = Commit {
            claim: Some(id(format!("write-{name}"))),
            runs: vec![RunWrite { run, expected }],
            audit: vec![draft(name, jiff::Timestamp::UNIX_EPOCH)],
            ..Commit::default()
        };
        match store.commit(commit).await {
            Ok(()) => return (expected + 1, lost),
            Err(error) => assert_eq!(error.kind, Kind::Conflict, "{error}"),
        }
        lost += 1;
    }
}

pub(crate) async fn many_writes_of_one_run_number_it_without_gaps(backend: &impl Backend) {
    let stores = [backend.store(), backend.store()];
    let now = backend.clock().now();
    stores[0].commit(Commit { runs: vec![create(run(1, now))], ..Commit::default() }).await.unwrap();
    let writers = 40 / backend.load_divisor();
    let all = writers * 25;
    let writers: Vec<_> = (0..writers)
        .map(|writer| {
            let store = Arc::clone(&stores[writer as usize % 2]);
            tokio::spawn(async move {
                let mut written = Vec::new();
                for n in 0..25 {
                    written.push(count_a_row(&*store, writer * 25 + n).await);
                }
                written
            })
        })
        .collect();
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    assert!(written.iter().any(|(_, lost)| *lost > 0), "the writers did contend");
    let mut versions: Vec<_> = written.into_iter().map(|(version, _)| version).collect();
    versions.sort_unstable();
    assert_eq!(versions, (2..=u64::from(all) + 1).collect::<Vec<_>>());
    let stored = stores[1].run(&run_id(1)).await.unwrap().unwrap();
    assert_eq!((stored.version, stored.current().progress.rows), (u64::from(all) + 1, u64::from(all)));
    super::audit::assert_whole(&*stores[0], u64::from(all)).await;
}

pub(crate) async fn lists_are_newest_first_and_bounded(backend: &impl Backend) {
    let store = backend.store();
    let mut runs = Vec::new();
    for n in 0..9 {
        let mut run = run(n, backend.clock().now());
        if n % 2 == 1 {
            run = ended(run);
        }
        if n >= 6 {
            run.channel = channel("C0OTHER");
        }
        runs.push(create(run));
        backend.clock().advance(Duration::from_secs(1));
    }
    store.commit(Commit { runs, ..Commit::default() }).await.unwrap();
    let list = async |query, max| -> Vec<u32> {
        let found = store.runs(query, max).await.unwrap();
        found.iter().map(|run| (0..9).find(|n| run_id(*n) == run.id).unwrap()).collect()
    };
    assert_eq!(list(RunQuery::All, 4).await, [8, 7, 6, 5]);
    assert_eq!(list(RunQuery::All, 100).await.len(), 9);
    assert_eq!(list(RunQuery::Open, 3).await, [8, 6, 4]);
    assert_eq!(list(RunQuery::Channel(channel("C0BATCH")), 3).await, [5, 4, 3]);
    assert_eq!(list(RunQuery::Channel(channel("C0NONE")), 3).await, [0_u32; 0]);
    assert_eq!(list(RunQuery::Input("sales/1".into()), 9).await, [7, 4, 1]);
    let last = store.run(&run_id(8)).await.unwrap().unwrap();
    store.commit(Commit { runs: vec![RunWrite { run: ended(last), expected: 1 }], ..Commit::default() }).await.unwrap();
    assert_eq!(list(RunQuery::Open, 9).await, [6, 4, 2, 0]);
}

pub(crate) async fn deadlines_come_when_due_and_move_when_set_again(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let at = |n: u32, seconds: i64| Deadline {
        key: format!("look:{n}"),
        due: now + jiff::SignedDuration::from_secs(seconds),
        subject: Subject::Attempt(key(n)),
    };
    let set = |deadlines: Vec<Deadline>| Commit { deadlines, ..Commit::default() };
    store.commit(set(vec![at(1, 30), at(2, 10), at(3, 20), at(4, -5)])).await.unwrap();
    assert_eq!(store.due(now, 10).await.unwrap(), [at(4, -5)]);
    let later = now + jiff::SignedDuration::from_secs(20);
    assert_eq!(store.due(later, 10).await.unwrap(), [at(4, -5), at(2, 10), at(3, 20)]);
    assert_eq!(store.due(later, 2).await.unwrap(), [at(4, -5), at(2, 10)]);
    store.commit(set(vec![at(4, 60)])).await.unwrap();
    store.commit(Commit { clear: vec!["look:2".into(), "look:none".into()], ..Commit::default() }).await.unwrap();
    assert_eq!(store.due(later, 10).await.unwrap(), [at(3, 20)]);
}

pub(crate) async fn it_says_that_it_can_be_written_to(backend: &impl Backend) {
    backend.store().ping().await.unwrap();
}

pub(crate) async fn a_record_is_written_by_whoever_saw_its_newest_version(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    let write = |key: &str, expected: u64, list: Option<&str>, seconds: i64| RecordWrite {
        key: key.into(),
        expected,
        list: list.map(str::to_owned),
        at: now + jiff::SignedDuration::from_secs(seconds),
        body: format!("{{\"n\":{expected}}}"),
    };
    let commit = |writes: Vec<RecordWrite>| store.commit(Commit { records: writes, ..Commit::default() });
    commit(vec![write("one", 0, Some("waiting"), 1), write("two", 0, Some("waiting"), 2)]).await.unwrap();
    assert_eq!(commit(vec![write("one", 0, None, 1)]).await.unwrap_err().kind, Kind::Conflict);
    assert_eq!(commit(vec![write("one", 2, None, 1)]).await.unwrap_err().kind, Kind::Conflict);
    // All of a commit or nothing of it.
    assert_eq!(
        commit(vec![write("three", 0, None, 3), write("two", 7, None, 2)]).await.unwrap_err().kind,
        Kind::Conflict
    );
    assert_eq!(store.record("three").await.unwrap(), None);
    let keys = |found: Vec<StoredRecord>| found.into_iter().map(|r| (r.key, r.version)).collect::<Vec<_>>();
    assert_eq!(keys(store.records("waiting", 9).await.unwrap()), [("two".into(), 1), ("one".into(), 1)]);
    assert_eq!(keys(store.records("waiting", 1).await.unwrap()), [("two".into(), 1)]);
    assert_eq!(keys(store.records("others", 9).await.unwrap()), []);
    commit(vec![write("two", 1, None, 2), write("one", 1, Some("others"), 1)]).await.unwrap();
    assert_eq!(keys(store.records("waiting", 9).await.unwrap()), []);
    assert_eq!(keys(store.records("others", 9).await.unwrap()), [("one".into(), 2)]);
    let two = store.record("two").await.unwrap().unwrap();
    assert_eq!((two.version, two.body.as_str()), (2, "{\"n\":1}"));
}

pub(crate) async fn failed_runs_are_listed_until_they_are_done_again(backend: &impl Backend) {
    let store = backend.store();
    let now = backend.clock().now();
    store.commit(Commit { runs: vec![create(run(1, now)), create(run(2, now))], ..Commit::default() }).await.unwrap();
    let mut failed = run(1, now);
    failed.current_mut().state = RunState::Failed;
    store
        .commit(Commit { runs: vec![RunWrite { run: failed.clone(), expected: 1 }], ..Commit::default() })
        .await
        .unwrap();
    let listed = |found: Vec<Run>| found.into_iter().map(|run| run.id).collect::<Vec<_>>();
    assert_eq!(listed(store.runs(RunQuery::Failed, 9).await.unwrap()), [run_id(1)]);
    assert_eq!(listed(store.runs(RunQuery::Open, 9).await.unwrap()), [run_id(2)]);
    let again = Attempt::asked(2, Scope::All, actor(), now);
    failed.attempts.push(again);
    store.commit(Commit { runs: vec![RunWrite { run: failed, expected: 2 }], ..Commit::default() }).await.unwrap();
    assert_eq!(listed(store.runs(RunQuery::Failed, 9).await.unwrap()), []);
}
