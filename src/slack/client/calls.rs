//! The methods of the Web API that the bot uses.

use super::answer::{ClientError, Repeat};
use super::{Client, Identity};
use crate::domain::id::{ChannelId, UserId};
use crate::ports::{BotIdentity, Kind, MessageRef, Target};
use crate::slack::render::{Message, View};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Names our metadata among those of other apps.
const METADATA: &str = "switchman_effect";
/// Messages per page when looking for one.
const PAGE: &str = "100";
/// Pages to look through; an effect is looked for soon after it was tried.
const PAGES: usize = 5;
/// Slack's clock and ours may differ.
const SKEW_SECONDS: i64 = 60;

/// An open modal: `hash` names its version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewRef {
    pub id: String,
    pub hash: Option<String>,
}

impl Client {
    /// Who we are, remembered for some minutes.
    pub(super) async fn whoami(&self) -> Result<Identity, ClientError> {
        if let Some(known) = self.identity.get(&()) {
            return Ok(known);
        }
        self.ask_who_we_are().await
    }

    /// `auth.test`, asked now.
    pub(super) async fn ask_who_we_are(&self) -> Result<Identity, ClientError> {
        let answer = self.write("auth.test", Repeat::Harmless, &json!({})).await?;
        let bot = BotIdentity {
            team: text(&answer, "/team_id"),
            user: text(&answer, "/user_id"),
            bot: text(&answer, "/bot_id"),
        };
        let enterprise = answer.pointer("/enterprise_id").and_then(Value::as_str).map(ToOwned::to_owned);
        let identity = Identity { bot, enterprise };
        self.identity.insert((), identity.clone());
        Ok(identity)
    }

    /// Who we are, asked now; the error says whether Slack answered and with which code.
    pub async fn probe(&self) -> Result<BotIdentity, ClientError> {
        Ok(self.ask_who_we_are().await?.bot)
    }

    /// `chat.postMessage` with the effect's mark in its metadata, in a thread where `thread` is given.
    pub async fn post_message(
        &self,
        channel: &ChannelId,
        thread: Option<&str>,
        message: &Message,
        mark: &str,
    ) -> Result<MessageRef, ClientError> {
        let mut body = body_of(message);
        body.insert("channel".into(), channel.as_str().into());
        body.insert("metadata".into(), json!({"event_type": METADATA, "event_payload": {"mark": mark}}));
        body.insert("unfurl_links".into(), false.into());
        body.insert("unfurl_media".into(), false.into());
        if let Some(thread) = thread {
            body.insert("thread_ts".into(), thread.into());
        }
        let answer = self.say("chat.postMessage", Repeat::DoneTwice, body).await?;
        let ts = text(&answer, "/ts");
        if ts.is_empty() {
            return Err(ClientError::new("chat.postMessage", "the answer has no ts", Kind::Ambiguous));
        }
        let posted = answer.pointer("/channel").and_then(Value::as_str).and_then(|id| ChannelId::parse(id).ok());
        Ok(MessageRef { channel: posted.unwrap_or_else(|| channel.clone()), ts })
    }

    /// Sends a message. Where Slack refuses its blocks, for a rule that our own check does not know, its words go alone: an answer
    /// without finery is better than none.
    async fn say(&self, method: &str, repeat: Repeat, mut body: Map<String, Value>) -> Result<Value, ClientError> {
        match self.write(method, repeat, &Value::Object(body.clone())).await {
            Err(error) if error.is("invalid_blocks") || error.is("msg_blocks_too_long") => {
                tracing::error!(%error, "Slack refused the blocks of a message; its words go without them");
                body.insert("blocks".into(), json!([]));
                self.write(method, repeat, &Value::Object(body)).await
            }
            result => result,
        }
    }

    /// `chat.update`.
    pub async fn update_message(&self, at: &MessageRef, message: &Message) -> Result<(), ClientError> {
        let mut body = body_of(message);
        body.insert("channel".into(), at.channel.as_str().into());
        body.insert("ts".into(), at.ts.as_str().into());
        self.say("chat.update", Repeat::Harmless, body).await.map(drop)
    }

    /// `chat.postEphemeral`: seen by one person, gone when they reload.
    pub async fn post_ephemeral(
        &self,
        channel: &ChannelId,
        user: &UserId,
        message: &Message,
    ) -> Result<(), ClientError> {
        let mut body = body_of(message);
        body.insert("channel".into(), channel.as_str().into());
        body.insert("user".into(), user.as_str().into());
        self.say("chat.postEphemeral", Repeat::DoneTwice, body).await.map(drop)
    }

    /// `conversations.open`: the direct message with somebody.
    pub async fn open_direct(&self, user: &UserId) -> Result<ChannelId, ClientError> {
        let answer = self.write("conversations.open", Repeat::Harmless, &json!({"users": user.as_str()})).await?;
        let id = text(&answer, "/channel/id");
        ChannelId::parse(id).map_err(|_| {
            let kind = Kind::Transient { after: None };
            ClientError::new("conversations.open", "the answer has no channel", kind)
        })
    }

    /// The channel of a target; a direct message is opened.
    pub(super) async fn channel_of(&self, to: &Target) -> Result<ChannelId, ClientError> {
        match to {
            Target::Channel(channel) => Ok(channel.clone()),
            Target::Direct(user) => self.open_direct(user).await,
            Target::Thread(root) => Ok(root.channel.clone()),
        }
    }

    /// Our message with this mark, among those since `since` (`conversations.history`). `None` too where Slack does not let us look.
    pub async fn find_message(
        &self,
        channel: &ChannelId,
        mark: &str,
        since: Timestamp,
    ) -> Result<Option<MessageRef>, ClientError> {
        let oldest = (since.as_second() - SKEW_SECONDS).max(0).to_string();
        let mut cursor = String::new();
        for _ in 0..PAGES {
            let query = [
                ("channel", channel.as_str()),
                ("oldest", oldest.as_str()),
                ("limit", PAGE),
                ("include_all_metadata", "true"),
                ("cursor", cursor.as_str()),
            ];
            let query = if cursor.is_empty() { &query[..query.len() - 1] } else { &query[..] };
            let page = match self.read("conversations.history", query).await {
                Ok(page) => page,
                Err(error) if matches!(error.kind, Kind::Denied | Kind::Gone | Kind::Permanent) => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Some(ts) = marked(&page, mark) {
                return Ok(Some(MessageRef { channel: channel.clone(), ts }));
            }
            cursor = text(&page, "/response_metadata/next_cursor");
            if cursor.is_empty() {
                break;
            }
        }
        Ok(None)
    }

    /// Our reply with this mark in a thread (`conversations.replies`). `None` too where Slack does not let us look.
    pub async fn find_reply(&self, root: &MessageRef, mark: &str) -> Result<Option<MessageRef>, ClientError> {
        let query = [
            ("channel", root.channel.as_str()),
            ("ts", root.ts.as_str()),
            ("limit", PAGE),
            ("include_all_metadata", "true"),
        ];
        match self.read("conversations.replies", &query).await {
            Ok(page) => Ok(marked(&page, mark).map(|ts| MessageRef { channel: root.channel.clone(), ts })),
            Err(error) if matches!(error.kind, Kind::Denied | Kind::Gone | Kind::Permanent) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `views.open`: within three seconds of the click whose `trigger_id` it is, once.
    pub async fn open_view(&self, trigger_id: &str, view: &View) -> Result<ViewRef, ClientError> {
        let body = json!({"trigger_id": trigger_id, "view": view.as_json()});
        let answer = self.write("views.open", Repeat::DoneTwice, &body).await?;
        view_ref("views.open", &answer)
    }

    /// `views.update`. With the `hash` of [`ViewRef`] it does not overwrite what has changed since (`Kind::Conflict`).
    pub async fn update_view(&self, at: &ViewRef, view: &View) -> Result<ViewRef, ClientError> {
        let mut body = json!({"view_id": at.id, "view": view.as_json()});
        if let Some(hash) = &at.hash {
            body["hash"] = hash.as_str().into();
        }
        let answer = self.write("views.update", Repeat::Harmless, &body).await?;
        view_ref("views.update", &answer)
    }

    /// `views.publish`: a person's App Home.
    pub async fn publish_view(&self, user: &UserId, view: &View) -> Result<(), ClientError> {
        let body = json!({"user_id": user.as_str(), "view": view.as_json()});
        self.write("views.publish", Repeat::Harmless, &body).await.map(drop)
    }
}

/// `{text, blocks}` of a message.
pub(super) fn body_of(message: &Message) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("text".into(), message.text().into());
    body.insert("blocks".into(), message.blocks().clone());
    body
}

/// The string at a pointer; empty where there is none.
pub(super) fn text(answer: &Value, pointer: &str) -> String {
    answer.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn marked(page: &Value, mark: &str) -> Option<String> {
    let messages = page.get("messages")?.as_array()?;
    let ours = messages.iter().find(|message| {
        message.pointer("/metadata/event_type").and_then(Value::as_str) == Some(METADATA)
            && message.pointer("/metadata/event_payload/mark").and_then(Value::as_str) == Some(mark)
    })?;
    Some(ours.get("ts")?.as_str()?.to_owned())
}

fn view_ref(method: &str, answer: &Value) -> Result<ViewRef, ClientError> {
    let id = text(answer, "/view/id");
    if id.is_empty() {
        return Err(ClientError::new(method, "the answer has no view", Kind::Ambiguous));
    }
    Ok(ViewRef { id, hash: answer.pointer("/view/hash").and_then(Value::as_str).map(ToOwned::to_owned) })
}
