//! The words of a line, and what they may name.

use super::is_quote;
use crate::domain::id::{JobName, ParameterName};
use crate::domain::job::Catalog;
use crate::domain::parameter::{Given, Inputs};
use jiff::civil::Date;

/// What a line may name.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'a> {
    jobs: &'a [JobName],
    /// With the day on which the line is read. `None`: what the jobs take is not known.
    catalog: Option<(&'a Catalog, Date)>,
}

/// Only the names of jobs are known: whatever is given to one is taken as it is.
impl<'a> From<&'a [JobName]> for Vocabulary<'a> {
    fn from(jobs: &'a [JobName]) -> Self {
        Self { jobs, catalog: None }
    }
}

impl<'a> From<&'a Vec<JobName>> for Vocabulary<'a> {
    fn from(jobs: &'a Vec<JobName>) -> Self {
        jobs.as_slice().into()
    }
}

/// The catalog, on the day that `today` means.
impl<'a> From<(&'a Catalog, Date)> for Vocabulary<'a> {
    fn from((catalog, today): (&'a Catalog, Date)) -> Self {
        Self { jobs: catalog.names(), catalog: Some((catalog, today)) }
    }
}

impl<'a> Vocabulary<'a> {
    pub(super) fn jobs(&self) -> &'a [JobName] {
        self.jobs
    }

    pub(super) fn knows_workflows(&self) -> bool {
        self.catalog.is_some()
    }

    pub(super) fn workflow(&self, job: &JobName) -> Option<(&'a Inputs, Date)> {
        let (catalog, today) = self.catalog?;
        Some((catalog.workflow(job)?, today))
    }
}

/// A word of the line: its value, and where it stands in characters.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) word: String,
    pub(super) at: usize,
    pub(super) length: usize,
    /// It began with a quote.
    pub(super) quoted: bool,
}

/// `NAME=VALUE`.
pub(super) fn given(word: &str) -> Option<Given> {
    let (name, text) = word.split_once('=')?;
    Some(Given { name: ParameterName::parse(name).ok()?, text: text.to_owned() })
}

type Characters<'a> = std::iter::Peekable<std::iter::Enumerate<std::str::Chars<'a>>>;

/// Cuts a line into words. `Err`: a quote that is never closed.
pub(super) fn tokens(line: &str) -> Result<Vec<Token>, Token> {
    let mut tokens = Vec::new();
    let mut rest: Characters<'_> = line.chars().enumerate().peekable();
    while let Some((at, c)) = rest.next() {
        if c.is_whitespace() {
            continue;
        }
        let mut token = Token { word: String::new(), at, length: 1, quoted: is_quote(c) };
        let closed = if token.quoted {
            quoted(&mut rest, &mut token)
        } else {
            token.word.push(c);
            plain(&mut rest, &mut token)
        };
        if !closed {
            return Err(token);
        }
        tokens.push(token);
    }
    Ok(tokens)
}

/// The rest of a word without quotes, but for a value: `note="some text"`.
fn plain(rest: &mut Characters<'_>, token: &mut Token) -> bool {
    while let Some((_, c)) = rest.next_if(|(_, c)| !c.is_whitespace()) {
        token.length += 1;
        let value_begins = given(&token.word).is_some_and(|given| given.text.is_empty());
        if value_begins && is_quote(c) {
            return quoted(rest, token);
        }
        token.word.push(c);
    }
    true
}

/// What stands in quotes, up to the closing one. `false`: there is none.
fn quoted(rest: &mut Characters<'_>, token: &mut Token) -> bool {
    while let Some((_, c)) = rest.next() {
        token.length += 1;
        if is_quote(c) {
            return true;
        }
        match (c, rest.peek()) {
            ('\\', Some((_, next))) if *next == '\\' || is_quote(*next) => {
                token.word.push(*next);
                token.length += 1;
                rest.next();
            }
            _ => token.word.push(c),
        }
    }
    false
}
