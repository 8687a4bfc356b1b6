//! A set of words that is asked for every row: most words are told apart by their length and 32 of their bytes, in one step.

/// A set that is made once and then only asked.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    words: Vec<String>,
    /// Open addressing; at most a quarter is taken, so that a search soon meets an empty place.
    slots: Vec<Option<Slot>>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    key: Key,
    word: usize,
}

/// All of a word of up to 32 bytes; of a longer one its ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Key {
    first: u128,
    last: u128,
    length: usize,
}

impl Key {
    fn of(text: &[u8]) -> Self {
        let length = text.len();
        let eight = |bytes: [u8; 8]| u128::from(u64::from_le_bytes(bytes));
        let four = |bytes: [u8; 4]| u128::from(u32::from_le_bytes(bytes));
        let (first, last) = if let (Some(first), Some(last)) = (text.first_chunk::<16>(), text.last_chunk::<16>()) {
            (u128::from_le_bytes(*first), u128::from_le_bytes(*last))
        } else if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            (eight(*first), eight(*last))
        } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            (four(*first), four(*last))
        } else {
            (text.iter().fold(0, |all, byte| all << 8 | u128::from(*byte)), 0)
        };
        Self { first, last, length }
    }

    fn hash(self) -> usize {
        #[expect(clippy::cast_possible_truncation, reason = "halves, folded into one")]
        let folded = |wide: u128| wide as u64 ^ (wide >> 64) as u64;
        let mixed = folded(self.first) ^ folded(self.last).rotate_left(23) ^ self.length as u64;
        usize::try_from(mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or_default()
    }
}

impl Words {
    /// Whether the text is one of the words.
    #[inline]
    pub(crate) fn contains(&self, text: &[u8]) -> bool {
        let key = Key::of(text);
        let mut at = key.hash();
        while let Some(slot) = self.slots[at & (self.slots.len() - 1)] {
            if slot.key == key && (key.length <= 32 || self.words[slot.word].as_bytes() == text) {
                return true;
            }
            at += 1;
        }
        false
    }
}

impl FromIterator<String> for Words {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let words: Vec<_> = words.into_iter().collect();
        let mut slots = vec![None; (words.len() * 4).next_power_of_two().max(4)];
        for (word, text) in words.iter().enumerate() {
            let key = Key::of(text.as_bytes());
            let mut at = key.hash() & (slots.len() - 1);
            while slots[at].is_some() {
                at = (at + 1) & (slots.len() - 1);
            }
            slots[at] = Some(Slot { key, word });
        }
        Self { words, slots }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_says_what_a_list_says(words in prop::collection::vec("[ab\0]{0,5}|[a-c]{5,40}|a{0,36}b?", 0..40), asked in "[ab\0]{0,5}|[a-c]{5,40}|a{0,36}b?") {
            let set: Words = words.iter().cloned().collect();
            prop_assert!(words.iter().all(|word| set.contains(word.as_bytes())));
            prop_assert_eq!(set.contains(asked.as_bytes()), words.contains(&asked));
        }
    }
}
