//! Faults on demand: what Slack does on a bad day, so that a bot can be watched surviving it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What goes wrong with a call of the Web API (or a post to a `response_url`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fault {
    /// 429 with `Retry-After` in seconds; nothing is done.
    RateLimited { retry_after: u64 },
    /// An HTTP error with a body that is not JSON; nothing is done.
    ServerError { status: u16 },
    /// Done, but only after this many milliseconds.
    Slow { millis: u64 },
    /// Done at once, but the answer comes after this many milliseconds: longer than any client waits.
    AcceptedThenSilent { millis: u64 },
    /// The connection breaks before an answer; nothing is done.
    Reset,
    /// The connection breaks before an answer, but the call was carried out.
    AcceptedThenReset,
    /// Slack's own refusal: `{"ok":false,"error":…}`.
    Error { error: String },
}

impl Fault {
    /// The delay before the work, if any.
    pub fn delay_before(&self) -> Option<Duration> {
        match self {
            Self::Slow { millis } => Some(Duration::from_millis(*millis)),
            _ => None,
        }
    }

    /// The delay between the work and the answer, if any.
    pub fn delay_after(&self) -> Option<Duration> {
        match self {
            Self::AcceptedThenSilent { millis } => Some(Duration::from_millis(*millis)),
            _ => None,
        }
    }

    /// Whether the call is carried out although something goes wrong.
    pub fn is_carried_out(&self) -> bool {
        matches!(self, Self::Slow { .. } | Self::AcceptedThenSilent { .. } | Self::AcceptedThenReset)
    }
}

/// A fault, the method it hits (`*` for all, `response_url` for posts to one) and how often.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Knob {
    pub method: String,
    pub fault: Fault,
    /// How many more calls; none means until cleared.
    #[serde(default)]
    pub times: Option<u32>,
}

/// All knobs that are set, oldest first. The first that fits a call is used.
#[derive(Debug, Default, Clone, Serialize)]
pub struct Knobs {
    pub set: Vec<Knob>,
    /// So many of the next requests to the bot are sent twice, byte for byte.
    pub duplicates: u32,
}

impl Knobs {
    /// The fault for this call, used up by one.
    pub(super) fn take(&mut self, method: &str) -> Option<Fault> {
        let at = self.set.iter().position(|knob| knob.method == "*" || knob.method == method)?;
        let fault = self.set[at].fault.clone();
        if let Some(times) = &mut self.set[at].times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.set.remove(at);
            }
        }
        Some(fault)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_knob_hits_its_method_as_often_as_said() {
        let mut knobs = Knobs::default();
        let limited = Fault::RateLimited { retry_after: 2 };
        knobs.set.push(Knob { method: "chat.update".to_owned(), fault: limited.clone(), times: Some(2) });
        assert_eq!(knobs.take("chat.postMessage"), None);
        assert_eq!(knobs.take("chat.update"), Some(limited.clone()));
        assert_eq!(knobs.take("chat.update"), Some(limited));
        assert_eq!(knobs.take("chat.update"), None);
        knobs.set.push(Knob { method: "*".to_owned(), fault: Fault::Reset, times: None });
        for _ in 0..5 {
            assert_eq!(knobs.take("views.open"), Some(Fault::Reset));
        }
    }

    #[test]
    fn the_page_sends_knobs_as_json() {
        let knob: Knob =
            serde_json::from_str(r#"{"method":"*","fault":{"kind":"rate_limited","retry_after":3},"times":2}"#)
                .unwrap();
        assert_eq!(knob.fault, Fault::RateLimited { retry_after: 3 });
        assert_eq!(knob.times, Some(2));
    }
}
