//! `conversations.*`: history, replies, and who and what a channel is.

use serde_json::{Value, json};

use super::chat::known_channel;
use super::{Answer, ApiError, Context};
use crate::playground::message::{Author, Message};
use crate::playground::workspace::parse_ts;

pub(super) fn history(context: &mut Context<'_>) -> Answer {
    let channel = readable(context)?;
    let in_history = |m: &Message| m.thread_ts.as_ref().is_none_or(|root| *root == m.ts) || m.broadcast;
    let range = Range::read(context)?;
    let found: Vec<&Message> = context
        .state
        .messages
        .values()
        .rev()
        .filter(|m| m.channel == channel && m.only_for.is_none() && in_history(m) && range.has(&m.ts))
        .collect();
    Ok(range.page(context, &found))
}

pub(super) fn replies(context: &mut Context<'_>) -> Answer {
    let channel = readable(context)?;
    let root = context.args.text("ts").unwrap_or_default().to_owned();
    if context.state.message(&channel, &root).is_none_or(|m| m.only_for.is_some()) {
        return Err("thread_not_found".into());
    }
    let range = Range::read(context)?;
    let in_thread = |m: &&Message| {
        m.channel == channel && m.only_for.is_none() && (m.ts == root || m.thread_ts.as_deref() == Some(&root))
    };
    let found: Vec<&Message> =
        context.state.messages.values().filter(in_thread).filter(|m| m.ts == root || range.has(&m.ts)).collect();
    Ok(range.page(context, &found))
}

pub(super) fn info(context: &mut Context<'_>) -> Answer {
    Ok(json!({ "channel": known_channel(context)?.to_slack() }))
}

pub(super) fn list(context: &mut Context<'_>) -> Value {
    let kinds = context.args.text("types").unwrap_or("public_channel");
    let wanted = |kind: &str| kinds.split(',').any(|k| k.trim() == kind);
    let no_archived = context.args.flag("exclude_archived");
    let channels: Vec<Value> = context
        .state
        .workspace
        .channels
        .iter()
        .filter(|c| match (&c.direct_with, c.private) {
            (Some(_), _) => wanted("im"),
            (None, true) => c.has_bot && wanted("private_channel"),
            (None, false) => wanted("public_channel"),
        })
        .filter(|c| !(no_archived && c.archived))
        .map(crate::playground::people::Channel::to_slack)
        .collect();
    json!({ "channels": channels, "response_metadata": { "next_cursor": "" } })
}

pub(super) fn members(context: &mut Context<'_>) -> Answer {
    let channel = known_channel(context)?;
    let workspace = &context.state.workspace;
    let people = workspace.members.iter().filter(|m| channel.has(&m.id) && !m.deactivated).map(|m| &m.id);
    let bot = channel.has_bot.then_some(&workspace.app.user_id);
    let ids: Vec<&String> = people.chain(bot).collect();
    Ok(json!({ "members": ids, "response_metadata": { "next_cursor": "" } }))
}

pub(super) fn open(context: &mut Context<'_>) -> Answer {
    let users = context.args.text("users").ok_or(ApiError::from("users_list_not_supplied"))?.to_owned();
    if users.contains(',') {
        return Err("not_enough_users".into());
    }
    let member = context.state.workspace.member(&users).ok_or(ApiError::from("user_not_found"))?;
    if member.deactivated {
        return Err("user_disabled".into());
    }
    let known = context.state.channel(&crate::playground::people::direct_id(&users)).is_some();
    let id = context.state.open_direct(&users);
    Ok(json!({ "no_op": known, "already_open": known, "channel": { "id": id } }))
}

pub(super) fn join(context: &mut Context<'_>) -> Answer {
    let channel = known_channel(context)?;
    if channel.archived {
        return Err("is_archived".into());
    }
    let id = channel.id.clone();
    if let Some(channel) = context.state.workspace.channels.iter_mut().find(|c| c.id == id) {
        channel.has_bot = true;
    }
    context.state.setting_changed();
    Ok(json!({ "channel": known_channel(context)?.to_slack() }))
}

fn readable(context: &Context<'_>) -> Result<String, ApiError> {
    let channel = known_channel(context)?;
    if channel.has_bot { Ok(channel.id.clone()) } else { Err("not_in_channel".into()) }
}

/// `oldest`, `latest`, `inclusive`, `limit` and `cursor` of a call.
struct Range {
    oldest: Option<i64>,
    latest: Option<i64>,
    inclusive: bool,
    limit: usize,
    offset: usize,
}

impl Range {
    fn read(context: &Context<'_>) -> Result<Self, ApiError> {
        let args = context.args;
        let ts = |name: &str, error: &str| match args.text(name) {
            None => Ok(None),
            Some(text) if text.parse::<f64>().is_ok() => Ok(Some(parse_ts(text))),
            Some(_) => Err(ApiError::from(error)),
        };
        let limit = args.number("limit").map_err(|()| ApiError::from("invalid_limit"))?.unwrap_or(100);
        let offset = match args.text("cursor") {
            None => 0,
            Some(cursor) => {
                cursor.strip_prefix("next:").and_then(|n| n.parse().ok()).ok_or(ApiError::from("invalid_cursor"))?
            }
        };
        Ok(Self {
            oldest: ts("oldest", "invalid_ts_oldest")?.filter(|ts| *ts > 0),
            latest: ts("latest", "invalid_ts_latest")?,
            inclusive: args.flag("inclusive"),
            limit: if limit == 0 { 100 } else { limit.min(999) },
            offset,
        })
    }

    fn has(&self, ts: &str) -> bool {
        let at = parse_ts(ts);
        let (above, below) = (self.oldest.is_none_or(|o| at > o), self.latest.is_none_or(|l| at < l));
        (above && below) || (self.inclusive && (Some(at) == self.oldest || Some(at) == self.latest))
    }

    fn page(&self, context: &Context<'_>, found: &[&Message]) -> Value {
        let (state, all_metadata) = (&*context.state, context.args.flag("include_all_metadata"));
        let shown: Vec<Value> = found
            .iter()
            .skip(self.offset)
            .take(self.limit)
            .map(|m| with_replies(m.to_slack(&state.workspace, all_metadata && m.author == Author::App), m, state))
            .collect();
        let more = found.len() > self.offset + shown.len();
        let cursor = if more { format!("next:{}", self.offset + shown.len()) } else { String::new() };
        json!({ "messages": shown, "has_more": more, "pin_count": 0, "response_metadata": { "next_cursor": cursor } })
    }
}

/// Thread roots carry how many replies they have.
fn with_replies(mut shown: Value, message: &Message, state: &crate::playground::workspace::State) -> Value {
    let replies: Vec<&Message> = state
        .messages
        .values()
        .filter(|m| m.thread_ts.as_deref() == Some(&message.ts) && m.ts != message.ts && m.only_for.is_none())
        .collect();
    if let Some(last) = replies.last() {
        shown["thread_ts"] = json!(message.ts);
        shown["reply_count"] = json!(replies.len());
        shown["latest_reply"] = json!(last.ts);
    }
    shown
}
