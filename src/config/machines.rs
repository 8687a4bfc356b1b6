//! `[[job]] kind = "state-machine"`: a workflow of AWS Step Functions as a job, with what it takes. The machine stays as it is.

use super::section::{Section, Text};
use crate::domain::id::{JobName, ParameterName};
use crate::domain::parameter::{Declared, Inputs, Kind, LONGEST, Value, whole};
use jiff::civil::Date;
use sha2::{Digest, Sha256};

/// A workflow of the catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineConfig {
    pub name: JobName,
    /// One line for menus and forms.
    pub summary: String,
    /// The ARN of its state machine.
    pub machine: String,
    pub inputs: Inputs,
}

impl MachineConfig {
    /// A hash over everything that decides what is started: approvals are bound to it.
    pub fn definition(&self) -> String {
        let inputs = serde_json::to_vec(&self.inputs).unwrap_or_default();
        let hash = Sha256::new().chain_update(&self.machine).chain_update([0]).chain_update(inputs);
        hex::encode(&hash.finalize()[..16])
    }
}

/// The word that `kind` has for it.
pub(super) const KIND: &str = "state-machine";

const TYPES: [&str; 6] = ["date", "string", "integer", "number", "boolean", "choice"];
/// A form holds 100 blocks, a message 50: what people cannot read they should not approve.
const INPUTS: usize = 20;
/// A select holds 100 options, an option 75 characters (Slack's limits).
const CHOICES: usize = 99;
const CHOICE: usize = 75;
const TITLE: usize = 100;
const HINT: usize = 150;

/// Reads what a workflow has beside its name and summary: its machine and its inputs.
pub(super) fn read(section: &Section<'_>) -> Option<(String, Inputs)> {
    let hint = "the ARN of the state machine, such as \"arn:aws:states:eu-west-1:123456789012:stateMachine:nightly\"";
    let machine = section.required("machine", hint).and_then(|text| {
        let known = is_machine(&text.value);
        if !known {
            section.wrong(
                "machine",
                text.at,
                format!("{:?} is not the ARN of a state machine", text.value),
                format!("write {hint}"),
            );
        }
        known.then_some(text.value)
    });
    let tables = section.sections("input");
    if let Some(more) = tables.get(INPUTS) {
        more.wrong(
            "name",
            more.at,
            format!("a workflow takes at most {INPUTS} inputs here"),
            "give it one text that it takes apart itself",
        );
    }
    let mut found: Vec<(Declared, usize)> = Vec::new();
    for table in &tables {
        let Some(input) = input(table) else { continue };
        if let Some((_, line)) = found.iter().find(|(other, _)| other.name == input.name) {
            let what = format!("the input {} stands twice", input.name);
            table.wrong(
                "name",
                table.at,
                what,
                format!("it stands in line {line} already; give this one another name"),
            );
            continue;
        }
        found.push((input, table.notes.line(table.at)));
    }
    let whole = found.len() == tables.len();
    machine.filter(|_| whole).map(|machine| (machine, Inputs(found.into_iter().map(|(input, _)| input).collect())))
}

/// `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`, perhaps with a version or an alias.
fn is_machine(arn: &str) -> bool {
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    match arn.split(':').collect::<Vec<_>>().as_slice() {
        ["arn", partition, "states", region, account, "stateMachine", name @ ..] => {
            partition.starts_with("aws")
                && plain(region)
                && account.len() == 12
                && account.bytes().all(|b| b.is_ascii_digit())
                && (1..=2).contains(&name.len())
                && name.iter().all(|part| plain(part))
        }
        _ => false,
    }
}

fn input(table: &Section<'_>) -> Option<Declared> {
    let name = table
        .required("name", "what the workflow calls the value, such as \"date\"")
        .and_then(|text| table.id("name", &text, ParameterName::parse));
    let title = line(table, "title", TITLE);
    let hint = line(table, "hint", HINT);
    let kind = kind(table);
    let (default, required) = (table.scalar("default"), table.flag("required"));
    if let (Some(_), Some(_)) = (&default, required) {
        let at = table.place("required").unwrap_or(table.at);
        table.wrong(
            "required",
            at,
            "has no effect: an input with a default always has a value",
            "remove it, or the default",
        );
    }
    // What a word for a day means is known when somebody uses it.
    let moves =
        |text: &&Text| matches!(kind, Some(Kind::Date { .. })) && ["today", "yesterday"].contains(&text.value.as_str());
    if let (Some(kind), Some(default)) = (&kind, default.as_ref().filter(|text| !moves(text))) {
        readable(table, "default", default, kind);
    }
    table.finish();
    let name = name?;
    Some(Declared {
        title: title.unwrap_or_else(|| name.to_string()),
        name,
        hint,
        kind: kind?,
        required: default.is_none() && required.unwrap_or(true),
        default: default.map(|text| text.value),
    })
}

fn line(table: &Section<'_>, key: &'static str, longest: usize) -> Option<String> {
    let text = table.text(key)?;
    if text.value.trim().is_empty() || text.value.contains(char::is_control) || text.value.chars().count() > longest {
        table.wrong(key, text.at, format!("is not one line of 1 to {longest} characters"), "shorten it, or remove it");
        return None;
    }
    Some(text.value)
}

fn kind(table: &Section<'_>) -> Option<Kind> {
    let word = table.required("type", &format!("one of {}", TYPES.join(", ")))?;
    if !TYPES.contains(&word.value.as_str()) {
        table.unknown("type", &word, "a type of value", &TYPES);
    }
    let (min, max) = (table.scalar("min"), table.scalar("max"));
    let (pattern, choices) = (table.text("pattern"), table.texts("choices"));
    for (key, types) in [("min", &TYPES[..]), ("max", &TYPES[..]), ("pattern", &["string"]), ("choices", &["choice"])] {
        let means_something = match key {
            "min" | "max" => ["date", "integer", "number"].contains(&word.value.as_str()),
            _ => types.contains(&word.value.as_str()),
        };
        if let (Some(at), false, true) = (table.place(key), means_something, TYPES.contains(&word.value.as_str())) {
            table.wrong(key, at, format!("means nothing for a {}", word.value), "remove it");
        }
    }
    let free = match word.value.as_str() {
        "date" => Kind::Date { min: None, max: None },
        "integer" => Kind::Integer { min: None, max: None },
        "number" => Kind::Number { min: None, max: None },
        "boolean" => return Some(Kind::Boolean),
        "string" => return text(table, pattern),
        "choice" => return choice(table, choices),
        _ => return None,
    };
    let bound = |key, text: &Option<Text>| text.as_ref().and_then(|text| readable(table, key, text, &free));
    let (low, high) = (bound("min", &min), bound("max", &max));
    let bounded = bounded(&free, low.as_ref(), high.as_ref());
    if let (Some(low), Some(max)) = (&low, &max)
        && high.is_some()
        && bounded.read(&low.to_string(), Date::ZERO).is_err()
    {
        table.wrong("max", max.at, "is less than min, so that nothing fits", "exchange them");
    }
    Some(bounded)
}

fn bounded(kind: &Kind, low: Option<&Value>, high: Option<&Value>) -> Kind {
    let date = |value: Option<&Value>| match value {
        Some(Value::Date(date)) => Some(*date),
        _ => None,
    };
    let whole = |value: Option<&Value>| match value {
        Some(Value::Integer(number)) => Some(*number),
        _ => None,
    };
    match kind {
        Kind::Date { .. } => Kind::Date { min: date(low), max: date(high) },
        Kind::Integer { .. } => Kind::Integer { min: whole(low), max: whole(high) },
        Kind::Number { .. } => Kind::Number { min: low.map(Value::to_string), max: high.map(Value::to_string) },
        Kind::Text { .. } | Kind::Boolean | Kind::Choice { .. } => kind.clone(),
    }
}

/// The value of a text of the file; where it is none, that is noted.
fn readable(table: &Section<'_>, key: &'static str, text: &Text, kind: &Kind) -> Option<Value> {
    // A bound that moved from day to day would not be the one that people approved.
    let moves = key != "default" && text.value.parse::<Date>().is_err() && matches!(kind, Kind::Date { .. });
    match kind.read(&text.value, Date::ZERO).ok().filter(|_| !moves) {
        Some(value) => Some(value),
        None => {
            let what = match kind.read(&text.value, Date::ZERO) {
                Err((what, _)) => what,
                Ok(_) => "a date such as 2026-11-01".to_owned(),
            };
            table.wrong(key, text.at, format!("{:?} does not fit", text.value), format!("write {what}"));
            None
        }
    }
}

fn text(table: &Section<'_>, pattern: Option<Text>) -> Option<Kind> {
    let Some(pattern) = pattern else { return Some(Kind::Text { pattern: None }) };
    if let Err(error) = whole(&pattern.value) {
        let why = error.to_string();
        let why = why.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        table.wrong(
            "pattern",
            pattern.at,
            format!("is not a regular expression: {why}"),
            "such as \"[A-Z]{3}\"; it is for the whole text",
        );
        return None;
    }
    Some(Kind::Text { pattern: Some(pattern.value) })
}

fn choice(table: &Section<'_>, choices: Vec<Text>) -> Option<Kind> {
    if choices.is_empty() || choices.len() > CHOICES {
        let at = table.place("choices").unwrap_or(table.at);
        table.wrong(
            "choices",
            at,
            format!("there have to be 1 to {CHOICES}"),
            "such as choices = [\"full\", \"delta\"]",
        );
        return None;
    }
    let fits = |text: &&Text| {
        let length = text.value.chars().count();
        (1..=CHOICE.min(LONGEST)).contains(&length)
            && text.value.trim() == text.value
            && !text.value.contains(char::is_control)
    };
    for bad in choices.iter().filter(|text| !fits(text)) {
        table.wrong(
            "choices",
            bad.at,
            format!("{:?} cannot be offered", bad.value),
            format!("write 1 to {CHOICE} characters"),
        );
    }
    let all_fit = choices.iter().all(|text| fits(&text));
    all_fit.then(|| Kind::Choice { choices: choices.into_iter().map(|text| text.value).collect() })
}

#[cfg(test)]
mod tests {
    use super::super::mistake::Notes;
    use super::*;

    fn read_text(text: &str) -> Result<(String, Inputs), String> {
        let notes = Notes::new("switchman.toml", text);
        let table = super::super::read::tables(&notes, text).unwrap();
        let section = Section::new(&notes, "job.nightly", 0, Some(&table));
        let found = read(&section);
        section.finish();
        if notes.is_empty() { Ok(found.unwrap()) } else { Err(notes.finish().to_string()) }
    }

    const MACHINE: &str = "machine = \"arn:aws:states:eu-west-1:123456789012:stateMachine:nightly\"\n";

    #[test]
    fn a_workflow_is_read_with_everything_it_takes() {
        let (machine, inputs) = read_text(&format!(
            r#"{MACHINE}
            [[input]]
            name = "date"
            type = "date"
            title = "Day"
            hint = "The business day"
            default = "yesterday"
            min = 2026-01-01
            [[input]]
            name = "tries"
            type = "integer"
            default = 3
            min = 1
            max = 9
            [[input]]
            name = "share"
            type = "number"
            default = 0.50
            max = 1
            [[input]]
            name = "mode"
            type = "choice"
            choices = ["full", "delta"]
            [[input]]
            name = "force"
            type = "boolean"
            default = false
            [[input]]
            name = "note"
            type = "string"
            required = false
            pattern = "[a-z ]+"
            "#
        ))
        .unwrap();
        assert!(machine.ends_with(":nightly"));
        let names: Vec<&str> = inputs.names().collect();
        assert_eq!(names, ["date", "tries", "share", "mode", "force", "note"]);
        assert_eq!((inputs.0[0].title.as_str(), inputs.0[1].title.as_str()), ("Day", "tries"));
        assert_eq!(inputs.0[1].kind, Kind::Integer { min: Some(1), max: Some(9) });
        assert_eq!(inputs.0[2].default.as_deref(), Some("0.50"));
        let required: Vec<bool> = inputs.0.iter().map(|input| input.required).collect();
        assert_eq!(required, [false, false, false, true, false, false]);
    }

    #[test]
    fn every_mistake_is_said_at_its_line() {
        insta::assert_snapshot!(
            read_text(
                r#"machine = "nightly"
schema = "schema.json"
[[input]]
name = "date"
type = "dat"
[[input]]
name = "date"
type = "date"
min = "today"
[[input]]
name = "date"
type = "boolean"
max = 3
default = "maybe"
[[input]]
name = "switchman"
type = "choice"
[[input]]
name = "a"
type = "integer"
min = 5
max = 4
default = 1.5
required = true
[[input]]
name = "b"
type = "string"
pattern = "["
choices = ["x"]
colour = 1
"#
            )
            .unwrap_err(),
            @r##"
            switchman.toml:1: job.nightly.machine: "nightly" is not the ARN of a state machine; write the ARN of the state machine, such as "arn:aws:states:eu-west-1:123456789012:stateMachine:nightly"
            switchman.toml:2: job.nightly.schema: unknown key; possible: machine, input
            switchman.toml:5: job.nightly.input[1].type: "dat" is not a type of value; did you mean "date"?
            switchman.toml:9: job.nightly.input[2].min: "today" does not fit; write a date such as 2026-11-01
            switchman.toml:10: job.nightly.input[3].name: the input date stands twice; it stands in line 6 already; give this one another name
            switchman.toml:13: job.nightly.input[3].max: means nothing for a boolean; remove it
            switchman.toml:14: job.nightly.input[3].default: "maybe" does not fit; write true or false
            switchman.toml:15: job.nightly.input[4].choices: there have to be 1 to 99; such as choices = ["full", "delta"]
            switchman.toml:16: job.nightly.input[4].name: "switchman" is not a parameter's name; write 1 to 40 letters, digits, dashes and underscores, starting with a letter, and not "switchman"
            switchman.toml:22: job.nightly.input[5].max: is less than min, so that nothing fits; exchange them
            switchman.toml:23: job.nightly.input[5].default: "1.5" does not fit; write a whole number
            switchman.toml:24: job.nightly.input[5].required: has no effect: an input with a default always has a value; remove it, or the default
            switchman.toml:28: job.nightly.input[6].pattern: is not a regular expression: unclosed character class; such as "[A-Z]{3}"; it is for the whole text
            switchman.toml:29: job.nightly.input[6].choices: means nothing for a string; remove it
            switchman.toml:30: job.nightly.input[6].colour: unknown key; possible: name, title, hint, type, min, max, pattern, choices, default, required
            "##
        );
    }

    #[test]
    fn only_state_machines_have_such_a_name() {
        for good in [
            "arn:aws:states:eu-west-1:123456789012:stateMachine:a_b-C",
            "arn:aws-cn:states:cn-north-1:123456789012:stateMachine:a:3",
        ] {
            assert!(is_machine(good), "{good}");
        }
        for bad in [
            "",
            "nightly",
            "arn:aws:states:eu-west-1:123456789012:execution:a:b",
            "arn:aws:states:eu-west-1:1234:stateMachine:a",
            "arn:aws:states::123456789012:stateMachine:a",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:",
            "arn:aws:states:eu-west-1:123456789012:stateMachine:a:b:c",
        ] {
            assert!(!is_machine(bad), "{bad}");
        }
    }
}
