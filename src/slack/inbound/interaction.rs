//! `payload=` requests: clicks and choices, submitted and closed forms.

use super::node::Node;
use super::sender::{Parts, Sender};
use super::state::{Chosen, State};
use super::{Inbound, InboundError, unknown};
use crate::domain::id::ChannelId;

/// Somebody used interactive elements, almost always one.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockActions {
    pub sender: Sender,
    pub container: Container,
    /// The channel of the message; absent in views.
    pub channel: Option<ChannelId>,
    pub actions: Vec<BlockAction>,
    /// Values of the other elements around it.
    pub state: State,
    pub view: Option<View>,
    pub response_url: Option<String>,
    pub trigger_id: Option<String>,
}

/// Where the element stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Container {
    Message {
        ts: String,
        /// Seen by one person only: `chat.update` cannot reach it.
        ephemeral: bool,
    },
    View {
        id: String,
    },
    /// A place we do not know.
    Other,
}

/// One element that was used.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockAction {
    pub block_id: String,
    pub action_id: String,
    /// Slack's type of the element, e.g. `button`.
    pub kind: String,
    pub chosen: Chosen,
    /// When, as Slack's decimal seconds: the same click delivered twice has the same one.
    pub ts: String,
}

/// A modal or an App Home as it was when somebody used it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    pub id: String,
    pub callback_id: String,
    pub external_id: Option<String>,
    pub private_metadata: String,
    /// Names this version of the view; `views.update` with it cannot overwrite a newer one.
    pub hash: Option<String>,
    pub root_view_id: Option<String>,
    pub previous_view_id: Option<String>,
    pub state: State,
}

/// Somebody sent a form.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewSubmission {
    pub sender: Sender,
    pub view: View,
    pub trigger_id: Option<String>,
    pub response_urls: Vec<ResponseUrl>,
}

/// A place to answer to that the form asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResponseUrl {
    pub block_id: String,
    pub action_id: String,
    pub channel: Option<ChannelId>,
    pub url: String,
}

/// Somebody closed a form without sending it.
#[derive(Debug, Clone, PartialEq)]
pub struct ViewClosed {
    pub sender: Sender,
    pub view: View,
    /// Whether the whole stack of views was closed.
    pub cleared: bool,
}

/// Reads an interaction by its `type`.
pub(super) fn read(payload: &Node) -> Result<Inbound, InboundError> {
    match payload.text("/type").as_deref() {
        Some("block_actions") => actions(payload).map(Inbound::Actions),
        Some("view_submission") => submission(payload).map(Inbound::Submission),
        Some("view_closed") => Ok(Inbound::Closed(ViewClosed {
            sender: sender(payload)?,
            view: required_view(payload)?,
            cleared: payload.flag("/is_cleared"),
        })),
        Some(kind) => Ok(unknown(kind)),
        None => Err(InboundError::Malformed("the payload has no type")),
    }
}

fn sender(payload: &Node) -> Result<Sender, InboundError> {
    Parts {
        user: payload.text("/user/id"),
        name: payload.text("/user/name").or_else(|| payload.text("/user/username")),
        user_team: payload.text("/user/team_id"),
        workspace: payload.text("/team/id"),
        enterprise: payload.text("/enterprise/id"),
        org_install: payload.flag("/is_enterprise_install"),
    }
    .check()
}

fn actions(payload: &Node) -> Result<BlockActions, InboundError> {
    let actions: Vec<BlockAction> = payload.list("/actions").iter().map(action).collect();
    if actions.is_empty() {
        return Err(InboundError::Malformed("the payload has no actions"));
    }
    let place = if payload.at("/view").is_some() { "/view/state/values" } else { "/state/values" };
    let values = payload.at(place);
    Ok(BlockActions {
        sender: sender(payload)?,
        container: container(payload),
        channel: channel(payload.text("/channel/id").or_else(|| payload.text("/container/channel_id")))?,
        actions,
        state: State::read(values),
        view: view(payload),
        response_url: payload.text("/response_url"),
        trigger_id: payload.text("/trigger_id"),
    })
}

fn container(payload: &Node) -> Container {
    if let Some(id) = payload.text("/container/view_id").or_else(|| payload.text("/view/id")) {
        return Container::View { id };
    }
    match payload.text("/container/message_ts").or_else(|| payload.text("/message/ts")) {
        Some(ts) => Container::Message { ts, ephemeral: payload.flag("/container/is_ephemeral") },
        None => Container::Other,
    }
}

fn action(action: &Node) -> BlockAction {
    let text = |pointer: &str| action.text(pointer).unwrap_or_default();
    BlockAction {
        block_id: text("/block_id"),
        action_id: text("/action_id"),
        kind: text("/type"),
        chosen: Chosen::read(action.value()),
        ts: text("/action_ts"),
    }
}

fn submission(payload: &Node) -> Result<ViewSubmission, InboundError> {
    let urls = payload.list("/response_urls");
    let response_urls = urls.iter().filter_map(|found| {
        Some(ResponseUrl {
            block_id: found.text("/block_id").unwrap_or_default(),
            action_id: found.text("/action_id").unwrap_or_default(),
            channel: found.text("/channel_id").and_then(|id| ChannelId::parse(id).ok()),
            url: found.text("/response_url")?,
        })
    });
    Ok(ViewSubmission {
        sender: sender(payload)?,
        view: required_view(payload)?,
        trigger_id: payload.text("/trigger_id"),
        response_urls: response_urls.collect(),
    })
}

fn view(payload: &Node) -> Option<View> {
    let view = payload.child("/view")?;
    Some(View {
        id: view.text("/id").unwrap_or_default(),
        callback_id: view.text("/callback_id").unwrap_or_default(),
        external_id: view.text("/external_id"),
        private_metadata: view.text("/private_metadata").unwrap_or_default(),
        hash: view.text("/hash"),
        root_view_id: view.text("/root_view_id"),
        previous_view_id: view.text("/previous_view_id"),
        state: State::read(view.at("/state/values")),
    })
}

fn required_view(payload: &Node) -> Result<View, InboundError> {
    view(payload).ok_or(InboundError::Malformed("the payload has no view"))
}

fn channel(id: Option<String>) -> Result<Option<ChannelId>, InboundError> {
    id.map(ChannelId::parse).transpose().map_err(|_| InboundError::Malformed("the channel id is not one of Slack's"))
}
