//! Slack's limits on messages, modals and the App Home, checked before every send and by the playground's Web API.
//! Nothing here talks to Slack or changes a payload: a payload goes in, the list of broken limits comes out.
//!
//! `shape` is the language of the tables, `objects`, `elements` and `blocks` are the tables, `walk` reads a payload along
//! them, `rules` holds what looks at more than one field, `report` keeps the place and what was found.

mod blocks;
mod elements;
mod objects;
mod report;
mod rules;
mod shape;
mod walk;

#[cfg(test)]
mod tests;

pub use report::Violation;

use report::Report;
use serde_json::{Map, Value};
use shape::{ANY_STRING, Field, Kind, Shape, nothing, optional, plain, required};

/// Longest message text that Slack keeps; the rest is cut.
const MESSAGE_TEXT: usize = 40_000;
/// Blocks of a message.
const MESSAGE_BLOCKS: usize = 50;
/// Blocks of a modal or the App Home.
const VIEW_BLOCKS: usize = 100;
/// All `markdown` blocks of a message together, in characters.
const MARKDOWN_TOTAL: usize = 12_000;
/// Bytes of a view as JSON (`view_too_large`).
const VIEW_BYTES: usize = 250_000;

/// Where blocks are shown. Each has its own block types and limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Surface {
    /// `chat.postMessage`, `chat.update`, `chat.postEphemeral` and `response_url`.
    Message,
    /// `views.open`, `views.push`, `views.update`.
    Modal,
    /// `views.publish`.
    Home,
}

/// Every limit that `payload` breaks: `{text, blocks}` for a message (other fields are ignored), the view object for a modal
/// or the App Home. Empty means that Slack takes it. Never panics, whatever the JSON; at most 100 violations are listed.
pub fn check(surface: Surface, payload: &Value) -> Vec<Violation> {
    let mut report = Report::default();
    match (surface, payload.as_object()) {
        (_, None) => report.refuse(format!("must be an object, is {}", report::kind_of(payload))),
        (Surface::Message, Some(map)) => message(&mut report, map),
        (Surface::Modal, Some(map)) => view(&mut report, surface, &MODAL, map),
        (Surface::Home, Some(map)) => view(&mut report, surface, &HOME, map),
    }
    report.into_violations()
}

const VIEW: &[Field] = &[
    required("blocks", Kind::Open),
    optional("private_metadata", Kind::Chars { min: 0, max: 3000 }),
    optional("callback_id", Kind::Chars { min: 0, max: 255 }),
    optional("external_id", Kind::Chars { min: 0, max: 255 }),
];

static MODAL: Shape = Shape {
    name: "modal",
    groups: &[
        VIEW,
        &[
            required("title", plain(24)),
            optional("submit", plain(24)),
            optional("close", plain(24)),
            optional("clear_on_close", Kind::Flag),
            optional("notify_on_close", Kind::Flag),
            optional("submit_disabled", Kind::Flag),
        ],
    ],
    also: needs_submit,
};

static HOME: Shape = Shape { name: "home", groups: &[VIEW], also: nothing };

fn message(report: &mut Report, map: &Map<String, Value>) {
    let text = map.get("text").filter(|text| !text.is_null());
    if let Some(text) = text {
        report.at("text", |report| walk::value(report, &ANY_STRING, text));
    }
    let said = text.and_then(Value::as_str).unwrap_or_default();
    if said.chars().count() > MESSAGE_TEXT {
        report.at("text", |report| report.advise(format!("Slack cuts text after {MESSAGE_TEXT} characters")));
    }
    match map.get("blocks").filter(|blocks| !blocks.is_null()) {
        Some(found) => {
            blocks(report, Surface::Message, MESSAGE_BLOCKS, found);
            if said.trim().is_empty() {
                report.advise("blocks need a `text` beside them, for notifications and screen readers");
            }
        }
        None if said.is_empty() => report.refuse("a message needs `text` or `blocks`"),
        None => {}
    }
    totals(report, map);
}

fn view(report: &mut Report, surface: Surface, shape: &Shape, map: &Map<String, Value>) {
    if map.get("type").and_then(Value::as_str) != Some(shape.name) {
        report.at("type", |report| report.refuse(format!("must be `{}`", shape.name)));
    }
    walk::object(report, shape, map);
    if let Some(found) = map.get("blocks") {
        blocks(report, surface, VIEW_BLOCKS, found);
    }
    let bytes = serde_json::to_string(map).map_or(0, |json| json.len());
    if bytes > VIEW_BYTES {
        report.refuse(format!("a view must have at most {VIEW_BYTES} bytes as JSON, has {bytes}"));
    }
}

fn blocks(report: &mut Report, surface: Surface, max: usize, found: &Value) {
    report.at("blocks", |report| match found.as_array() {
        None => report.refuse(format!("must be an array, is {}", report::kind_of(found))),
        Some(items) => {
            if items.len() > max {
                report.refuse(format!("must have at most {max} items, has {}", items.len()));
            }
            report.each(items, |report, item| {
                walk::typed(report, walk::BLOCK, blocks::blocks, blocks::on(surface), item);
            });
        }
    });
}

/// What counts over all blocks of a message: one table, and the length of its markdown.
fn totals(report: &mut Report, map: &Map<String, Value>) {
    let items = map.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let of =
        |name: &'static str| items.iter().filter(move |block| block.get("type").and_then(Value::as_str) == Some(name));
    let tables = of("table").count();
    if tables > 1 {
        report.at("blocks", |report| report.refuse(format!("a message may have one `table`, has {tables}")));
    }
    let markdown: usize =
        of("markdown").filter_map(|block| block.get("text")?.as_str()).map(|text| text.chars().count()).sum();
    if markdown > MARKDOWN_TOTAL {
        let rule = format!("all markdown together must have at most {MARKDOWN_TOTAL} characters, has {markdown}");
        report.at("blocks", |report| report.refuse(rule));
    }
}

/// A modal that asks for something needs a button to send it.
fn needs_submit(report: &mut Report, map: &Map<String, Value>) {
    let items = map.get("blocks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let asks = items.iter().any(|block| block.get("type").and_then(Value::as_str) == Some("input"));
    if asks && !map.contains_key("submit") {
        report.refuse("a modal with an input block needs `submit`");
    }
}
