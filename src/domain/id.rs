//! Identifiers: each is a type of its own with a parsing constructor, so that one is never taken for another.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// A text that is not an identifier of the kind asked for.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone)]
#[error("{kind} must be {rule}")]
pub struct BadId {
    /// What was being read, with its article: "a job name".
    pub kind: &'static str,
    /// What it has to look like.
    pub rule: &'static str,
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text and takes it.
            pub fn parse(text: impl Into<String>) -> Result<Self, BadId> {
                let text = text.into();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) { Ok(Self(text)) } else { Err(BadId { kind: $kind, rule: $rule }) }
            }

            /// The identifier as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = BadId;
            fn try_from(text: String) -> Result<Self, BadId> {
                Self::parse(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// A Slack workspace id.
    TeamId, "a team id", "a capital letter and then capital letters and digits", |t| slack_id(t, "TE")
);
id!(
    /// A Slack user id, unique within its team.
    UserId, "a user id", "U or W and then capital letters and digits", |t| slack_id(t, "UW")
);
id!(
    /// A Slack channel, private channel or direct message id.
    ChannelId, "a channel id", "C, G or D and then capital letters and digits", |t| slack_id(t, "CGD")
);
id!(
    /// The name of a job in the catalog.
    JobName, "a job name", "1 to 40 lower-case letters, digits and dashes, starting with a letter", |t| {
        t.len() <= 40
            && t.starts_with(|c: char| c.is_ascii_lowercase())
            && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
);
id!(
    /// The name of an input file within a job's input folder: a name, never a path.
    FileName, "a file name", "1 to 200 characters without slashes or control characters, not starting with a dot", |t| {
        !t.is_empty()
            && t.chars().count() <= 200
            && !t.starts_with('.')
            && t.trim() == t
            && !t.chars().any(|c| c.is_control() || c == '/' || c == '\\')
    }
);
id!(
    /// The name of a value that a workflow takes. `switchman` is what the engine adds itself.
    ParameterName, "a parameter's name", "1 to 40 letters, digits, dashes and underscores, starting with a letter, and not \"switchman\"", |t| {
        t.len() <= 40
            && t != "switchman"
            && t.starts_with(|c: char| c.is_ascii_alphabetic())
            && t.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    }
);
id!(
    /// A short run id that people can say, such as `r-7k3f`. Letters that look or sound like others are left out.
    RunId, "a run id", "r- and then 4 to 12 of the letters and digits people can tell apart, such as r-7k3f", |t| {
        t.strip_prefix("r-").is_some_and(|s| (4..=12).contains(&s.len()) && s.bytes().all(|b| SAYABLE.contains(&b)))
    }
);
id!(
    /// The id of a request for approval that people can say, such as `q-7k3f`.
    RequestId, "a request id", "q- and then 4 to 12 of the letters and digits people can tell apart, such as q-7k3f", |t| {
        t.strip_prefix("q-").is_some_and(|s| (4..=12).contains(&s.len()) && s.bytes().all(|b| SAYABLE.contains(&b)))
    }
);
id!(
    /// The name of a region, such as `east` or `eu-west-1`. `drill` is a word of the commands.
    RegionName, "a region name", "1 to 30 lower-case letters, digits and dashes, starting with a letter, and not \"drill\"", |t| {
        t.len() <= 30
            && t != "drill"
            && t.starts_with(|c: char| c.is_ascii_lowercase())
            && t.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    }
);
id!(
    /// The id of an envelope; the same event always has the same one.
    EnvelopeId, "an envelope id", "1 to 200 printable characters", |t| {
        !t.is_empty() && t.len() <= 200 && t.bytes().all(|b| b.is_ascii_graphic())
    }
);

/// No 0/o, 1/l/i, u/v: what remains cannot be misread or misheard (after Crockford's base 32).
const SAYABLE: &[u8] = b"23456789abcdefghjkmnpqrstwxyz";

impl RunId {
    /// The id that the run asked for by `origin` gets. The same origin gives the same id, so a repeated commit cannot make a second run.
    /// `round` counts collisions with other runs: each makes the id one letter longer.
    pub fn derive(origin: &EnvelopeId, round: u8) -> Self {
        Self(format!("r-{}", sayable(origin.as_str(), round)))
    }
}

impl RequestId {
    /// The id that the request asked for by `origin` gets; see [`RunId::derive`].
    pub fn derive(origin: &EnvelopeId, round: u8) -> Self {
        Self(format!("q-{}", sayable(origin.as_str(), round)))
    }
}

fn sayable(origin: &str, round: u8) -> String {
    let digest = Sha256::digest(format!("{origin}/{round}").as_bytes());
    let length = 4 + usize::from(round.min(8));
    digest.iter().take(length).map(|b| char::from(SAYABLE[usize::from(*b) % SAYABLE.len()])).collect()
}

fn slack_id(text: &str, first: &str) -> bool {
    (2..=40).contains(&text.len())
        && text.starts_with(|c: char| first.contains(c))
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_accept_their_own_kind_only() {
        assert!(UserId::parse("U0OPERATOR").is_ok());
        assert!(UserId::parse("T0LOCAL").is_err());
        assert!(TeamId::parse("T0LOCAL").is_ok());
        assert!(ChannelId::parse("C0BATCH").is_ok());
        assert!(ChannelId::parse("c0batch").is_err());
        assert!(JobName::parse("sales-2").is_ok());
        assert!(JobName::parse("Sales").is_err());
        for bad in ["", "../etc/passwd", "a/b", "a\\b", ".hidden", "a\nb", " a", "a "] {
            assert!(FileName::parse(bad).is_err(), "{bad:?}");
        }
        assert!(FileName::parse("my sales (März).csv").is_ok());
        assert!(RunId::parse("r-7k3f").is_ok());
        assert!(RunId::parse("r-7k3").is_err());
        assert!(RunId::parse("r-0000").is_err());
    }

    #[test]
    fn a_derived_run_id_is_stable_and_grows_on_collision() {
        let origin = EnvelopeId::parse("cmd-1").unwrap();
        assert_eq!(RunId::derive(&origin, 0), RunId::derive(&origin, 0));
        assert!(RunId::parse(RunId::derive(&origin, 0).as_str()).is_ok());
        assert_eq!(RunId::derive(&origin, 2).as_str().len(), "r-".len() + 6);
    }
}
