//! Events as EventBridge takes them, and as they come out of the queue.

use crate::aws::breaker::Breaker;
use crate::aws::errors::{Access, by_code};
use crate::domain::envelope::Envelope;
use crate::ports::{Clock, Kind, PortError};
use aws_config::SdkConfig;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use serde_json::Value;
use std::sync::Arc;

/// EventBridge's limit of one entry: source, detail-type and detail together.
const LARGEST: usize = 256 * 1024;
const DOING: &str = "could not publish";

/// The way onto the bus.
#[derive(Debug, Clone)]
pub(super) struct Events {
    client: Client,
    bus: String,
    breaker: Arc<Breaker>,
}

/// An envelope in EventBridge's three parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Event {
    source: String,
    detail_type: String,
    detail: String,
}

impl Event {
    /// Errors: `Permanent` where it is more than EventBridge takes.
    pub(super) fn of(envelope: &Envelope) -> Result<Self, PortError> {
        let whole = serde_json::to_value(envelope).map_err(|error| unwritable().because(error))?;
        let text = |name| whole.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(unwritable);
        let detail = whole.get("detail").ok_or_else(unwritable)?.to_string();
        let event = Self { source: text("source")?, detail_type: text("detail-type")?, detail };
        let size = event.source.len() + event.detail_type.len() + event.detail.len();
        if size > LARGEST {
            let what = format!(
                "{DOING}: the event has {size} bytes, and EventBridge takes {LARGEST}; nothing was published, ask for less at once"
            );
            return Err(PortError::permanent(what));
        }
        Ok(event)
    }
}

fn unwritable() -> PortError {
    PortError::permanent("an envelope cannot be turned into json; nothing was published")
}

impl Events {
    pub(super) fn new(config: &SdkConfig, bus: &str, clock: &Arc<dyn Clock>) -> Self {
        Self { client: Client::new(config), bus: bus.to_owned(), breaker: Breaker::new(clock) }
    }

    /// Puts an event on the bus. Putting it there twice is harmless.
    pub(super) async fn put(&self, event: Event) -> Result<(), PortError> {
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(event.source)
            .detail_type(event.detail_type)
            .detail(event.detail)
            .build();
        let call = self.client.put_events().entries(entry).send();
        let answer = self.breaker.call(call).await.map_err(|failed| failed.port(Access::Write, DOING))?;
        let failed = answer.entries().iter().find_map(|entry| entry.error_code());
        let Some(code) = failed.filter(|_| answer.failed_entry_count() > 0) else { return Ok(()) };
        // One entry may fail although the call succeeded; the SDK does not try that again.
        let status = if code.starts_with("Internal") { 500 } else { 400 };
        let (kind, said) = by_code(code, status, (Kind::Transient { after: None }, "nothing was published"));
        Err(PortError::new(kind, format!("{DOING}: {said}")))
    }
}

/// The envelope as one text.
pub(super) fn json(envelope: &Envelope) -> Result<String, PortError> {
    serde_json::to_string(envelope).map_err(|error| unwritable().because(error))
}

/// The envelope of a message: our own event, with what EventBridge adds to it.
pub(super) fn read(body: &str) -> Result<Envelope, String> {
    serde_json::from_str(body).map_err(|error| format!("the message cannot be read: {error}"))
}
