//! `[backend] kind = "aws"`: the names of what was deployed.

use super::section::{Section, Text};
use super::values::{address, is_loopback};
use crate::domain::id::RegionName;

/// What the bot uses of an AWS account. All of it exists already: the template of `infra/` makes it and prints these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsNames {
    /// Where this bot runs: one of `regions`.
    pub region: String,
    /// The table of the record.
    pub table: String,
    /// The table of people.
    pub people_table: String,
    /// The table that says which region is active and which one's bot leads.
    pub active_table: String,
    /// The event bus, by name or ARN.
    pub event_bus: String,
    pub queue_url: String,
    pub dead_letter_url: String,
    /// The queue of what AWS says unasked.
    pub signals_url: String,
    /// The dead letters of that queue. A replay sends them back there, so they are not those of the commands.
    pub signals_dead_letter_url: String,
    /// The parameter with the permitted channels.
    pub channels_parameter: String,
    /// The secret with what Slack and the bot share, by name or ARN.
    pub slack_access: String,
    /// Who sends the mails about runs: an address that SES has verified.
    pub mail_from: Option<String>,
    /// In their order, the first is where work belongs when nothing is wrong. Never empty.
    pub regions: Vec<AwsRegion>,
    pub routing: Routing,
}

/// What was deployed into one region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwsRegion {
    /// AWS's code of it, such as `eu-central-1`.
    pub name: RegionName,
    /// The bucket of inputs, attempts and results.
    pub bucket: String,
    /// The ARN of the state machine that runs batches.
    pub state_machine: String,
    /// The ARN of its event bus, for the other regions; `None`: it has the name of `backend.event_bus`.
    pub event_bus: Option<String>,
}

/// What is told of a switch, so that requests go where the work is. ARNs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Routing {
    /// The S3 Multi-Region Access Point over the regions' buckets.
    pub multi_region_access_point: Option<String>,
    /// The plan of Route 53 ARC Region switch.
    pub region_switch_plan: Option<String>,
}

impl AwsNames {
    /// The region this bot runs in.
    pub fn here(&self) -> &AwsRegion {
        self.regions.iter().find(|region| region.name.as_str() == self.region).unwrap_or(&self.regions[0])
    }
}

/// Where what was deployed is named.
pub(super) const DEPLOYED: &str = "the template's output names it";
pub(super) const MAIL_RULE: &str = "a plain address, such as \"batch@example.com\"";
pub(super) const REGION_RULE: &str = "a region, such as \"eu-central-1\"";

/// Reads the names; `None` where one is wrong or missing. The regions and their routing are read elsewhere.
pub(super) fn names(section: &Section<'_>) -> Option<AwsNames> {
    let region = section.required("region", "write something like \"eu-central-1\"");
    let queues = queues(section);
    let table_rule = "3 to 255 letters, digits, dots, dashes and underscores";
    let table = given(section, "table", "switchman", is_table, table_rule);
    let people_table = given(section, "people_table", "authorized-users", is_table, table_rule);
    let active_table = given(section, "active_table", "switchman-active", is_table, table_rule);
    let event_bus = given(section, "event_bus", "command-event-bus", is_bus, "the name or the ARN of an event bus");
    let channels_parameter = given(
        section,
        "channels_parameter",
        "/switchman/permitted-channels",
        is_parameter,
        "a parameter's name, such as \"/switchman/permitted-channels\"",
    );
    let slack_access = given(section, "slack_access", "switchman/slack", is_secret, "the name or the ARN of a secret");
    let mail_from = section.text("mail_from").and_then(|text| checked(section, "mail_from", text, is_mail, MAIL_RULE));
    section.finish();
    let region = region.and_then(|text| checked(section, "region", text, is_region, REGION_RULE));
    let tables = [&table, &people_table, &active_table].map(|table| table.as_deref().unwrap_or(""));
    let twice = tables.iter().enumerate().any(|(n, table)| !table.is_empty() && tables[..n].contains(table));
    if twice {
        let hint = "the record, the people and the active region have a table each";
        section.wrong("table", section.at, "one table is named for two things", hint);
    }
    let [queue_url, dead_letter_url, signals_url, signals_dead_letter_url] = queues?;
    Some(AwsNames {
        region: region?,
        table: table?,
        people_table: people_table?,
        active_table: active_table?,
        event_bus: event_bus?,
        queue_url,
        dead_letter_url,
        signals_url,
        signals_dead_letter_url,
        channels_parameter: channels_parameter?,
        slack_access: slack_access?,
        mail_from,
        regions: Vec::new(),
        routing: Routing::default(),
    })
}

/// The queues of commands and of signals, each with that of its dead letters.
fn queues(section: &Section<'_>) -> Option<[String; 4]> {
    let texts = ["queue_url", "dead_letter_url", "signals_url", "signals_dead_letter_url"]
        .map(|key| (key, section.required(key, DEPLOYED)));
    let mut found: Vec<String> = Vec::new();
    for (key, text) in texts {
        let Some(text) = text else { continue };
        let Some(url) = queue_address(section, key, &text) else { continue };
        if found.contains(&url) {
            let hint = match key {
                "dead_letter_url" | "signals_dead_letter_url" => {
                    "give the dead letters a queue of their own, or they would be handled again and again"
                }
                _ => "give what AWS says unasked a queue of its own",
            };
            section.wrong(key, text.at, "is another queue's address already", hint);
            continue;
        }
        found.push(url);
    }
    found.try_into().ok()
}

fn given(section: &Section<'_>, key: &'static str, usual: &str, valid: fn(&str) -> bool, rule: &str) -> Option<String> {
    match section.text(key) {
        Some(text) => checked(section, key, text, valid, rule),
        // Of the wrong type, and noted already.
        None if section.place(key).is_some() => None,
        None => Some(usual.to_owned()),
    }
}

pub(super) fn checked(
    section: &Section<'_>,
    key: &str,
    text: Text,
    valid: fn(&str) -> bool,
    rule: &str,
) -> Option<String> {
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

/// Whether it can be an address of mail; whether anybody reads it, only sending tells.
pub(super) fn is_mail(text: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_graphic() && !b"<>(),;:\\\"".contains(&b));
    text.split_once('@').is_some_and(|(name, host)| plain(name) && plain(host) && !host.contains('@'))
}

pub(super) fn is_region(text: &str) -> bool {
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

pub(super) fn is_bucket(text: &str) -> bool {
    let ends = text.starts_with('-') || text.ends_with('-') || text.starts_with('.') || text.ends_with('.');
    made_of(text, 3..=63, ".-") && !ends && !text.bytes().any(|b| b.is_ascii_uppercase())
}

fn is_parameter(text: &str) -> bool {
    made_of(text, 1..=1011, "._-/") || is_arn(text, "ssm")
}

fn is_secret(text: &str) -> bool {
    made_of(text, 1..=512, "/_+=.@-") || is_arn(text, "secretsmanager")
}

pub(super) fn is_arn(text: &str, service: &str) -> bool {
    let mut parts = text.splitn(6, ':');
    let head = parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
    head && parts.next() == Some(service) && text.len() <= 2048 && !text.contains(char::is_whitespace)
}
