//! The port: what the core says, rendered and sent.

use super::Client;
use crate::domain::id::{TeamId, UserId};
use crate::domain::reply::Reply;
use crate::ports::{Age, BotIdentity, Chat, Kind, Member, MessageRef, Person, PortError, Target};
use async_trait::async_trait;
use jiff::Timestamp;

#[async_trait]
impl Chat for Client {
    async fn post(&self, to: &Target, reply: &Reply, mark: &str) -> Result<MessageRef, PortError> {
        let message = self.renderer.message(reply);
        let channel = self.channel_of(to).await?;
        let thread = match to {
            Target::Thread(root) => Some(root.ts.as_str()),
            Target::Channel(_) | Target::Direct(_) => None,
        };
        Ok(self.post_message(&channel, thread, &message, mark).await?)
    }

    async fn find(&self, to: &Target, mark: &str, since: Timestamp) -> Result<Option<MessageRef>, PortError> {
        if let Target::Thread(root) = to {
            return Ok(self.find_reply(root, mark).await?);
        }
        let channel = self.channel_of(to).await?;
        Ok(self.find_message(&channel, mark, since).await?)
    }

    async fn update(&self, at: &MessageRef, reply: &Reply) -> Result<(), PortError> {
        Ok(self.update_message(at, &self.renderer.message(reply)).await?)
    }

    /// Through the request's own address first (it works where the bot is no member of the channel), then as an ephemeral message. An
    /// ambiguous end is not tried another way: the person may have been told.
    async fn whisper(&self, to: &Person, reply: &Reply) -> Result<(), PortError> {
        let message = self.renderer.message(reply);
        if let Some(url) = &to.response_url {
            match self.respond(url, &message).await {
                Err(error) if matches!(error.kind, Kind::Gone | Kind::Denied) => {
                    tracing::debug!(%error, "the response address cannot be used, trying an ephemeral message");
                }
                other => return Ok(other?),
            }
        }
        Ok(self.post_ephemeral(&to.channel, &to.user, &message).await?)
    }

    async fn publish_home(&self, user: &UserId, reply: &Reply) -> Result<(), PortError> {
        Ok(self.publish_view(user, &self.renderer.home(reply)).await?)
    }

    async fn attach(&self, at: &MessageRef, name: &str, content: Vec<u8>, comment: &Reply) -> Result<(), PortError> {
        Ok(self.upload(at, name, &content, self.renderer.message(comment).text()).await?)
    }

    async fn member(&self, team: &TeamId, user: &UserId, age: Age) -> Result<Member, PortError> {
        Ok(self.member_kind(team, user, age).await?)
    }

    async fn identity(&self) -> Result<BotIdentity, PortError> {
        Ok(self.ask_who_we_are().await?.bot)
    }
}
