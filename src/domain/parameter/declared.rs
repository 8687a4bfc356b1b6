//! What a workflow takes, as the catalog declares it, and how what people typed becomes values.

use super::{Parameter, Parameters, Value};
use crate::domain::grammar::nearest;
use crate::domain::id::ParameterName;
use jiff::civil::Date;
use serde::Serialize;

/// One input of a workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Declared {
    pub name: ParameterName,
    /// What forms call it.
    pub title: String,
    /// What forms say about it.
    pub hint: Option<String>,
    pub kind: Kind,
    pub required: bool,
    /// Taken where nothing is given, as somebody would type it: `today` is the day on which it is taken.
    pub default: Option<String>,
}

/// What an input may be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum Kind {
    Date {
        min: Option<Date>,
        max: Option<Date>,
    },
    /// `pattern`: a regular expression for the whole text.
    Text {
        pattern: Option<String>,
    },
    Integer {
        min: Option<i64>,
        max: Option<i64>,
    },
    /// The bounds are numbers as [`Value::number`] writes them.
    Number {
        min: Option<String>,
        max: Option<String>,
    },
    Boolean,
    Choice {
        choices: Vec<String>,
    },
}

/// A value as it was typed or filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    pub name: ParameterName,
    pub text: String,
}

/// All inputs of a workflow, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Inputs(pub Vec<Declared>);

/// Why what was given makes no input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// The value of this number, counted from 0, is wrong.
    Wrong { index: usize, reason: String, nearest: Option<String> },
    /// These are needed and were not given.
    Missing { names: Vec<ParameterName> },
}

/// Characters of a text value.
pub const LONGEST: usize = 500;

impl Inputs {
    pub fn get(&self, name: &ParameterName) -> Option<&Declared> {
        self.0.iter().find(|input| &input.name == name)
    }

    /// The values, with defaults filled in; `today` is what the word means. An empty text is nothing.
    pub fn read(&self, given: &[Given], today: Date) -> Result<Parameters, Unfit> {
        for (index, one) in given.iter().enumerate() {
            self.known(given, index, one)?;
        }
        let (mut parameters, mut missing) = (Vec::new(), Vec::new());
        for input in &self.0 {
            let found = given.iter().position(|g| g.name == input.name && !g.text.trim().is_empty());
            let text = match found {
                Some(index) => Some(given[index].text.as_str()),
                None => input.default.as_deref(),
            };
            let Some(text) = text else {
                missing.extend(input.required.then(|| input.name.clone()));
                continue;
            };
            let wrong = |(reason, nearest)| Unfit::Wrong { index: found.unwrap_or(given.len()), reason, nearest };
            let value = input.kind.read(text, today).map_err(|(reason, nearest)| {
                wrong((
                    format!("{} must be {reason}", input.name),
                    nearest.map(|near| format!("{}={near}", input.name)),
                ))
            })?;
            parameters.push(Parameter { name: input.name.clone(), value });
        }
        if missing.is_empty() { Ok(Parameters(parameters)) } else { Err(Unfit::Missing { names: missing }) }
    }

    fn known(&self, given: &[Given], index: usize, one: &Given) -> Result<(), Unfit> {
        let wrong = |reason: String, nearest| Err(Unfit::Wrong { index, reason, nearest });
        if self.get(&one.name).is_none() {
            let near = nearest(one.name.as_str(), self.names());
            return wrong(format!("expected {}", self.expected()), near.map(|near| format!("{near}={}", one.text)));
        }
        if given[..index].iter().any(|before| before.name == one.name) {
            return wrong(format!("{} is given twice", one.name), None);
        }
        Ok(())
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|input| input.name.as_str())
    }

    /// What can be given, in words.
    pub fn expected(&self) -> String {
        let names: Vec<String> = self.names().map(|name| format!("{name}=…")).collect();
        if names.is_empty() { "nothing more: this workflow takes no values".to_owned() } else { names.join(", ") }
    }
}

impl Parameters {
    /// As somebody would type them.
    pub fn given(&self) -> Vec<Given> {
        self.iter().map(|p| Given { name: p.name.clone(), text: p.value.to_string() }).collect()
    }
}

type Misread = (String, Option<String>);

impl Kind {
    /// What forms and mistakes call it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Date { .. } => "date",
            Self::Text { .. } => "string",
            Self::Integer { .. } => "integer",
            Self::Number { .. } => "number",
            Self::Boolean => "boolean",
            Self::Choice { .. } => "choice",
        }
    }

    /// The value that a text stands for. `Err`: what it must be, and the nearest text that is.
    pub fn read(&self, text: &str, today: Date) -> Result<Value, Misread> {
        let text = text.trim();
        let lower = text.to_lowercase();
        match self {
            Self::Date { min, max } => {
                let date = day(&lower, today).ok_or_else(|| {
                    (
                        "a date such as 2026-11-01, or today or yesterday".to_owned(),
                        nearest(&lower, ["today", "yesterday"]),
                    )
                })?;
                within(&date, min.as_ref(), max.as_ref(), "a date").map(|()| Value::Date(date))
            }
            Self::Text { pattern } => line(text, pattern.as_deref()),
            Self::Integer { min, max } => {
                let number = text.parse::<i64>().ok().filter(|n| Value::INTEGERS.contains(n));
                let number = number.ok_or_else(|| ("a whole number".to_owned(), None))?;
                within(&number, min.as_ref(), max.as_ref(), "a whole number").map(|()| Value::Integer(number))
            }
            Self::Number { min, max } => {
                let (Some(value), Ok(number)) = (Value::number(text), text.parse::<f64>()) else {
                    return Err(("a number".to_owned(), None));
                };
                let bound = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<f64>().ok());
                within(&number, bound(min).as_ref(), bound(max).as_ref(), "a number").map(|()| value)
            }
            Self::Boolean => match lower.as_str() {
                "true" | "yes" | "on" => Ok(Value::Boolean(true)),
                "false" | "no" | "off" => Ok(Value::Boolean(false)),
                _ => Err(("true or false".to_owned(), nearest(&lower, ["true", "false"]))),
            },
            Self::Choice { choices } => {
                let exact = choices.iter().find(|choice| choice.as_str() == text);
                let found = exact.or_else(|| choices.iter().find(|choice| choice.to_lowercase() == lower));
                found.map(|choice| Value::Text(choice.clone())).ok_or_else(|| {
                    let some: Vec<&str> = choices.iter().map(String::as_str).take(10).collect();
                    let more = if choices.len() > some.len() { ", …" } else { "" };
                    (format!("one of {}{more}", some.join(", ")), nearest(text, choices.iter().map(String::as_str)))
                })
            }
        }
    }
}

/// A pattern for a whole text.
pub fn whole(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!(r"\A(?:{pattern})\z")).size_limit(1 << 20).build()
}

/// A text value.
fn line(text: &str, pattern: Option<&str>) -> Result<Value, Misread> {
    if text.chars().count() > LONGEST || text.contains(char::is_control) {
        return Err((format!("one line of at most {LONGEST} characters"), None));
    }
    let fits = pattern.is_none_or(|pattern| whole(pattern).is_ok_and(|pattern| pattern.is_match(text)));
    if fits { Ok(Value::Text(text.to_owned())) } else { Err((format!("like {}", pattern.unwrap_or_default()), None)) }
}

fn day(word: &str, today: Date) -> Option<Date> {
    match word {
        "today" => Some(today),
        "yesterday" => today.yesterday().ok(),
        // Nothing but year, month and day: a time of day would be dropped in silence.
        text => text.parse().ok().filter(|_| text.len() == 10),
    }
}

fn within<T: PartialOrd + std::fmt::Display>(
    value: &T,
    min: Option<&T>,
    max: Option<&T>,
    what: &str,
) -> Result<(), Misread> {
    let inside = min.is_none_or(|min| value >= min) && max.is_none_or(|max| value <= max);
    let rule = || match (min, max) {
        (Some(min), Some(max)) => format!("{what} from {min} to {max}"),
        (Some(min), None) => format!("{what} of at least {min}"),
        (None, Some(max)) => format!("{what} of at most {max}"),
        (None, None) => what.to_owned(),
    };
    if inside { Ok(()) } else { Err((rule(), None)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn input(name: &str, kind: Kind, default: Option<&str>) -> Declared {
        Declared {
            name: ParameterName::parse(name).unwrap(),
            title: name.to_owned(),
            hint: None,
            kind,
            required: default.is_none(),
            default: default.map(str::to_owned),
        }
    }

    fn inputs() -> Inputs {
        let choices = ["Full", "delta only"].map(str::to_owned).to_vec();
        Inputs(vec![
            input("date", Kind::Date { min: Some("2026-01-01".parse().unwrap()), max: None }, None),
            input("mode", Kind::Choice { choices }, Some("Full")),
            input("until", Kind::Date { min: None, max: None }, Some("yesterday")),
            input("tries", Kind::Integer { min: Some(1), max: Some(9) }, Some("3")),
            input("share", Kind::Number { min: Some("0".into()), max: Some("1".into()) }, Some("0.5")),
            input("force", Kind::Boolean, Some("false")),
            Declared { required: false, ..input("note", Kind::Text { pattern: Some("[a-z ]+".into()) }, None) },
        ])
    }

    fn today() -> Date {
        "2026-11-21".parse().unwrap()
    }

    fn read(words: &[(&str, &str)]) -> Result<String, Unfit> {
        let given = |(name, text): &(&str, &str)| Given {
            name: ParameterName::parse(*name).unwrap(),
            text: (*text).to_owned(),
        };
        let given: Vec<Given> = words.iter().map(given).collect();
        inputs().read(&given, today()).map(|p| serde_json::to_string(&p.json()).unwrap())
    }

    #[test]
    fn values_are_typed_in_the_declared_order_with_defaults_and_days_resolved() {
        assert_eq!(
            read(&[("force", "YES"), ("date", "today"), ("mode", "Delta Only"), ("note", " some text ")]).unwrap(),
            r#"{"date":"2026-11-21","mode":"delta only","until":"2026-11-20","tries":3,"share":0.5,"force":true,"note":"some text"}"#
        );
    }

    #[test]
    fn what_is_missing_or_wrong_is_said_by_its_place() {
        assert_eq!(read(&[]), Err(Unfit::Missing { names: vec![ParameterName::parse("date").unwrap()] }));
        assert_eq!(read(&[("date", " ")]), read(&[]), "an empty text is nothing");
        for (words, place, says, near) in [
            (vec![("date", "today"), ("dat", "x")], 1, "expected date=…, mode=…", Some("date=x")),
            (vec![("date", "today"), ("date", "today")], 1, "date is given twice", None),
            (vec![("date", "todya")], 0, "date must be a date such as", Some("date=today")),
            (vec![("date", "2025-12-31")], 0, "date must be a date of at least 2026-01-01", None),
            (vec![("date", "2026-02-30")], 0, "date must be a date such as", None),
            (vec![("date", "2026-11-01T10:00:00")], 0, "date must be a date such as", None),
            (vec![("date", "today"), ("mode", "ful")], 1, "mode must be one of Full, delta only", Some("mode=Full")),
            (vec![("date", "today"), ("tries", "10")], 1, "tries must be a whole number from 1 to 9", None),
            (vec![("date", "today"), ("tries", "2.0")], 1, "tries must be a whole number", None),
            (vec![("date", "today"), ("share", "NaN")], 1, "share must be a number", None),
            (vec![("date", "today"), ("share", "1e400")], 1, "share must be a number", None),
            (vec![("date", "today"), ("share", "1.01")], 1, "share must be a number from 0 to 1", None),
            (vec![("date", "today"), ("force", "flase")], 1, "force must be true or false", Some("force=false")),
            (vec![("date", "today"), ("note", "A")], 1, "note must be like [a-z ]+", None),
        ] {
            let Err(Unfit::Wrong { index, reason, nearest }) = read(&words) else { panic!("{words:?} was taken") };
            assert!(reason.starts_with(says), "{words:?}: {reason}");
            assert_eq!((index, nearest.as_deref()), (place, near), "{words:?}");
        }
    }

    fn any_kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Date { min: None, max: None }),
            Just(Kind::Text { pattern: None }),
            Just(Kind::Integer { min: None, max: None }),
            Just(Kind::Number { min: None, max: None }),
            Just(Kind::Boolean),
        ]
    }

    proptest! {
        #[test]
        fn what_was_read_is_written_so_that_it_is_read_the_same_on_any_day(
            kind in any_kind(), text in "\\PC{0,12}|-?[0-9]{1,17}(\\.[0-9]{1,8})?(e-?[0-9])?|yes|today|2026-0[1-9]-[12][0-9]"
        ) {
            if let Ok(value) = kind.read(&text, today()) {
                let other_day = "1999-12-31".parse().unwrap();
                prop_assert_eq!(kind.read(&value.to_string(), other_day), Ok(value.clone()));
                let json = serde_json::to_string(&value).unwrap();
                prop_assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), value);
            }
        }
    }
}
