//! What people fill in, in Slack's shapes: `state.values`, the `actions` of an interaction, and the checks that Slack's
//! own client makes before it sends anything.

use serde_json::{Map, Value, json};

use super::message::{View, elements};

/// The key of the chosen thing in `state.values` and in actions, for an element type.
fn value_key(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => "value",
        "static_select" | "external_select" | "radio_buttons" | "overflow" => "selected_option",
        "checkboxes" | "multi_static_select" | "multi_external_select" => "selected_options",
        "datepicker" => "selected_date",
        "timepicker" => "selected_time",
        "datetimepicker" => "selected_date_time",
        "users_select" => "selected_user",
        "channels_select" => "selected_channel",
        "conversations_select" => "selected_conversation",
        "multi_users_select" => "selected_users",
        "multi_channels_select" => "selected_channels",
        "multi_conversations_select" => "selected_conversations",
        _ => return None,
    })
}

fn initial_key(key: &str) -> String {
    if key == "value" { "initial_value".to_owned() } else { key.replacen("selected_", "initial_", 1) }
}

/// Turns what was typed or chosen (text, an option's value, or a list of such) into Slack's `{type, <key>: …}`.
pub(super) fn filled(element: &Value, raw: &Value) -> Result<Value, String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let key = value_key(kind).ok_or_else(|| format!("a {kind} cannot be filled in"))?;
    let empty = raw.is_null() || raw.as_str() == Some("") || raw.as_array().is_some_and(Vec::is_empty);
    let many = key.ends_with('s');
    let value = match raw {
        _ if empty && many => json!([]),
        _ if empty => Value::Null,
        Value::Array(list) if many => {
            let all: Result<Vec<Value>, String> = list.iter().map(|one| chosen(element, key, one)).collect();
            json!(all?)
        }
        one if many => json!([chosen(element, key, one)?]),
        one => chosen(element, key, one)?,
    };
    Ok(json!({ "type": kind, key: value }))
}

fn chosen(element: &Value, key: &str, raw: &Value) -> Result<Value, String> {
    let text = raw.as_str().map_or_else(|| raw.to_string(), str::to_owned);
    if !key.starts_with("selected_option") {
        return Ok(if key == "selected_date_time" { json!(text.parse::<i64>().unwrap_or(0)) } else { json!(text) });
    }
    let grouped = element["option_groups"].as_array().into_iter().flatten().filter_map(|g| g["options"].as_array());
    let mut options = element["options"].as_array().into_iter().chain(grouped).flatten();
    options
        .find(|option| option["value"] == text.as_str())
        .cloned()
        .ok_or_else(|| format!("there is no option `{text}`"))
}

/// What an element holds before anybody touches it.
fn initial(element: &Value) -> Option<Value> {
    let kind = element["type"].as_str()?;
    let key = value_key(kind).filter(|_| kind != "overflow")?;
    let none = if key.ends_with('s') { json!([]) } else { Value::Null };
    let value = element.get(initial_key(key)).cloned().unwrap_or(none);
    Some(json!({ "type": kind, key: value }))
}

/// `state.values` of some blocks: what was known stays, everything else has its initial value.
pub(super) fn values_of(blocks: &[Value], known: &Value) -> Value {
    let mut values = Map::new();
    for (block, element) in elements(blocks) {
        let action = element["action_id"].as_str().unwrap_or_default();
        let kept = known[&block].get(action).filter(|kept| kept["type"] == element["type"]).cloned();
        if let Some(value) = kept.or_else(|| initial(&element)) {
            values.entry(block).or_insert_with(|| json!({}))[action] = value;
        }
    }
    Value::Object(values)
}

/// `state.values` of a view after an update.
pub(super) fn kept_values(view: &View) -> Value {
    values_of(view.blocks(), &view.values)
}

/// Takes over what was filled in: `{block: text}` or `{block: {action: text}}`; what is not named stays as it was.
/// `Err` lists block ids with what Slack's client would write under the field.
pub(super) fn fill(view: &View, given: &Value) -> Result<Value, Vec<(String, String)>> {
    let mut values = values_of(view.blocks(), &view.values);
    let mut errors = Vec::new();
    for block in given.as_object().into_iter().flatten().map(|(block, _)| block) {
        if !view.blocks().iter().any(|b| b["block_id"] == block.as_str()) {
            errors.push((block.clone(), "there is no such block".to_owned()));
        }
    }
    for (block, element) in elements(view.blocks()) {
        let action = element["action_id"].as_str().unwrap_or_default();
        let of_block = given.get(&block);
        let raw = of_block.and_then(|of| if of.is_object() { of.get(action) } else { Some(of) });
        if let Some(raw) = raw.filter(|_| initial(&element).is_some()) {
            match filled(&element, raw) {
                Ok(value) => values[&block][action] = value,
                Err(error) => errors.push((block.clone(), error)),
            }
        }
    }
    for block in view.blocks().iter().filter(|block| block["type"] == "input") {
        let id = block["block_id"].as_str().unwrap_or_default();
        let action = block["element"]["action_id"].as_str().unwrap_or_default();
        if let Some(error) = complaint(block, &values[id][action]) {
            errors.push((id.to_owned(), error));
        }
    }
    if errors.is_empty() { Ok(values) } else { Err(errors) }
}

/// What Slack's client says about an input before sending it.
fn complaint(block: &Value, value: &Value) -> Option<String> {
    let element = &block["element"];
    let key = value_key(element["type"].as_str()?)?;
    let held = &value[key];
    let empty = held.is_null() || held.as_str() == Some("") || held.as_array().is_some_and(Vec::is_empty);
    if empty {
        return (block["optional"] != true).then(|| "Please complete this required field.".to_owned());
    }
    let text = held.as_str()?;
    let length = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
    if let Some(least) = element["min_length"].as_u64().filter(|least| length < *least) {
        return Some(format!("Use at least {least} characters."));
    }
    if let Some(most) = element["max_length"].as_u64().filter(|most| length > *most) {
        return Some(format!("Use at most {most} characters."));
    }
    if element["type"] == "number_input" {
        return number_complaint(element, text);
    }
    None
}

fn number_complaint(element: &Value, text: &str) -> Option<String> {
    let Ok(number) = text.parse::<f64>() else { return Some("Enter a number.".to_owned()) };
    let bound = |key: &str| element[key].as_str().and_then(|b| b.parse::<f64>().ok());
    if element["is_decimal_allowed"] != true && number.fract() != 0.0 {
        return Some("Enter a whole number.".to_owned());
    }
    if let Some(least) = bound("min_value").filter(|least| number < *least) {
        return Some(format!("Enter a number of at least {least}."));
    }
    bound("max_value").filter(|most| number > *most).map(|most| format!("Enter a number of at most {most}."))
}

/// The entry of `actions` for an element that was clicked or chosen from.
pub(super) fn action(block: &str, element: &Value, raw: Option<&Value>, action_ts: &str) -> Result<Value, String> {
    let kind = element["type"].as_str().unwrap_or_default();
    let mut entry =
        json!({ "type": kind, "block_id": block, "action_id": element["action_id"], "action_ts": action_ts });
    if value_key(kind).is_some() {
        let value = filled(element, raw.unwrap_or(&Value::Null))?;
        for (key, value) in value.as_object().into_iter().flatten() {
            entry[key] = value.clone();
        }
    } else if kind != "button" {
        return Err(format!("a {kind} cannot be clicked"));
    }
    for key in ["text", "value", "style", "placeholder", "confirm"] {
        if let Some(value) = element.get(key)
            && entry.get(key).is_none()
        {
            entry[key] = value.clone();
        }
    }
    Ok(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(blocks: &Value) -> View {
        let body = json!({ "type": "modal", "blocks": blocks });
        let mut view = View {
            id: "V1".to_owned(),
            hash: "1".to_owned(),
            user: "U0OPERATOR".to_owned(),
            body: body.as_object().unwrap().clone(),
            values: json!({}),
            root: "V1".to_owned(),
            previous: None,
        };
        view.values = kept_values(&view);
        view
    }

    fn form() -> View {
        let option = |v: &str| json!({ "text": { "type": "plain_text", "text": v }, "value": v });
        view(&json!([
            { "type": "input", "block_id": "job", "element": { "type": "static_select", "action_id": "a", "options": [option("sales"), option("stock")], "initial_option": option("sales") } },
            { "type": "input", "block_id": "note", "optional": true, "element": { "type": "plain_text_input", "action_id": "a", "min_length": 3 } },
            { "type": "input", "block_id": "parts", "element": { "type": "checkboxes", "action_id": "a", "options": [option("x"), option("y")] } },
            { "type": "input", "block_id": "n", "element": { "type": "number_input", "action_id": "a", "is_decimal_allowed": false, "min_value": "1", "max_value": "9" } },
        ]))
    }

    #[test]
    fn what_is_filled_in_takes_slacks_shape() {
        let values = fill(&form(), &json!({ "parts": ["y"], "n": "3", "note": { "a": "why" } })).unwrap();
        assert_eq!(values["job"]["a"]["selected_option"]["value"], "sales");
        assert_eq!(values["parts"]["a"]["selected_options"][0]["value"], "y");
        assert_eq!(values["n"]["a"], json!({ "type": "number_input", "value": "3" }));
        assert_eq!(values["note"]["a"]["value"], "why");
    }

    #[test]
    fn slacks_client_complains_before_it_sends() {
        let errors = fill(&form(), &json!({ "job": "none", "note": "no", "n": "10", "nowhere": "x" })).unwrap_err();
        let said: Vec<String> = errors.into_iter().map(|(block, text)| format!("{block}: {text}")).collect();
        assert_eq!(
            said,
            [
                "nowhere: there is no such block",
                "job: there is no option `none`",
                "note: Use at least 3 characters.",
                "parts: Please complete this required field.",
                "n: Enter a number of at most 9.",
            ]
        );
        for (typed, expected) in
            [("1.5", "Enter a whole number."), ("x", "Enter a number."), ("0", "Enter a number of at least 1.")]
        {
            let errors = fill(&form(), &json!({ "parts": "x", "n": typed })).unwrap_err();
            assert_eq!(errors, [("n".to_owned(), expected.to_owned())]);
        }
    }

    #[test]
    fn typed_values_survive_an_update_while_the_ids_stay() {
        let mut old = form();
        old.values = fill(&old, &json!({ "parts": "x", "n": "3" })).unwrap();
        old.body.insert(
            "blocks".to_owned(),
            json!([{ "type": "input", "block_id": "n", "element": { "type": "number_input", "action_id": "a" } }]),
        );
        assert_eq!(kept_values(&old), json!({ "n": { "a": { "type": "number_input", "value": "3" } } }));
    }

    #[test]
    fn a_button_carries_its_value_and_a_menu_what_was_chosen() {
        let button = json!({ "type": "button", "action_id": "go", "value": "r-1", "text": { "type": "plain_text", "text": "Go" } });
        let entry = action("b", &button, None, "1.5").unwrap();
        assert_eq!(
            (&entry["value"], &entry["block_id"], &entry["text"]["text"]),
            (&json!("r-1"), &json!("b"), &json!("Go"))
        );
        let menu = json!({ "type": "overflow", "action_id": "m", "options": [{ "text": {}, "value": "x" }] });
        assert_eq!(action("b", &menu, Some(&json!("x")), "1.5").unwrap()["selected_option"]["value"], "x");
        assert!(action("b", &menu, Some(&json!("y")), "1.5").is_err());
    }
}
