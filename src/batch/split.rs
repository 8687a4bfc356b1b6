//! Where a record ends and where its cells are. The only code that knows what a quote means.
//!
//! RFC 4180, read as most CSV readers read it: a cell that begins with the quote is quoted up to the next
//! single quote, a doubled quote inside stands for one, and what follows a closing quote is taken as it stands.
//! A quote elsewhere is an ordinary character. A record ends at LF or CRLF; a CR elsewhere is data.
use super::marks::Marks;
use memchr::{memchr, memrchr};

/// The characters that structure a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Syntax {
    pub delimiter: u8,
    /// `None`: no cell is ever quoted.
    pub quote: Option<u8>,
}

/// What was found at the beginning of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// A record of `len` bytes with its line end, `body` bytes without; `lines` counts all line ends in it.
    Record { len: usize, body: usize, lines: u64 },
    /// The buffer ends within the record; `open` when it ends within a quoted cell.
    More { open: bool },
}

/// One cell, as a range of its record, with its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cell {
    pub start: usize,
    pub end: usize,
    pub form: Form,
}

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The value is the text.
    Plain,
    /// The value is the text between the first and the last byte.
    Quoted,
    /// The value has to be unescaped.
    Escaped,
}

impl Syntax {
    /// Finds the first record of `bytes` and its cells; `last` says that nothing follows them.
    pub fn scan(self, bytes: &[u8], last: bool, cells: &mut Vec<Cell>) -> Found {
        let mut marks = Marks::new(bytes, [self.delimiter, b'\n', self.quote.unwrap_or(b'\n')]);
        cells.clear();
        let (mut start, mut lines) = (0, 1);
        let mut quoted = None;
        while let Some(at) = marks.next() {
            let mark = bytes[at];
            if mark == self.delimiter {
                cells.push(Cell { start, end: at, form: form(quoted.take(), at) });
                start = at + 1;
            } else if mark == b'\n' {
                let body = without_cr(&bytes[..at]);
                cells.push(Cell { start, end: body, form: form(quoted, body) });
                return Found::Record { len: at + 1, body, lines };
            } else if at == start {
                quoted = self.close(bytes, last, &mut marks, &mut lines);
                if quoted.is_none() {
                    return Found::More { open: true };
                }
            }
        }
        if !last {
            return Found::More { open: false };
        }
        let body = without_cr(bytes);
        cells.push(Cell { start, end: body, form: form(quoted, body) });
        Found::Record { len: bytes.len(), body, lines }
    }

    /// Passes over the inside of a quoted cell; `None` where it cannot be seen to end.
    #[inline]
    fn close(self, bytes: &[u8], last: bool, marks: &mut Marks<'_>, lines: &mut u64) -> Option<Quoted> {
        let mut escaped = false;
        while let Some(at) = marks.next() {
            let mark = bytes[at];
            if mark == b'\n' {
                *lines += 1;
            } else if Some(mark) == self.quote {
                match bytes.get(at + 1) {
                    Some(next) if *next == mark => {
                        escaped = true;
                        // Doubled, it stands for itself.
                        marks.next();
                    }
                    None if !last => return None,
                    _ => return Some(Quoted { end: at + 1, escaped }),
                }
            }
        }
        None
    }

    /// Where the last record ends that is whole within `bytes`; faster than one record after the other.
    pub(crate) fn last_end(self, bytes: &[u8]) -> Option<usize> {
        let (mut end, mut at, mut outside) = (None, 0, 0);
        let line_end = |from: usize, to: usize| memrchr(b'\n', &bytes[from..to]).map(|found| from + found + 1);
        while let Some(step) = self.quote.and_then(|quote| memchr(quote, &bytes[at..])) {
            let quote = at + step;
            at = quote + 1;
            if quote == 0 || bytes[quote - 1] == self.delimiter || bytes[quote - 1] == b'\n' {
                end = line_end(outside, quote).or(end);
                match self.closing(bytes, at) {
                    Some(after) => (at, outside) = (after, after),
                    None => return end,
                }
            }
        }
        line_end(outside, bytes.len()).or(end)
    }

    /// The position behind the closing quote of a cell whose text begins at `at`; what closes it must be in sight.
    fn closing(self, bytes: &[u8], mut at: usize) -> Option<usize> {
        let quote = self.quote?;
        loop {
            let close = at + memchr(quote, bytes.get(at..)?)?;
            if *bytes.get(close + 1)? != quote {
                return Some(close + 1);
            }
            at = close + 2;
        }
    }

    /// The value of a cell; `scratch` is used when the text has to be put together.
    pub fn value<'a>(self, body: &'a [u8], cell: Cell, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        let text = &body[cell.start..cell.end];
        match cell.form {
            Form::Plain => text,
            Form::Quoted => &text[1..text.len() - 1],
            Form::Escaped => {
                scratch.clear();
                self.unescape(&text[1..], scratch);
                scratch
            }
        }
    }

    fn unescape(self, mut text: &[u8], to: &mut Vec<u8>) {
        let Some(quote) = self.quote else { return to.extend_from_slice(text) };
        while let Some(at) = memchr(quote, text) {
            to.extend_from_slice(&text[..at]);
            if text.get(at + 1) != Some(&quote) {
                return to.extend_from_slice(&text[at + 1..]);
            }
            to.push(quote);
            text = &text[at + 2..];
        }
        to.extend_from_slice(text);
    }

    /// Appends a value as a cell, quoted only where a reader needs it.
    pub fn write(self, value: &[u8], to: &mut Vec<u8>) {
        let plain = |b: &u8| *b != self.delimiter && *b != b'\n' && *b != b'\r' && Some(*b) != self.quote;
        match self.quote {
            Some(quote) if !value.iter().all(plain) => self.write_quoted(quote, value, to),
            _ => to.extend_from_slice(value),
        }
    }

    fn write_quoted(self, quote: u8, value: &[u8], to: &mut Vec<u8>) {
        to.push(quote);
        self.double(value, to);
        to.push(quote);
    }

    /// Appends a text with its quotes doubled, for the inside of a quoted cell.
    pub fn double(self, mut text: &[u8], to: &mut Vec<u8>) {
        while let Some(at) = self.quote.and_then(|quote| memchr(quote, text)) {
            to.extend_from_slice(&text[..=at]);
            to.push(text[at]);
            text = &text[at + 1..];
        }
        to.extend_from_slice(text);
    }
}

/// A cell that began with a quote: where its closing quote ends, and whether there are doubled ones before.
#[derive(Clone, Copy)]
struct Quoted {
    end: usize,
    escaped: bool,
}

#[inline]
fn form(quoted: Option<Quoted>, end: usize) -> Form {
    match quoted {
        None => Form::Plain,
        Some(Quoted { end: at, escaped: false }) if at == end => Form::Quoted,
        Some(_) => Form::Escaped,
    }
}

fn without_cr(line: &[u8]) -> usize {
    line.len() - usize::from(line.last() == Some(&b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: Syntax = Syntax { delimiter: b',', quote: Some(b'"') };

    fn values(body: &str) -> Vec<String> {
        let mut cells = Vec::new();
        COMMON.scan(body.as_bytes(), true, &mut cells);
        let text = |c: &Cell| String::from_utf8_lossy(COMMON.value(body.as_bytes(), *c, &mut Vec::new())).into_owned();
        cells.iter().map(text).collect()
    }

    #[test]
    fn cells_are_read_as_other_readers_read_them() {
        assert_eq!(values("a,b"), ["a", "b"]);
        assert_eq!(values(""), [""]);
        assert_eq!(values("a,"), ["a", ""]);
        assert_eq!(values("\"\","), ["", ""]);
        assert_eq!(values(r#""a,b",c"#), ["a,b", "c"]);
        assert_eq!(values(r#""a""b","""""#), [r#"a"b"#, "\""]);
        assert_eq!(values(r#""a"b"c,d"#), [r#"ab"c"#, "d"]);
        assert_eq!(values(r#"a"b,c"#), [r#"a"b"#, "c"]);
        assert_eq!(values("\"a\nb\",c"), ["a\nb", "c"]);
    }

    #[test]
    fn records_end_outside_quotes_only() {
        let find = |text: &str, last| COMMON.scan(text.as_bytes(), last, &mut Vec::new());
        assert_eq!(find("a,b\r\nc", false), Found::Record { len: 5, body: 3, lines: 1 });
        assert_eq!(find("\"a\nb\"\nc", false), Found::Record { len: 6, body: 5, lines: 2 });
        assert_eq!(find("\"a\nb", true), Found::More { open: true });
        assert_eq!(find("\"a\"", false), Found::More { open: true });
        assert_eq!(find("\"a\"", true), Found::Record { len: 3, body: 3, lines: 1 });
        assert_eq!(find("ab", false), Found::More { open: false });
        assert_eq!(find("a\"b\n\"", false), Found::Record { len: 4, body: 3, lines: 1 });
    }

    #[test]
    fn the_last_end_is_the_end_of_a_record() {
        let last = |text: &str| COMMON.last_end(text.as_bytes());
        assert_eq!(last("a\nb\nc"), Some(4));
        assert_eq!(last("a\n\"b\nc\",\"d\n"), Some(2));
        assert_eq!(last("a\n\"b\nc\"\nd"), Some(8));
        assert_eq!(last("a\nb\"c\n\"\""), Some(6));
        assert_eq!((last("abc"), last("\"a\n")), (None, None));
    }

    #[test]
    fn written_values_read_back_the_same() {
        for value in ["", "a", "a,b", "a\"b", "\"", "a\nb", "a\r", "\"\""] {
            let mut cell = Vec::new();
            COMMON.write(value.as_bytes(), &mut cell);
            assert_eq!(values(std::str::from_utf8(&cell).unwrap()), [value]);
        }
    }
}
