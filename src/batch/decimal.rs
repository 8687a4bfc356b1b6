//! Numbers as text: checked and compared digit by digit, so that no size and no fraction is ever rounded.
use std::borrow::Cow;
use std::cmp::Ordering;

/// How numbers are written (Table Schema `decimalChar`, `groupChar`, `bareNumber`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notation {
    pub(crate) decimal: char,
    pub(crate) group: Option<char>,
    pub(crate) bare: bool,
}

impl Default for Notation {
    fn default() -> Self {
        Self { decimal: '.', group: None, bare: true }
    }
}

impl Notation {
    /// The number in plain notation (`-1234.5`), borrowed where it already is.
    pub(crate) fn plain<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let affix = |c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-') || c == self.decimal);
        let text = if self.bare { text } else { text.trim_matches(affix) };
        if self.decimal == '.' && self.group.is_none() {
            return Cow::Borrowed(text);
        }
        let plain = text.chars().filter(|c| Some(*c) != self.group);
        Cow::Owned(plain.map(|c| if c == self.decimal { '.' } else { c }).collect())
    }
}

/// Whether the text is an optional sign and digits.
pub(crate) fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text).as_bytes();
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// Whether the text is a number of the Table Schema: digits, a point, an exponent, or `INF`, `-INF`, `NaN`.
pub(crate) fn is_number(text: &str) -> bool {
    let (mut digits, mut points) = (0, 0);
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    for (at, byte) in unsigned.bytes().enumerate() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'.' => points += 1,
            b'e' | b'E' => return digits > 0 && points <= 1 && is_integer(&unsigned[at + 1..]),
            _ => return matches!(text, "INF" | "-INF" | "NaN"),
        }
    }
    digits > 0 && points <= 1
}

/// Whether the text is digits, perhaps with a minus in front and a point among them: what most numbers are.
#[inline]
pub(crate) fn is_plain(text: &[u8]) -> bool {
    let unsigned = if let [b'-', rest @ ..] = text { rest } else { text };
    let whole = digits(unsigned);
    match &unsigned[whole..] {
        [] => whole > 0,
        [b'.', fraction @ ..] => whole + fraction.len() > 0 && digits(fraction) == fraction.len(),
        _ => false,
    }
}

/// How many digits a text begins with.
#[inline]
fn digits(text: &[u8]) -> usize {
    text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len())
}

/// Compares two numbers in plain notation; `None` when one is `NaN`.
pub(crate) fn compare(a: &str, b: &str) -> Option<Ordering> {
    match (Parts::of(a), Parts::of(b)) {
        (Some(a), Some(b)) => Some(a.cmp(&b)),
        _ => float(a).partial_cmp(&float(b)),
    }
}

fn float(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

#[derive(PartialEq, Eq)]
struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` for an exponent or a special value.
    fn of(text: &'a str) -> Option<Self> {
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
        let negative = text.starts_with('-') && !(whole.is_empty() && fraction.is_empty());
        (digits(whole) && digits(fraction)).then_some(Self { negative, whole, fraction })
    }

    fn cmp(&self, other: &Self) -> Ordering {
        let size = |a: &Self, b: &Self| (a.whole.len(), a.whole, a.fraction).cmp(&(b.whole.len(), b.whole, b.fraction));
        match (self.negative, other.negative) {
            (false, false) => size(self, other),
            (true, true) => size(other, self),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_without_rounding() {
        let order = [
            ("1", "2", Ordering::Less),
            ("-1", "-2", Ordering::Greater),
            ("0.10", "0.1", Ordering::Equal),
            ("-0", "0", Ordering::Equal),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("10", "9.99", Ordering::Greater),
            ("1e3", "999", Ordering::Greater),
            ("007", "7", Ordering::Equal),
        ];
        for (a, b, expected) in order {
            assert_eq!(compare(a, b), Some(expected), "{a} {b}");
        }
        assert_eq!(compare("NaN", "1"), None);
        assert_eq!(compare("INF", "1"), Some(Ordering::Greater));
    }

    #[test]
    fn only_numbers_are_numbers() {
        for good in ["1", "-1.5", "+.5", "5.", "1e-3", "1.5E+10", "NaN", "INF"] {
            assert!(is_number(good), "{good}");
        }
        for text in ["1", "-1.5", "5.", ".5", "12345.67890"] {
            assert!(is_plain(text.as_bytes()) && is_number(text), "{text}");
        }
        for text in ["", ".", "-", "--1", "1.2.3", "1e5", "+1"] {
            assert!(!is_plain(text.as_bytes()), "{text}");
        }
        for bad in ["", ".", "-", "1e", "e5", "1.2.3", "1 ", "0x1", "inf", "1,000"] {
            assert!(!is_number(bad), "{bad}");
        }
        assert!(is_integer("+12") && !is_integer("1.0") && !is_integer("-"));
    }

    #[test]
    fn other_notations_become_plain() {
        let german = Notation { decimal: ',', group: Some('.'), bare: false };
        assert_eq!(german.plain("€ 1.234,50"), "1234.50");
        assert_eq!(german.plain("95%"), "95");
    }
}
