//! A stream of records with their lines and offsets, through one window that moves over the input.
//!
//! A quote that is never closed must not swallow the rest of the file: when a record has no end within the
//! largest allowed size (or the input ends inside a quote), its first line alone is set aside and reading goes on
//! behind it. Planner and chunk workers use this same code, so they always agree where a record begins.
use super::split::{Cell, Found, Syntax};
use memchr::{memchr, memchr_iter};
use std::io::{self, Read};

/// How the input is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading {
    pub syntax: Syntax,
    /// Largest record in bytes; also the largest window.
    pub max_record: usize,
}

/// One record, or a piece of a line that is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Where it begins, in bytes from the beginning of the stream.
    pub offset: u64,
    /// The line it begins on.
    pub line: u64,
    /// Bytes with the line end.
    pub len: usize,
    /// Bytes without the line end.
    pub body: usize,
    pub shape: Shape,
}

/// What kind of thing was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A record with its cells.
    Record,
    /// A line with a quote that is never closed, or (a piece of) a line that is too long.
    Torn { why: Torn, first: bool, last: bool },
}

/// Why a line is no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Torn {
    Unclosed,
    Oversized,
}

const WINDOW: usize = 256 * 1024;
const PIECE: usize = 4096;

/// Reads records one after the other; memory is one window, which grows only for a large record.
pub struct Records<R> {
    input: R,
    reading: Reading,
    window: Vec<u8>,
    from: usize,
    to: usize,
    ended: bool,
    torn: Option<Torn>,
    next: Next,
    cells: Vec<Cell>,
}

#[derive(Clone, Copy)]
struct Next {
    offset: u64,
    line: u64,
    skip: usize,
}

impl<R: Read> Records<R> {
    /// Starts reading; `offset` and `line` say where the stream begins.
    pub fn new(input: R, reading: Reading, offset: u64, line: u64) -> Self {
        let window = vec![0; WINDOW.min(reading.max_record.max(4096))];
        let next = Next { offset, line, skip: 0 };
        Self { input, reading, window, from: 0, to: 0, ended: false, torn: None, next, cells: Vec::new() }
    }

    /// The stream's first bytes that match `mark` are passed over (a byte order mark).
    pub fn skip_prefix(&mut self, mark: &[u8]) -> io::Result<bool> {
        while self.to - self.from < mark.len() && self.fill()? {}
        let found = self.window[self.from..self.to].starts_with(mark);
        if found {
            self.from += mark.len();
            self.next.offset += mark.len() as u64;
        }
        Ok(found)
    }

    /// Moves to the next record; `None` at the end of the stream.
    pub fn advance(&mut self) -> io::Result<Option<Head>> {
        self.from += self.next.skip;
        self.next.skip = 0;
        if let Some(why) = self.torn {
            return self.tear(why, false);
        }
        loop {
            let bytes = &self.window[self.from..self.to];
            if bytes.is_empty() && self.ended {
                return Ok(None);
            }
            // Deciding on at most `max_record` bytes makes the answer the same wherever the window stands.
            let seen = bytes.len().min(self.reading.max_record);
            let last = self.ended && seen == bytes.len();
            let decided = self.ended || bytes.len() > self.reading.max_record;
            match self.reading.syntax.scan(&bytes[..seen], last, &mut self.cells) {
                Found::Record { len, body, lines } if !bytes.is_empty() => {
                    return Ok(Some(self.take(len, body, lines, Shape::Record)));
                }
                Found::More { open } if decided => {
                    // A line end in sight that did not end the record was inside a quote.
                    let open = open || memchr(b'\n', &bytes[..seen]).is_some();
                    return self.tear(if open { Torn::Unclosed } else { Torn::Oversized }, true);
                }
                _ => self.fill()?,
            };
        }
    }

    /// Passes over as many whole records as can be seen at once, up to `most` bytes; `None` where that is none.
    pub(crate) fn leap(&mut self, most: u64) -> io::Result<Option<&[u8]>> {
        self.from += self.next.skip;
        self.next.skip = 0;
        if self.torn.is_some() {
            return Ok(None);
        }
        if self.to - self.from < self.window.len() / 2 {
            self.fill()?;
        }
        let bytes = &self.window[self.from..self.to];
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let seen = bytes.len().min(self.reading.max_record).min(most);
        let Some(end) = self.reading.syntax.last_end(&bytes[..seen]) else { return Ok(None) };
        let lines = memchr_iter(b'\n', &bytes[..end]).count() as u64;
        self.take(end, end, lines, Shape::Record);
        Ok(Some(&self.window[self.from..self.from + end]))
    }

    /// Where the next record begins.
    pub(crate) fn next_offset(&self) -> u64 {
        self.next.offset
    }

    /// The cells of the record that `advance` returned last.
    pub fn cells(&self) -> &[Cell] {
        &self.cells
    }

    /// The bytes of the record that `advance` returned last, without the line end.
    pub fn body(&self, head: &Head) -> &[u8] {
        &self.window[self.from..self.from + head.body]
    }

    /// The same with its line end.
    pub fn whole(&self, head: &Head) -> &[u8] {
        &self.window[self.from..self.from + head.len]
    }

    /// The line on which the next record begins.
    pub fn next_line(&self) -> u64 {
        self.next.line
    }

    /// The input, after the last record was read.
    pub fn into_input(self) -> R {
        self.input
    }

    fn take(&mut self, len: usize, body: usize, lines: u64, shape: Shape) -> Head {
        let head = Head { offset: self.next.offset, line: self.next.line, len, body, shape };
        self.next.line += lines;
        self.next.offset += len as u64;
        self.next.skip = len;
        head
    }

    /// Takes one line (or as much of it as the window holds) as it stands.
    fn tear(&mut self, why: Torn, first: bool) -> io::Result<Option<Head>> {
        let newline = loop {
            let bytes = &self.window[self.from..self.to];
            let newline = memchr(b'\n', bytes);
            if newline.is_some() || bytes.len() >= PIECE || !self.fill()? {
                break newline;
            }
        };
        let bytes = &self.window[self.from..self.to];
        let mut len = newline.map_or(bytes.len(), |at| at + 1);
        let last = newline.is_some() || self.ended;
        let mut body = newline.unwrap_or(len);
        if bytes[..body].last() == Some(&b'\r') {
            body -= 1;
            // It may belong to a line end that is not in the window yet.
            len = if last { len } else { body };
        }
        self.torn = (!last).then_some(why);
        self.cells.clear();
        Ok(Some(self.take(len, body, u64::from(last), Shape::Torn { why, first, last })))
    }

    /// Reads more into the window; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.from > 0 {
            self.window.copy_within(self.from..self.to, 0);
            self.to -= self.from;
            self.from = 0;
        }
        if self.to == self.window.len() {
            self.window.resize(self.window.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.window[self.to..]) {
                Ok(0) => self.ended = true,
                Ok(n) => self.to += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            }
            return Ok(!self.ended);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading = Reading { syntax: Syntax { delimiter: b',', quote: Some(b'"') }, max_record: 40 };

    fn read(text: &str) -> Vec<(u64, String, Shape)> {
        let mut records = Records::new(text.as_bytes(), READING, 0, 1);
        let mut found = Vec::new();
        while let Some(head) = records.advance().unwrap() {
            found.push((head.line, String::from_utf8_lossy(records.body(&head)).into_owned(), head.shape));
        }
        found
    }

    const UNCLOSED: Shape = Shape::Torn { why: Torn::Unclosed, first: true, last: true };

    #[test]
    fn lines_count_the_file_even_within_quotes() {
        let found = read("a\r\n\"b\nc\"\n\nd");
        let expected =
            [(1, "a", Shape::Record), (2, "\"b\nc\"", Shape::Record), (4, "", Shape::Record), (5, "d", Shape::Record)];
        assert_eq!(found, expected.map(|(l, t, s)| (l, t.to_owned(), s)));
    }

    #[test]
    fn an_unclosed_quote_costs_its_own_line_only() {
        let found = read("a\n\"b\nc\nd\n");
        assert_eq!(found[1], (2, "\"b".to_owned(), UNCLOSED));
        assert_eq!(found[2], (3, "c".to_owned(), Shape::Record));
        assert_eq!(found.len(), 4);
    }

    #[test]
    fn a_line_beyond_the_limit_is_set_aside_whole() {
        let long = "x".repeat(9000);
        let found = read(&format!("a\n{long}\nb\n"));
        let text: String = found[1..found.len() - 1].iter().map(|f| f.1.as_str()).collect();
        assert_eq!(text, long);
        assert!(matches!(found[1].2, Shape::Torn { why: Torn::Oversized, first: true, .. }));
        assert_eq!(found.last().unwrap().0, 3);
    }
}
