//! What people do in the workspace: type, click, fill in, close. The page and the tests call the same functions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::api::Args;
use super::events::{Ack, Outcome, VERIFICATION_TOKEN, event_callback, interaction, payload_form, slash_form};
use super::message::{Author, View};
use super::people::direct_id;
use super::workspace::State;
use super::{Playground, input, respond};

/// Where an interactive element is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A message by its ts.
    Message(String),
    /// An open modal by its id.
    View(String),
    /// The person's Home tab.
    Home,
}

/// A click on a button, or a choice from a menu.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Act {
    pub place: Place,
    pub action_id: String,
    /// Needed only where an action id stands in several blocks.
    #[serde(default)]
    pub block_id: Option<String>,
    /// What was chosen or typed: an option's value, a date, a list of them. None for a button.
    #[serde(default)]
    pub value: Option<Value>,
    /// What stands in the other fields of the same message or modal, as for [`Playground::submit`].
    #[serde(default)]
    pub values: Value,
    /// Takes an element that the message no longer has: the person's screen was a moment behind.
    #[serde(default)]
    pub stale: bool,
}

impl Act {
    /// A click on a button of a message.
    pub fn click(ts: &str, action_id: &str) -> Self {
        let place = Place::Message(ts.to_owned());
        Self { place, action_id: action_id.to_owned(), block_id: None, value: None, values: Value::Null, stale: false }
    }

    /// The same in another place.
    #[must_use]
    pub fn at(mut self, place: Place) -> Self {
        self.place = place;
        self
    }

    /// The same in the block with this id.
    #[must_use]
    pub fn in_block(mut self, block_id: &str) -> Self {
        self.block_id = Some(block_id.to_owned());
        self
    }

    /// The same on a screen that is a moment behind: elements that an edit removed can still be clicked.
    #[must_use]
    pub fn stale(mut self) -> Self {
        self.stale = true;
        self
    }

    /// The same with something chosen.
    #[must_use]
    pub fn choose(mut self, value: impl Into<Value>) -> Self {
        self.value = Some(value.into());
        self
    }
}

impl Playground {
    /// Types `text` into the composer of `channel`: a slash command goes to the bot, anything else into the channel.
    /// Mentions and `& < >` are escaped as Slack does.
    pub async fn type_command(&self, user: &str, channel: &str, text: &str) -> Ack {
        let (command, rest) = text.trim().split_once(char::is_whitespace).unwrap_or((text.trim(), ""));
        let prepared = self.with(|state| {
            may_act(state, user)?;
            let known = state.channel(channel).filter(|c| c.has(user)).ok_or("you are not in this channel")?;
            if known.archived {
                return Err("this channel is archived");
            }
            let escaped = state.workspace.escape(rest.trim());
            let name = state.workspace.name_of(user).to_owned();
            if !command.starts_with('/') {
                let said = state.workspace.escape(text.trim());
                let message = state.draft(channel, Author::Member(user.to_owned()), &said);
                state.put(message);
                return Ok(None);
            }
            state.log.push(format!("{name}> {}", text.trim()));
            if command != self.config().command {
                slackbot(state, user, channel, &format!("`{command}` is not a valid command."));
                return Err("there is no such command");
            }
            Ok(Some(slash_form(state, user, channel, (command, &escaped), VERIFICATION_TOKEN)))
        });
        let form = match prepared {
            Err(why) => return Ack::not_sent(why),
            Ok(None) => return Ack { outcome: Outcome::Acknowledged, ..Ack::not_sent("") },
            Ok(Some(form)) => form,
        };
        let ack = self.send_form(form).await;
        self.with(|state| show_answer(state, self, (user, channel), text.trim(), &ack));
        ack
    }

    /// Clicks a button of a message.
    pub async fn click(&self, user: &str, ts: &str, action_id: &str) -> Ack {
        self.act(user, &Act::click(ts, action_id)).await
    }

    /// Clicks or chooses anywhere.
    pub async fn act(&self, user: &str, act: &Act) -> Ack {
        let prepared = self.with(|state| {
            may_act(state, user)?;
            block_actions(state, user, act, VERIFICATION_TOKEN)
        });
        let payload = match prepared {
            Ok(payload) => payload,
            Err(why) => return Ack::not_sent(&why),
        };
        let ack = self.send_form(payload_form(&payload)).await;
        if let (Some(code), Some(channel)) = (ack.error_code(), payload["channel"]["id"].as_str()) {
            self.with(|state| {
                slackbot(state, user, channel, &format!("That did not work: the app answered with `{code}`."));
            });
        }
        ack
    }

    /// Opens the app's Home tab: the bot gets `app_home_opened`.
    pub async fn open_home(&self, user: &str) -> Ack {
        let event = self.with(|state| {
            may_act(state, user)?;
            let mut event = json!({ "type": "app_home_opened", "user": user, "channel": direct_id(user), "tab": "home",
                "event_ts": state.next_ts() });
            if let Some(view) = state.homes.get(user) {
                event["view"] = view.to_slack(&state.workspace);
            }
            Ok(event_callback(state, &event, VERIFICATION_TOKEN))
        });
        match event {
            Ok(event) => self.send_event(&event).await,
            Err(why) => Ack::not_sent(why),
        }
    }

    /// Dismisses an ephemeral message.
    pub fn dismiss(&self, user: &str, ts: &str) {
        self.with(|state| {
            if state.messages.get(ts).is_some_and(|m| m.only_for.as_deref() == Some(user)) {
                state.remove(ts);
            }
        });
    }
}

pub(super) fn may_act(state: &State, user: &str) -> Result<(), &'static str> {
    match state.workspace.member(user) {
        None => Err("there is no such member"),
        Some(member) if member.deactivated => Err("this account is deactivated"),
        Some(_) => Ok(()),
    }
}

/// A private remark of Slack itself.
pub(super) fn slackbot(state: &mut State, user: &str, channel: &str, text: &str) {
    let mut message = state.draft(channel, Author::Slack, text);
    message.only_for = Some(user.to_owned());
    state.put(message);
}

/// Shows what a slash command's acknowledgement says, or that it failed.
fn show_answer(state: &mut State, playground: &Playground, (user, channel): (&str, &str), typed: &str, ack: &Ack) {
    if let Some(code) = ack.error_code() {
        let command = &playground.config().command;
        return slackbot(state, user, channel, &format!("`{command}` failed with the error \"{code}\""));
    }
    let fields = match &ack.body {
        Value::String(text) => json!({ "text": text }),
        Value::Object(_) => ack.body.clone(),
        _ => return,
    };
    let args = Args::of(&fields);
    if args.text("response_type") == Some("in_channel") {
        let said = state.workspace.escape(typed);
        let message = state.draft(channel, Author::Member(user.to_owned()), &said);
        state.put(message);
    }
    // A body without text or blocks shows nothing; Slack does not complain about it.
    if args.text("text").is_some() || args.fields.contains_key("blocks") {
        _ = respond::answer(state, (user, channel), &args, None);
    }
}

fn block_actions(state: &mut State, user: &str, act: &Act, token: &str) -> Result<Value, String> {
    let mut payload = interaction(&state.workspace, "block_actions", user, token);
    let name = state.workspace.name_of(user).to_owned();
    let (block, element) = match &act.place {
        Place::Message(ts) => on_message(state, user, act, ts, &mut payload)?,
        Place::View(id) => {
            let open = state.views.get(user).and_then(|stack| stack.iter().find(|v| v.id == *id));
            let view = open.cloned().ok_or("this modal is not open")?;
            on_view(state, act, view, &mut payload)?
        }
        Place::Home => {
            let view = state.homes.get(user).cloned().ok_or("the Home tab is empty")?;
            on_view(state, act, view, &mut payload)?
        }
    };
    let action = input::action(&block, &element, act.value.as_ref(), &state.next_ts())?;
    let label = element["text"]["text"].as_str().unwrap_or(&act.action_id).to_owned();
    let chosen = act.value.as_ref().map(|v| format!(" {}", v.as_str().map_or_else(|| v.to_string(), str::to_owned)));
    state.log.push(format!("{name} clicks [{label}]{}", chosen.unwrap_or_default()));
    payload["actions"] = json!([action]);
    Ok(payload)
}

fn on_message(
    state: &mut State,
    user: &str,
    act: &Act,
    ts: &str,
    payload: &mut Value,
) -> Result<(String, Value), String> {
    let message = state.messages.get(ts).cloned().ok_or("this message is gone")?;
    if message.only_for.as_deref().is_some_and(|only| only != user) {
        return Err("only somebody else sees this message".to_owned());
    }
    let found = message.element(act.block_id.as_deref(), &act.action_id);
    let fits = |(block, element): &&(String, Value)| {
        element["action_id"] == act.action_id.as_str() && act.block_id.as_ref().is_none_or(|wanted| wanted == block)
    };
    let removed = || state.past.get(ts).filter(|_| act.stale)?.iter().find(fits).cloned();
    let found = found.or_else(removed);
    let found = found.ok_or_else(|| format!("the message has no `{}`", act.action_id))?;
    let channel = state.channel(&message.channel).filter(|c| c.has(user)).ok_or("you are not in this channel")?;
    let ephemeral = message.only_for.is_some();
    payload["channel"] = json!({ "id": channel.id, "name": channel.request_name() });
    payload["container"] =
        json!({ "type": "message", "message_ts": ts, "channel_id": channel.id, "is_ephemeral": ephemeral });
    if let Some(thread) = &message.thread_ts {
        payload["container"]["thread_ts"] = json!(thread);
    }
    if !ephemeral {
        payload["message"] = message.to_slack(&state.workspace, true);
    }
    payload["state"] =
        json!({ "values": with_given(&message.blocks, &input::values_of(&message.blocks, &Value::Null), act) });
    payload["trigger_id"] = json!(state.new_trigger(user, None));
    payload["response_url"] = json!(state.new_response_url("actions", user, &message.channel, Some(ts.to_owned())));
    Ok(found)
}

fn on_view(state: &mut State, act: &Act, mut view: View, payload: &mut Value) -> Result<(String, Value), String> {
    let found = view.element(act.block_id.as_deref(), &act.action_id);
    let found = found.ok_or_else(|| format!("the view has no `{}`", act.action_id))?;
    view.values = with_given(view.blocks(), &view.values, act);
    keep(state, &view);
    payload["container"] = json!({ "type": "view", "view_id": view.id });
    payload["view"] = view.to_slack(&state.workspace);
    payload["state"] = payload["view"]["state"].clone();
    let within = (act.place != Place::Home).then(|| view.id.clone());
    payload["trigger_id"] = json!(state.new_trigger(&view.user, within));
    Ok(found)
}

/// What the fields hold once this act is done: the chosen value included, half-filled fields allowed.
fn with_given(blocks: &[Value], known: &Value, act: &Act) -> Value {
    let mut values = known.clone();
    for (block, element) in super::message::elements(blocks) {
        let action = element["action_id"].as_str().unwrap_or_default();
        let is_it = action == act.action_id && act.block_id.as_deref().is_none_or(|wanted| wanted == block);
        let typed = act.values.get(&block).and_then(|of| if of.is_object() { of.get(action) } else { Some(of) });
        let raw = if is_it { act.value.as_ref() } else { typed };
        if let Some(raw) = raw
            && values[&block].get(action).is_some()
            && let Ok(value) = input::filled(&element, raw)
        {
            values[&block][action] = value;
        }
    }
    values
}

/// Remembers what is filled in, without a new hash: typing is not an update.
pub(super) fn keep(state: &mut State, view: &View) {
    let open = state.views.get_mut(&view.user).into_iter().flatten().chain(state.homes.get_mut(&view.user));
    if let Some(open) = open.into_iter().find(|open| open.id == view.id) {
        open.values = view.values.clone();
    }
}
