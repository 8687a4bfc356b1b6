//! What a batch must come to, worked out one character at a time, with no thought of speed.

/// How the file is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Marks {
    pub delimiter: u8,
    pub quote: Option<u8>,
}

/// A record: its line, its bytes without line end, and its cells; no cells where it has no end.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    pub line: u64,
    pub raw: Vec<u8>,
    pub cells: Option<Vec<Vec<u8>>>,
}

pub(crate) fn parse(marks: Marks, text: &[u8]) -> Vec<Record> {
    parse_within(marks, usize::MAX, text)
}

/// The same where no record is longer than `limit` bytes: what does not end within them is a line without cells.
pub(crate) fn parse_within(marks: Marks, limit: usize, text: &[u8]) -> Vec<Record> {
    let mut records = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < text.len() {
        let whole = text.len() - at <= limit;
        let seen = &text[at..at + limit.min(text.len() - at)];
        // What ends with what is seen, and not with a line end, may go on behind it.
        let found = one(marks, seen).filter(|(length, _)| whole || seen[..*length].ends_with(b"\n"));
        let (end, cells) = match found {
            Some((length, cells)) => (at + length, Some(cells)),
            None => (text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |n| at + n + 1), None),
        };
        let mut raw = &text[at..end];
        raw = raw.strip_suffix(b"\n").unwrap_or(raw);
        raw = raw.strip_suffix(b"\r").unwrap_or(raw);
        records.push(Record { line, raw: raw.to_vec(), cells });
        line += String::from_utf8_lossy(&text[at..end]).matches('\n').count() as u64;
        at = end;
    }
    records
}

/// Length and cells of the first record; `None` when it ends within quotes.
fn one(marks: Marks, text: &[u8]) -> Option<(usize, Vec<Vec<u8>>)> {
    let mut cells = Vec::new();
    let mut cell = Vec::new();
    let mut at = 0;
    let mut start_of_cell = true;
    let mut quoted = false;
    loop {
        let Some(&byte) = text.get(at) else {
            if quoted {
                return None;
            }
            strip_cr(text, &mut cell);
            cells.push(cell);
            return Some((at, cells));
        };
        at += 1;
        if quoted {
            if Some(byte) != marks.quote {
                cell.push(byte);
            } else if text.get(at).copied() == marks.quote {
                cell.push(byte);
                at += 1;
            } else {
                quoted = false;
            }
        } else if start_of_cell && Some(byte) == marks.quote {
            quoted = true;
            start_of_cell = false;
        } else if byte == b'\n' {
            strip_cr(&text[..at - 1], &mut cell);
            cells.push(cell);
            return Some((at, cells));
        } else if byte == marks.delimiter {
            cells.push(std::mem::take(&mut cell));
            start_of_cell = true;
        } else {
            cell.push(byte);
            start_of_cell = false;
        }
    }
}

fn strip_cr(text: &[u8], cell: &mut Vec<u8>) {
    if text.last() == Some(&b'\r') && cell.last() == Some(&b'\r') {
        cell.pop();
    }
}

/// Why a row of the table (`a` required, `b` a number of at most 50, `c` one of x, yy) is refused, and in which column.
pub(crate) fn verdict(record: &Record, columns: usize) -> Option<(&'static str, &'static str)> {
    let Some(cells) = &record.cells else { return Some(("unclosed-quote", "")) };
    let names = ["a", "b", "c"];
    if record.raw.is_empty() {
        return Some(("blank-row", ""));
    }
    if std::str::from_utf8(&record.raw).is_err() {
        let bad = cells.iter().position(|cell| std::str::from_utf8(cell).is_err());
        return Some(("bad-utf8", bad.and_then(|bad| names.get(bad).copied()).unwrap_or("")));
    }
    if cells.len() < columns {
        return Some(("short-row", names[cells.len()]));
    }
    if cells.len() > columns {
        return Some(("long-row", ""));
    }
    let text = |cell: usize| std::str::from_utf8(&cells[cell]).unwrap();
    if text(0).is_empty() {
        return Some(("missing-value", "a"));
    }
    if !text(1).is_empty() {
        let digits = text(1).strip_prefix('-').unwrap_or(text(1));
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Some(("bad-integer", "b"));
        }
        if text(1).parse::<i128>().unwrap() > 50 {
            return Some(("too-large", "b"));
        }
    }
    if !matches!(text(2), "" | "x" | "yy") {
        return Some(("not-in-list", "c"));
    }
    None
}
