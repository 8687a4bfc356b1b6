//! Where in a text one of three bytes stands: a block at a time, because in a CSV file the next one is never far.

/// The positions of the bytes, from the first to the last.
pub(crate) struct Marks<'a> {
    bytes: &'a [u8],
    wanted: [u8; 3],
    /// Where the block begins that is looked at.
    at: usize,
    /// Its marks that were not told yet: a bit for each byte.
    block: u32,
}

const WIDTH: usize = 32;

impl<'a> Marks<'a> {
    /// The same byte may be wanted twice.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], wanted: [u8; 3]) -> Self {
        let mut marks = Self { bytes, wanted, at: 0, block: 0 };
        marks.block = marks.look();
        marks
    }

    #[inline]
    fn look(&self) -> u32 {
        let rest = &self.bytes[self.at..];
        match rest.first_chunk() {
            Some(block) => find(block, self.wanted),
            None => {
                let mut block = [0; WIDTH];
                block[..rest.len()].copy_from_slice(rest);
                find(&block, self.wanted) & !(u32::MAX << rest.len())
            }
        }
    }
}

/// A bit for each wanted byte; written so that a compiler finds the instructions for many bytes at once.
#[inline]
#[expect(clippy::needless_bitwise_bool, reason = "without branches, many bytes are compared at once")]
fn find(block: &[u8; WIDTH], [a, b, c]: [u8; 3]) -> u32 {
    let mut equal = [0_u8; WIDTH];
    for (equal, byte) in equal.iter_mut().zip(block) {
        *equal = u8::from((*byte == a) | (*byte == b) | (*byte == c));
    }
    let (words, _) = equal.as_chunks::<8>();
    // The product brings the lowest bits of eight bytes together in the highest one.
    let together = |word: &[u8; 8]| (u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56) as u32;
    words.iter().rev().fold(0, |all, word| all << 8 | together(word))
}

impl Iterator for Marks<'_> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.block == 0 {
            if self.bytes.len() - self.at <= WIDTH {
                return None;
            }
            self.at += WIDTH;
            self.block = self.look();
        }
        let found = self.at + self.block.trailing_zeros() as usize;
        self.block &= self.block - 1;
        Some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_finds_what_a_plain_search_finds(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0_u8..1, 9_u8..12, 42_u8..46], 0..170)) {
            let wanted = [b',', b'\n', 0];
            let plain: Vec<_> = bytes.iter().enumerate().filter(|(_, b)| wanted.contains(b)).map(|(at, _)| at).collect();
            prop_assert_eq!(Marks::new(&bytes, wanted).collect::<Vec<_>>(), plain);
        }
    }
}
