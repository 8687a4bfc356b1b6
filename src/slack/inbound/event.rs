//! JSON requests: the Events API.

use super::node::Node;
use super::sender::{Parts, Sender};
use super::{Inbound, InboundError, unknown};
use crate::domain::id::ChannelId;

/// Somebody opened the App Home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HomeOpened {
    pub sender: Sender,
    /// The direct message with the app.
    pub channel: Option<ChannelId>,
    /// `home` or `messages`.
    pub tab: String,
    /// Slack's id of the event: the same at each delivery.
    pub event_id: String,
}

/// Reads an event by its `type`.
pub(super) fn read(body: &Node) -> Result<Inbound, InboundError> {
    match body.text("/type").as_deref() {
        Some("url_verification") => {
            let challenge = body.text("/challenge").ok_or(InboundError::Malformed("the challenge is missing"))?;
            Ok(Inbound::UrlVerification { challenge })
        }
        Some("event_callback") => match body.text("/event/type").as_deref() {
            Some("app_home_opened") => home_opened(body).map(Inbound::HomeOpened),
            Some(kind) => Ok(unknown(&format!("event_callback/{kind}"))),
            None => Err(InboundError::Malformed("the event has no type")),
        },
        Some(kind) => Ok(unknown(kind)),
        None => Err(InboundError::Malformed("the request has no type")),
    }
}

fn home_opened(body: &Node) -> Result<HomeOpened, InboundError> {
    let sender = Parts {
        user: body.text("/event/user"),
        name: None,
        user_team: None,
        workspace: body.text("/team_id").or_else(|| body.text("/event/view/team_id")),
        enterprise: body.text("/enterprise_id"),
        org_install: body.flag("/authorizations/0/is_enterprise_install"),
    };
    Ok(HomeOpened {
        sender: sender.check()?,
        channel: body.text("/event/channel").and_then(|id| ChannelId::parse(id).ok()),
        tab: body.text("/event/tab").unwrap_or_else(|| "home".to_owned()),
        event_id: body.text("/event_id").ok_or(InboundError::Malformed("the event id is missing"))?,
    })
}
