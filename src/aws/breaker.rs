//! A circuit breaker for each service: while it does not answer, calls fail at once instead of waiting for their timeouts.

use super::errors::Failed;
use crate::ports::Clock;
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use jiff::{SignedDuration, Timestamp};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// So many calls in a row must have found the service down.
const FAILURES: u32 = 5;
/// How long calls then fail at once. After it one call goes through; the others wait for what comes of it.
const REST: SignedDuration = SignedDuration::from_secs(5);

/// Counts calls that found a service down. An answer, whatever it says, proves that the service is there.
pub(super) struct Breaker {
    state: Mutex<State>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Default)]
struct State {
    failures: u32,
    resting: Option<Timestamp>,
}

impl std::fmt::Debug for Breaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breaker").field("state", &self.state).finish_non_exhaustive()
    }
}

impl Breaker {
    pub(super) fn new(clock: &Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), clock: clock.clone() })
    }

    /// Makes the call unless the service rests.
    pub(super) fn call<T, E>(
        &self,
        call: impl Future<Output = Result<T, SdkError<E, HttpResponse>>> + Send,
    ) -> impl Future<Output = Result<T, Failed<E>>> + Send
    where
        T: Send,
        E: Send,
    {
        // The SDK's futures have 20 kB each, and would be moved about by everybody who waits for one.
        let call = Box::pin(call);
        async move {
            self.enter().map_err(Failed::Resting)?;
            let result = call.await;
            self.note(result.as_ref().err().is_some_and(is_down));
            result.map_err(|error| Failed::Sdk(Box::new(error)))
        }
    }

    fn enter(&self) -> Result<(), Duration> {
        let mut state = self.state();
        let now = self.clock.now();
        match state.resting {
            Some(end) if now < end => Err(Duration::try_from(end.duration_since(now)).unwrap_or_default()),
            Some(_) => {
                // This one looks whether the service is back.
                state.resting = now.checked_add(REST).ok();
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn note(&self, down: bool) {
        let mut state = self.state();
        if !down {
            *state = State::default();
            return;
        }
        state.failures = state.failures.saturating_add(1);
        if state.failures >= FAILURES {
            state.resting = self.clock.now().checked_add(REST).ok();
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Whether nobody answered, or only to say that nothing works. Throttling is an answer.
fn is_down<E>(error: &SdkError<E, HttpResponse>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => true,
        SdkError::ServiceError(context) => matches!(context.raw().status().as_u16(), 500 | 502 | 504),
        _ => false,
    }
}
