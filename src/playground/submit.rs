//! How a modal ends: submitted, answered by the bot with errors or another view, or closed.

use serde_json::{Value, json};

use super::actions::{keep, may_act};
use super::api::{checked_view, new_view};
use super::events::{Ack, Outcome, VERIFICATION_TOKEN, interaction, payload_form};
use super::message::View;
use super::workspace::State;
use super::{Playground, input};

impl Playground {
    /// Presses a modal's submit button. `values` is `{block: text}` or `{block: {action: text}}`; options by their value,
    /// several as a list; what is not named keeps its initial or earlier value. Field errors come back in the [`Ack`].
    pub async fn submit(&self, user: &str, view_id: &str, values: &Value) -> Ack {
        let prepared: Result<Value, Box<Ack>> = self.with(|state| {
            may_act(state, user).map_err(|why| Box::new(Ack::not_sent(why)))?;
            let open = state.views.get(user).and_then(|stack| stack.iter().find(|v| v.id == view_id));
            let mut view = open.cloned().ok_or_else(|| Box::new(Ack::not_sent("this modal is not open")))?;
            view.values = input::fill(&view, values)
                .map_err(|errors| Box::new(Ack { errors, ..Ack::not_sent("fields need attention") }))?;
            keep(state, &view);
            let title = view.text("submit").to_owned();
            let name = state.workspace.name_of(user).to_owned();
            state.log.push(format!("{name} presses [{title}] with {}", brief(&view.values)));
            Ok(view_payload(state, "view_submission", &view, VERIFICATION_TOKEN))
        });
        let payload = match prepared {
            Ok(payload) => payload,
            Err(ack) => return *ack,
        };
        let mut ack = self.send_form(payload_form(&payload)).await;
        if ack.outcome == Outcome::Acknowledged {
            self.with(|state| follow(state, user, view_id, &mut ack));
        }
        ack
    }

    /// Closes a modal with its close button, or the whole stack (`all`) with the cross. The bot hears of it if it asked to.
    pub async fn close(&self, user: &str, view_id: &str, all: bool) -> Ack {
        let payloads = self.with(|state| {
            let stack = state.views.entry(user.to_owned()).or_default();
            let Some(at) = stack.iter().position(|view| view.id == view_id) else { return Vec::new() };
            let closed: Vec<View> = if all { std::mem::take(stack) } else { stack.drain(at..).collect() };
            state.views_changed(user);
            let heard = closed.iter().filter(|view| view.flag("notify_on_close"));
            let payloads = heard.map(|view| {
                let mut payload = view_payload(state, "view_closed", view, VERIFICATION_TOKEN);
                payload["is_cleared"] = json!(all);
                payload
            });
            payloads.collect()
        });
        let mut last = Ack::not_sent("the app does not listen for this");
        for payload in payloads {
            last = self.send_form(payload_form(&payload)).await;
        }
        last
    }
}

fn view_payload(state: &mut State, kind: &str, view: &View, token: &str) -> Value {
    let mut payload = interaction(&state.workspace, kind, &view.user, token);
    payload["view"] = view.to_slack(&state.workspace);
    if kind == "view_submission" {
        payload["trigger_id"] = json!(state.new_trigger(&view.user, Some(view.id.clone())));
        payload["response_urls"] = json!([]);
    }
    payload
}

/// Does what the bot's answer to a submission says; an empty one closes the modal.
fn follow(state: &mut State, user: &str, view_id: &str, ack: &mut Ack) {
    match ack.body["response_action"].as_str() {
        Some("errors") => {
            let errors = ack.body["errors"].as_object().cloned().unwrap_or_default();
            ack.errors =
                errors.into_iter().map(|(block, text)| (block, text.as_str().unwrap_or_default().to_owned())).collect();
            let told: Vec<String> = ack.errors.iter().map(|(block, text)| format!("{block}: {text}")).collect();
            state.log.push(format!("  field errors: {}", told.join("; ")));
        }
        Some("clear") => _ = state.views.remove(user),
        Some(kind @ ("update" | "push")) => {
            let Ok(body) = checked_view(state, ack.body["view"].clone(), "modal", "this modal") else {
                ack.outcome = Outcome::DispatchFailed;
                return;
            };
            let old = state.views.get(user).and_then(|stack| stack.iter().find(|v| v.id == view_id)).cloned();
            let Some(old) = old else { return };
            let mut view = new_view(state, user, body, (kind == "push").then_some(&old));
            let stack = state.views.entry(user.to_owned()).or_default();
            if kind == "push" {
                stack.push(view.clone());
            } else {
                (view.id, view.root, view.previous) = (old.id, old.root, old.previous);
                stack.iter_mut().filter(|v| v.id == view_id).for_each(|v| v.clone_from(&view));
            }
            let name = state.workspace.name_of(user).to_owned();
            state.log.push(format!("{name} sees a modal: {}", view.plain(&state.workspace).replace('\n', "\n    ")));
        }
        _ => {
            if let Some(stack) = state.views.get_mut(user) {
                stack.retain(|view| view.id != view_id);
            }
        }
    }
    state.views_changed(user);
}

fn brief(values: &Value) -> String {
    let fields = values.as_object().into_iter().flatten().flat_map(|(block, of)| {
        of.as_object().into_iter().flatten().map(move |(_, value)| {
            let held = value
                .as_object()
                .into_iter()
                .flatten()
                .find(|(key, _)| *key != "type")
                .map_or(&Value::Null, |(_, v)| v);
            let held = held.get("value").unwrap_or(held);
            format!("{block}={}", held.as_str().map_or_else(|| held.to_string(), str::to_owned))
        })
    });
    fields.collect::<Vec<_>>().join(", ")
}
