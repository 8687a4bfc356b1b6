//! Checks of an audit trail as it is stored.

use switchman::domain::audit::Verifier;
use switchman::ports::Store;

/// What `audit verify` finds: the number of good records, or what is wrong with the trail.
pub(crate) async fn verify(store: &dyn Store) -> Result<u64, String> {
    let mut verifier = Verifier::new(store.audit_head().await.map_err(|error| error.to_string())?);
    let mut last = 0;
    loop {
        let records = store.audit(last, 100).await.map_err(|error| error.to_string())?;
        let Some(newest) = records.last() else {
            return verifier.finish().map_err(|broken| broken.to_string());
        };
        last = newest.seq;
        for record in &records {
            verifier.next(record).map_err(|broken| broken.to_string())?;
        }
    }
}

/// The trail has this many records, all good, and the head kept apart has kept up.
pub(crate) async fn assert_whole(store: &dyn Store, records: u64) {
    assert_eq!(verify(store).await, Ok(records));
    assert_eq!(store.audit_head().await.unwrap().seq, records);
}
