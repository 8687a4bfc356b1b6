//! From a line of text to a command.

use super::spec::{Arg, Kind, SPECS, Spec, spec};
use super::usage::{Usage, nearest};
use super::{DRILL, is_quote};
use crate::domain::command::{Action, Command, Scope};
use crate::domain::id::{FileName, JobName, RegionName, RequestId, RunId, UserId};

/// What a line of text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// No text: the menu.
    Menu,
    Complete(Command),
    /// A required argument is missing: a form asks for it.
    Incomplete(Action),
}

/// Reads a line that somebody typed. `jobs` are the jobs of the catalog.
pub fn parse(text: &str, jobs: &[JobName]) -> Result<Parsed, Usage> {
    Parser { text, jobs: Some(jobs) }.line()
}

/// Reads a line that [`super::render`] wrote, perhaps under an older catalog: any well-formed job name is taken.
pub fn read_back(text: &str) -> Result<Command, Usage> {
    match (Parser { text, jobs: None }).line()? {
        Parsed::Complete(command) => Ok(command),
        Parsed::Menu | Parsed::Incomplete(_) => Err(Usage {
            text: text.to_owned(),
            at: text.chars().count(),
            length: 1,
            reason: "the command is not complete".to_owned(),
            nearest: None,
            action: None,
        }),
    }
}

struct Parser<'a> {
    text: &'a str,
    jobs: Option<&'a [JobName]>,
}

/// A word of the line: its value, and where it stands in characters.
#[derive(Clone)]
struct Token {
    word: String,
    at: usize,
    length: usize,
}

enum Value {
    Job(JobName),
    File(FileName),
    Run(RunId),
    Scope(Scope),
    User(UserId),
    Action(Action),
    Region(RegionName),
    Drill,
    Request(RequestId),
    Words(String),
    Command(Command),
}

impl Parser<'_> {
    fn line(&self) -> Result<Parsed, Usage> {
        let tokens = self.tokens()?;
        if tokens.is_empty() { Ok(Parsed::Menu) } else { self.command(&tokens, true) }
    }

    fn command(&self, tokens: &[Token], outer: bool) -> Result<Parsed, Usage> {
        let (first, rest) = tokens.split_first().expect("callers pass at least one token");
        let Some(action) = Action::parse(&first.word.to_lowercase()) else {
            let near = nearest(&first.word, SPECS.iter().map(|s| s.action.name()));
            return Err(self.wrong(first, "this is not a command", near, None));
        };
        if action == Action::Why && !outer {
            return Err(self.wrong(first, "why explains one command, not itself", None, Some(action)));
        }
        let values = self.arguments(spec(action), rest)?;
        Ok(build(action, values).map_or(Parsed::Incomplete(action), Parsed::Complete))
    }

    fn arguments(&self, spec: &Spec, tokens: &[Token]) -> Result<Vec<Value>, Usage> {
        let mut values = Vec::new();
        let mut open = spec.args;
        let mut tokens = tokens;
        while let Some((token, rest)) = tokens.split_first() {
            if let [Arg { kind: Kind::Command, .. }, ..] = open {
                return match self.command(tokens, false)? {
                    Parsed::Complete(command) => {
                        values.push(Value::Command(command));
                        Ok(values)
                    }
                    Parsed::Menu | Parsed::Incomplete(_) => {
                        let last = tokens.last().unwrap_or(token);
                        Err(self.wrong(last, "the command to explain is not complete", None, Some(spec.action)))
                    }
                };
            }
            if let [Arg { kind: Kind::Words, .. }, ..] = open {
                values.push(Value::Words(self.rest(tokens)));
                return Ok(values);
            }
            let (value, skipped) = self.argument(spec, open, token)?;
            values.push(value);
            open = &open[skipped + 1..];
            tokens = rest;
        }
        Ok(values)
    }

    /// Everything from the first token on: as it was typed, or the content of one quoted text.
    fn rest(&self, tokens: &[Token]) -> String {
        match tokens {
            [one] => one.word.clone(),
            [first, ..] => self.text.chars().skip(first.at).collect::<String>().trim_end().to_owned(),
            [] => String::new(),
        }
    }

    /// The value of `token` as the first of the open arguments that takes it; optional ones may be skipped.
    fn argument(&self, spec: &Spec, open: &[Arg], token: &Token) -> Result<(Value, usize), Usage> {
        let mut reasons = Vec::new();
        let mut near = None;
        for (skipped, arg) in open.iter().enumerate() {
            match self.value(arg.kind, &token.word) {
                Ok(value) => return Ok((value, skipped)),
                Err((reason, nearest)) => {
                    reasons.push(reason);
                    near = near.or(nearest);
                }
            }
            if arg.required {
                break;
            }
        }
        let reason = match reasons.as_slice() {
            [] => format!("nothing more is expected here: {}", spec.usage()),
            reasons => format!("expected {}", reasons.join(", or ")),
        };
        Err(self.wrong(token, &reason, near, Some(spec.action)))
    }

    fn value(&self, kind: Kind, word: &str) -> Result<Value, (String, Option<String>)> {
        let lower = word.to_lowercase();
        match kind {
            Kind::Job => self.job(&lower).map(Value::Job),
            Kind::File => {
                FileName::parse(word).map(Value::File).map_err(|e| (format!("a file name ({})", e.rule), None))
            }
            Kind::Run => RunId::parse(lower).map(Value::Run).map_err(|_| ("a run id such as r-7k3f".to_owned(), None)),
            Kind::Scope => Scope::parse(&lower).map(Value::Scope).ok_or_else(|| {
                ("rows, chunks or all".to_owned(), nearest(&lower, Scope::ALL.iter().map(|s| s.name())))
            }),
            Kind::User => mention(word)
                .map(Value::User)
                .ok_or_else(|| ("a person, picked from the list that opens when you type @".to_owned(), None)),
            Kind::Action => Action::parse(&lower).map(Value::Action).ok_or_else(|| {
                ("the name of a command".to_owned(), nearest(&lower, SPECS.iter().map(|s| s.action.name())))
            }),
            Kind::Region => {
                RegionName::parse(lower).map(Value::Region).map_err(|e| (format!("a region ({})", e.rule), None))
            }
            Kind::Drill => {
                if lower == DRILL {
                    Ok(Value::Drill)
                } else {
                    Err(("the word drill".to_owned(), nearest(&lower, [DRILL])))
                }
            }
            Kind::Request => RequestId::parse(lower)
                .map(Value::Request)
                .map_err(|_| ("a request id such as q-7k3f".to_owned(), None)),
            Kind::Words => Ok(Value::Words(word.to_owned())),
            Kind::Command => Err(("a command".to_owned(), None)),
        }
    }

    fn job(&self, word: &str) -> Result<JobName, (String, Option<String>)> {
        let near = || nearest(word, self.jobs.unwrap_or_default().iter().map(JobName::as_str));
        let job = JobName::parse(word).map_err(|e| (format!("a job name ({})", e.rule), near()))?;
        match self.jobs {
            Some(jobs) if !jobs.contains(&job) => {
                let names: Vec<&str> = jobs.iter().map(JobName::as_str).take(10).collect();
                Err((format!("one of the jobs here: {}", names.join(", ")), near()))
            }
            _ => Ok(job),
        }
    }

    fn tokens(&self) -> Result<Vec<Token>, Usage> {
        let mut tokens = Vec::new();
        let mut chars = self.text.chars().enumerate().peekable();
        while let Some((at, c)) = chars.next() {
            if c.is_whitespace() {
                continue;
            }
            let mut word = String::new();
            let mut length = 1;
            if is_quote(c) {
                let mut closed = false;
                while let Some((_, c)) = chars.next() {
                    length += 1;
                    if is_quote(c) {
                        closed = true;
                        break;
                    }
                    match (c, chars.peek()) {
                        ('\\', Some((_, next))) if *next == '\\' || is_quote(*next) => {
                            word.push(*next);
                            length += 1;
                            chars.next();
                        }
                        _ => word.push(c),
                    }
                }
                if !closed {
                    let token = Token { word, at, length };
                    return Err(self.wrong(&token, "this quote is never closed", None, None));
                }
            } else {
                word.push(c);
                while let Some((_, c)) = chars.next_if(|(_, c)| !c.is_whitespace()) {
                    word.push(c);
                    length += 1;
                }
            }
            tokens.push(Token { word, at, length });
        }
        Ok(tokens)
    }

    fn wrong(&self, token: &Token, reason: &str, nearest: Option<String>, action: Option<Action>) -> Usage {
        Usage {
            text: self.text.to_owned(),
            at: token.at,
            length: token.length,
            reason: reason.to_owned(),
            nearest,
            action,
        }
    }
}

/// `<@U123>` or `<@U123|name>` as Slack sends it, or a bare user id.
fn mention(word: &str) -> Option<UserId> {
    let inner = word.strip_prefix("<@").and_then(|w| w.strip_suffix('>')).unwrap_or(word);
    let id = inner.split_once('|').map_or(inner, |(id, _)| id);
    UserId::parse(id).ok()
}

/// The command of these values, or `None` where a required one is missing.
fn build(action: Action, values: Vec<Value>) -> Option<Command> {
    let (mut job, mut file, mut run, mut scope, mut user, mut about, mut command) =
        (None, None, None, None, None, None, None);
    let (mut region, mut drill, mut request, mut words) = (None, false, None, None);
    for value in values {
        match value {
            Value::Job(v) => job = Some(v),
            Value::File(v) => file = Some(v),
            Value::Run(v) => run = Some(v),
            Value::Scope(v) => scope = Some(v),
            Value::User(v) => user = Some(v),
            Value::Action(v) => about = Some(v),
            Value::Command(v) => command = Some(Box::new(v)),
            Value::Region(v) => region = Some(v),
            Value::Drill => drill = true,
            Value::Request(v) => request = Some(v),
            Value::Words(v) => words = Some(v).filter(|text: &String| !text.trim().is_empty()),
        }
    }
    Some(match action {
        Action::StartBatch => Command::StartBatch { job: job?, file },
        Action::ReprocessBatch => Command::ReprocessBatch { run, scope },
        Action::CancelBatch => Command::CancelBatch { run: run? },
        Action::Status => Command::Status { run },
        Action::ListBatches => Command::ListBatches,
        Action::FailOver => Command::FailOver { region, drill },
        Action::FailBack => Command::FailBack,
        Action::Approve => Command::Approve { request: request?, words },
        Action::Deny => Command::Deny { request: request?, reason: words },
        Action::Why => Command::Why { user: user?, command: command? },
        Action::Help => Command::Help { about },
    })
}
