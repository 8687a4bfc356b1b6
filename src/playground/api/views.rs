//! `views.*`: modals and the Home tab.

use serde_json::{Map, Value, json};

use super::{Answer, ApiError, Context, refusals};
use crate::playground::message::{View, assign_ids};
use crate::playground::records::{Change, What};
use crate::playground::workspace::State;
use crate::slack::limits::Surface;

/// The largest view, in bytes of JSON.
const VIEW_LIMIT: usize = 250_000;
/// Modals on top of each other, the first included.
const STACK_LIMIT: usize = 3;

pub(super) fn open(context: &mut Context<'_>) -> Answer {
    let (user, _) = trigger(context)?;
    let body = given_view(context, "modal")?;
    let state = &mut *context.state;
    unique_external_id(state, &user, &body, None)?;
    let view = new_view(state, &user, body, None);
    state.views.insert(user.clone(), vec![view.clone()]);
    Ok(shown(state, &user, &view, "sees a modal"))
}

pub(super) fn push(context: &mut Context<'_>) -> Answer {
    let (user, from) = trigger(context)?;
    let body = given_view(context, "modal")?;
    let state = &mut *context.state;
    let stack = state.views.get(&user).cloned().unwrap_or_default();
    let Some(top) = stack.last().filter(|_| from.is_some()) else { return Err("not_found".into()) };
    if stack.len() >= STACK_LIMIT {
        return Err("push_limit_reached".into());
    }
    unique_external_id(state, &user, &body, None)?;
    let view = new_view(state, &user, body, Some(top));
    state.views.entry(user.clone()).or_default().push(view.clone());
    Ok(shown(state, &user, &view, "sees another modal"))
}

pub(super) fn update(context: &mut Context<'_>) -> Answer {
    let (id, external) = (context.args.text("view_id"), context.args.text("external_id"));
    let fits = |view: &View| match (id, external) {
        (Some(id), _) => view.id == id,
        (None, Some(external)) => view.text("external_id") == external,
        (None, None) => false,
    };
    let old = context.state.views.values().flatten().chain(context.state.homes.values()).find(|v| fits(v)).cloned();
    let Some(old) = old else { return Err("not_found".into()) };
    if context.args.text("hash").is_some_and(|hash| hash != old.hash) {
        return Err("hash_conflict".into());
    }
    let body = given_view(context, old.body.get("type").and_then(Value::as_str).unwrap_or("modal"))?;
    let state = &mut *context.state;
    unique_external_id(state, &old.user, &body, Some(&old.id))?;
    let view = updated_view(state, &old, body);
    if let Some(place) = state.views.get_mut(&old.user).into_iter().flatten().find(|v| v.id == old.id) {
        *place = view.clone();
        return Ok(shown(state, &old.user, &view, "'s modal changes"));
    }
    Ok(publish_home(state, view))
}

pub(super) fn publish(context: &mut Context<'_>) -> Answer {
    if !context.state.workspace.app.home {
        return Err("not_enabled".into());
    }
    let user = context.args.text("user_id").unwrap_or_default().to_owned();
    if context.state.workspace.member(&user).is_none() {
        return Err(arguments(&["[ERROR] invalid user id [json-pointer:/user_id]".to_owned()]));
    }
    let old = context.state.homes.get(&user).cloned();
    if let (Some(hash), Some(old)) = (context.args.text("hash"), &old)
        && hash != old.hash
    {
        return Err("hash_conflict".into());
    }
    let body = given_view(context, "home")?;
    let state = &mut *context.state;
    let view = match &old {
        Some(old) => updated_view(state, old, body),
        None => new_view(state, &user, body, None),
    };
    Ok(publish_home(state, view))
}

fn publish_home(state: &mut State, view: View) -> Value {
    let shown = json!({ "view": view.to_slack(&state.workspace) });
    let user = view.user.clone();
    state.changes.push(Change { only_for: Some(user.clone()), what: What::Home { view: Box::new(view.clone()) } });
    state.log.push(format!("{}'s Home tab is published", state.workspace.name_of(&user)));
    state.homes.insert(user, view);
    shown
}

fn shown(state: &mut State, user: &str, view: &View, what: &str) -> Value {
    let name = state.workspace.name_of(user).to_owned();
    let space = if what.starts_with('\'') { "" } else { " " };
    state.log.push(format!("{name}{space}{what}: {}", view.plain(&state.workspace).replace('\n', "\n    ")));
    state.views_changed(user);
    json!({ "view": view.to_slack(&state.workspace) })
}

/// A view under a new id, on top of `below` or as the first.
pub(in crate::playground) fn new_view(
    state: &mut State,
    user: &str,
    body: Map<String, Value>,
    below: Option<&View>,
) -> View {
    let id = state.id("V");
    let root = below.map_or_else(|| id.clone(), |view| view.root.clone());
    let mut view = View {
        hash: String::new(),
        user: user.to_owned(),
        body,
        values: json!({}),
        root,
        previous: below.map(|view| view.id.clone()),
        id,
    };
    finish(state, &mut view);
    view
}

/// The same view with new content: what was typed stays where block and action ids stay, as in Slack.
fn updated_view(state: &mut State, old: &View, body: Map<String, Value>) -> View {
    let mut view = old.clone();
    view.body = body;
    finish(state, &mut view);
    view
}

fn finish(state: &mut State, view: &mut View) {
    let (_, hash) = state.secret_id();
    view.hash = format!("{}.{}", state.now.as_second(), &hash[..8]);
    if let Some(blocks) = view.body.get_mut("blocks").and_then(Value::as_array_mut) {
        assign_ids(blocks, || state.id("b").to_lowercase());
    }
    view.values = crate::playground::input::kept_values(view);
}

/// Uses up the `trigger_id`: whose it is, and the modal it came from.
fn trigger(context: &mut Context<'_>) -> Result<(String, Option<String>), ApiError> {
    let id = context.args.text("trigger_id").or_else(|| context.args.text("interactivity_pointer"));
    let now = context.state.now;
    let known = id.and_then(|id| context.state.triggers.get_mut(id));
    let Some(known) = known else { return Err("invalid_trigger_id".into()) };
    if known.used {
        return Err("exchanged_trigger_id".into());
    }
    if now > known.until {
        return Err("expired_trigger_id".into());
    }
    known.used = true;
    Ok((known.user.clone(), known.view.clone()))
}

fn given_view(context: &mut Context<'_>, kind: &str) -> Result<Map<String, Value>, ApiError> {
    let problem = |text: &str| arguments(&[format!("[ERROR] {text} [json-pointer:/view]")]);
    let view = context.args.json("view").map_err(|()| problem("must be valid JSON"))?;
    let view = view.ok_or_else(|| problem("must be provided"))?;
    let what = if kind == "home" { "views.publish" } else { "this modal" };
    checked_view(context.state, view, kind, what)
}

/// A view that passed the size and limit checks; what Slack would refuse is also shown on the page.
pub(in crate::playground) fn checked_view(
    state: &mut State,
    view: Value,
    kind: &str,
    what: &str,
) -> Result<Map<String, Value>, ApiError> {
    if view.to_string().len() > VIEW_LIMIT {
        return Err("view_too_large".into());
    }
    let surface = if kind == "home" { Surface::Home } else { Surface::Modal };
    let mut problems: Vec<(String, String)> = Vec::new();
    if view["type"] != kind {
        problems.push(("/view/type".to_owned(), format!("must be `{kind}`")));
    }
    let broken = refusals(surface, &view);
    problems.extend(broken.into_iter().map(|violation| (format!("/view{}", violation.pointer), violation.rule)));
    match view {
        Value::Object(body) if problems.is_empty() => Ok(body),
        view => {
            let messages: Vec<String> =
                problems.iter().map(|(at, rule)| format!("[ERROR] {rule} [json-pointer:{at}]")).collect();
            state.notice(&format!("Slack would refuse {what}: invalid_arguments"), None, problems, view);
            Err(arguments(&messages))
        }
    }
}

fn arguments(messages: &[String]) -> ApiError {
    let extra = json!({ "response_metadata": { "messages": messages } });
    ApiError { code: "invalid_arguments".to_owned(), extra }
}

fn unique_external_id(
    state: &State,
    user: &str,
    body: &Map<String, Value>,
    itself: Option<&str>,
) -> Result<(), ApiError> {
    let id = body.get("external_id").and_then(Value::as_str).unwrap_or_default();
    let taken = |view: &View| view.text("external_id") == id && Some(view.id.as_str()) != itself;
    // Opening a modal replaces the member's own stack, so an id in there is free again.
    let others =
        state.views.iter().filter(|(owner, _)| *owner != user || itself.is_some()).flat_map(|(_, stack)| stack);
    if !id.is_empty() && others.into_iter().any(taken) { Err("duplicate_external_id".into()) } else { Ok(()) }
}
