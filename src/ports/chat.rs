//! Talking to people. What is said is a [`Reply`]; how it looks is the adapter's business.

use super::PortError;
use crate::domain::actor::Outsider;
use crate::domain::id::{ChannelId, TeamId, UserId};
use crate::domain::reply::Reply;
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRef {
    pub channel: ChannelId,
    /// Slack's `ts`: the message's id within its channel.
    pub ts: String,
}

/// A person to tell something in private.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub user: UserId,
    /// Where they asked.
    pub channel: ChannelId,
    /// Slack's one-off address for private answers, where the request had one.
    pub response_url: Option<String>,
}

/// Where a lasting message goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    Channel(ChannelId),
    /// A direct message: to one person, or where the channel cannot be used any more.
    Direct(UserId),
    /// The thread of a message.
    Thread(MessageRef),
}

/// What chat knows about a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// An ordinary member of the workspace.
    Full,
    Outsider(Outsider),
    /// Chat does not say (a scope is missing): the list alone decides.
    Unknown,
}

/// How old an answer may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Age {
    /// Asked now: for votes, which decide about what is dangerous.
    Now,
    /// Some minutes.
    Minutes,
}

/// Who the bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BotIdentity {
    pub team: String,
    pub user: String,
    pub bot: String,
}

/// The way to people. Errors: `Ambiguous` where a message may have been posted although no answer came; `Gone` where the channel or
/// message cannot be used any more.
#[async_trait]
pub trait Chat: Send + Sync {
    /// Posts a lasting message. `mark` names the effect, so that [`Chat::find`] can tell after an ambiguous error whether it was posted.
    async fn post(&self, to: &Target, reply: &Reply, mark: &str) -> Result<MessageRef, PortError>;

    /// The message that bears `mark`, posted since `since`. `None`: there is none, or chat does not let us look.
    async fn find(&self, to: &Target, mark: &str, since: Timestamp) -> Result<Option<MessageRef>, PortError>;

    /// Replaces what a message says. Repeating it is harmless.
    async fn update(&self, at: &MessageRef, reply: &Reply) -> Result<(), PortError>;

    /// Tells one person something that nobody else sees.
    async fn whisper(&self, to: &Person, reply: &Reply) -> Result<(), PortError>;

    /// Replaces a person's App Home tab.
    async fn publish_home(&self, user: &UserId, reply: &Reply) -> Result<(), PortError>;

    /// Attaches a file to the thread of a message, with `comment` beside it.
    async fn attach(&self, at: &MessageRef, name: &str, content: Vec<u8>, comment: &Reply) -> Result<(), PortError>;

    /// What kind of member somebody is.
    async fn member(&self, team: &TeamId, user: &UserId, age: Age) -> Result<Member, PortError>;

    /// Whether the token works, and who we are.
    async fn identity(&self) -> Result<BotIdentity, PortError>;
}
