//! The suites on SQLite, and what only a file can suffer: tampering, damage, a newer program.

use crate::contract::Backend;
use crate::contract::audit::{assert_whole, verify};
use crate::contract::samples::{create, draft, envelope, outbox, run, run_id, show};
use crate::harness::clock::ManualClock;
use rusqlite::Connection;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use switchman::embedded::Sqlite;
use switchman::ports::{Bus, Clock, Commit, Kind, PortError, Priority, Published, RunQuery, Store};
use tempfile::TempDir;

store_contract!(Embedded);
outbox_contract!(Embedded);
bus_contract!(Embedded);

struct Embedded {
    folder: TempDir,
    clock: ManualClock,
}

impl Backend for Embedded {
    fn fresh() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), clock: ManualClock::new() }
    }

    fn store(&self) -> Arc<dyn Store> {
        Arc::new(self.open().unwrap())
    }

    fn bus(&self) -> Arc<dyn Bus> {
        Arc::new(self.open().unwrap())
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }
}

impl Embedded {
    fn path(&self) -> PathBuf {
        self.folder.path().join("data/switchman.db")
    }

    fn head(&self) -> PathBuf {
        self.path().with_file_name("audit.head")
    }

    fn open(&self) -> Result<Sqlite, PortError> {
        Sqlite::open(&self.path(), Arc::new(self.clock.clone()))
    }

    /// What somebody with a SQLite shell does.
    fn tamper(&self, sql: &str) {
        Connection::open(self.path()).unwrap().execute_batch(sql).unwrap();
    }

    async fn record(&self, store: &dyn Store, n: u32) {
        store.commit(Commit { audit: vec![draft(n, self.clock.now())], ..Commit::default() }).await.unwrap();
    }

    /// A store with a trail of six records.
    async fn with_trail() -> (Self, Arc<dyn Store>) {
        let data = Self::fresh();
        let store = data.store();
        for n in 1..=6 {
            data.record(&*store, n).await;
        }
        assert_whole(&*store, 6).await;
        (data, store)
    }
}

#[tokio::test]
async fn every_tampering_with_the_trail_is_named() {
    let swap = "UPDATE audit SET seq = -1 WHERE seq = 3; UPDATE audit SET seq = 3 WHERE seq = 4; \
                UPDATE audit SET seq = 4 WHERE seq = -1;";
    let exchange = "CREATE TEMP TABLE kept AS SELECT * FROM audit WHERE seq IN (2, 6); \
                    UPDATE audit SET (draft, previous, hash) = \
                    (SELECT draft, previous, hash FROM kept WHERE kept.seq = 8 - audit.seq) WHERE seq IN (2, 6);";
    for (sql, named) in [
        ("UPDATE audit SET draft = replace(draft, 'subject 2', 'subject 9') WHERE seq = 2", "record 2 was edited"),
        ("UPDATE audit SET draft = replace(draft, ',', ', ') WHERE seq = 5", "record 5 was edited"),
        ("UPDATE audit SET draft = 'nonsense' WHERE seq = 1", "record 1 was edited"),
        ("UPDATE audit SET hash = upper(hash) WHERE seq = 4", "record 4 was edited"),
        ("UPDATE audit SET previous = hash WHERE seq = 4", "record 4 was edited"),
        ("DELETE FROM audit WHERE seq = 1", "record 1 is missing"),
        ("DELETE FROM audit WHERE seq = 3", "record 3 is missing"),
        ("DELETE FROM audit WHERE seq = 3; UPDATE audit SET seq = seq - 1 WHERE seq > 3", "record 3 was moved"),
        (swap, "record 3 was moved"),
        (exchange, "record 2 was moved"),
        (
            "UPDATE audit SET (draft, previous, hash) = (SELECT draft, previous, hash FROM audit WHERE seq = 2) \
          WHERE seq = 5",
            "record 5 was moved",
        ),
        ("DELETE FROM audit WHERE seq > 4", "cut off after record 4"),
        ("DELETE FROM audit WHERE seq = 6", "cut off after record 5"),
        ("DELETE FROM audit", "cut off after record 0"),
    ] {
        let (data, store) = Embedded::with_trail().await;
        data.tamper(sql);
        let found = verify(&*store).await.unwrap_err();
        assert!(found.contains(named), "{sql}: {found}");
    }
}

#[tokio::test]
async fn work_that_goes_on_does_not_cover_a_cut_tail() {
    let (data, store) = Embedded::with_trail().await;
    data.tamper("DELETE FROM audit WHERE seq > 3");
    for n in 0..20 {
        data.record(&*store, n).await;
        let found = verify(&*store).await.unwrap_err();
        assert!(found.contains("cut off after") || found.contains("record 6 is not the one"), "{found}");
    }
    assert_eq!(store.audit_head().await.unwrap().seq, 6);
}

#[tokio::test]
async fn a_deleted_head_is_an_error_and_never_made_anew() {
    let (data, store) = Embedded::with_trail().await;
    fs::remove_file(data.head()).unwrap();
    assert!(verify(&*store).await.unwrap_err().contains("is missing: it was made together with the store"));
    data.record(&*store, 7).await;
    let reopened = data.store();
    data.record(&*reopened, 8).await;
    assert_eq!(reopened.audit_head().await.unwrap_err().kind, Kind::Gone);
    assert!(!data.head().exists());
}

#[tokio::test]
async fn a_trail_deleted_together_with_its_head_or_its_store_shows() {
    let (data, store) = Embedded::with_trail().await;
    data.tamper("DELETE FROM audit");
    fs::remove_file(data.head()).unwrap();
    drop(store);
    assert!(verify(&*data.store()).await.unwrap_err().contains("is missing"));

    let (data, store) = Embedded::with_trail().await;
    drop(store);
    for name in ["switchman.db", "switchman.db-wal", "switchman.db-shm"] {
        fs::remove_file(data.path().with_file_name(name)).ok();
    }
    assert!(verify(&*data.store()).await.unwrap_err().contains("cut off after record 0"));
}

#[tokio::test]
async fn a_damaged_head_is_an_error() {
    let (data, store) = Embedded::with_trail().await;
    fs::write(data.head(), "{\"seq\":").unwrap();
    assert_eq!(store.audit_head().await.unwrap_err().kind, Kind::Permanent);
}

#[tokio::test]
async fn a_head_left_behind_by_a_crash_is_good_and_catches_up() {
    let (data, store) = Embedded::with_trail().await;
    let behind = fs::read(data.head()).unwrap();
    data.record(&*store, 7).await;
    drop(store);
    fs::write(data.head(), behind).unwrap();
    let store = data.store();
    assert_eq!(verify(&*store).await, Ok(7));
    data.record(&*store, 8).await;
    assert_whole(&*store, 8).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_chain_holds_when_two_processes_append() {
    let data = Embedded::fresh();
    let stores = [data.store(), data.store()];
    let now = data.clock.now();
    let writers: Vec<_> = (0..8)
        .map(|w| {
            let store = Arc::clone(&stores[w % 2]);
            tokio::spawn(async move {
                for n in 0..25 {
                    let audit = vec![draft(n, now), draft(n + 100, now)];
                    store.commit(Commit { audit, ..Commit::default() }).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_whole(&*stores[0], 400).await;
}

#[tokio::test]
async fn a_message_that_cannot_be_read_is_buried() {
    let data = Embedded::fresh();
    let sqlite = data.open().unwrap();
    for name in ["cmd-1", "cmd-2", "cmd-3"] {
        sqlite.publish(envelope(name, data.clock.now())).await.unwrap();
    }
    data.tamper(
        "UPDATE bus SET body = '{\"source\":' WHERE key = 'cmd-1'; UPDATE bus SET key = 'other' WHERE key = 'cmd-2'",
    );
    let taken = sqlite.take(10, Duration::from_secs(1), Duration::ZERO).await.unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0].envelope.key.as_str(), "cmd-3");
    let dead = sqlite.dead(10).await.unwrap();
    assert_eq!(dead.iter().map(|d| d.id.as_str()).collect::<Vec<_>>(), ["id-cmd-1", "id-cmd-2"]);
    assert!(dead[0].why.contains("cannot be read"), "{}", dead[0].why);
    assert_eq!(sqlite.depth().await.unwrap(), 1);
}

#[tokio::test]
async fn a_broken_record_is_an_error_alone_and_left_out_of_lists() {
    let data = Embedded::fresh();
    let sqlite = data.open().unwrap();
    let now = data.clock.now();
    let runs = (1..=3).map(|n| create(run(n, now))).collect();
    sqlite
        .commit(Commit { runs, ..outbox([show(1, Priority::First, now), show(2, Priority::First, now)]) })
        .await
        .unwrap();
    data.tamper("UPDATE outbox SET effect = '{}' WHERE rowid = 1");
    data.tamper(&format!("UPDATE runs SET body = '{{}}' WHERE id = '{}'", run_id(2)));
    assert_eq!(sqlite.run(&run_id(2)).await.unwrap_err().kind, Kind::Permanent);
    assert_eq!(sqlite.runs(RunQuery::All, 10).await.unwrap().len(), 2);
    assert_eq!(sqlite.outbox_take(now, Duration::from_secs(1), 10).await.unwrap().len(), 1);
    assert_eq!(sqlite.outbox_depth().await.unwrap(), (1, 1));
}

#[tokio::test]
async fn old_keys_are_forgotten_as_new_ones_are_handled() {
    let data = Embedded::fresh();
    let sqlite = data.open().unwrap();
    let handle = async |name: String| {
        assert_eq!(sqlite.publish(envelope(&name, data.clock.now())).await.unwrap(), Published::New);
        let taken = sqlite.take(1, Duration::from_secs(1), Duration::ZERO).await.unwrap();
        sqlite.ack(&taken[0]).await.unwrap();
    };
    for n in 0..20 {
        handle(format!("old-{n}")).await;
    }
    data.clock.advance(Duration::from_hours(1));
    for n in 0..10 {
        handle(format!("new-{n}")).await;
    }
    let rows: u32 =
        Connection::open(data.path()).unwrap().query_row("SELECT count(*) FROM bus", [], |r| r.get(0)).unwrap();
    assert_eq!(rows, 10, "all old keys are gone, two for each that was handled");
}

#[tokio::test]
async fn a_database_of_a_newer_or_another_program_is_refused_untouched() {
    let data = Embedded::fresh();
    drop(data.store());
    data.tamper("UPDATE schema_version SET version = 99");
    let error = data.open().err().unwrap();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.to_string().contains("schema version 99"), "{error}");

    let foreign = Embedded::fresh();
    fs::create_dir_all(foreign.path().parent().unwrap()).unwrap();
    foreign.tamper("CREATE TABLE theirs (x)");
    assert!(foreign.open().err().unwrap().to_string().contains("another program"));

    let damaged = Embedded::fresh();
    fs::create_dir_all(damaged.path().parent().unwrap()).unwrap();
    fs::write(damaged.path(), "this is not a database, and it is long enough to have a header of its own: ".repeat(99))
        .unwrap();
    let error = damaged.open().err().unwrap();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.to_string().contains("damaged"), "{error}");
}

#[tokio::test]
async fn tools_do_not_make_a_store_where_there_is_none() {
    let data = Embedded::fresh();
    let open = || Sqlite::open_existing(&data.path(), Arc::new(data.clock.clone()));
    assert_eq!(open().err().unwrap().kind, Kind::Gone);
    assert!(!data.path().exists());
    drop(data.store());
    assert!(open().is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_processes_may_open_a_new_store_at_once() {
    let data = Arc::new(Embedded::fresh());
    let opening: Vec<_> = (0..6)
        .map(|n| {
            let data = Arc::clone(&data);
            tokio::task::spawn_blocking(move || (n, data.open().unwrap()))
        })
        .collect();
    for opened in opening {
        let (n, sqlite) = opened.await.unwrap();
        data.record(&sqlite, n).await;
    }
    assert_whole(&*data.store(), 6).await;
}

#[tokio::test]
async fn a_process_that_holds_the_database_makes_others_wait_not_fail() {
    let data = Embedded::fresh();
    let store = data.store();
    let other = Connection::open(data.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ping = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.ping().await }
    });
    store.claimed(&crate::contract::samples::id("cmd-1")).await.unwrap();
    assert!(!ping.is_finished());
    other.execute_batch("COMMIT").unwrap();
    ping.await.unwrap().unwrap();
}

#[tokio::test]
async fn what_a_dead_bot_had_taken_is_there_at_the_next_start_but_not_while_a_bot_lives() {
    let backend = Embedded::fresh();
    let open = || Sqlite::open_for_bot(&backend.path(), Arc::new(backend.clock.clone())).unwrap();
    let (lease, now) = (Duration::from_hours(1), backend.clock.now());
    let first = open();
    first.publish(envelope("cmd-1", now)).await.unwrap();
    first.commit(outbox([show(1, Priority::First, now)])).await.unwrap();
    assert_eq!(first.take(9, lease, Duration::ZERO).await.unwrap().len(), 1);
    assert_eq!(first.outbox_take(now, lease, 9).await.unwrap().len(), 1);

    let second = open();
    assert!(second.take(9, lease, Duration::ZERO).await.unwrap().is_empty());
    assert!(second.outbox_take(now, lease, 9).await.unwrap().is_empty());
    drop((first, second));

    let third = open();
    assert_eq!(third.take(9, lease, Duration::ZERO).await.unwrap()[0].attempts, 2);
    assert_eq!(third.outbox_take(now, lease, 9).await.unwrap()[0].attempts, 2);
}

/// Copies the files as a crash at this moment would leave them, with the write-ahead log cut to `log` bytes.
fn crash_image(data: &Embedded, log: usize) -> Embedded {
    let image = Embedded::fresh();
    fs::create_dir_all(image.path().parent().unwrap()).unwrap();
    for name in ["switchman.db", "switchman.db-wal", "audit.head"] {
        let mut bytes = fs::read(data.path().with_file_name(name)).unwrap();
        if name.ends_with("-wal") {
            bytes.truncate(log);
        }
        fs::write(image.path().with_file_name(name), bytes).unwrap();
    }
    image
}

#[tokio::test]
async fn a_crash_leaves_each_commit_whole_or_not_at_all() {
    let data = Embedded::fresh();
    let store = data.store();
    let now = data.clock.now();
    for n in 1..=8 {
        let commit = Commit {
            claim: Some(crate::contract::samples::id(format!("cmd-{n}"))),
            runs: vec![create(run(n, now))],
            audit: vec![draft(n, now)],
            ..outbox([show(n, Priority::First, now)])
        };
        store.commit(commit).await.unwrap();
    }
    let log = usize::try_from(fs::metadata(data.path().with_file_name("switchman.db-wal")).unwrap().len()).unwrap();
    let image = crash_image(&data, log);
    assert_whole(&*image.store(), 8).await;
    let mut seen = [0; 8];
    for cut in (0..log).rev().step_by(9973) {
        let image = crash_image(&data, cut);
        let Ok(store) = image.open() else { panic!("the store must open after losing all but {cut} bytes of its log") };
        let records = store.audit(0, 100).await.unwrap().len();
        for n in 1..=8 {
            let there = n as usize <= records;
            assert_eq!(store.run(&run_id(n)).await.unwrap().is_some(), there, "{n} at {cut}");
            assert_eq!(
                store.claimed(&crate::contract::samples::id(format!("cmd-{n}"))).await.unwrap(),
                there,
                "{n} at {cut}"
            );
        }
        assert_eq!(store.outbox_depth().await.unwrap().0, records as u64);
        assert!(
            verify(&store).await.unwrap_err().contains("cut off after"),
            "a disk that lost what it had confirmed shows"
        );
        seen[records] += 1;
    }
    assert!(seen.iter().all(|n| *n > 0), "the cuts met every state: {seen:?}");
}

#[tokio::test]
async fn the_lists_of_the_configuration_keep_the_contract_of_a_directory() {
    let lists = switchman::embedded::Lists::new(crate::contract::directory::people(), Vec::new());
    crate::contract::directory::people_are_found_by_id_and_by_role(&lists).await;
}
