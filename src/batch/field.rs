//! One field of a Table Schema, compiled: what a cell must look like.
use super::decimal::{self, Notation};
use super::reason::Reason;
use super::temporal::{Day, Days, Moment, Pattern, Scale};
use super::words::Words;
use regex::Regex;
use std::cmp::Ordering;

/// A field and its checks.
#[derive(Debug, Clone)]
pub struct Field {
    pub name: String,
    pub(crate) kind: Kind,
    pub(crate) limits: Limits,
    /// No two rows may have the same value.
    pub unique: bool,
    pub(crate) quick: Quick,
}

/// What can be decided without looking closer; everything else takes the long way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum Quick {
    /// Every text will do.
    Any,
    /// Short whole numbers between two bounds.
    Whole { minimum: i64, maximum: i64 },
    /// Every number will do.
    Number,
    /// Texts of at most so many bytes have no more characters.
    Within { longest: usize },
    /// ASCII characters of one class, so many of them.
    Class { members: Box<[bool; 256]>, least: usize, most: usize },
    /// One of the listed texts.
    Listed,
    /// Days between two bounds.
    Days { days: Days, minimum: Day, maximum: Day },
    #[default]
    None,
}

/// The type of a field.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Text,
    Integer(Notation),
    Number(Notation),
    Boolean { truths: Vec<String>, falsehoods: Vec<String> },
    Temporal(Scale, Pattern),
    Year,
}

/// The constraints of a field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(crate) required: bool,
    pub(crate) listed: Option<Listed>,
    pub(crate) minimum: Option<Bound>,
    pub(crate) maximum: Option<Bound>,
    pub(crate) shortest: Option<usize>,
    pub(crate) longest: Option<usize>,
    pub(crate) pattern: Option<Regex>,
}

/// The values of an `enum`, as texts or as what they stand for.
#[derive(Debug, Clone)]
pub(crate) enum Listed {
    Texts(Words),
    Values(Vec<Bound>),
}

/// A value to compare with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Bound {
    Number(String),
    Moment(Moment),
    Truth(bool),
}

/// What a cell stands for, as far as constraints need it.
enum Value<'a> {
    Text,
    Number(std::borrow::Cow<'a, str>),
    Moment(Moment),
    Truth(bool),
}

impl Field {
    /// Checks one cell that is not one of the missing values.
    #[inline]
    pub(crate) fn check(&self, text: &[u8]) -> Result<(), Reason> {
        let good = match &self.quick {
            Quick::Any => true,
            Quick::Whole { minimum, maximum } => whole(text).is_some_and(|n| *minimum <= n && n <= *maximum),
            Quick::Number => decimal::is_plain(text),
            Quick::Within { longest } => text.len() <= *longest,
            Quick::Class { members, least, most } => {
                *least <= text.len() && text.len() <= *most && text.iter().all(|byte| members[usize::from(*byte)])
            }
            Quick::Listed => self.limits.listed.as_ref().is_some_and(|listed| listed.lists(text)),
            Quick::Days { days, minimum, maximum } => {
                days.find(text).is_some_and(|day| *minimum <= day && day <= *maximum)
            }
            Quick::None => false,
        };
        if good { Ok(()) } else { self.check_closely(text) }
    }

    #[cold]
    #[inline(never)]
    fn check_closely(&self, text: &[u8]) -> Result<(), Reason> {
        let text = std::str::from_utf8(text).map_err(|_| Reason::BadUtf8)?;
        let value = self.kind.read(text)?;
        let limits = &self.limits;
        if limits.listed.as_ref().is_some_and(|listed| !listed.has(text, &value)) {
            return Err(Reason::NotInList);
        }
        let order = |bound: &Option<Bound>| bound.as_ref().map(|bound| value.compare(bound));
        if order(&limits.minimum).is_some_and(|order| !order.is_some_and(Ordering::is_ge)) {
            return Err(Reason::TooSmall);
        }
        if order(&limits.maximum).is_some_and(|order| !order.is_some_and(Ordering::is_le)) {
            return Err(Reason::TooLarge);
        }
        limits.check_text(text)
    }

    /// Finds out what can be decided quickly; to be called when the field is complete.
    pub(crate) fn prepare(&mut self) {
        let limits = &self.limits;
        let bare = limits.listed.is_none() && limits.pattern.is_none();
        self.quick = match &self.kind {
            Kind::Text if bare && limits.shortest.is_none() => {
                limits.longest.map_or(Quick::Any, |longest| Quick::Within { longest })
            }
            Kind::Text
                if limits.pattern.is_none()
                    && limits.shortest.is_none()
                    && limits.longest.is_none()
                    && limits.listed.is_some() =>
            {
                Quick::Listed
            }
            Kind::Temporal(_, pattern) if bare => {
                let bound = |bound: &Option<Bound>, open: Day| match bound {
                    None => Some(open),
                    Some(Bound::Moment(moment)) => moment.day(),
                    Some(_) => None,
                };
                let (first, last) = (bound(&limits.minimum, Day::ENDS.0), bound(&limits.maximum, Day::ENDS.1));
                match (pattern.days(), first, last) {
                    (Some(days), Some(minimum), Some(maximum)) => Quick::Days { days, minimum, maximum },
                    _ => Quick::None,
                }
            }
            Kind::Text if limits.listed.is_none() && limits.shortest.is_none() && limits.longest.is_none() => {
                limits.pattern.as_ref().and_then(|pattern| class(pattern.as_str())).unwrap_or_default()
            }
            Kind::Number(notation)
                if bare && *notation == Notation::default() && limits.minimum.is_none() && limits.maximum.is_none() =>
            {
                Quick::Number
            }
            Kind::Integer(notation) if bare && *notation == Notation::default() => {
                let bound = |bound: &Option<Bound>, open: i64| match bound {
                    None => Some(open),
                    Some(Bound::Number(text)) => whole(text.as_bytes()),
                    Some(_) => None,
                };
                match (bound(&limits.minimum, i64::MIN), bound(&limits.maximum, i64::MAX)) {
                    (Some(minimum), Some(maximum)) => Quick::Whole { minimum, maximum },
                    _ => Quick::None,
                }
            }
            _ => Quick::None,
        };
    }

    /// What a value of the descriptor stands for in this field; `None` when it is not of the field's type.
    pub(crate) fn bound(&self, text: &str) -> Option<Bound> {
        match self.kind.read(text).ok()? {
            Value::Text => None,
            Value::Number(number) => Some(Bound::Number(number.into_owned())),
            Value::Moment(moment) => Some(Bound::Moment(moment)),
            Value::Truth(truth) => Some(Bound::Truth(truth)),
        }
    }
}

/// What a pattern such as `[0-9]{9}` or `[A-Za-z_]{1,8}` takes; `None` for any other.
fn class(pattern: &str) -> Option<Quick> {
    let (members, counts) = pattern.strip_prefix(r"\A(?:[")?.strip_suffix(r"})\z")?.split_once("]{")?;
    let (least, most) = counts.split_once(',').unwrap_or((counts, counts));
    let (least, most) = (least.parse().ok()?, most.parse().ok()?);
    let mut set = Box::new([false; 256]);
    let mut rest = members.as_bytes();
    while let [first, behind @ ..] = rest {
        let last = match behind {
            [b'-', last, ..] => last,
            _ => first,
        };
        if !matches!(
            (first, last),
            (b'0'..=b'9', b'0'..=b'9') | (b'A'..=b'Z', b'A'..=b'Z') | (b'a'..=b'z', b'a'..=b'z')
        ) && (first, last) != (&b'_', &b'_')
        {
            return None;
        }
        (*first..=*last).for_each(|byte| set[usize::from(byte)] = true);
        rest = &behind[if first == last { 0 } else { 2 }..];
    }
    Some(Quick::Class { members: set, least, most })
}

/// A number of at most 18 digits, perhaps with a minus.
fn whole(text: &[u8]) -> Option<i64> {
    let (digits, negative) = if let [b'-', rest @ ..] = text { (rest, true) } else { (text, false) };
    if digits.is_empty() || digits.len() > 18 {
        return None;
    }
    let mut number = 0;
    for &digit in digits {
        let digit = digit.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + i64::from(digit);
    }
    Some(if negative { -number } else { number })
}

impl Limits {
    fn check_text(&self, text: &str) -> Result<(), Reason> {
        if self.longest.is_some_and(|longest| text.len() > longest && text.chars().count() > longest) {
            return Err(Reason::TooLong);
        }
        if self.shortest.is_some_and(|shortest| text.chars().count() < shortest) {
            return Err(Reason::TooShort);
        }
        if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            return Err(Reason::PatternMismatch);
        }
        Ok(())
    }
}

impl Kind {
    fn read<'a>(&self, text: &'a str) -> Result<Value<'a>, Reason> {
        match self {
            Self::Text => Ok(Value::Text),
            Self::Integer(notation) => {
                let plain = notation.plain(text);
                if decimal::is_integer(&plain) { Ok(Value::Number(plain)) } else { Err(Reason::BadInteger) }
            }
            Self::Number(notation) => {
                let plain = notation.plain(text);
                if decimal::is_number(&plain) { Ok(Value::Number(plain)) } else { Err(Reason::BadNumber) }
            }
            Self::Boolean { truths, falsehoods } => {
                let is = |words: &[String]| words.iter().any(|word| word == text);
                if is(truths) {
                    Ok(Value::Truth(true))
                } else if is(falsehoods) {
                    Ok(Value::Truth(false))
                } else {
                    Err(Reason::BadBoolean)
                }
            }
            Self::Temporal(scale, pattern) => pattern.parse(text).map(Value::Moment).ok_or(match scale {
                Scale::Date => Reason::BadDate,
                Scale::Time => Reason::BadTime,
                Scale::Datetime => Reason::BadDatetime,
            }),
            Self::Year => {
                let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
                if digits { Ok(Value::Number(text.into())) } else { Err(Reason::BadYear) }
            }
        }
    }
}

impl Listed {
    #[inline]
    fn lists(&self, text: &[u8]) -> bool {
        match self {
            Self::Texts(texts) => texts.contains(text),
            Self::Values(_) => false,
        }
    }

    fn has(&self, text: &str, value: &Value<'_>) -> bool {
        match self {
            Self::Texts(texts) => texts.contains(text.as_bytes()),
            Self::Values(values) => values.iter().any(|listed| value.compare(listed) == Some(Ordering::Equal)),
        }
    }
}

impl Value<'_> {
    fn compare(&self, bound: &Bound) -> Option<Ordering> {
        match (self, bound) {
            (Self::Number(a), Bound::Number(b)) => decimal::compare(a, b),
            (Self::Moment(a), Bound::Moment(b)) => Some(a.cmp(b)),
            (Self::Truth(a), Bound::Truth(b)) => Some(a.cmp(b)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::schema::Schema;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_quick_way_of_texts_says_what_the_long_way_says(text in "[a-cA-C0-2_é-]{0,6}|[0-9]{3}|-?[0-9.]{0,6}(e[0-9])?") {
            let limits = [
                serde_json::json!({"maxLength": 3}), serde_json::json!({"pattern": "[0-9]{3}"}),
                serde_json::json!({"pattern": "[a-bB0-2_]{1,4}"}),
            ];
            let mut fields: Vec<_> = limits.into_iter().zip(["a", "b", "c"])
                .map(|(limits, name)| serde_json::json!({"name": name, "constraints": limits})).collect();
            fields.push(serde_json::json!({"name": "d", "type": "number"}));
            fields.push(serde_json::json!({"name": "e", "constraints": {"enum": ["a", "bc", "123"]}}));
            let schema = serde_json::json!({"fields": fields});
            for field in Schema::parse(&schema.to_string()).unwrap().fields {
                prop_assert_ne!(&field.quick, &Quick::None);
                let long = Field { quick: Quick::None, ..field.clone() };
                prop_assert_eq!(field.check(text.as_bytes()), long.check(text.as_bytes()));
            }
        }

        #[test]
        fn the_quick_way_of_days_says_what_the_long_way_says(
            text in "[0-9]{1,2}/[0-9]{1,2}/[0-9]{1,4}|[0-9]{4}-[0-9]{1,2}-[0-9]{2}|[0-3]?[0-9]-(0?2|1[0-2])-(19|20)[0-9]{2}|[0-9/-]{0,11}",
        ) {
            let formats = [
                ("default", "2003-02-28"), ("%m/%d/%y", "2/9/03"), ("%d/%m/%Y", "9/2/1972"), ("%Y-%m-%d", "0000-01-01"), ("%d-%m-%Y", "1-3-2000"),
            ];
            let fields: Vec<_> = formats.iter().enumerate().flat_map(|(at, (format, bound))| {
                [serde_json::json!({}), serde_json::json!({"minimum": bound}), serde_json::json!({"maximum": bound})]
                    .into_iter().enumerate()
                    .map(move |(limit, limits)| serde_json::json!({"name": format!("{at}.{limit}"), "type": "date", "format": format, "constraints": limits}))
            }).collect();
            for field in Schema::parse(&serde_json::json!({"fields": fields}).to_string()).unwrap().fields {
                prop_assert_ne!(&field.quick, &Quick::None);
                let long = Field { quick: Quick::None, ..field.clone() };
                prop_assert_eq!(field.check(text.as_bytes()), long.check(text.as_bytes()));
                if let (Quick::Days { days, .. }, Kind::Temporal(_, pattern)) = (&field.quick, &field.kind) {
                    prop_assert_eq!(days.find(text.as_bytes()), pattern.parse(&text).and_then(Moment::day));
                }
            }
        }

        #[test]
        fn the_quick_way_says_what_the_long_way_says(text in "[-+0-9]{0,20}|[ -~]{0,5}", low in -99_i64..99, high in -99_i64..99) {
            let schema = serde_json::json!({"fields": [
                {"name": "a"}, {"name": "b", "type": "integer"},
                {"name": "c", "type": "integer", "constraints": {"minimum": low, "maximum": high}},
            ]});
            for field in Schema::parse(&schema.to_string()).unwrap().fields {
                prop_assert_ne!(&field.quick, &Quick::None);
                let long = Field { quick: Quick::None, ..field.clone() };
                prop_assert_eq!(field.check(text.as_bytes()), long.check(text.as_bytes()));
            }
        }
    }
}
