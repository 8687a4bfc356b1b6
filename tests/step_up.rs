//! One-time codes on the real store: each counts once however many give it at the same time, and no secret lies in the clear.

use crate::harness::clock::ManualClock;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::actor::Actor;
use switchman::domain::id::{TeamId, UserId};
use switchman::domain::seal::SealingKey;
use switchman::domain::step_up::{CodeRefusal, TotpSecret};
use switchman::embedded::{LocalSecrets, Sqlite};
use switchman::ports::{Clock, StepUp, Store};

fn ann() -> Actor {
    Actor { team: TeamId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap(), name: "Ann".into() }
}

/// As one process opens it.
fn desk(dir: &Path, clock: &ManualClock, keys: Vec<SealingKey>) -> (StepUp, Sqlite) {
    let store = Sqlite::open(&dir.join("switchman.db"), Arc::new(clock.clone())).unwrap();
    let secrets = Arc::new(LocalSecrets::beside(dir, keys));
    (StepUp::new(Arc::new(store.clone()), secrets, Arc::new(clock.clone()), "switchman".into()), store)
}

fn code(secret: &TotpSecret, clock: &ManualClock) -> String {
    secret.code(clock.now().as_second().div_euclid(30))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_who_give_the_same_code_at_once_one_is_accepted() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let (one, store) = desk(dir.path(), &clock, Vec::new());
    let (other, _) = desk(dir.path(), &clock, Vec::new());
    let secret = one.enrol(&ann()).await.unwrap().unwrap();
    for round in 0..5 {
        let code = code(&secret, &clock);
        let tries = (0..16).map(|n| {
            let (desk, code) = (if n % 2 == 0 { one.clone() } else { other.clone() }, code.clone());
            tokio::spawn(async move { desk.check(&ann(), &code, "approve q-7k3f").await.unwrap() })
        });
        let mut accepted = 0;
        for tried in tries.collect::<Vec<_>>() {
            match tried.await.unwrap() {
                Ok(_) => accepted += 1,
                Err(refusal) => assert_eq!(refusal, CodeRefusal::AlreadyUsed),
            }
        }
        assert_eq!(accepted, 1, "round {round}");
        clock.advance(Duration::from_secs(30));
    }
    let records = store.audit(0, 1_000).await.unwrap();
    let results = |what: &str| records.iter().filter(|r| r.draft.result == what).count();
    assert_eq!((results("enrolled"), results("code-accepted"), results("code-used")), (1, 5, 75));
}

#[tokio::test]
async fn an_enrolment_that_works_is_not_replaced_and_one_without_a_code_is() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let (desk, _) = desk(dir.path(), &clock, Vec::new());
    assert_eq!(desk.check(&ann(), "123456", "x").await.unwrap(), Err(CodeRefusal::NotEnrolled));
    let first = desk.enrol(&ann()).await.unwrap().unwrap();
    let second = desk.enrol(&ann()).await.unwrap().unwrap();
    assert_ne!(first.bytes(), second.bytes());
    assert_eq!(desk.check(&ann(), &code(&first, &clock), "x").await.unwrap(), Err(CodeRefusal::Wrong { left: 4 }));
    assert!(desk.check(&ann(), &code(&second, &clock), "x").await.unwrap().is_ok());
    assert_eq!(desk.enrol(&ann()).await.unwrap().unwrap_err(), clock.now());
    assert!(desk.remove(&ann()).await.unwrap());
    assert!(!desk.remove(&ann()).await.unwrap());
    assert!(desk.list().await.unwrap().is_empty());
    clock.advance(Duration::from_secs(30));
    assert_eq!(desk.check(&ann(), &code(&second, &clock), "x").await.unwrap(), Err(CodeRefusal::NotEnrolled));
    let third = desk.enrol(&ann()).await.unwrap().unwrap();
    assert!(desk.check(&ann(), &code(&third, &clock), "x").await.unwrap().is_ok());
}

/// Every file in the folder but the key itself.
fn files(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let files = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file() && !path.ends_with("seal.key"));
    files.map(|path| (path.display().to_string(), std::fs::read(&path).unwrap())).collect()
}

#[tokio::test]
async fn the_secret_lies_nowhere_in_the_clear_and_opens_by_its_key_only() {
    let (dir, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let key = || vec![SealingKey::new([9; 32])];
    let (given, _) = desk(dir.path(), &clock, key());
    let secret = given.enrol(&ann()).await.unwrap().unwrap();
    assert!(given.check(&ann(), &code(&secret, &clock), "x").await.unwrap().is_ok());
    assert!(!dir.path().join("seal.key").exists(), "the environment's key is enough");
    let base32 = data_encoding::BASE32_NOPAD.encode(secret.bytes());
    let forms = [secret.bytes().to_vec(), hex::encode(secret.bytes()).into_bytes(), base32.into_bytes()];
    let files = files(dir.path());
    assert!(files.len() >= 2, "the database and its log: {:?}", files.iter().map(|f| &f.0).collect::<Vec<_>>());
    assert!(files.iter().any(|(_, bytes)| bytes.windows(10).any(|w| w == b"totp:T1/U1")), "its record is there");
    for (name, bytes) in files {
        for form in &forms {
            assert!(!bytes.windows(form.len()).any(|window| window == form), "{name}");
        }
    }
    let (without, _) = desk(dir.path(), &clock, Vec::new());
    let error = without.check(&ann(), "123456", "x").await.unwrap_err();
    assert!(error.what.contains("sealed by a key that is not here"), "{error}");
}
