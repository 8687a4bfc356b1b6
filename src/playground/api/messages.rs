//! What `chat.*` methods and `response_url` posts have in common: the text and blocks of a message, checked.

use serde_json::{Map, Value, json};

use super::{ApiError, Args};
use crate::playground::workspace::State;
use crate::playground::{LimitCheck, Refusal, Surface};

/// Longer texts are cut by Slack.
const TEXT_LIMIT: usize = 40_000;
/// Characters all blocks of a message may have together. Undocumented; measured in slackapi/bolt-js#2509.
const BLOCKS_TEXT_LIMIT: usize = 13_200;

/// The content of a message that passed the checks.
#[derive(Debug, Default)]
pub(in crate::playground) struct Content {
    pub text: String,
    pub blocks: Option<Vec<Value>>,
    pub attachments: Option<Value>,
    pub metadata: Option<Value>,
}

/// Reads text, blocks, attachments and metadata. What Slack would refuse is also shown on the page.
pub(in crate::playground) fn content(
    state: &mut State,
    args: &Args,
    limits: &LimitCheck,
    what: &str,
) -> Result<Content, ApiError> {
    let text = args.text("text").unwrap_or_default();
    let text = text.char_indices().nth(TEXT_LIMIT).map_or(text, |(cut, _)| &text[..cut]).to_owned();
    let attachments = args.json("attachments").map_err(|()| ApiError::from("invalid_attachments"))?;
    let attachments = attachments.filter(|list| list.as_array().is_some_and(|list| !list.is_empty()));
    let blocks = match args.json("blocks").map_err(|()| ApiError::from("invalid_blocks_format"))? {
        None => None,
        Some(Value::Array(blocks)) => Some(blocks),
        Some(_) => return Err("invalid_blocks_format".into()),
    };
    if let Some(blocks) = &blocks {
        let channel = args.text("channel").map(str::to_owned);
        check_message(state, blocks, limits, &format!("{what} {}", channel.as_deref().unwrap_or_default()))?;
    }
    let has_blocks = blocks.as_ref().is_some_and(|blocks| !blocks.is_empty());
    if text.is_empty() && !has_blocks && attachments.is_none() {
        return Err("no_text".into());
    }
    Ok(Content { text, blocks, attachments, metadata: metadata(args)? })
}

fn check_message(state: &mut State, blocks: &[Value], limits: &LimitCheck, what: &str) -> Result<(), ApiError> {
    let list = Value::Array(blocks.to_vec());
    let (method, channel) = what.split_once(' ').unwrap_or((what, ""));
    if let Err(refusals) = check_blocks(limits, Surface::Message, &list) {
        let title = format!("Slack would refuse this {method}: invalid_blocks");
        let channel = Some(channel).filter(|c| !c.is_empty());
        state.notice(&title, channel, refusals.iter().map(|r| (r.pointer.clone(), r.rule.clone())).collect(), list);
        let errors: Vec<String> = refusals.iter().map(|r| format!("{} [json-pointer:{}]", r.rule, r.pointer)).collect();
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        let extra = json!({ "errors": errors, "response_metadata": { "messages": messages } });
        return Err(ApiError { code: "invalid_blocks".to_owned(), extra });
    }
    if text_length(&list) > BLOCKS_TEXT_LIMIT {
        let problem = ("/blocks".to_owned(), format!("all text together is over {BLOCKS_TEXT_LIMIT} characters"));
        let title = format!("Slack would refuse this {method}: msg_blocks_too_long");
        state.notice(&title, Some(channel).filter(|c| !c.is_empty()), vec![problem], list);
        return Err("msg_blocks_too_long".into());
    }
    Ok(())
}

/// Blocks or a view against the limits that the playground was given.
pub(in crate::playground) fn check_blocks(
    limits: &LimitCheck,
    surface: Surface,
    value: &Value,
) -> Result<(), Vec<Refusal>> {
    let refusals = limits(surface, value);
    if refusals.is_empty() { Ok(()) } else { Err(refusals) }
}

fn metadata(args: &Args) -> Result<Option<Value>, ApiError> {
    let Some(metadata) = args.json("metadata").map_err(|()| ApiError::from("invalid_metadata_format"))? else {
        return Ok(None);
    };
    let fits = metadata["event_type"].as_str().is_some_and(|t| !t.is_empty()) && metadata["event_payload"].is_object();
    if fits { Ok(Some(metadata)) } else { Err("invalid_metadata_schema".into()) }
}

fn text_length(value: &Value) -> usize {
    let of_map = |map: &Map<String, Value>| {
        map.iter()
            .map(|(key, value)| match value {
                Value::String(text) if key == "text" || key == "alt_text" => text.chars().count(),
                other => text_length(other),
            })
            .sum()
    };
    match value {
        Value::Array(list) => list.iter().map(text_length).sum(),
        Value::Object(map) => of_map(map),
        _ => 0,
    }
}
