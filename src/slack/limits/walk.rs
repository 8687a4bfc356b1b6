//! Walks a payload along the tables and notes each difference.

use super::report::{Report, kind_of, quoted};
use super::shape::{ANY_FIELD, Field, Kind, Shape, Table};
use serde_json::{Map, Value};

/// The noun of tables whose objects have a `block_id`.
pub(super) const BLOCK: &str = "block";

/// Checks one value against what it must be.
pub(super) fn value(report: &mut Report, kind: &Kind, found: &Value) {
    match kind {
        Kind::Open => {}
        Kind::Flag => expect(report, found.is_boolean(), "a boolean", found),
        Kind::Number => expect(report, found.is_number(), "a number", found),
        Kind::Whole { min, max } => whole(report, *min, *max, found),
        Kind::Chars { min, max } => with_string(report, found, |report, text| length(report, text, *min, *max)),
        Kind::Digits => with_string(report, found, |report, text| {
            if !text.parse::<f64>().is_ok_and(f64::is_finite) {
                report.refuse(format!("must be a number written as a string, is {}", quoted(text)));
            }
        }),
        Kind::Date => with_string(report, found, |report, text| pattern(report, text, "YYYY-MM-DD", is_date)),
        Kind::Time => with_string(report, found, |report, text| pattern(report, text, "HH:mm", is_time)),
        Kind::OneOf(words) => with_string(report, found, |report, text| {
            if !words.contains(&text) {
                report.refuse(format!("must be one of {}, is {}", words.join(", "), quoted(text)));
            }
        }),
        Kind::Text { plain, mrkdwn, max } => text_object(report, *plain, *mrkdwn, *max, found),
        Kind::List { min, max, item } => list(report, *min, *max, item, found),
        Kind::Object(shape) => match found.as_object() {
            Some(map) => object(report, shape, map),
            None => expect(report, false, "an object", found),
        },
        Kind::Typed { noun, table, allowed } => typed(report, noun, *table, allowed, found),
    }
}

/// Checks the fields of an object: required ones there, each as it must be, none unknown.
pub(super) fn object(report: &mut Report, shape: &Shape, map: &Map<String, Value>) {
    let fields = || shape.groups.iter().copied().flatten();
    for Field { name, required, kind } in fields() {
        match map.get(*name) {
            None | Some(Value::Null) if *required => report.refuse(format!("{} needs the field `{name}`", shape.name)),
            None | Some(Value::Null) => {}
            Some(found) => report.at(name, |report| value(report, kind, found)),
        }
    }
    if fields().any(|field| field.name == ANY_FIELD) {
        return;
    }
    for name in map.keys() {
        if name != "type" && !fields().any(|field| field.name == name) {
            report.refuse(format!("{} has no field {}", shape.name, quoted(name)));
        }
    }
    (shape.also)(report, map);
}

/// Checks an object whose `type` picks the shape.
pub(super) fn typed(report: &mut Report, noun: &str, table: Table, allowed: &[&str], found: &Value) {
    let Some(map) = found.as_object() else {
        return expect(report, false, "an object", found);
    };
    let Some(name) = map.get("type").and_then(Value::as_str) else {
        return report.refuse(format!("{noun} needs the field `type`, a string"));
    };
    let Some(shape) = table().iter().find(|shape| shape.name == name) else {
        return report.refuse(format!("{} is not a type of {noun}", quoted(name)));
    };
    if !allowed.contains(&name) {
        return report.refuse(format!("{noun} `{name}` is not allowed here; allowed: {}", allowed.join(", ")));
    }
    if noun == BLOCK {
        report.begin_block(map.get("block_id").and_then(Value::as_str));
    }
    object(report, shape, map);
}

/// Notes a string that is shorter or longer than it may be.
pub(super) fn length(report: &mut Report, text: &str, min: usize, max: usize) {
    let count = text.chars().count();
    if count < min || count > max {
        let bounds = if min == 0 { format!("at most {max}") } else { format!("{min} to {max}") };
        report.refuse(format!("must have {bounds} characters, has {count}"));
    }
}

fn expect(report: &mut Report, holds: bool, what: &str, found: &Value) {
    if !holds {
        report.refuse(format!("must be {what}, is {}", kind_of(found)));
    }
}

fn with_string(report: &mut Report, found: &Value, check: impl FnOnce(&mut Report, &str)) {
    match found.as_str() {
        Some(text) => check(report, text),
        None => expect(report, false, "a string", found),
    }
}

fn whole(report: &mut Report, min: i64, max: i64, found: &Value) {
    match found.as_i64() {
        Some(number) if (min..=max).contains(&number) => {}
        Some(number) => report.refuse(format!("must be {min} to {max}, is {number}")),
        None => expect(report, false, "a whole number", found),
    }
}

fn list(report: &mut Report, min: usize, max: usize, item: &Kind, found: &Value) {
    let Some(items) = found.as_array() else {
        return expect(report, false, "an array", found);
    };
    if items.len() < min || items.len() > max {
        report.refuse(format!("must have {min} to {max} items, has {}", items.len()));
    }
    report.each(items, |report, found| value(report, item, found));
}

fn text_object(report: &mut Report, plain: bool, mrkdwn: bool, max: usize, found: &Value) {
    let Some(map) = found.as_object() else {
        return expect(report, false, "a text object", found);
    };
    let (own, name) = match map.get("type").and_then(Value::as_str) {
        Some("plain_text") if plain => ("emoji", "plain_text"),
        Some("mrkdwn") if mrkdwn => ("verbatim", "mrkdwn"),
        other => {
            let wanted = match (plain, mrkdwn) {
                (true, true) => "plain_text or mrkdwn",
                (true, false) => "plain_text",
                _ => "mrkdwn",
            };
            return report
                .refuse(format!("must be a {wanted} object, its type is {}", quoted(other.unwrap_or("missing"))));
        }
    };
    match map.get("text") {
        Some(found) => report.at("text", |report| value(report, &Kind::Chars { min: 1, max }, found)),
        None => report.refuse(format!("{name} needs the field `text`")),
    }
    for (field, found) in map {
        match field.as_str() {
            "type" | "text" => {}
            field if field == own => report.at(field, |report| expect(report, found.is_boolean(), "a boolean", found)),
            field => report.refuse(format!("{name} has no field {}", quoted(field))),
        }
    }
}

fn pattern(report: &mut Report, text: &str, shape: &str, holds: fn(&str) -> bool) {
    if !holds(text) {
        report.refuse(format!("must look like {shape}, is {}", quoted(text)));
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_time(text: &str) -> bool {
    let number =
        |part: &str| (part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit())).then(|| part.parse::<u8>().ok())?;
    text.split_once(':').is_some_and(|(hour, minute)| {
        number(hour).is_some_and(|hour| hour < 24) && number(minute).is_some_and(|minute| minute < 60)
    })
}
