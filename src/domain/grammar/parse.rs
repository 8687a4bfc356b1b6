//! From a line of text to a command.

use super::DRILL;
use super::spec::{Arg, Kind, SPECS, Spec, spec};
use super::usage::{Usage, nearest};
use super::words::{self, Token, Vocabulary};
use crate::domain::command::{Action, Command, Scope};
use crate::domain::id::{FileName, JobName, RegionName, RequestId, RunId, UserId};
use crate::domain::parameter::{Given, Inputs, Parameters, Unfit};

/// What a line of text asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parsed {
    /// No text: the menu.
    Menu,
    Complete(Command),
    /// A required argument is missing: a form asks for it.
    Incomplete(Action),
    /// A workflow needs more than it was given: a form asks for the rest.
    Unfilled {
        job: JobName,
        given: Vec<Given>,
    },
}

/// Reads a line that somebody typed.
pub fn parse<'a>(text: &'a str, known: impl Into<Vocabulary<'a>>) -> Result<Parsed, Usage> {
    Parser { text, known: Some(known.into()) }.line()
}

/// Reads a line that [`super::render`] wrote, perhaps under an older catalog: any well-formed job name is taken.
pub fn read_back(text: &str) -> Result<Command, Usage> {
    match (Parser { text, known: None }).line()? {
        Parsed::Complete(command) => Ok(command),
        Parsed::Menu | Parsed::Incomplete(_) | Parsed::Unfilled { .. } => Err(Usage {
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
    known: Option<Vocabulary<'a>>,
}

enum Value {
    Job(JobName),
    File(FileName),
    Given(Vec<Given>),
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
        match build(action, values) {
            None => Ok(Parsed::Incomplete(action)),
            Some(Command::StartBatch { job, values, file }) => match self.workflow(&job) {
                Some((inputs, today)) => self.filled(job, inputs.read(&values, today), values, rest),
                None => Ok(Parsed::Complete(Command::StartBatch { job, file, values })),
            },
            Some(command) => Ok(Parsed::Complete(command)),
        }
    }

    /// What the job takes, where it is known to be a workflow.
    fn workflow(&self, job: &JobName) -> Option<(&Inputs, jiff::civil::Date)> {
        self.known.as_ref().and_then(|known| known.workflow(job))
    }

    /// A workflow with the values that it takes. `tokens` are the job and what was given.
    fn filled(
        &self,
        job: JobName,
        read: Result<Parameters, Unfit>,
        given: Vec<Given>,
        tokens: &[Token],
    ) -> Result<Parsed, Usage> {
        match read {
            Ok(values) => Ok(Parsed::Complete(Command::StartBatch { job, file: None, values: values.given() })),
            Err(Unfit::Missing { .. }) => Ok(Parsed::Unfilled { job, given }),
            Err(Unfit::Wrong { index, reason, nearest }) => {
                let token = tokens.get(index + 1).or(tokens.last()).expect("the job is one of them");
                Err(self.wrong(token, &reason, nearest, Some(Action::StartBatch)))
            }
        }
    }

    /// The values of a workflow; `None`: what follows is a file.
    fn given(&self, before: &[Value], tokens: &[Token]) -> Result<Option<Vec<Given>>, Usage> {
        let Some(Value::Job(job)) = before.last() else { return Ok(None) };
        let inputs = self.workflow(job).map(|(inputs, _)| inputs);
        let knows_jobs = self.known.as_ref().is_some_and(Vocabulary::knows_workflows);
        let looks_so = tokens.first().is_some_and(|first| !first.quoted && words::given(&first.word).is_some());
        if inputs.is_none() && (knows_jobs || !looks_so) {
            return Ok(None);
        }
        let one = |token: &Token| {
            words::given(&token.word).ok_or_else(|| {
                let near =
                    inputs.and_then(|inputs| nearest(&token.word, inputs.names()).map(|name| format!("{name}=")));
                let expected = inputs.map_or_else(|| "NAME=VALUE".to_owned(), Inputs::expected);
                self.wrong(token, &format!("expected {expected}"), near, Some(Action::StartBatch))
            })
        };
        tokens.iter().map(one).collect::<Result<_, _>>().map(Some)
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
                    // Rights depend on the job alone.
                    Parsed::Unfilled { job, given } => {
                        values.push(Value::Command(Command::StartBatch { job, file: None, values: given }));
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
            if let [Arg { kind: Kind::File, .. }, ..] = open
                && let Some(given) = self.given(&values, tokens)?
            {
                values.push(Value::Given(given));
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
        let jobs = self.known.as_ref().map(Vocabulary::jobs);
        let near = || nearest(word, jobs.unwrap_or_default().iter().map(JobName::as_str));
        let job = JobName::parse(word).map_err(|e| (format!("a job name ({})", e.rule), near()))?;
        match jobs {
            Some(jobs) if !jobs.contains(&job) => {
                let names: Vec<&str> = jobs.iter().map(JobName::as_str).take(10).collect();
                Err((format!("one of the jobs here: {}", names.join(", ")), near()))
            }
            _ => Ok(job),
        }
    }

    fn tokens(&self) -> Result<Vec<Token>, Usage> {
        words::tokens(self.text).map_err(|open| self.wrong(&open, "this quote is never closed", None, None))
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
    let (mut region, mut drill, mut request, mut words, mut given) = (None, false, None, None, Vec::new());
    for value in values {
        match value {
            Value::Job(v) => job = Some(v),
            Value::File(v) => file = Some(v),
            Value::Given(v) => given = v,
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
        Action::StartBatch => Command::StartBatch { job: job?, file, values: given },
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
