//! What is kept of the past: calls, requests, ids that were handed out, and the changes that pages are told.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::knobs::Knobs;
use super::message::{Message, View};
use super::people::Workspace;

/// One call of the Web API, as it was recorded.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Call {
    pub method: String,
    /// The arguments, the token left out.
    pub args: Value,
    pub at: Timestamp,
    pub status: u16,
    /// The answer; for a fault without one, the fault's name.
    pub answer: Value,
}

/// Something changed that a page may have to draw. `only_for` names the one member it concerns.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Change {
    #[serde(skip)]
    pub only_for: Option<String>,
    #[serde(flatten)]
    pub what: What,
}

/// What changed.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(super) enum What {
    Message {
        message: Box<Message>,
    },
    Gone {
        ts: String,
    },
    /// All open modals of a member, the bottom one first.
    Views {
        views: Vec<View>,
    },
    Home {
        view: Box<View>,
    },
    /// Something Slack would have refused, or that failed: shown on the page, not part of the conversation.
    Notice {
        notice: Notice,
    },
    /// Channels, members or knobs changed.
    Setting {
        workspace: Box<Workspace>,
        knobs: Knobs,
    },
}

/// A remark of the playground itself, beside the conversation.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    pub title: String,
    pub channel: Option<String>,
    pub ts: String,
    /// Each with a JSON pointer and the rule that was broken.
    pub problems: Vec<(String, String)>,
    pub payload: Value,
}

/// A `trigger_id` that was handed out.
#[derive(Debug, Clone)]
pub(super) struct Trigger {
    pub user: String,
    pub until: Timestamp,
    pub used: bool,
    /// The modal the interaction happened in: only from there can another be pushed.
    pub view: Option<String>,
}

/// A `response_url` that was handed out.
#[derive(Debug, Clone)]
pub(super) struct ResponseUrl {
    pub user: String,
    pub channel: String,
    /// The message it belongs to, which can be replaced or deleted.
    pub original: Option<String>,
    pub until: Timestamp,
    pub used: u32,
}

/// A file that was uploaded by the bot, or is about to be.
#[derive(Debug, Clone)]
pub(super) struct StoredFile {
    pub name: String,
    /// The length that was announced, in bytes.
    pub expected: usize,
    pub arrived: bool,
    /// None before it arrived, and where it is kept on disk instead.
    pub content: Option<Bytes>,
}

/// A request that went to the bot, for sending it again.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub content_type: &'static str,
    pub timestamp: String,
    pub signature: String,
    pub body: Bytes,
}
