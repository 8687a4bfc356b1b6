//! Dates and times by pattern (`%m/%d/%y`), compiled once, checked without allocation.
//!
//! Numbers may stand without their leading zero, as Python's strptime has it, which the Table Schema points to;
//! the default formats of the standard are strict.
use jiff::civil;

/// What a pattern was written for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    Date,
    Time,
    Datetime,
}

/// A point that can be compared: seconds since an epoch of the scale, and nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(i64, u32);

impl Moment {
    /// Its day, for a moment of the scale of dates.
    pub(crate) fn day(self) -> Option<Day> {
        let first = civil::date(0, 3, 1);
        let date = first.checked_add(jiff::Span::new().try_days(self.0.div_euclid(86_400)).ok()?).ok()?;
        let number = |n: i8| u32::try_from(n).ok();
        Some(Day::of(u32::try_from(date.year()).ok()?, number(date.month())?, number(date.day())?))
    }
}

/// A compiled pattern.
#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
    scale: Scale,
    strict: bool,
}

/// Days in figures between two separators, such as `%m/%d/%y`: most dates are, and these are quickly told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Days {
    figures: [Figures; 3],
    separators: [u8; 2],
}

/// A day of the calendar; later ones are larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Day(u32);

/// A number of a day: which one, and how many digits it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    unit: Unit,
    least: usize,
    most: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Year,
    Month,
    Day,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Piece {
    Literal(char),
    Year,
    ShortYear,
    Month,
    MonthName,
    MonthAbbreviation,
    Day,
    Hour,
    HalfDayHour,
    HalfDay,
    Minute,
    Second,
    Fraction,
    OptionalFraction,
    Offset,
    OptionalOffset,
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

#[derive(Default)]
struct Parts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    hour: i8,
    half_day: Option<bool>,
    minute: i8,
    second: i8,
    nanos: u32,
    offset: i64,
}

impl Pattern {
    /// The format `default` of the standard.
    pub(crate) fn standard(scale: Scale) -> Self {
        use Piece::{Day, Hour, Literal, Minute, Month, OptionalFraction, OptionalOffset, Second, Year};
        let date = [Year, Literal('-'), Month, Literal('-'), Day];
        let time = [Hour, Literal(':'), Minute, Literal(':'), Second, OptionalFraction];
        let pieces = match scale {
            Scale::Date => date.to_vec(),
            Scale::Time => time.to_vec(),
            Scale::Datetime => [&date[..], &[Literal('T')], &time[..], &[OptionalOffset]].concat(),
        };
        Self { pieces, scale, strict: true }
    }

    /// Compiles a pattern; the error names the part that is not supported.
    pub(crate) fn compile(scale: Scale, format: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            pieces.push(if c == '%' { Self::directive(chars.next(), format)? } else { Piece::Literal(c) });
        }
        let has = |wanted: &[Piece]| pieces.iter().any(|p| wanted.contains(p));
        let date = has(&[Piece::Year, Piece::ShortYear])
            && has(&[Piece::Month, Piece::MonthName, Piece::MonthAbbreviation])
            && has(&[Piece::Day]);
        let time = has(&[Piece::Hour]) || (has(&[Piece::HalfDayHour]) && has(&[Piece::HalfDay]));
        let complete = match scale {
            Scale::Date => date && !time,
            Scale::Time => time && !date,
            Scale::Datetime => date && time,
        };
        if complete { Ok(Self { pieces, scale, strict: false }) } else { Err(Self::incomplete(scale, format)) }
    }

    fn incomplete(scale: Scale, format: &str) -> String {
        let needs = match scale {
            Scale::Date => "year, month and day, and no time",
            Scale::Time => "an hour (with %p for %I), and no date",
            Scale::Datetime => "year, month, day and hour",
        };
        format!("format \"{format}\" must have {needs}")
    }

    fn directive(letter: Option<char>, format: &str) -> Result<Piece, String> {
        Ok(match letter {
            Some('Y') => Piece::Year,
            Some('y') => Piece::ShortYear,
            Some('m') => Piece::Month,
            Some('B') => Piece::MonthName,
            Some('b') => Piece::MonthAbbreviation,
            Some('d') => Piece::Day,
            Some('H') => Piece::Hour,
            Some('I') => Piece::HalfDayHour,
            Some('p') => Piece::HalfDay,
            Some('M') => Piece::Minute,
            Some('S') => Piece::Second,
            Some('f') => Piece::Fraction,
            Some('z') => Piece::Offset,
            Some('%') => Piece::Literal('%'),
            Some(other) => {
                return Err(format!(
                    "format \"{format}\": %{other} is not supported (only %Y %y %m %B %b %d %H %I %p %M %S %f %z %%)"
                ));
            }
            None => return Err(format!("format \"{format}\" ends with a lone %")),
        })
    }

    /// The moment a text stands for; `None` when it does not fit the pattern or does not exist (30 February).
    pub(crate) fn parse(&self, text: &str) -> Option<Moment> {
        let mut parts = Parts::default();
        let mut rest = text;
        for piece in &self.pieces {
            rest = self.step(*piece, rest, &mut parts)?;
        }
        if rest.is_empty() { parts.moment(self.scale) } else { None }
    }

    /// The pattern as days in figures, if it is one.
    pub(crate) fn days(&self) -> Option<Days> {
        let [a, Piece::Literal(first), b, Piece::Literal(second), c] = self.pieces[..] else { return None };
        let least = if self.strict { 2 } else { 1 };
        let figures = |piece| match piece {
            Piece::Year => Some(Figures { unit: Unit::Year, least: 4, most: 4 }),
            Piece::ShortYear => Some(Figures { unit: Unit::Year, least: 2, most: 2 }),
            Piece::Month => Some(Figures { unit: Unit::Month, least, most: 2 }),
            Piece::Day => Some(Figures { unit: Unit::Day, least, most: 2 }),
            _ => None,
        };
        let separator = |c: char| u8::try_from(c).ok().filter(|c| c.is_ascii() && !c.is_ascii_digit());
        let figures = [figures(a)?, figures(b)?, figures(c)?];
        let all = [Unit::Year, Unit::Month, Unit::Day].iter().all(|unit| figures.iter().any(|f| f.unit == *unit));
        all.then_some(Days { figures, separators: [separator(first)?, separator(second)?] })
    }

    fn step<'a>(&self, piece: Piece, text: &'a str, parts: &mut Parts) -> Option<&'a str> {
        let pair = if self.strict { 2..=2 } else { 1..=2 };
        match piece {
            Piece::Literal(c) => return text.strip_prefix(c),
            Piece::Year => number(text, 4..=4).map(|(n, rest)| (parts.year = i16::try_from(n).ok(), rest)),
            Piece::ShortYear => number(text, 2..=2).map(|(n, rest)| (parts.year = i16::try_from(full(n)).ok(), rest)),
            Piece::Month => number(text, pair).map(|(n, rest)| (parts.month = i8::try_from(n).ok(), rest)),
            Piece::MonthName => month(text, usize::MAX).map(|(n, rest)| (parts.month = Some(n), rest)),
            Piece::MonthAbbreviation => month(text, 3).map(|(n, rest)| (parts.month = Some(n), rest)),
            Piece::Day => number(text, pair).map(|(n, rest)| (parts.day = i8::try_from(n).ok(), rest)),
            Piece::Hour => number(text, pair).and_then(|(n, rest)| Some((parts.hour = below(n, 24)?, rest))),
            Piece::HalfDayHour => number(text, pair)
                .filter(|(n, _)| (1..=12).contains(n))
                .and_then(|(n, rest)| Some((parts.hour = below(n % 12, 12)?, rest))),
            Piece::HalfDay => half_day(text).map(|(afternoon, rest)| (parts.half_day = Some(afternoon), rest)),
            Piece::Minute => number(text, pair).and_then(|(n, rest)| Some((parts.minute = below(n, 60)?, rest))),
            Piece::Second => number(text, pair).and_then(|(n, rest)| Some((parts.second = below(n, 60)?, rest))),
            Piece::Fraction => fraction(text, 6).map(|(n, rest)| (parts.nanos = n, rest)),
            Piece::OptionalFraction => match text.strip_prefix('.') {
                Some(digits) => fraction(digits, 9).map(|(n, rest)| (parts.nanos = n, rest)),
                None => return Some(text),
            },
            Piece::OptionalOffset if text.is_empty() => return Some(text),
            Piece::Offset | Piece::OptionalOffset => offset(text).map(|(n, rest)| (parts.offset = n, rest)),
        }
        .map(|((), rest)| rest)
    }
}

impl Days {
    /// The day that a text stands for; `None` where it stands for none that exists.
    #[inline]
    pub(crate) fn find(&self, text: &[u8]) -> Option<Day> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let mut rest = text;
        for (at, figures) in self.figures.iter().enumerate() {
            if let Some(separator) = at.checked_sub(1).map(|before| self.separators[before]) {
                match rest {
                    [first, behind @ ..] if *first == separator => rest = behind,
                    _ => return None,
                }
            }
            let (mut number, mut digits) = (0_u32, 0);
            while let [digit @ b'0'..=b'9', behind @ ..] = rest
                && digits < figures.most
            {
                number = number * 10 + u32::from(digit - b'0');
                (rest, digits) = (behind, digits + 1);
            }
            if digits < figures.least {
                return None;
            }
            match figures.unit {
                Unit::Year if figures.most == 2 => year = full(number),
                Unit::Year => year = number,
                Unit::Month => month = number,
                Unit::Day => day = number,
            }
        }
        (rest.is_empty() && (1..=length(year, month)).contains(&day)).then_some(Day::of(year, month, day))
    }
}

impl Day {
    /// Before and behind every day.
    pub(crate) const ENDS: (Self, Self) = (Self(0), Self(u32::MAX));

    fn of(year: u32, month: u32, day: u32) -> Self {
        Self(year << 9 | month << 5 | day)
    }
}

/// POSIX: 69 to 99 are the last century.
fn full(year: u32) -> u32 {
    if year < 69 { 2000 + year } else { 1900 + year }
}

/// Days of a month; none where there is no such month.
#[inline]
fn length(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    }
}

impl Parts {
    fn moment(&self, scale: Scale) -> Option<Moment> {
        let days = match scale {
            Scale::Time => 0,
            _ => days(civil::Date::new(self.year?, self.month?, self.day?).ok()?),
        };
        let hour = self.hour + if self.half_day == Some(true) { 12 } else { 0 };
        let seconds = i64::from(hour) * 3600 + i64::from(self.minute) * 60 + i64::from(self.second);
        Some(Moment(days * 86_400 + seconds - self.offset, self.nanos))
    }
}

/// Days since 1 March of the year 0 (counting years from March puts the leap day last).
fn days(date: civil::Date) -> i64 {
    let months = i64::from(date.year()) * 12 + i64::from(date.month()) - 3;
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12));
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (month * 153 + 2) / 5 + i64::from(date.day()) - 1
}

fn below(n: u32, limit: u32) -> Option<i8> {
    (n < limit).then(|| i8::try_from(n).ok()).flatten()
}

/// As many digits as there are, within the range.
fn number(text: &str, width: std::ops::RangeInclusive<usize>) -> Option<(u32, &str)> {
    let digits = text.bytes().take(*width.end()).take_while(u8::is_ascii_digit).count();
    let value = text.get(..digits).filter(|_| digits >= *width.start())?;
    Some((value.bytes().fold(0, |n, b| n * 10 + u32::from(b - b'0')), &text[digits..]))
}

/// Digits behind a decimal point, as nanoseconds.
fn fraction(text: &str, most: usize) -> Option<(u32, &str)> {
    let (value, rest) = number(text, 1..=most)?;
    let digits = u32::try_from(text.len() - rest.len()).ok()?;
    Some((value * 10_u32.pow(9 - digits), rest))
}

fn month(text: &str, letters: usize) -> Option<(i8, &str)> {
    MONTHS.iter().zip(1..).find_map(|(name, number)| {
        let name = &name[..letters.min(name.len())];
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (number, &text[name.len()..]))
    })
}

fn half_day(text: &str) -> Option<(bool, &str)> {
    let (head, rest) = text.split_at_checked(2)?;
    [("am", false), ("pm", true)]
        .into_iter()
        .find(|(word, _)| head.eq_ignore_ascii_case(word))
        .map(|(_, pm)| (pm, rest))
}

/// `Z`, `+hh:mm` or `+hhmm`, in seconds.
fn offset(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = text.strip_prefix('Z') {
        return Some((0, rest));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, rest) = number(text.strip_prefix(['+', '-'])?, 2..=2)?;
    let (minutes, rest) = number(rest.strip_prefix(':').unwrap_or(rest), 2..=2)?;
    (hours < 24 && minutes < 60).then(|| (sign * i64::from(hours * 3600 + minutes * 60), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(scale: Scale, format: &str, text: &str) -> bool {
        Pattern::compile(scale, format).unwrap().parse(text).is_some()
    }

    #[test]
    fn patterns_accept_what_exists_and_nothing_else() {
        for good in ["6/27/12", "06/27/12", "12/31/99", "2/29/12"] {
            assert!(fits(Scale::Date, "%m/%d/%y", good), "{good}");
        }
        for bad in
            ["", "6/31/12", "13/1/12", "0/1/12", "6/27/2012", "6-27-12", "6/27/12 ", " 6/27/12", "2/29/11", "6/27/1"]
        {
            assert!(!fits(Scale::Date, "%m/%d/%y", bad), "{bad}");
        }
        assert!(fits(Scale::Date, "%d %B %Y", "3 March 2020") && fits(Scale::Date, "%d-%b-%Y", "03-SEP-2020"));
        assert!(fits(Scale::Time, "%I:%M %p", "12:05 PM") && !fits(Scale::Time, "%I:%M %p", "13:05 PM"));
        assert!(fits(Scale::Datetime, "%Y-%m-%d %H:%M:%S%z", "2020-01-31 23:59:59+01:00"));
    }

    #[test]
    fn the_standard_formats_are_strict() {
        let date = Pattern::standard(Scale::Date);
        assert!(date.parse("2020-02-29").is_some() && date.parse("2020-2-29").is_none());
        let datetime = Pattern::standard(Scale::Datetime);
        assert_eq!(datetime.parse("2020-01-01T01:00:00+01:00"), datetime.parse("2020-01-01T00:00:00Z"));
        assert!(datetime.parse("2020-01-01T00:00:00.5Z") > datetime.parse("2020-01-01T00:00:00"));
        assert!(datetime.parse("2020-01-01 00:00:00").is_none());
        assert!(Pattern::standard(Scale::Time).parse("24:00:00").is_none());
    }

    #[test]
    fn moments_are_in_order() {
        let pattern = Pattern::compile(Scale::Date, "%m/%d/%y").unwrap();
        assert!(pattern.parse("12/31/10") < pattern.parse("1/1/11"));
        assert!(pattern.parse("1/1/69") < pattern.parse("1/1/68"));
        let mut date = civil::date(1899, 12, 25);
        while date < civil::date(1904, 3, 5) {
            let next = date.tomorrow().unwrap();
            assert_eq!(days(next) - days(date), 1, "{next}");
            date = next;
        }
    }

    #[test]
    fn what_is_not_supported_is_named() {
        assert!(Pattern::compile(Scale::Date, "%Y-%j").unwrap_err().contains("%j"));
        assert!(Pattern::compile(Scale::Date, "%Y-%m").unwrap_err().contains("day"));
        assert!(Pattern::compile(Scale::Date, "%").unwrap_err().contains("lone"));
    }
}
