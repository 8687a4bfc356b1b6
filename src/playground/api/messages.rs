//! What `chat.*` methods and `response_url` posts have in common: the text and blocks of a message, checked.

use serde_json::{Map, Value, json};

use super::{ApiError, Args};
use crate::playground::workspace::State;
use crate::slack::limits::{Surface, Violation, check};

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
    what: &str,
    channel: &str,
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
        check_message(state, (&text, blocks), Some(channel), what)?;
    }
    let has_blocks = blocks.as_ref().is_some_and(|blocks| !blocks.is_empty());
    if text.is_empty() && !has_blocks && attachments.is_none() {
        return Err("no_text".into());
    }
    Ok(Content { text, blocks, attachments, metadata: metadata(args)? })
}

fn check_message(
    state: &mut State,
    (text, blocks): (&str, &[Value]),
    channel: Option<&str>,
    method: &str,
) -> Result<(), ApiError> {
    let payload = json!({ "text": text, "blocks": blocks });
    let broken = refusals(Surface::Message, &payload);
    if !broken.is_empty() {
        let errors: Vec<String> = broken.iter().map(Violation::to_string).collect();
        let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
        let problems = broken.into_iter().map(|violation| (violation.pointer, violation.rule)).collect();
        state.notice(&format!("Slack would refuse this {method}: invalid_blocks"), channel, problems, payload);
        let extra = json!({ "errors": errors, "response_metadata": { "messages": messages } });
        return Err(ApiError { code: "invalid_blocks".to_owned(), extra });
    }
    if text_length(&payload["blocks"]) > BLOCKS_TEXT_LIMIT {
        let problem = ("/blocks".to_owned(), format!("all text together is over {BLOCKS_TEXT_LIMIT} characters"));
        state.notice(
            &format!("Slack would refuse this {method}: msg_blocks_too_long"),
            channel,
            vec![problem],
            payload,
        );
        return Err("msg_blocks_too_long".into());
    }
    Ok(())
}

/// What Slack would refuse a payload for; our own advice is not among it.
pub(in crate::playground) fn refusals(surface: Surface, payload: &Value) -> Vec<Violation> {
    check(surface, payload).into_iter().filter(|violation| violation.refused).collect()
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
