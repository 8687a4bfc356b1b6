//! One row: is it acceptable, and how is it written to the output or to the rejects.
use super::job::{Job, Piece};
use super::reason::Reason;
use super::records::{Shape, Torn};
use super::split::{Cell, Form};
use memchr::memchr;

/// Looks at rows one after the other; owns what it needs for that, so that no row allocates.
pub(crate) struct Examiner<'a> {
    pub(crate) job: &'a Job,
    scratch: Vec<u8>,
    entries: Vec<Option<u32>>,
}

/// A row as it was read.
#[derive(Clone, Copy)]
pub(crate) struct Row<'a> {
    pub(crate) body: &'a [u8],
    pub(crate) cells: &'a [Cell],
}

/// Why a row is a reject, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) reason: Reason,
    /// Index of the field, where it is one.
    pub(crate) field: Option<usize>,
    /// Index of the cell with the value that is shown.
    pub(crate) cell: Option<usize>,
}

/// The value column of the rejects shows at most this many bytes; the whole value stands in the original row.
const SHOWN: usize = 4096;

impl<'a> Examiner<'a> {
    pub(crate) fn new(job: &'a Job) -> Self {
        Self { job, scratch: Vec::new(), entries: Vec::new() }
    }

    /// Checks a row and looks its keys up.
    pub(crate) fn examine(&mut self, row: Row<'_>, shape: Shape) -> Result<(), Refusal> {
        let (job, Row { body, cells }) = (self.job, row);
        let fields = &job.schema.fields;
        if let Shape::Torn { why, .. } = shape {
            let reason = if why == Torn::Unclosed { Reason::UnclosedQuote } else { Reason::OversizedRow };
            return Err(Refusal { reason, field: None, cell: None });
        }
        if body.is_empty() && fields.len() > 1 {
            return Err(Refusal { reason: Reason::BlankRow, field: None, cell: None });
        }
        if !body.is_ascii()
            && let Err(error) = std::str::from_utf8(body)
        {
            return Err(not_utf8(row, error.valid_up_to(), fields.len()));
        }
        if cells.len() < fields.len() {
            return Err(Refusal { reason: Reason::ShortRow, field: Some(cells.len()), cell: None });
        }
        if cells.len() > fields.len() {
            return Err(Refusal { reason: Reason::LongRow, field: None, cell: Some(fields.len()) });
        }
        for (index, (cell, field)) in cells.iter().zip(fields).enumerate() {
            let value = match cell.form {
                Form::Plain => &body[cell.start..cell.end],
                Form::Quoted => &body[cell.start + 1..cell.end - 1],
                Form::Escaped => job.reading.syntax.value(body, *cell, &mut self.scratch),
            };
            if let Err(reason) = job.schema.check_field(field, value) {
                return Err(Refusal { reason, field: Some(index), cell: Some(index) });
            }
        }
        self.look_up(row)
    }

    /// The value of a cell.
    pub(crate) fn value<'b>(&'b mut self, row: Row<'b>, cell: usize) -> &'b [u8] {
        match row.cells.get(cell) {
            Some(&cell) => self.job.reading.syntax.value(row.body, cell, &mut self.scratch),
            None => &[],
        }
    }

    fn look_up(&mut self, row: Row<'_>) -> Result<(), Refusal> {
        self.entries.clear();
        for lookup in &self.job.lookups {
            let key = self.job.reading.syntax.value(row.body, row.cells[lookup.field], &mut self.scratch);
            let entry = lookup.find(key);
            if entry.is_none() && !lookup.optional {
                let field = Some(lookup.field);
                return Err(Refusal { reason: Reason::MissingLookup, field, cell: field });
            }
            self.entries.push(entry);
        }
        Ok(())
    }

    /// Writes the output row of the row that was examined last, exactly as its cells stand in the input.
    pub(crate) fn write_row(&mut self, row: Row<'_>, to: &mut Vec<u8>) {
        let (job, Row { body, cells }) = (self.job, row);
        let delimiter = job.reading.syntax.delimiter;
        let begin = to.len();
        let plain = memchr(b'\r', body).is_none();
        for (index, piece) in job.pieces.iter().enumerate() {
            if index > 0 {
                to.push(delimiter);
            }
            match *piece {
                Piece::Cells { from, to: last } if plain => {
                    to.extend_from_slice(&body[cells[from].start..cells[last].end]);
                }
                Piece::Cells { from, to: last } => {
                    for (index, cell) in cells[from..=last].iter().enumerate() {
                        if index > 0 {
                            to.push(delimiter);
                        }
                        write_cell(job, body, *cell, to);
                    }
                }
                Piece::Lookup { lookup, from, to: last } => {
                    to.extend_from_slice(job.lookups[lookup].cells(self.entries[lookup], from, last));
                }
            }
        }
        if let (true, Some(quote)) = (to.len() == begin, job.reading.syntax.quote) {
            // An empty line would read as no row at all.
            to.extend_from_slice(&[quote, quote]);
        }
        to.extend_from_slice(job.spec.dialect.newline());
    }

    /// Writes the rejects row: line, column, reason, value, then the original row untouched.
    pub(crate) fn write_reject(&mut self, line: u64, refusal: Refusal, row: Row<'_>, to: &mut Vec<u8>) {
        let job = self.job;
        let syntax = job.reading.syntax;
        let column = refusal.field.map_or("", |field| &job.schema.fields[field].name);
        write_number(line, to);
        to.push(syntax.delimiter);
        syntax.write(column.as_bytes(), to);
        to.push(syntax.delimiter);
        to.extend_from_slice(refusal.reason.code().as_bytes());
        to.push(syntax.delimiter);
        if let Some(cell) = refusal.cell {
            let value = String::from_utf8_lossy(self.value(row, cell));
            let end = value.floor_char_boundary(SHOWN);
            let shown = if end < value.len() { format!("{}…", &value[..end]).into() } else { value };
            syntax.write(shown.as_bytes(), to);
        }
        to.push(syntax.delimiter);
    }
}

fn not_utf8(row: Row<'_>, at: usize, fields: usize) -> Refusal {
    let cell = row.cells.iter().position(|cell| at < cell.end);
    Refusal { reason: Reason::BadUtf8, field: cell.filter(|cell| *cell < fields), cell }
}

/// A CR that ended up at the end of a line would read as a part of the line end, so such a cell is quoted.
fn write_cell(job: &Job, body: &[u8], cell: Cell, to: &mut Vec<u8>) {
    let text = &body[cell.start..cell.end];
    match cell.form {
        Form::Plain if memchr(b'\r', text).is_some() => job.reading.syntax.write(text, to),
        _ => to.extend_from_slice(text),
    }
}

fn write_number(mut number: u64, to: &mut Vec<u8>) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(number % 10).unwrap_or_default();
        number /= 10;
        if number == 0 {
            return to.extend_from_slice(&digits[at..]);
        }
    }
}
