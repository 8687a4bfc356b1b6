//! `chat.*`: post, update, delete, ephemeral messages, permalinks.

use serde_json::{Value, json};

use super::{Answer, ApiError, Context, content};
use crate::playground::message::{Author, Message};
use crate::playground::people::Channel;

pub(super) fn post_message(context: &mut Context<'_>) -> Answer {
    let channel = post_target(context)?;
    let content = content(context.state, context.args, "chat.postMessage", &channel)?;
    let thread = thread(context, &channel)?;
    let state = &mut *context.state;
    let mut message = state.draft(&channel, Author::App, &content.text);
    message.blocks = content.blocks.unwrap_or_default();
    message.attachments = content.attachments;
    message.metadata = content.metadata;
    message.thread_ts = thread;
    message.broadcast = context.args.flag("reply_broadcast");
    let message = state.put(message);
    Ok(json!({ "channel": channel, "ts": message.ts, "message": message.to_slack(&state.workspace, true) }))
}

pub(super) fn post_ephemeral(context: &mut Context<'_>) -> Answer {
    let channel = post_target(context)?;
    let content = content(context.state, context.args, "chat.postEphemeral", &channel)?;
    let user = context.args.text("user").ok_or(ApiError::from("user_not_in_channel"))?.to_owned();
    let state = &mut *context.state;
    let active = state.workspace.member(&user).is_some_and(|member| !member.deactivated);
    if !active || !state.channel(&channel).is_some_and(|c| c.has(&user)) {
        return Err("user_not_in_channel".into());
    }
    let mut message = state.draft(&channel, Author::App, &content.text);
    message.blocks = content.blocks.unwrap_or_default();
    message.attachments = content.attachments;
    message.thread_ts = context.args.text("thread_ts").map(str::to_owned);
    message.only_for = Some(user);
    Ok(json!({ "message_ts": state.put(message).ts }))
}

pub(super) fn update(context: &mut Context<'_>) -> Answer {
    let (channel, mut message) = own_message(context, "cant_update_message")?;
    if context.state.channel(&channel).is_some_and(|c| c.archived) {
        return Err("is_inactive".into());
    }
    if context.args.text("text").is_some_and(|text| text.chars().count() > 40_000) {
        return Err("msg_too_long".into());
    }
    let content = content(context.state, context.args, "chat.update", &channel)?;
    let state = &mut *context.state;
    let given_blocks = content.blocks.is_some();
    if !(content.text.is_empty() && given_blocks) {
        message.text = content.text;
    }
    message.edited = (!given_blocks).then(|| state.next_ts());
    message.blocks = content.blocks.unwrap_or_default();
    message.attachments = content.attachments.or(message.attachments.filter(|_| given_blocks));
    message.metadata = content.metadata.or(message.metadata);
    let message = state.put(message);
    let shown = message.to_slack(&state.workspace, true);
    Ok(json!({ "channel": channel, "ts": message.ts, "text": message.text, "message": shown }))
}

pub(super) fn delete(context: &mut Context<'_>) -> Answer {
    let (channel, message) = own_message(context, "cant_delete_message")?;
    context.state.remove(&message.ts);
    Ok(json!({ "channel": channel, "ts": message.ts }))
}

pub(super) fn get_permalink(context: &mut Context<'_>) -> Answer {
    let channel = known_channel(context)?.id.clone();
    let ts = context.args.text("message_ts").unwrap_or_default();
    let message = context.state.message(&channel, ts).filter(|m| m.only_for.is_none());
    let message = message.ok_or(ApiError::from("message_not_found"))?;
    let link = format!("{}/archives/{channel}/p{}", context.state.base_url, message.ts.replace('.', ""));
    Ok(json!({ "channel": channel, "permalink": link }))
}

/// The channel named by id.
pub(super) fn known_channel<'a>(context: &'a Context<'_>) -> Result<&'a Channel, ApiError> {
    let id = context.args.text("channel").ok_or(ApiError::from("channel_not_found"))?;
    let hidden = |channel: &Channel| channel.private && !channel.has_bot;
    context.state.channel(id).filter(|c| !hidden(c)).ok_or("channel_not_found".into())
}

/// Where a message may be posted: a channel by id or `#name`, or a member, which means the direct messages.
fn post_target(context: &mut Context<'_>) -> Result<String, ApiError> {
    let given = context.args.text("channel").ok_or(ApiError::from("channel_not_found"))?.to_owned();
    if let Some(member) = context.state.workspace.member(&given) {
        if member.deactivated {
            return Err("channel_not_found".into());
        }
        return Ok(context.state.open_direct(&given));
    }
    let name = given.strip_prefix('#').unwrap_or(&given);
    let fits = |channel: &&Channel| channel.id == given || (channel.direct_with.is_none() && channel.name == name);
    let channel = context.state.workspace.channels.iter().find(fits).ok_or(ApiError::from("channel_not_found"))?;
    if !channel.has_bot && channel.private {
        return Err("channel_not_found".into());
    }
    if channel.archived {
        return Err("is_archived".into());
    }
    if !channel.has_bot && !context.state.workspace.app.posts_anywhere {
        return Err("not_in_channel".into());
    }
    Ok(channel.id.clone())
}

fn thread(context: &Context<'_>, channel: &str) -> Result<Option<String>, ApiError> {
    let Some(ts) = context.args.text("thread_ts") else { return Ok(None) };
    let root = context
        .state
        .message(channel, ts)
        .filter(|m| m.only_for.is_none())
        .ok_or(ApiError::from("thread_not_found"))?;
    Ok(Some(root.thread_ts.clone().unwrap_or_else(|| ts.to_owned())))
}

/// The app's own message that `channel` and `ts` name. An ephemeral message is not found: Slack does not keep it.
fn own_message(context: &Context<'_>, not_own: &str) -> Result<(String, Message), ApiError> {
    let channel = known_channel(context)?;
    if !channel.has_bot {
        return Err("not_in_channel".into());
    }
    let ts = context.args.fields.get("ts").and_then(Value::as_str).unwrap_or_default();
    let message = context.state.message(&channel.id, ts).filter(|m| m.only_for.is_none());
    let message = message.ok_or(ApiError::from("message_not_found"))?;
    if message.author == Author::App { Ok((channel.id.clone(), message.clone())) } else { Err(not_own.into()) }
}
