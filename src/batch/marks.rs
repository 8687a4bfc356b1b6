//! Where in a text one of three bytes stands: eight bytes at a time, because in a CSV file the next one is never far.

/// The positions of the bytes, from the first to the last.
pub(crate) struct Marks<'a> {
    bytes: &'a [u8],
    wanted: [u64; 3],
    /// Where the word begins that is looked at.
    at: usize,
    /// Its marks that were not told yet: the highest bit of each of their bytes.
    word: u64,
}

const ONES: u64 = 0x0101_0101_0101_0101;
const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
const WIDTH: usize = 8;

impl<'a> Marks<'a> {
    /// `wanted`: no NUL among them, and the same one may stand twice.
    pub(crate) fn new(bytes: &'a [u8], wanted: [u8; 3]) -> Self {
        let mut marks = Self { bytes, wanted: wanted.map(|byte| u64::from(byte) * ONES), at: 0, word: 0 };
        marks.word = marks.look();
        marks
    }

    #[inline]
    fn look(&self) -> u64 {
        let rest = &self.bytes[self.at..];
        let word = match rest.first_chunk() {
            Some(word) => *word,
            None => std::array::from_fn(|at| rest.get(at).copied().unwrap_or_default()),
        };
        let word = u64::from_le_bytes(word);
        // The highest bit of a byte is set where it is another one than wanted.
        let other = |wanted: u64| {
            let x = word ^ wanted;
            ((x & LOW) + LOW) | x
        };
        !(other(self.wanted[0]) & other(self.wanted[1]) & other(self.wanted[2])) & !LOW
    }
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.word == 0 {
            if self.bytes.len() - self.at <= WIDTH {
                return None;
            }
            self.at += WIDTH;
            self.word = self.look();
        }
        let found = self.at + self.word.trailing_zeros() as usize / WIDTH;
        self.word &= self.word - 1;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 9_u8..12, 42_u8..46], 0..70)) {
            let wanted = [b',', b'\n', b'+'];
            let plain: Vec<_> = bytes.iter().enumerate().filter(|(_, b)| wanted.contains(b)).map(|(at, _)| at).collect();
            prop_assert_eq!(Marks::new(&bytes, wanted).collect::<Vec<_>>(), plain);
        }
    }
}
