//! `[backend] kind = "aws"`: the names of what was deployed.

use super::section::{Section, Text};
use super::values::{address, is_loopback};

/// What the bot uses of an AWS account. All of it exists already: the template of `infra/` makes it and prints these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsNames {
    pub region: String,
    /// The table of the record.
    pub table: String,
    /// The table of people.
    pub people_table: String,
    /// The event bus, by name or ARN.
    pub event_bus: String,
    pub queue_url: String,
    pub dead_letter_url: String,
    /// The bucket of inputs and results.
    pub bucket: String,
    /// The parameter with the permitted channels.
    pub channels_parameter: String,
    /// The secret with what Slack and the bot share, by name or ARN.
    pub slack_access: String,
}

/// Reads the names; `None` where one is wrong or missing.
pub(super) fn names(section: &Section<'_>) -> Option<AwsNames> {
    let deployed = "the template's output names it";
    let region = section.required("region", "write something like \"eu-central-1\"");
    let queue = section.required("queue_url", deployed);
    let dead = section.required("dead_letter_url", deployed);
    let bucket = section.required("bucket", deployed);
    let table =
        given(section, "table", "switchman", is_table, "3 to 255 letters, digits, dots, dashes and underscores");
    let people_table = given(
        section,
        "people_table",
        "authorized-users",
        is_table,
        "3 to 255 letters, digits, dots, dashes and underscores",
    );
    let event_bus = given(section, "event_bus", "command-event-bus", is_bus, "the name or the ARN of an event bus");
    let channels_parameter = given(
        section,
        "channels_parameter",
        "/switchman/permitted-channels",
        is_parameter,
        "a parameter's name, such as \"/switchman/permitted-channels\"",
    );
    let slack_access = given(section, "slack_access", "switchman/slack", is_secret, "the name or the ARN of a secret");
    section.finish();
    let region =
        region.and_then(|text| checked(section, "region", text, is_region, "a region, such as \"eu-central-1\""));
    let bucket_rule = "a bucket's name: 3 to 63 small letters, digits, dots and dashes";
    let bucket = bucket.and_then(|text| checked(section, "bucket", text, is_bucket, bucket_rule));
    let dead_at = dead.as_ref().map_or(section.at, |text| text.at);
    let queue_url = queue.and_then(|text| queue_address(section, "queue_url", &text));
    let dead_letter_url = dead.and_then(|text| queue_address(section, "dead_letter_url", &text));
    if queue_url.is_some() && queue_url == dead_letter_url {
        let hint = "give the dead letters a queue of their own, or they would be handled again and again";
        section.wrong("dead_letter_url", dead_at, "is the queue itself", hint);
        return None;
    }
    Some(AwsNames {
        region: region?,
        table: table?,
        people_table: people_table?,
        event_bus: event_bus?,
        queue_url: queue_url?,
        dead_letter_url: dead_letter_url?,
        bucket: bucket?,
        channels_parameter: channels_parameter?,
        slack_access: slack_access?,
    })
}

fn given(section: &Section<'_>, key: &'static str, usual: &str, valid: fn(&str) -> bool, rule: &str) -> Option<String> {
    match section.text(key) {
        Some(text) => checked(section, key, text, valid, rule),
        // Of the wrong type, and noted already.
        None if section.place(key).is_some() => None,
        None => Some(usual.to_owned()),
    }
}

fn checked(section: &Section<'_>, key: &str, text: Text, valid: fn(&str) -> bool, rule: &str) -> Option<String> {
    if valid(&text.value) {
        return Some(text.value);
    }
    section.wrong(key, text.at, format!("{:?} cannot be one", text.value), format!("write {rule}"));
    None
}

fn queue_address(section: &Section<'_>, key: &str, text: &Text) -> Option<String> {
    match address(&text.value, is_loopback) {
        Ok(url) => Some(url),
        Err(why) => {
            let hint =
                "write the queue's URL, such as \"https://sqs.eu-central-1.amazonaws.com/123456789012/commands\"";
            section.wrong(key, text.at, why, hint);
            None
        }
    }
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let (Some(first), Some(last)) = (parts.first(), parts.last()) else { return false };
    let word = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    parts.len() >= 3
        && first.len() == 2
        && parts[..parts.len() - 1].iter().all(word)
        && last.len() == 1
        && last.bytes().all(|b| b.is_ascii_digit())
}

fn made_of(text: &str, length: std::ops::RangeInclusive<usize>, more: &str) -> bool {
    length.contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn is_table(text: &str) -> bool {
    made_of(text, 3..=255, "._-")
}

fn is_bus(text: &str) -> bool {
    made_of(text, 1..=256, "._-/") || is_arn(text, "events")
}

fn is_bucket(text: &str) -> bool {
    let ends = text.starts_with('-') || text.ends_with('-') || text.starts_with('.') || text.ends_with('.');
    made_of(text, 3..=63, ".-") && !ends && !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_parameter(text: &str) -> bool {
    made_of(text, 1..=1011, "._-/") || is_arn(text, "ssm")
}

fn is_secret(text: &str) -> bool {
    made_of(text, 1..=512, "/_+=.@-") || is_arn(text, "secretsmanager")
}

fn is_arn(text: &str, service: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let head = parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
    head && parts.next() == Some(service) && text.len() <= 2048 && !text.contains(char::is_whitespace)
}
