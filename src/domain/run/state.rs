//! The states of an attempt and what moves it from one to the next.

use serde::{Deserialize, Serialize};

/// Where an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Asked for; the engine has not confirmed it yet.
    Starting,
    Running,
    /// A stop was asked for; the engine has not confirmed it yet.
    Cancelling,
    Succeeded,
    Failed,
    Cancelled,
    /// Its region was left before it ended; a later attempt goes on elsewhere.
    LeftBehind,
}

/// What can happen to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunEvent {
    EngineStarted,
    EngineSucceeded,
    EngineFailed,
    EngineCancelled,
    CancelAsked,
    /// Another region has become the active one.
    RegionLeft,
}

/// An event that a state does not allow. The state stays as it is.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
#[error("{event:?} cannot happen to a run that is {state:?}")]
pub struct IllegalTransition {
    pub state: RunState,
    pub event: RunEvent,
}

impl RunState {
    pub const ALL: [Self; 7] = [
        Self::Starting,
        Self::Running,
        Self::Cancelling,
        Self::Succeeded,
        Self::Failed,
        Self::Cancelled,
        Self::LeftBehind,
    ];

    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::LeftBehind)
    }

    /// The word people are shown; no colour or symbol ever stands for it alone.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Cancelling => "cancelling",
            Self::Succeeded => "finished",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::LeftBehind => "left behind",
        }
    }

    /// The state after `event`.
    pub fn next(self, event: RunEvent) -> Result<Self, IllegalTransition> {
        let illegal = Err(IllegalTransition { state: self, event });
        match (self, event) {
            (Self::Succeeded | Self::Failed | Self::Cancelled | Self::LeftBehind, _) => illegal,
            (Self::Starting | Self::Running, RunEvent::EngineStarted) => Ok(Self::Running),
            (Self::Cancelling, RunEvent::EngineStarted | RunEvent::CancelAsked)
            | (Self::Starting | Self::Running, RunEvent::CancelAsked) => Ok(Self::Cancelling),
            (_, RunEvent::EngineSucceeded) => Ok(Self::Succeeded),
            (_, RunEvent::EngineFailed) => Ok(Self::Failed),
            (_, RunEvent::EngineCancelled) => Ok(Self::Cancelled),
            (_, RunEvent::RegionLeft) => Ok(Self::LeftBehind),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [RunEvent; 6] = [
        RunEvent::EngineStarted,
        RunEvent::EngineSucceeded,
        RunEvent::EngineFailed,
        RunEvent::EngineCancelled,
        RunEvent::CancelAsked,
        RunEvent::RegionLeft,
    ];

    #[test]
    fn terminal_stays_terminal() {
        for state in RunState::ALL.into_iter().filter(|s| s.is_terminal()) {
            for event in EVENTS {
                assert_eq!(state.next(event), Err(IllegalTransition { state, event }));
            }
        }
    }

    #[test]
    fn a_cancel_that_comes_too_late_does_not_undo_a_success() {
        let state = RunState::Running.next(RunEvent::CancelAsked).unwrap();
        assert_eq!(state.next(RunEvent::EngineSucceeded), Ok(RunState::Succeeded));
    }

    proptest! {
        #[test]
        fn no_sequence_leaves_a_terminal_state_or_goes_back_to_starting(events in proptest::collection::vec(proptest::sample::select(EVENTS.to_vec()), 0..20)) {
            let mut state = RunState::Starting;
            let mut ended = None;
            for event in events {
                if let Ok(next) = state.next(event) {
                    prop_assert!(ended.is_none());
                    prop_assert_ne!(next, RunState::Starting);
                    state = next;
                    ended = next.is_terminal().then_some(next);
                }
            }
        }
    }
}
