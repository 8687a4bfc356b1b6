//! A message and a view as they are kept, and in Slack's shapes.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::people::Workspace;
use super::plain;

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The app under test.
    App,
    Member(String),
    /// Slack itself: what Slackbot says about a command that failed.
    Slack,
}

/// A message of a channel, or one that only one member sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub ts: String,
    pub channel: String,
    pub author: Author,
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attachments: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_ts: Option<String>,
    /// A thread reply that is shown in the channel as well.
    #[serde(default)]
    pub broadcast: bool,
    /// Ts of the last edit that Slack marks as "edited" (edits with blocks are not marked).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<Value>,
    /// The one member who sees it. Gone after a reload in Slack, never in the history, never editable by `chat.update`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_for: Option<String>,
    /// How often it was changed; the page draws a message again only when this went up.
    #[serde(default)]
    pub revision: u64,
}

impl Message {
    /// All of it as text: the blocks as a person reads them, or else the text.
    pub fn plain(&self, workspace: &Workspace) -> String {
        if self.blocks.is_empty() {
            plain::mrkdwn(&self.text, workspace)
        } else {
            plain::blocks(&self.blocks, workspace)
        }
    }

    /// The interactive element with this action id, and the id of its block.
    pub fn element(&self, block_id: Option<&str>, action_id: &str) -> Option<(String, Value)> {
        find_element(&self.blocks, block_id, action_id)
    }

    /// The `message` object of the Web API. Metadata is only given where it was asked for.
    pub fn to_slack(&self, workspace: &Workspace, with_metadata: bool) -> Value {
        let mut out = json!({ "type": "message", "ts": self.ts, "text": self.text, "team": workspace.team.id });
        match &self.author {
            Author::App => {
                let app = &workspace.app;
                out["user"] = json!(app.user_id);
                out["bot_id"] = json!(app.bot_id);
                out["app_id"] = json!(app.id);
                out["bot_profile"] = json!({ "id": app.bot_id, "app_id": app.id, "user_id": app.user_id,
                    "name": app.name, "deleted": false, "team_id": workspace.team.id });
            }
            Author::Member(user) => out["user"] = json!(user),
            Author::Slack => out["user"] = json!("USLACKBOT"),
        }
        if !self.blocks.is_empty() {
            out["blocks"] = json!(self.blocks);
        }
        if !self.files.is_empty() {
            out["files"] = json!(self.files);
        }
        for (key, value) in [("attachments", &self.attachments), ("metadata", &self.metadata)] {
            if let Some(value) = value
                && (key != "metadata" || with_metadata)
            {
                out[key] = value.clone();
            }
        }
        if let Some(thread) = &self.thread_ts {
            out["thread_ts"] = json!(thread);
        }
        if let Some(edited) = &self.edited {
            out["edited"] = json!({ "user": out["user"], "ts": edited });
        }
        out
    }
}

/// A modal or a home tab.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct View {
    pub id: String,
    /// Changes with every update; an update that names an older one is a `hash_conflict`.
    pub hash: String,
    pub user: String,
    /// As the bot gave it: type, title, blocks, callback_id, private_metadata, …
    pub body: Map<String, Value>,
    /// `state.values`: what was filled in, by block and action.
    pub values: Value,
    pub root: String,
    pub previous: Option<String>,
}

impl View {
    /// The blocks, with the ids Slack would have given to those without.
    pub fn blocks(&self) -> &[Value] {
        self.body.get("blocks").and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    /// A text field of the body such as `callback_id`, or the text of a text object such as `title`.
    pub fn text(&self, key: &str) -> &str {
        let value = self.body.get(key);
        value.and_then(|v| v.as_str().or_else(|| v["text"].as_str())).unwrap_or_default()
    }

    /// Whether the bot asked to hear about its closing, or about another such switch.
    pub fn flag(&self, key: &str) -> bool {
        self.body.get(key).and_then(Value::as_bool).unwrap_or(false)
    }

    /// The interactive element with this action id, and the id of its block.
    pub fn element(&self, block_id: Option<&str>, action_id: &str) -> Option<(String, Value)> {
        find_element(self.blocks(), block_id, action_id)
    }

    /// Everything a person reads on it, title and buttons included.
    pub fn plain(&self, workspace: &Workspace) -> String {
        let body = plain::blocks(self.blocks(), workspace);
        let buttons: Vec<String> = ["submit", "close"]
            .iter()
            .map(|key| self.text(key))
            .filter(|t| !t.is_empty())
            .map(|t| format!("[{t}]"))
            .collect();
        [self.text("title").to_owned(), body, buttons.join(" ")]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// The `view` object of the Web API and of interactions.
    pub fn to_slack(&self, workspace: &Workspace) -> Value {
        let mut out = json!({
            "id": self.id, "team_id": workspace.team.id, "type": "modal", "blocks": [], "private_metadata": "",
            "callback_id": "", "state": { "values": self.values }, "hash": self.hash, "title": Value::Null,
            "clear_on_close": false, "notify_on_close": false, "close": Value::Null, "submit": Value::Null,
            "previous_view_id": self.previous, "root_view_id": self.root, "app_id": workspace.app.id,
            "external_id": "", "app_installed_team_id": workspace.team.id, "bot_id": workspace.app.bot_id,
        });
        for (key, value) in &self.body {
            out[key] = value.clone();
        }
        out
    }
}

/// Every interactive element of some blocks with the id of its block, inputs included.
pub(super) fn elements(blocks: &[Value]) -> Vec<(String, Value)> {
    let mut found = Vec::new();
    for block in blocks {
        let id = block["block_id"].as_str().unwrap_or_default().to_owned();
        let list = block["elements"].as_array().into_iter().flatten();
        for element in list.chain(block.get("accessory")).chain(block.get("element")) {
            if element["action_id"].is_string() {
                found.push((id.clone(), element.clone()));
            }
        }
    }
    found
}

fn find_element(blocks: &[Value], block_id: Option<&str>, action_id: &str) -> Option<(String, Value)> {
    let fits = |(block, element): &(String, Value)| {
        element["action_id"] == action_id && block_id.is_none_or(|wanted| wanted == block)
    };
    elements(blocks).into_iter().find(fits)
}

/// Gives blocks and interactive elements the ids that Slack makes up for those without, in place.
pub(super) fn assign_ids(blocks: &mut [Value], mut next: impl FnMut() -> String) {
    const INTERACTIVE: [&str; 9] = [
        "button",
        "overflow",
        "checkboxes",
        "radio_buttons",
        "datepicker",
        "timepicker",
        "datetimepicker",
        "plain_text_input",
        "file_input",
    ];
    let mut name = |element: &mut Value| {
        let kind = element["type"].as_str().unwrap_or_default();
        let interactive = INTERACTIVE.contains(&kind) || kind.ends_with("_select") || kind.ends_with("_input");
        if interactive && element["action_id"].as_str().is_none_or(str::is_empty) {
            element["action_id"] = json!(next());
        }
    };
    for block in blocks.iter_mut().filter(|block| block.is_object()) {
        for key in ["accessory", "element"] {
            if block[key].is_object() {
                name(&mut block[key]);
            } else if let Some(map) = block.as_object_mut() {
                map.remove(key);
            }
        }
        if block["type"] != "rich_text"
            && let Some(list) = block.get_mut("elements").and_then(Value::as_array_mut)
        {
            list.iter_mut().filter(|e| e.is_object()).for_each(&mut name);
        }
    }
    for block in blocks.iter_mut().filter(|block| block.is_object()) {
        if block["block_id"].as_str().is_none_or(str::is_empty) {
            block["block_id"] = json!(next());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_without_ids_get_some_and_those_with_keep_theirs() {
        let mut blocks = vec![
            json!({ "type": "actions", "elements": [{ "type": "button", "text": {} }, { "type": "button", "action_id": "mine" }] }),
            json!({ "type": "section", "block_id": "b", "accessory": { "type": "image" } }),
            json!("not a block"),
        ];
        let mut n = 0;
        assign_ids(&mut blocks, || {
            n += 1;
            format!("id{n}")
        });
        assert_eq!(blocks[0]["elements"][0]["action_id"], "id1");
        assert_eq!(blocks[0]["elements"][1]["action_id"], "mine");
        assert_eq!((&blocks[0]["block_id"], &blocks[1]["block_id"]), (&json!("id2"), &json!("b")));
        assert_eq!(blocks[1]["accessory"].get("action_id"), None);
        assert_eq!(elements(&blocks).len(), 2);
    }
}
