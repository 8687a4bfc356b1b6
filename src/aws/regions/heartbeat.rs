//! How far the standby's bucket is behind, measured: the active region's bucket gets a heartbeat now and then, and what has arrived of it
//! in the other bucket tells how old the newest is that has. Where nobody can say it, nobody guesses.

use super::bucket::Bucket;
use crate::domain::region::Replication;
use crate::ports::PortError;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// The object.
const HEARTBEAT: &str = "heartbeat";
/// A heartbeat that is older says nothing any more about what comes after it.
const FRESH: SignedDuration = SignedDuration::from_mins(5);

/// One heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Beat {
    at: Timestamp,
    /// When the one before it was written.
    before: Option<Timestamp>,
}

/// Writes one.
pub(super) async fn beat(active: &Bucket, now: Timestamp) -> Result<(), PortError> {
    let doing = "could not write the heartbeat that replication is measured by";
    // Where it cannot be read, or was never written, the next measurement only says less exactly how much is on its way.
    let before = read(active).await.ok().flatten().map(|beat| beat.at);
    let body = serde_json::to_vec(&Beat { at: now, before }).map_err(|e| PortError::permanent(doing).because(e))?;
    active.put(doing, HEARTBEAT, body).await
}

/// Compares the newest heartbeat of a bucket with what has arrived of it in the other.
pub(super) async fn measure(from: &Bucket, to: &Bucket, now: Timestamp) -> Replication {
    let known = |found: Result<Option<Beat>, PortError>| {
        found.inspect_err(|error| tracing::warn!(%error, "replication cannot be measured")).ok().flatten()
    };
    let (written, arrived) = (known(read(from).await), known(read(to).await));
    Replication {
        lag: written.zip(arrived).and_then(|(written, arrived)| lag(written, arrived, now)),
        pending: None,
        complete_at: arrived.map(|beat| beat.at),
    }
}

/// The age of the oldest heartbeat that has not arrived; zero where all have.
fn lag(written: Beat, arrived: Beat, now: Timestamp) -> Option<SignedDuration> {
    let age = |at: Timestamp| now.duration_since(at).max(SignedDuration::ZERO);
    if age(written.at) > FRESH {
        return None;
    }
    Some(if arrived.at >= written.at {
        SignedDuration::ZERO
    } else if written.before == Some(arrived.at) {
        age(written.at)
    } else {
        // Several are on their way, and the oldest of them is not known: at most this old.
        age(arrived.at)
    })
}

async fn read(bucket: &Bucket) -> Result<Option<Beat>, PortError> {
    let doing = "could not read the heartbeat that replication is measured by";
    let Some(body) = bucket.get(doing, HEARTBEAT).await? else { return Ok(None) };
    serde_json::from_slice(&body).map(Some).map_err(|error| PortError::permanent(doing).because(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lag_is_the_age_of_the_oldest_heartbeat_that_has_not_arrived() {
        let at = |seconds| Timestamp::from_second(1_800_000_000 + seconds).unwrap();
        let beat = |seconds, before: Option<i64>| Beat { at: at(seconds), before: before.map(at) };
        let seconds = |written, arrived, now| lag(written, arrived, at(now)).map(|lag| lag.as_secs());
        assert_eq!(seconds(beat(60, Some(0)), beat(60, Some(0)), 90), Some(0), "everything has arrived");
        assert_eq!(seconds(beat(60, Some(0)), beat(0, None), 63), Some(3), "only the last is on its way");
        assert_eq!(seconds(beat(120, Some(60)), beat(0, None), 130), Some(130), "at most");
        assert_eq!(seconds(beat(60, Some(0)), beat(60, Some(0)), 361), None, "nobody writes any more");
        assert_eq!(seconds(beat(60, Some(0)), beat(0, None), 59), Some(0), "a clock that is ahead");
    }
}
