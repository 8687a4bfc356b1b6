//! A mistake of a file, with its place; all mistakes of a file, in its order.

use std::cell::RefCell;
use std::fmt;

/// One thing that is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The file's name as people know it.
    pub file: String,
    /// Counts from 1; 0 where no line is to blame.
    pub line: usize,
    /// The key, such as `job.sales.schema`; empty where no key is to blame.
    pub key: String,
    pub what: String,
    /// What to do; may be empty.
    pub hint: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file)?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        if !self.key.is_empty() {
            write!(f, " {}:", self.key)?;
        }
        write!(f, " {}", self.what)?;
        if !self.hint.is_empty() {
            write!(f, "; {}", self.hint)?;
        }
        Ok(())
    }
}

/// Every mistake of a file, in the order of its lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&lines.join("\n"))
    }
}

impl std::error::Error for Mistakes {}

impl Mistakes {
    /// A mistake that no line is to blame for.
    pub fn of_file(file: &str, what: impl Into<String>, hint: &str) -> Self {
        Self(vec![Mistake {
            file: file.to_owned(),
            line: 0,
            key: String::new(),
            what: what.into(),
            hint: hint.to_owned(),
        }])
    }
}

/// Collects the mistakes of one file while it is read.
#[derive(Debug)]
pub(super) struct Notes {
    file: String,
    /// The byte at which each line starts.
    lines: Vec<usize>,
    mistakes: RefCell<Vec<Mistake>>,
}

impl Notes {
    pub(super) fn new(file: &str, text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
        Self { file: file.to_owned(), lines: std::iter::once(0).chain(starts).collect(), mistakes: RefCell::default() }
    }

    /// The line, from 1, of a byte of the text.
    pub(super) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// Notes a mistake at a byte of the text.
    pub(super) fn add(&self, at: usize, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let mistake = Mistake {
            file: self.file.clone(),
            line: self.line(at),
            key: key.to_owned(),
            what: what.into(),
            hint: hint.into(),
        };
        self.mistakes.borrow_mut().push(mistake);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.mistakes.borrow().is_empty()
    }

    /// All mistakes in the order of the lines, each once.
    pub(super) fn finish(self) -> Mistakes {
        let mut mistakes = self.mistakes.into_inner();
        mistakes.sort_by_key(|m| m.line);
        let mut seen = Vec::new();
        mistakes.retain(|m| {
            let fresh = !seen.contains(m);
            if fresh {
                seen.push(m.clone());
            }
            fresh
        });
        Mistakes(mistakes)
    }
}
