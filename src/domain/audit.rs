//! The audit trail: a hash chain whose head is kept apart, so that an edit, a deletion, a reorder or a cut tail shows.

use super::actor::Actor;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// What a record says, before it has its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDraft {
    pub at: Timestamp,
    /// The person; `None` where the bot acted on its own.
    pub actor: Option<Actor>,
    /// The bot that did it: its name and version.
    pub bot: String,
    /// What was asked or done: an action's name, or what happened.
    pub action: String,
    /// To what: a run, a job, a file.
    pub subject: String,
    /// Why it was allowed or done: the rule, or the event behind it.
    pub why: String,
    /// How it came out: `done`, or a problem's code.
    pub result: String,
}

/// A record in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Counts from 1 without gaps.
    pub seq: u64,
    #[serde(flatten)]
    pub draft: AuditDraft,
    /// The hash of the record before, in hex; zeros for the first.
    pub previous: String,
    /// SHA-256 over `previous`, `seq` and the draft, in hex.
    pub hash: String,
}

/// The newest record's place and hash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    pub seq: u64,
    pub hash: String,
}

/// Where the trail stops being believable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AuditBreak {
    #[error("record {seq} was edited: its content does not give its hash")]
    Edited { seq: u64 },
    #[error("record {expected} is missing: record {found} stands in its place")]
    Missing { expected: u64, found: u64 },
    #[error("record {seq} was moved or put in: it does not follow from the record before it")]
    Moved { seq: u64 },
    #[error("the tail was cut off after record {last}: the head kept apart says {head}")]
    CutOff { last: u64, head: u64 },
    #[error("record {seq} is not the one the head kept apart names: the trail was rewritten")]
    Rewritten { seq: u64 },
}

impl AuditHead {
    /// The head of an empty trail.
    pub fn empty() -> Self {
        Self { seq: 0, hash: "0".repeat(64) }
    }

    /// The record that follows this head.
    pub fn append(&self, draft: AuditDraft) -> AuditRecord {
        let seq = self.seq + 1;
        let hash = hash(&self.hash, seq, &draft);
        AuditRecord { seq, draft, previous: self.hash.clone(), hash }
    }
}

impl AuditRecord {
    pub fn head(&self) -> AuditHead {
        AuditHead { seq: self.seq, hash: self.hash.clone() }
    }
}

/// So many records a head that a crash left behind may lack; only the name of what was done to a record depends on it.
const BEHIND: u64 = 1_000;

/// Checks a trail record by record, in the order it is stored; memory does not grow with its length.
#[derive(Debug)]
pub struct Verifier {
    last: AuditHead,
    /// The head that was kept apart. A crash may leave it behind the trail, never ahead.
    apart: AuditHead,
}

impl Verifier {
    pub fn new(apart: AuditHead) -> Self {
        Self { last: AuditHead::empty(), apart }
    }

    /// Takes the next record, or names what is wrong with it.
    pub fn next(&mut self, record: &AuditRecord) -> Result<(), AuditBreak> {
        if record.seq > self.last.seq + 1 {
            return Err(AuditBreak::Missing { expected: self.last.seq + 1, found: record.seq });
        }
        if record.seq != self.last.seq + 1 {
            return Err(AuditBreak::Moved { seq: record.seq });
        }
        if hash(&record.previous, record.seq, &record.draft) != record.hash {
            let (seq, intact) = (record.seq, self.is_intact_elsewhere(record));
            return Err(if intact { AuditBreak::Moved { seq } } else { AuditBreak::Edited { seq } });
        }
        if record.previous != self.last.hash {
            return Err(AuditBreak::Moved { seq: record.seq });
        }
        if record.seq == self.apart.seq && record.hash != self.apart.hash {
            return Err(AuditBreak::Rewritten { seq: record.seq });
        }
        self.last = record.head();
        Ok(())
    }

    /// Whether a record is as it was written, for another place of the trail. Tries them all; done once, for the first bad record.
    fn is_intact_elsewhere(&self, record: &AuditRecord) -> bool {
        let last = self.apart.seq.max(record.seq).saturating_add(BEHIND);
        (1..=last).any(|seq| hash(&record.previous, seq, &record.draft) == record.hash)
    }

    /// The number of good records, or that the tail is cut off.
    pub fn finish(self) -> Result<u64, AuditBreak> {
        if self.last.seq < self.apart.seq {
            return Err(AuditBreak::CutOff { last: self.last.seq, head: self.apart.seq });
        }
        Ok(self.last.seq)
    }
}

fn hash(previous: &str, seq: u64, draft: &AuditDraft) -> String {
    let body = serde_json::to_vec(draft).expect("a draft is plain data");
    let mut sha = Sha256::new();
    sha.update(previous.as_bytes());
    sha.update(seq.to_be_bytes());
    sha.update(&body);
    hex::encode(sha.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trail(n: u64) -> Vec<AuditRecord> {
        let mut head = AuditHead::empty();
        (1..=n)
            .map(|i| {
                let record = head.append(AuditDraft {
                    at: Timestamp::from_second(i.cast_signed()).unwrap(),
                    actor: None,
                    bot: "switchman".into(),
                    action: "start-batch".into(),
                    subject: format!("r-{i}"),
                    why: "rule".into(),
                    result: "done".into(),
                });
                head = record.head();
                record
            })
            .collect()
    }

    fn verify(records: &[AuditRecord], apart: &AuditHead) -> Result<u64, AuditBreak> {
        let mut verifier = Verifier::new(apart.clone());
        records.iter().try_for_each(|r| verifier.next(r))?;
        verifier.finish()
    }

    #[test]
    fn an_untouched_trail_is_good_even_if_the_head_is_behind() {
        let records = trail(5);
        assert_eq!(verify(&records, &records[4].head()), Ok(5));
        assert_eq!(verify(&records, &records[2].head()), Ok(5));
        assert_eq!(verify(&[], &AuditHead::empty()), Ok(0));
    }

    #[test]
    fn every_kind_of_tampering_is_named_with_the_first_record_it_touches() {
        let good = trail(5);
        let apart = good[4].head();
        let mut edited = good.clone();
        edited[1].draft.result = "refused".into();
        assert_eq!(verify(&edited, &apart), Err(AuditBreak::Edited { seq: 2 }));
        let mut missing = good.clone();
        missing.remove(2);
        assert_eq!(verify(&missing, &apart), Err(AuditBreak::Missing { expected: 3, found: 4 }));
        let mut moved = good.clone();
        moved.swap(1, 2);
        assert_eq!(verify(&moved, &apart), Err(AuditBreak::Missing { expected: 2, found: 3 }));
        let mut swapped = moved;
        (swapped[1].seq, swapped[2].seq) = (2, 3);
        assert_eq!(verify(&swapped, &apart), Err(AuditBreak::Moved { seq: 2 }));
        let mut contents = good.clone();
        (contents[3].draft, contents[4].draft) = (good[4].draft.clone(), good[3].draft.clone());
        assert_eq!(verify(&contents, &apart), Err(AuditBreak::Edited { seq: 4 }));
        assert_eq!(verify(&good[..3], &apart), Err(AuditBreak::CutOff { last: 3, head: 5 }));
        assert_eq!(verify(&[], &apart), Err(AuditBreak::CutOff { last: 0, head: 5 }));
    }

    #[test]
    fn a_trail_that_was_rehashed_after_an_edit_does_not_match_the_head() {
        let good = trail(5);
        let mut head = AuditHead::empty();
        let rewritten: Vec<AuditRecord> = good
            .iter()
            .map(|r| {
                let mut draft = r.draft.clone();
                draft.bot = "somebody else".into();
                let record = head.append(draft);
                head = record.head();
                record
            })
            .collect();
        assert_eq!(verify(&rewritten, &good[4].head()), Err(AuditBreak::Rewritten { seq: 5 }));
        let mut linked = good.clone();
        linked[3] = good[1].head().append(good[3].draft.clone());
        linked[3].seq = 4;
        assert!(matches!(
            verify(&linked, &good[4].head()),
            Err(AuditBreak::Edited { seq: 4 } | AuditBreak::Moved { seq: 4 })
        ));
    }
}
