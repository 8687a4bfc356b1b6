//! The message a workflow sends while it waits: `{"switchman": "approval", "token": …, "job": …, "channel": …, "question": …,
//! "details": {…}, "expiresIn": "PT2H", "heartbeat": "PT5M"}`.

use super::{Detail, TaskToken, TaskWaiting};
use crate::domain::id::{ChannelId, JobName, RegionName};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A message that asks nothing that could be put to people. Says what is wrong, and holds nothing of the message's values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the workflow's question lacks or garbles {field}: {rule}")]
pub struct BadTask {
    pub field: &'static str,
    pub rule: &'static str,
}

/// Characters of a question, of a detail's name and of its value; details in all: what a message can show exactly.
const QUESTION: usize = 2000;
const NAME: usize = 60;
const VALUE: usize = 1000;
const DETAILS: usize = 10;
/// A year: no workflow waits longer.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 366);

impl TaskWaiting {
    /// Reads the body of the message, which was sent at `sent` in `region`.
    pub fn read(body: &Value, region: Option<RegionName>, sent: Timestamp) -> Result<Self, BadTask> {
        let token = word(body, "token").and_then(TaskToken::parse);
        let token = token.ok_or(bad("token", "the task token, $$.Task.Token"))?;
        let workflow = word(body, "job").and_then(|job| JobName::parse(job).ok());
        let workflow = workflow.ok_or(bad(
            "job",
            "1 to 40 lower-case letters, digits and dashes, starting with a letter: a name people know it by",
        ))?;
        let channel = word(body, "channel").and_then(|id| ChannelId::parse(id).ok());
        let channel = channel.ok_or(bad("channel", "the id of a Slack channel, such as C0123456789"))?;
        let question = word(body, "question").map(str::trim).filter(|text| short(text, QUESTION));
        let question = question.ok_or(bad("question", "1 to 2,000 characters"))?.to_owned();
        let details = details(body)?;
        let expires_in = time(body, "expiresIn", bad("expiresIn", "a time such as \"PT2H\", at most a year"))?;
        let heartbeat = time(body, "heartbeat", bad("heartbeat", "a time such as \"PT5M\", at least \"PT10S\""))?;
        if heartbeat.is_some_and(|every| every < SignedDuration::from_secs(10)) {
            return Err(bad("heartbeat", "a time such as \"PT5M\", at least \"PT10S\""));
        }
        let expires_at = expires_in.map(|life| sent + life);
        Ok(Self { token, workflow, region, channel, question, details, expires_at, heartbeat })
    }
}

fn bad(field: &'static str, rule: &'static str) -> BadTask {
    BadTask { field, rule }
}

fn word<'a>(body: &'a Value, field: &str) -> Option<&'a str> {
    body.get(field).and_then(Value::as_str)
}

fn short(text: &str, longest: usize) -> bool {
    !text.is_empty() && text.chars().count() <= longest
}

fn time(body: &Value, field: &str, wrong: BadTask) -> Result<Option<SignedDuration>, BadTask> {
    let Some(value) = body.get(field).filter(|value| !value.is_null()) else { return Ok(None) };
    let read = value.as_str().and_then(|text| text.parse::<SignedDuration>().ok());
    read.filter(|time| *time > SignedDuration::ZERO && *time <= LONGEST).map(Some).ok_or(wrong)
}

fn details(body: &Value) -> Result<Vec<Detail>, BadTask> {
    let wrong =
        bad("details", "an object of at most 10 plain values: names of up to 60 characters, values of up to 1,000");
    let Some(found) = body.get("details").filter(|found| !found.is_null()) else { return Ok(Vec::new()) };
    let found = found.as_object().filter(|found| found.len() <= DETAILS).ok_or(wrong.clone())?;
    let detail = |(name, value): (&String, &Value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            Value::Null => "none".to_owned(),
            Value::Array(_) | Value::Object(_) => return None,
        };
        let fits = short(name.trim(), NAME) && value.chars().count() <= VALUE;
        fits.then(|| Detail { name: name.trim().to_owned(), value })
    };
    found.iter().map(|one| detail(one).ok_or(wrong.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn body() -> Value {
        json!({
            "switchman": "approval", "token": "AQCEAAAAKgAAAAM", "job": "nightly", "channel": "C0BATCH",
            "question": "Publish the price list?", "details": {"rows": 812, "diff": "+3 %", "dry": false},
            "expiresIn": "PT2H", "heartbeat": "PT5M"
        })
    }

    #[test]
    fn a_question_is_read_with_everything_it_says() {
        let read = TaskWaiting::read(&body(), None, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((read.workflow.as_str(), read.question.as_str()), ("nightly", "Publish the price list?"));
        let details: Vec<_> = read.details.iter().map(|d| (d.name.as_str(), d.value.as_str())).collect();
        assert_eq!(details, [("rows", "812"), ("diff", "+3 %"), ("dry", "false")]);
        assert_eq!(read.expires_at, Some(Timestamp::from_second(7200).unwrap()));
        assert_eq!(read.heartbeat, Some(SignedDuration::from_mins(5)));
        assert!(!format!("{read:?}").contains("AQCE"), "a token is never shown");
        assert!(!read.token.key().unwrap().as_str().contains("AQCE"));
    }

    #[test]
    fn what_cannot_be_put_to_people_is_refused_by_field_without_its_values() {
        for (field, value) in [
            ("token", json!("")),
            ("token", json!("two words")),
            ("token", json!("x".repeat(2049))),
            ("job", json!("Not A Name")),
            ("channel", json!("#general")),
            ("channel", Value::Null),
            ("question", json!("  ")),
            ("question", json!("x".repeat(2001))),
            ("details", json!([1])),
            ("details", json!({"nested": {"secret-value": 1}})),
            ("details", json!({"": 1})),
            ("expiresIn", json!("tomorrow")),
            ("expiresIn", json!("-PT1H")),
            ("expiresIn", json!(3600)),
            ("heartbeat", json!("PT1S")),
        ] {
            let mut body = body();
            body[field] = value;
            let error = TaskWaiting::read(&body, None, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(error.field, field);
            assert!(!error.to_string().contains("secret-value"), "{error}");
        }
        assert!(TaskWaiting::read(&json!("text"), None, Timestamp::UNIX_EPOCH).is_err());
    }
}
