//! A value that is asked for often and changes rarely. Where it cannot be asked for anew it is believed for a while, and then no more.

use crate::ports::PortError;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

/// The value and when it was read.
#[derive(Debug)]
pub(super) struct Cached<T> {
    /// So long it is not asked for again.
    fresh: SignedDuration,
    /// So long it is believed where it cannot be asked for.
    believed: SignedDuration,
    value: Mutex<Option<(Timestamp, T)>>,
}

impl<T: Clone + Send> Cached<T> {
    pub(super) fn new(fresh: SignedDuration, believed: SignedDuration) -> Self {
        Self { fresh, believed, value: Mutex::new(None) }
    }

    /// The value, read by `fetch` where it is not fresh. One caller reads, the others wait for it.
    pub(super) async fn get(
        &self,
        now: Timestamp,
        fetch: impl Future<Output = Result<T, PortError>> + Send,
    ) -> Result<T, PortError> {
        let mut value = self.value.lock().await;
        let age = value.as_ref().map(|(read, _)| now.duration_since(*read));
        if let (Some((_, value)), Some(age)) = (value.as_ref(), age)
            && age < self.fresh
        {
            return Ok(value.clone());
        }
        match (fetch.await, value.as_ref()) {
            (Ok(new), _) => {
                *value = Some((now, new.clone()));
                Ok(new)
            }
            (Err(error), Some((_, value))) if age.is_some_and(|age| age < self.believed) => {
                tracing::warn!(%error, "what was read before is believed a little longer");
                Ok(value.clone())
            }
            (Err(error), _) => Err(error),
        }
    }
}
