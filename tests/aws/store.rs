//! The suites of the store on DynamoDB, and what only a table can suffer.

use crate::contract::Backend;
use crate::contract::audit::{assert_whole, verify};
use crate::contract::samples::{create, draft, outbox, run, run_id, show};
use crate::emulator::{Account, TABLE};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use switchman::domain::id::EnvelopeId;
use switchman::ports::{Clock, Commit, Kind, Priority, Store};

store_contract!(Account);
outbox_contract!(Account);

/// What somebody with rights on the table does.
struct Intruder(Client);

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

impl Intruder {
    async fn delete(&self, partition: &str, sort: &str) {
        let call = self.0.delete_item().table_name(TABLE).key("pk", text(partition)).key("sk", text(sort));
        call.send().await.unwrap();
    }

    async fn delete_record(&self, seq: u64) {
        self.delete("audit", &format!("{seq:020}")).await;
    }

    async fn edit_record(&self, seq: u64, attribute: &str, to: &str) {
        let call =
            self.0.update_item().table_name(TABLE).key("pk", text("audit")).key("sk", text(format!("{seq:020}")));
        let call = call.update_expression("SET #a = :v").expression_attribute_names("#a", attribute);
        call.expression_attribute_values(":v", text(to)).send().await.unwrap();
    }
}

/// A trail of six records.
async fn trail() -> (Account, Intruder) {
    let account = Account::furnished().await;
    let store = account.store();
    for n in 1..=6 {
        record(&account, &*store, n).await;
    }
    assert_whole(&*store, 6).await;
    let intruder = Intruder(Client::new(&account.config));
    (account, intruder)
}

async fn record(account: &Account, store: &dyn Store, n: u32) {
    store.commit(Commit { audit: vec![draft(n, account.clock().now())], ..Commit::default() }).await.unwrap();
}

#[tokio::test]
async fn a_tampered_trail_shows_and_work_that_goes_on_does_not_cover_it() {
    for (seqs, named) in [(vec![2], "record 2 is missing"), (vec![5, 6], "cut off after record 4")] {
        let (account, intruder) = trail().await;
        let (here, elsewhere) = (account.store(), account.store());
        for seq in seqs {
            intruder.delete_record(seq).await;
        }
        assert!(verify(&*here).await.unwrap_err().contains(named));
        for n in 0..4 {
            record(&account, &*here, n).await;
            record(&account, &*elsewhere, n).await;
            let found = verify(&*here).await.unwrap_err();
            let expected = [named, "cut off after", "record 6 is not the one"];
            assert!(expected.iter().any(|words| found.contains(words)), "{found}");
        }
    }
    let (account, intruder) = trail().await;
    intruder.edit_record(3, "draft", "{}").await;
    assert!(verify(&*account.store()).await.unwrap_err().contains("record 3 was edited"));
}

#[tokio::test]
async fn a_deleted_head_is_an_error_and_never_made_anew() {
    let (account, intruder) = trail().await;
    let store = account.store();
    intruder.delete("audit-head", "audit-head").await;
    assert!(verify(&*store).await.unwrap_err().contains("somebody has deleted it"));
    record(&account, &*store, 7).await;
    record(&account, &*account.store(), 8).await;
    assert_eq!(account.store().audit_head().await.unwrap_err().kind, Kind::Gone);
    assert_eq!(store.audit(0, 100).await.unwrap().len(), 8);
}

#[tokio::test]
async fn a_claim_outlives_what_could_bring_its_envelope_back() {
    let account = Account::furnished().await;
    let now = account.clock().now();
    let claim = EnvelopeId::parse("cmd-1").unwrap();
    account.store().commit(Commit { claim: Some(claim), ..Commit::default() }).await.unwrap();
    let call = Client::new(&account.config).get_item().table_name(TABLE);
    let item = call.key("pk", text("claim#cmd-1")).key("sk", text("claim")).send().await.unwrap().item.unwrap();
    let expires: i64 = item[switchman::aws::store::EXPIRES].as_n().unwrap().parse().unwrap();
    assert!(expires - now.as_second() > 90 * 86_400);
}

#[tokio::test]
async fn what_no_transaction_or_item_can_hold_is_refused_by_name() {
    let account = Account::furnished().await;
    let (store, now) = (account.store(), account.clock().now());
    let error = store.commit(outbox((0..101).map(|n| show(n, Priority::First, now)))).await.unwrap_err();
    assert_eq!(error.kind, Kind::Permanent);
    assert!(error.to_string().contains("101 records at once"), "{error}");
    let mut huge = run(1, now);
    huge.current_mut().failure = Some("long ".repeat(100_000));
    let error = store.commit(Commit { runs: vec![create(huge)], ..Commit::default() }).await.unwrap_err();
    assert!(error.kind == Kind::Permanent && error.to_string().contains("more than a record may have"), "{error}");
    assert_eq!(store.run(&run_id(1)).await.unwrap(), None);
}

#[tokio::test]
async fn a_lock_given_back_and_taken_in_one_commit_changes_hands() {
    let account = Account::furnished().await;
    let store = account.store();
    let lock = |n| vec![("input:a".to_owned(), run_id(n))];
    store.commit(Commit { lock: lock(1), ..Commit::default() }).await.unwrap();
    store.commit(Commit { unlock: lock(1), lock: lock(2), ..Commit::default() }).await.unwrap();
    assert_eq!(store.holder("input:a").await.unwrap(), Some(run_id(2)));
    let error = store.commit(Commit { unlock: lock(1), lock: lock(1), ..Commit::default() }).await.unwrap_err();
    assert_eq!(error.kind, Kind::Conflict);
}
