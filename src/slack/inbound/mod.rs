//! What Slack sends us, from the verified raw body: slash commands, clicks, submitted forms, events.
//! Nothing here decides who may do what, and nothing a sender adds, leaves out or sets to null makes it panic.
//!
//! Slack adds fields and types without notice, so reading is by name and tolerant: unknown fields are ignored, unknown kinds become
//! [`Inbound::Unknown`] (answered 200, nothing done), and only what a request cannot be understood without is an error.

mod event;
mod form;
mod interaction;
mod node;
mod sender;
mod state;
mod text;

#[cfg(test)]
mod tests;

pub use event::HomeOpened;
pub use form::SlashCommand;
pub use interaction::{BlockAction, BlockActions, Container, ResponseUrl, View, ViewClosed, ViewSubmission};
pub use sender::Sender;
pub use state::{Chosen, State};
pub use text::unescape;

use super::signature::Verified;
use node::Node;

/// One request of Slack's, understood.
#[derive(Debug, Clone, PartialEq)]
pub enum Inbound {
    /// A check of our certificate: answer 200 with an empty body, whatever else it holds.
    SslCheck,
    /// The handshake of the Events API: answer 200 with the challenge.
    UrlVerification { challenge: String },
    /// Somebody typed our slash command.
    Command(SlashCommand),
    /// Somebody used a button, menu or picker.
    Actions(BlockActions),
    /// Somebody sent a form.
    Submission(ViewSubmission),
    /// Somebody closed a form.
    Closed(ViewClosed),
    /// Somebody opened the App Home.
    HomeOpened(HomeOpened),
    /// Something we do not know: answer 200, do nothing. `kind` is Slack's word for it, cut and cleaned for logs.
    Unknown { kind: String },
}

/// A body that is not what Slack sends. Nothing was done.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum InboundError {
    #[error("the content type is neither application/x-www-form-urlencoded nor application/json")]
    UnsupportedContentType,
    #[error("the request is malformed: {0}")]
    Malformed(&'static str),
}

impl InboundError {
    /// The HTTP status that answers it.
    pub fn status(self) -> u16 {
        match self {
            Self::UnsupportedContentType => 415,
            Self::Malformed(_) => 400,
        }
    }
}

/// Reads a request whose signature was checked. `content_type` is the header as it came.
pub fn parse(content_type: &str, verified: &Verified) -> Result<Inbound, InboundError> {
    read(content_type, verified.body())
}

/// Reads a request body as it is. For [`parse`], and for sources that are not signed request by request; behind `POST /slack/events`
/// use [`parse`].
pub fn read(content_type: &str, body: &[u8]) -> Result<Inbound, InboundError> {
    match media_type(content_type).as_str() {
        FORM => {
            let fields = form::Fields::read(body)?;
            if fields.is_ssl_check() {
                return Ok(Inbound::SslCheck);
            }
            match fields.get("payload") {
                Some(payload) => interaction::read(&Node::parse(payload.as_bytes())?),
                None => form::command(&fields),
            }
        }
        JSON => event::read(&Node::parse(body)?),
        _ => Err(InboundError::UnsupportedContentType),
    }
}

/// Whether this is Slack's certificate check, which may come unsigned: answer 200 with an empty body before the signature is looked
/// at, and ignore every other field. A command cannot be smuggled in with it, because [`read`] says [`Inbound::SslCheck`] too.
pub fn is_ssl_check(content_type: &str, body: &[u8]) -> bool {
    media_type(content_type) == FORM && form::Fields::read(body).is_ok_and(|fields| fields.is_ssl_check())
}

/// Whether [`parse`] reads this content type at all. Cheap: asked before the body is read.
pub fn is_supported(content_type: &str) -> bool {
    matches!(media_type(content_type).as_str(), FORM | JSON)
}

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

fn media_type(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Slack's word for a kind, safe for a log line.
fn unknown(kind: &str) -> Inbound {
    let kind: String =
        kind.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | '-')).take(64).collect();
    Inbound::Unknown { kind }
}
