//! Where the command line writes: results to stdout, everything else to stderr.

use super::{Failure, Outcome};
use std::borrow::Cow;
use std::io::{ErrorKind, IsTerminal, Write};

/// The two streams.
pub struct Terminal {
    out: Box<dyn Write + Send>,
    err: Box<dyn Write + Send>,
    watched: bool,
}

impl Terminal {
    /// The process's own.
    pub fn standard() -> Self {
        let watched = std::io::stderr().is_terminal();
        Self { out: Box::new(std::io::stdout()), err: Box::new(std::io::stderr()), watched }
    }

    /// Others, which nobody watches.
    pub fn new(out: Box<dyn Write + Send>, err: Box<dyn Write + Send>) -> Self {
        Self { out, err, watched: false }
    }

    /// Whether a person watches stderr.
    pub fn watched(&self) -> bool {
        self.watched
    }

    /// What a person answers to a question, trimmed; `None`: nobody is there to ask.
    pub(super) fn ask(&mut self, question: &str) -> Option<String> {
        if !self.watched || !std::io::stdin().is_terminal() {
            return None;
        }
        let _ = write!(self.err, "{}", harmless(question)).and_then(|()| self.err.flush());
        let mut answer = String::new();
        std::io::stdin().read_line(&mut answer).ok().filter(|read| *read > 0)?;
        Some(answer.trim().to_owned())
    }

    /// A line of the result.
    pub fn say(&mut self, line: &str) -> Outcome {
        writeln!(self.out, "{}", harmless(line)).and_then(|()| self.out.flush()).map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::Unread,
            _ => Failure::failed(anyhow::Error::new(error).context("stdout cannot be written to")),
        })
    }

    /// A line about what happens.
    pub fn note(&mut self, line: &str) {
        // Where stderr is gone there is nobody left to tell.
        let _ = writeln!(self.err, "{}", harmless(line));
    }
}

/// Text in which nothing is a command for the terminal: names come from files, and whoever made those may not repaint the screen of
/// who reads about them. Escaped as in JSON, so that JSON stays JSON.
fn harmless(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
    if !text.contains(obeyed) {
        return text.into();
    }
    let escaped = |c: char| if obeyed(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
    text.chars().map(escaped).collect()
}

impl Terminal {
    /// Prints `what: http://ADDRESS` on the process's stdout once an address is known.
    pub(super) fn announce(what: &'static str) -> crate::app::Ready {
        Box::new(move |address| {
            // A server outlives whoever reads its output.
            let _ = Self::standard().say(&format!("{what}: http://{address}"));
        })
    }
}
