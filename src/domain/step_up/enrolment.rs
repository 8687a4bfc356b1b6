//! Who has enrolled, and what has become of the codes they gave. [`Enrolment::check`] is the only way for a code to be accepted.

use super::TotpSecret;
use super::totp::{same, step_at, typed};
use crate::domain::actor::Actor;
use crate::domain::seal::Sealed;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Clocks differ: the code before and the code after count too.
const DRIFT: i64 = 1;
/// Wrong codes in a row until nothing is accepted any more, for a while: one guess in 3 of a million, 480 times a day.
const TRIES: u32 = 5;
const LOCKED_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The record of one person's one-time codes. `version` goes up by one at each write (compare and set).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    pub who: Actor,
    /// `None`: it was removed, and no code is accepted.
    pub secret: Option<Sealed>,
    pub enrolled_at: Timestamp,
    /// When the first code was accepted.
    pub confirmed_at: Option<Timestamp>,
    /// The newest step of which a code was used: neither it nor anything before it is accepted again.
    pub last_step: Option<i64>,
    /// Wrong codes since the last right one.
    pub wrong: u32,
    pub locked_until: Option<Timestamp>,
    pub version: u64,
}

/// Why a code was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    #[error("This code is wrong or too old. Tries left: {left}.")]
    Wrong { left: u32 },
    #[error("Too many wrong codes. Codes are accepted again from {until:.0} on.")]
    Locked { until: Timestamp },
    #[error("This code was used already. Wait for the next one: each counts once.")]
    AlreadyUsed,
    #[error("There is no authenticator app for you yet. Whoever runs the bot enrols you: `switchman totp enrol`.")]
    NotEnrolled,
}

impl CodeRefusal {
    /// A stable word for audit and metrics.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wrong { .. } => "wrong-code",
            Self::Locked { .. } => "codes-locked",
            Self::AlreadyUsed => "code-used",
            Self::NotEnrolled => "not-enrolled",
        }
    }
}

impl Enrolment {
    pub fn new(who: Actor, secret: Sealed, now: Timestamp) -> Self {
        Self {
            who,
            secret: Some(secret),
            enrolled_at: now,
            confirmed_at: None,
            last_step: None,
            wrong: 0,
            locked_until: None,
            version: 0,
        }
    }

    /// Whether a code can be accepted at all, now or later.
    pub fn is_enrolled(&self) -> bool {
        self.secret.is_some()
    }

    /// Looks at a code: the record as it is then, and the step it belongs to or why it was not accepted. Pure: the caller makes it
    /// count by one conditional write, so that a code is accepted once however many give it at the same time.
    pub fn check(&self, secret: &TotpSecret, code: &str, now: Timestamp) -> (Self, Result<i64, CodeRefusal>) {
        let mut next = self.clone();
        if !self.is_enrolled() {
            return (next, Err(CodeRefusal::NotEnrolled));
        }
        match self.locked_until {
            Some(until) if now < until => return (next, Err(CodeRefusal::Locked { until })),
            Some(_) => (next.locked_until, next.wrong) = (None, 0),
            None => {}
        }
        let today = step_at(now);
        let matching = typed(code)
            .into_iter()
            .flat_map(|typed| (today - DRIFT..=today + DRIFT).filter(move |step| same(&secret.code(*step), &typed)));
        let matching: Vec<i64> = matching.collect();
        let fresh = matching.iter().copied().find(|step| self.last_step.is_none_or(|last| *step > last));
        match fresh {
            Some(step) => {
                next.last_step = Some(step);
                next.wrong = 0;
                next.confirmed_at.get_or_insert(now);
                (next, Ok(step))
            }
            // Not a guess: whoever has it has seen a real one, and a double click must not lock anybody out.
            None if !matching.is_empty() => (next, Err(CodeRefusal::AlreadyUsed)),
            None => {
                next.wrong += 1;
                let left = TRIES.saturating_sub(next.wrong);
                if left > 0 {
                    return (next, Err(CodeRefusal::Wrong { left }));
                }
                let until = now + LOCKED_FOR;
                next.locked_until = Some(until);
                (next, Err(CodeRefusal::Locked { until }))
            }
        }
    }
}
