//! Why a row was refused: short words that stay the same for ever, because people count by them.
use serde::{Deserialize, Serialize};

macro_rules! reasons {
    ($($variant:ident $code:literal $doc:literal),* $(,)?) => {
        /// Why one row was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Reason { $(#[doc = $doc] #[serde(rename = $code)] $variant),* }

        impl Reason {
            /// Every reason, in the order of the counters.
            pub const ALL: [Self; [$($code),*].len()] = [$(Self::$variant),*];

            /// The stable word that stands in the rejects file.
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code),* }
            }

            /// The reason with this code.
            pub fn parse(code: &str) -> Option<Self> {
                Self::ALL.into_iter().find(|reason| reason.code() == code)
            }

            /// One sentence for people.
            pub const fn explain(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

reasons! {
    MissingValue "missing-value" "a required value is missing",
    BadInteger "bad-integer" "not a whole number",
    BadNumber "bad-number" "not a number",
    BadBoolean "bad-boolean" "neither one of the true nor one of the false words",
    BadDate "bad-date" "not a date in the format of the schema",
    BadTime "bad-time" "not a time in the format of the schema",
    BadDatetime "bad-datetime" "not a date and time in the format of the schema",
    BadYear "bad-year" "not a year of four digits",
    NotInList "not-in-list" "not one of the listed values",
    TooSmall "too-small" "less than the minimum",
    TooLarge "too-large" "more than the maximum",
    TooShort "too-short" "fewer characters than the minimum",
    TooLong "too-long" "more characters than the maximum",
    PatternMismatch "pattern-mismatch" "does not match the pattern",
    MissingLookup "missing-lookup" "the lookup has no entry for this key",
    DuplicateKey "duplicate-key" "an earlier row has the same key",
    BlankRow "blank-row" "the line is empty",
    ShortRow "short-row" "fewer columns than the header",
    LongRow "long-row" "more columns than the header",
    BadUtf8 "bad-utf8" "not valid UTF-8",
    UnclosedQuote "unclosed-quote" "a quote is opened and never closed",
    OversizedRow "oversized-row" "longer than the largest record the job allows",
}

/// Rejects counted by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally([u64; Reason::ALL.len()]);

impl Tally {
    /// Counts one more.
    pub fn add(&mut self, reason: Reason) {
        self.0[reason as usize] += 1;
    }

    pub(crate) fn set(&mut self, reason: Reason, count: u64) {
        self.0[reason as usize] = count;
    }

    /// How many rows were refused for this reason.
    pub fn get(&self, reason: Reason) -> u64 {
        self.0[reason as usize]
    }

    /// All of them together.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds another tally to this one.
    pub fn merge(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(mine, more)| *mine += more);
    }

    /// The reasons that occurred, most frequent first.
    pub fn ranked(&self) -> Vec<(Reason, u64)> {
        let mut found: Vec<_> = Reason::ALL.into_iter().map(|r| (r, self.get(r))).filter(|(_, n)| *n > 0).collect();
        found.sort_by_key(|&(reason, n)| (std::cmp::Reverse(n), reason));
        found
    }
}

impl Serialize for Tally {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(Reason::ALL.into_iter().filter(|r| self.get(*r) > 0).map(|r| (r, self.get(r))))
    }
}

impl<'de> Deserialize<'de> for Tally {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let counts = std::collections::BTreeMap::<Reason, u64>::deserialize(from)?;
        let mut tally = Self::default();
        for (reason, count) in counts {
            tally.0[reason as usize] = count;
        }
        Ok(tally)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tallies_survive_json_and_rank_by_count() {
        let mut tally = Tally::default();
        tally.add(Reason::BadDate);
        tally.add(Reason::TooLong);
        tally.add(Reason::TooLong);
        let text = serde_json::to_string(&tally).unwrap();
        assert_eq!(text, r#"{"bad-date":1,"too-long":2}"#);
        assert_eq!(serde_json::from_str::<Tally>(&text).unwrap(), tally);
        assert_eq!(tally.ranked(), [(Reason::TooLong, 2), (Reason::BadDate, 1)]);
    }
}
