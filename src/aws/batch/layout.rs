//! Names of an attempt's objects. What is named like a file of an embedded attempt has the same content.

use super::error::WorkerError;
use crate::batch::parts::{Marker, Round};
use crate::domain::run::AttemptKey;

/// A flag: every step looks first.
pub const STOP: &str = "stop";
/// Written once, before anything is published or cancelled: [`PUBLISH`] or [`CANCELLED`].
pub const DECIDED: &str = "decided";
pub const PUBLISH: &[u8] = b"publish";
pub const CANCELLED: &[u8] = b"cancelled";
/// The markers of finished chunks: see [`DoneName`].
pub const DONE: &str = "done/";
/// What the first map reads; the second one reads `SECOND`. Both end alike: the state machine may read nothing else.
pub const MAP: &str = "map.json";
/// The chunks that need a second round; where it stands, the keys were compared.
pub(super) const SECOND: &str = "second/map.json";
/// The attempts that this one builds on, as they were when it was planned.
pub(super) const EARLIER: &str = "earlier.json";
/// Why it cannot be done: a mistake of the input or the job.
pub(super) const MISTAKE: &str = "mistake.json";
/// Somebody was told by mail, or was going to be.
pub(super) const MAILED: &str = "mailed";

/// Where the objects of an attempt lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    root: String,
    pub key: AttemptKey,
}

impl Place {
    /// `root` is empty, or the sandbox of a drill with a slash at its end.
    pub fn new(root: &str, key: &AttemptKey) -> Self {
        Self { root: root.to_owned(), key: key.clone() }
    }

    pub(super) fn parse(root: &str, key: &str) -> Result<Self, WorkerError> {
        let wrong = |what: &str| WorkerError::Call(format!("{what} is wrong"));
        let sandbox = root.strip_prefix("sandbox/").and_then(|rest| rest.strip_suffix('/'));
        let plain = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if !(root.is_empty() || sandbox.is_some_and(plain)) {
            return Err(wrong("root"));
        }
        Ok(Self::new(root, &AttemptKey::parse(key).ok_or_else(|| wrong("key"))?))
    }

    /// Another attempt of the same run.
    pub(super) fn other(&self, attempt: u32) -> Self {
        Self { key: AttemptKey { run: self.key.run.clone(), attempt }, ..self.clone() }
    }

    /// What its keys begin with.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Whether it is a drill's: nobody outside hears of it.
    pub(super) fn is_sandboxed(&self) -> bool {
        !self.root.is_empty()
    }

    /// One of its objects.
    pub fn at(&self, name: &str) -> String {
        format!("{}runs/{}/{name}", self.root, self.key)
    }

    pub(super) fn part(&self, chunk: usize, round: Round, kind: &str) -> String {
        let round = if round == Round::First { "" } else { ".second" };
        self.at(&format!("parts/{chunk:06}.{kind}{round}"))
    }

    /// The list of a chunk's duplicates.
    pub(super) fn duplicates(&self, chunk: usize) -> String {
        self.at(&format!("parts/{chunk:06}.duplicates"))
    }

    /// All markers of a chunk in a round: at most one, but for one that was done again after damage.
    pub(super) fn done_prefix(&self, chunk: usize, round: Round) -> String {
        self.at(&format!("{DONE}{chunk:06}-{}-", number(round)))
    }

    pub(super) fn done(&self, round: Round, marker: &Marker) -> String {
        let counted = &marker.done.counted;
        let counts = format!("{}-{}-{}", counted.bytes, counted.accepted, counted.rejected.total());
        format!("{}{counts}", self.done_prefix(marker.chunk.index, round))
    }
}

/// What the name of a marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoneName {
    pub chunk: usize,
    pub second: bool,
    pub bytes: u64,
    pub accepted: u64,
    pub rejected: u64,
}

impl DoneName {
    /// Reads the last part of a marker's key.
    pub fn parse(key: &str) -> Option<Self> {
        let mut numbers = key.rsplit('/').next()?.split('-').map(str::parse::<u64>);
        let mut next = || numbers.next()?.ok();
        let (chunk, round) = (usize::try_from(next()?).ok()?, next()?);
        let name = Self { chunk, second: round == 2, bytes: next()?, accepted: next()?, rejected: next()? };
        (numbers.next().is_none() && matches!(round, 1 | 2)).then_some(name)
    }
}

fn number(round: Round) -> u8 {
    match round {
        Round::First => 1,
        Round::Second => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_says_in_its_name_what_was_counted() {
        let name = DoneName { chunk: 12, second: true, bytes: 1_048_576, accepted: 10, rejected: 3 };
        assert_eq!(DoneName::parse("sandbox/q-1/runs/r-7k3f.1/done/000012-2-1048576-10-3"), Some(name));
        for other in ["done/000012-3-1-1-1", "done/000012-1-1-1", "done/000012-1-1-1-1-1", "done/x-1-1-1-1", ""] {
            assert_eq!(DoneName::parse(other), None, "{other}");
        }
    }

    #[test]
    fn only_a_sandbox_may_be_a_root() {
        for root in ["", "sandbox/q-7k3f/"] {
            let place = Place::parse(root, "r-7k3f.1").unwrap();
            assert_eq!(place.at(STOP), format!("{root}runs/r-7k3f.1/stop"));
        }
        for root in ["other/", "sandbox/", "sandbox/../x/", "sandbox/q-7k3f", "/"] {
            assert!(Place::parse(root, "r-7k3f.1").is_err(), "{root}");
        }
        assert!(Place::parse("", "r-7k3f").is_err());
    }
}
