//! Rules that look at more than one field of an object, or count across a payload.

use super::elements::elements;
use super::report::{Report, quoted};
use super::shape::text;
use super::walk;
use serde_json::{Map, Value};

/// A rich text element's leaves, by Slack's names.
const RICH_TEXT_LEAVES: &[&str] =
    &["text", "link", "user", "usergroup", "channel", "broadcast", "emoji", "date", "color", "team"];

/// Every interactive element: its action id is its own in the block, and one element at most takes the focus.
pub(super) fn element(report: &mut Report, map: &Map<String, Value>) {
    if let Some(id) = map.get("action_id").and_then(Value::as_str) {
        report.action_id(id);
    }
    if map.get("focus_on_load") == Some(&Value::Bool(true)) {
        report.focus();
    }
}

/// A section says something: `text`, `fields`, or both.
pub(super) fn section(report: &mut Report, map: &Map<String, Value>) {
    if !map.contains_key("text") && !map.contains_key("fields") {
        report.refuse("section needs the field `text` or `fields`");
    }
}

/// An image comes from one place.
pub(super) fn image(report: &mut Report, map: &Map<String, Value>) {
    if map.contains_key("image_url") == map.contains_key("slack_file") {
        report.refuse("image needs either `image_url` or `slack_file`");
    }
}

/// A Slack file is named in one way.
pub(super) fn slack_file(report: &mut Report, map: &Map<String, Value>) {
    if map.contains_key("id") == map.contains_key("url") {
        report.refuse("slack_file needs either `id` or `url`");
    }
}

/// A card shows something.
pub(super) fn card(report: &mut Report, map: &Map<String, Value>) {
    if !["hero_image", "title", "body", "actions"].iter().any(|field| map.contains_key(*field)) {
        report.refuse("card needs one of `hero_image`, `title`, `body`, `actions`");
    }
}

/// A container has a title.
pub(super) fn container(report: &mut Report, map: &Map<String, Value>) {
    if !map.contains_key("title") && !map.contains_key("rich_text_title") {
        report.refuse("container needs `title` or `rich_text_title`");
    }
}

/// A context block holds texts and images.
pub(super) fn context(report: &mut Report, map: &Map<String, Value>) {
    in_list(report, map, |report, item| match item.get("type").and_then(Value::as_str) {
        Some("plain_text" | "mrkdwn") => walk::value(report, &text(3000), item),
        _ => walk::typed(report, "element", elements, &["image"], item),
    });
}

/// A rich text block holds sections, lists, quotes and preformatted text; those hold leaves.
pub(super) fn rich_text(report: &mut Report, map: &Map<String, Value>) {
    in_list(report, map, |report, item| match item.get("type").and_then(Value::as_str) {
        Some("rich_text_section" | "rich_text_quote" | "rich_text_preformatted") => leaves(report, item),
        Some("rich_text_list") => match item.as_object() {
            Some(list) => in_list(report, list, leaves),
            None => report.refuse("must be an object"),
        },
        other => report.refuse(format!("{} is not a part of rich text", quoted(other.unwrap_or("missing")))),
    });
}

fn leaves(report: &mut Report, part: &Value) {
    let Some(map) = part.as_object() else {
        return report.refuse("must be an object");
    };
    if !map.get("elements").is_some_and(Value::is_array) {
        return report.refuse("rich text needs the field `elements`, an array");
    }
    in_list(report, map, |report, leaf| {
        let name = leaf.get("type").and_then(Value::as_str).unwrap_or("missing");
        if !RICH_TEXT_LEAVES.contains(&name) {
            report.refuse(format!("{} is not a rich text element", quoted(name)));
        }
    });
}

fn in_list(report: &mut Report, map: &Map<String, Value>, check: impl FnMut(&mut Report, &Value)) {
    if let Some(items) = map.get("elements").and_then(Value::as_array) {
        report.at("elements", |report| report.each(items, check));
    }
}

/// Radio buttons and checkboxes: what is chosen at first is among the options.
pub(super) fn choice(report: &mut Report, map: &Map<String, Value>) {
    element(report, map);
    chosen_is_offered(report, map);
}

/// A static menu has options or groups, not both.
pub(super) fn static_choice(report: &mut Report, map: &Map<String, Value>) {
    element(report, map);
    if map.contains_key("options") == map.contains_key("option_groups") {
        report.refuse("a static menu needs either `options` or `option_groups`");
    }
    chosen_is_offered(report, map);
}

fn chosen_is_offered(report: &mut Report, map: &Map<String, Value>) {
    let list = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut offered = list(map.get("options"));
    for group in list(map.get("option_groups")) {
        offered.extend(list(group.get("options")));
    }
    let chosen = map.get("initial_option").filter(|found| !found.is_null());
    if chosen.is_some_and(|option| !offered.contains(option)) {
        report.at("initial_option", |report| report.refuse("must be exactly one of the options"));
    }
    if list(map.get("initial_options")).iter().any(|option| !offered.contains(option)) {
        report.at("initial_options", |report| report.refuse("must be exactly among the options"));
    }
}

/// A text input's bounds make sense, and its first value lies within them.
pub(super) fn text_input(report: &mut Report, map: &Map<String, Value>) {
    element(report, map);
    let bound = |name: &str| map.get(name).and_then(Value::as_u64).and_then(|bound| usize::try_from(bound).ok());
    let (least, most) = (bound("min_length").unwrap_or(0), bound("max_length").unwrap_or(3000));
    if least > most {
        report.refuse(format!("`min_length` {least} is above `max_length` {most}"));
    } else if let Some(first) = map.get("initial_value").and_then(Value::as_str) {
        report.at("initial_value", |report| walk::length(report, first, 0, most));
    }
}

/// A number input's bounds make sense.
pub(super) fn number_input(report: &mut Report, map: &Map<String, Value>) {
    element(report, map);
    let bound = |name: &str| map.get(name).and_then(Value::as_str).and_then(|text| text.parse::<f64>().ok());
    if let (Some(least), Some(most)) = (bound("min_value"), bound("max_value"))
        && least > most
    {
        report.refuse("`min_value` is above `max_value`");
    }
}
