//! Where a record ends and where its cells are. The only code that knows what a quote means.
//!
//! RFC 4180, read as most CSV readers read it: a cell that begins with the quote is quoted up to the next
//! single quote, a doubled quote inside stands for one, and what follows a closing quote is taken as it stands.
//! A quote elsewhere is an ordinary character. A record ends at LF or CRLF; a CR elsewhere is data.
use memchr::{memchr, memchr_iter, memchr2};

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
    /// A record of `len` bytes with its line end, `body` bytes without.
    Record { len: usize, body: usize, quoted: bool },
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
    /// Finds the first record of `bytes`; `last` says that nothing follows them.
    pub fn find(self, bytes: &[u8], last: bool) -> Found {
        let newline = memchr(b'\n', bytes);
        let line = &bytes[..newline.unwrap_or(bytes.len())];
        let quoted = self.quote.is_some_and(|quote| memchr(quote, line).is_some());
        if quoted {
            return self.find_quoted(bytes, last);
        }
        match newline {
            Some(at) => Found::Record { len: at + 1, body: without_cr(line), quoted: false },
            None if last => Found::Record { len: bytes.len(), body: without_cr(line), quoted: false },
            None => Found::More { open: false },
        }
    }

    fn find_quoted(self, bytes: &[u8], last: bool) -> Found {
        let mut at = 0;
        loop {
            if bytes.get(at).copied() == self.quote {
                match self.closing(bytes, at + 1, last) {
                    Some(after) => at = after,
                    None => return Found::More { open: true },
                }
            }
            match memchr2(self.delimiter, b'\n', &bytes[at..]) {
                Some(step) if bytes[at + step] == b'\n' => {
                    let end = at + step;
                    return Found::Record { len: end + 1, body: without_cr(&bytes[..end]), quoted: true };
                }
                Some(step) => at += step + 1,
                None if last => {
                    return Found::Record { len: bytes.len(), body: without_cr(bytes), quoted: true };
                }
                None => return Found::More { open: false },
            }
        }
    }

    /// The position behind the closing quote of a cell whose text begins at `at`.
    fn closing(self, bytes: &[u8], mut at: usize, last: bool) -> Option<usize> {
        let quote = self.quote?;
        loop {
            let close = at + memchr(quote, bytes.get(at..)?)?;
            match bytes.get(close + 1) {
                Some(&next) if next == quote => at = close + 2,
                None if !last => return None,
                _ => return Some(close + 1),
            }
        }
    }

    /// Cuts a record (without its line end) into cells.
    pub fn cells(self, body: &[u8], quoted: bool, cells: &mut Vec<Cell>) {
        cells.clear();
        if quoted {
            self.cells_quoted(body, cells);
            return;
        }
        let mut start = 0;
        for end in memchr_iter(self.delimiter, body) {
            cells.push(Cell { start, end, form: Form::Plain });
            start = end + 1;
        }
        cells.push(Cell { start, end: body.len(), form: Form::Plain });
    }

    fn cells_quoted(self, body: &[u8], cells: &mut Vec<Cell>) {
        let mut start = 0;
        loop {
            let opened = body.get(start).copied() == self.quote && self.quote.is_some();
            let text = if opened { self.closing(body, start + 1, true).unwrap_or(body.len()) } else { start };
            let end = memchr(self.delimiter, &body[text..]).map_or(body.len(), |step| text + step);
            let form = match opened {
                false => Form::Plain,
                true if end == text && !self.has_quote(&body[start + 1..end - 1]) => Form::Quoted,
                true => Form::Escaped,
            };
            cells.push(Cell { start, end, form });
            if end == body.len() {
                return;
            }
            start = end + 1;
        }
    }

    fn has_quote(self, bytes: &[u8]) -> bool {
        self.quote.is_some_and(|quote| memchr(quote, bytes).is_some())
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

fn without_cr(line: &[u8]) -> usize {
    line.len() - usize::from(line.last() == Some(&b'\r'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMON: Syntax = Syntax { delimiter: b',', quote: Some(b'"') };

    fn values(body: &str) -> Vec<String> {
        let mut cells = Vec::new();
        let quoted = body.contains('"');
        COMMON.cells(body.as_bytes(), quoted, &mut cells);
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
        let find = |text: &str, last| COMMON.find(text.as_bytes(), last);
        assert_eq!(find("a,b\r\nc", false), Found::Record { len: 5, body: 3, quoted: false });
        assert_eq!(find("\"a\nb\"\nc", false), Found::Record { len: 6, body: 5, quoted: true });
        assert_eq!(find("\"a\nb", true), Found::More { open: true });
        assert_eq!(find("\"a\"", false), Found::More { open: true });
        assert_eq!(find("\"a\"", true), Found::Record { len: 3, body: 3, quoted: true });
        assert_eq!(find("ab", false), Found::More { open: false });
        assert_eq!(find("a\"b\n\"", false), Found::Record { len: 4, body: 3, quoted: true });
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
