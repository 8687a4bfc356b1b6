//! Form bodies: the fields, and the slash command made of them.

use super::sender::{Parts, Sender};
use super::{Inbound, InboundError, unescape};
use crate::domain::id::ChannelId;
use std::borrow::Cow;
use url::form_urlencoded;

/// The fields of a form body; copied only where something in them is escaped.
#[derive(Debug)]
pub(super) struct Fields<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

/// A slash command that somebody typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlashCommand {
    pub sender: Sender,
    pub channel: ChannelId,
    /// `directmessage` and `privategroup` where Slack hides the name.
    pub channel_name: String,
    /// With its slash.
    pub command: String,
    /// What follows it, with Slack's escaping undone.
    pub text: String,
    pub team_domain: String,
    pub app: Option<String>,
    pub response_url: Option<String>,
    /// Opens one modal, within three seconds.
    pub trigger_id: Option<String>,
}

impl<'a> Fields<'a> {
    /// Decodes the body. A field that comes twice is refused: two readers could take it two ways.
    pub(super) fn read(body: &'a [u8]) -> Result<Self, InboundError> {
        let fields: Vec<_> = form_urlencoded::parse(body).collect();
        let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_ref()).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(InboundError::Malformed("a field comes twice"));
        }
        Ok(Self(fields))
    }

    /// The field, where it is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(found, _)| found == name)
            .map(|(_, value)| value.as_ref())
            .filter(|value| !value.is_empty())
    }

    pub(super) fn is_ssl_check(&self) -> bool {
        self.get("ssl_check") == Some("1")
    }

    fn owned(&self, name: &str) -> Option<String> {
        self.get(name).map(ToOwned::to_owned)
    }
}

/// Reads a slash command. A person, a team, a channel and the command must be there.
pub(super) fn command(fields: &Fields<'_>) -> Result<Inbound, InboundError> {
    let command = fields.owned("command").ok_or(InboundError::Malformed("neither command nor payload is there"))?;
    let channel = fields.owned("channel_id").ok_or(InboundError::Malformed("the channel id is missing"))?;
    let channel =
        ChannelId::parse(channel).map_err(|_| InboundError::Malformed("the channel id is not one of Slack's"))?;
    let sender = Parts {
        user: fields.owned("user_id"),
        name: fields.owned("user_name"),
        user_team: None,
        workspace: fields.owned("team_id"),
        enterprise: fields.owned("enterprise_id"),
        org_install: fields.get("is_enterprise_install") == Some("true"),
    };
    Ok(Inbound::Command(SlashCommand {
        sender: sender.check()?,
        channel,
        channel_name: fields.owned("channel_name").unwrap_or_default(),
        command,
        text: unescape(fields.get("text").unwrap_or_default()),
        team_domain: fields.owned("team_domain").unwrap_or_default(),
        app: fields.owned("api_app_id"),
        response_url: fields.owned("response_url"),
        trigger_id: fields.owned("trigger_id"),
    }))
}
