//! One SQS queue.

use crate::aws::breaker::Breaker;
use crate::aws::client::patient;
use crate::aws::errors::Access;
use crate::ports::PortError;
use aws_config::SdkConfig;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{Message, MessageAttributeValue, MessageSystemAttributeName, QueueAttributeName};
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// SQS hands out this many messages at once, waits for this long at most, and hides a message for this long at most.
const BATCH: usize = 10;
const LONGEST_WAIT: Duration = Duration::from_secs(20);
const LONGEST_LEASE: Duration = Duration::from_hours(12);

/// A queue, by its address.
#[derive(Debug, Clone)]
pub(super) struct Queue {
    client: Client,
    url: String,
    breaker: Arc<Breaker>,
}

/// A message, ours for a while.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) id: String,
    pub(super) handle: String,
    pub(super) body: String,
    pub(super) attempts: u32,
    pub(super) sent_at: Timestamp,
    pub(super) note: Option<Note>,
}

/// What is written on a message that was given up.
#[derive(Debug, Clone)]
pub(super) struct Note {
    pub(super) why: String,
    pub(super) attempts: u32,
    pub(super) at: Timestamp,
}

impl Queue {
    pub(super) fn new(config: &SdkConfig, url: &str, breaker: Arc<Breaker>) -> Self {
        let config = aws_sdk_sqs::config::Builder::from(config).timeout_config(patient(LONGEST_WAIT)).build();
        Self { client: Client::from_conf(config), url: url.to_owned(), breaker }
    }

    /// Takes up to `max` messages (at most ten), each for `lease`; waits up to `wait` (at most 20 seconds) for the first.
    pub(super) async fn receive(
        &self,
        doing: &str,
        max: usize,
        lease: Duration,
        wait: Duration,
    ) -> Result<Vec<Received>, PortError> {
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(i32::try_from(max.clamp(1, BATCH)).unwrap_or(1))
            .visibility_timeout(seconds(lease.min(LONGEST_LEASE)))
            .wait_time_seconds(seconds(wait.min(LONGEST_WAIT)))
            .message_system_attribute_names(MessageSystemAttributeName::ApproximateReceiveCount)
            .message_system_attribute_names(MessageSystemAttributeName::SentTimestamp)
            .message_attribute_names("All");
        let answer = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, doing))?;
        Ok(answer.messages.into_iter().flatten().map(Received::from).collect())
    }

    /// Deletes a message. One that is gone already is no error.
    pub(super) async fn delete(&self, doing: &str, handle: &str) -> Result<(), PortError> {
        let call = self.client.delete_message().queue_url(&self.url).receipt_handle(handle);
        match self.breaker.call(call.send()).await {
            Err(failed) if !failed.service().is_some_and(is_stale) => Err(failed.port(Access::Write, doing)),
            _ => Ok(()),
        }
    }

    /// Hides a message for so long, from now on. One that is gone already is no error.
    pub(super) async fn hide(&self, doing: &str, handle: &str, wait: Duration) -> Result<(), PortError> {
        let call = self
            .client
            .change_message_visibility()
            .queue_url(&self.url)
            .receipt_handle(handle)
            .visibility_timeout(seconds(wait.min(LONGEST_LEASE)));
        match self.breaker.call(call.send()).await {
            Err(failed) if !failed.service().is_some_and(is_stale) => Err(failed.port(Access::Write, doing)),
            _ => Ok(()),
        }
    }

    /// Sends a message, with a note on it where it was given up.
    pub(super) async fn send(&self, doing: &str, body: &str, note: Option<&Note>) -> Result<(), PortError> {
        let mut call = self.client.send_message().queue_url(&self.url).message_body(body);
        if let Some(note) = note {
            call = call
                .message_attributes("why", attribute("String", &printable(&note.why))?)
                .message_attributes("attempts", attribute("Number", &note.attempts.to_string())?)
                .message_attributes("buriedAt", attribute("String", &note.at.to_string())?);
        }
        self.breaker.call(call.send()).await.map(drop).map_err(|failed| failed.port(Access::Write, doing))
    }

    /// Sends a message that nobody gets before `delay` (at most a quarter of an hour) is over.
    pub(super) async fn send_later(&self, doing: &str, body: &str, delay: Duration) -> Result<(), PortError> {
        let call = self.client.send_message().queue_url(&self.url).message_body(body).delay_seconds(seconds(delay));
        self.breaker.call(call.send()).await.map(drop).map_err(|failed| failed.port(Access::Write, doing))
    }

    /// About how many messages there are, hidden ones included.
    pub(super) async fn depth(&self) -> Result<u64, PortError> {
        let names = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let call =
            self.client.get_queue_attributes().queue_url(&self.url).set_attribute_names(Some(names.to_vec())).send();
        let doing = "could not count the bus";
        let answer = self.breaker.call(call).await.map_err(|failed| failed.port(Access::Read, doing))?;
        let counts = answer.attributes.unwrap_or_default();
        Ok(names.iter().filter_map(|name| counts.get(name)?.parse::<u64>().ok()).sum())
    }
}

/// The receipt is one of a message that was deleted, or that nobody holds any more.
fn is_stale(error: &impl ProvideErrorMetadata) -> bool {
    error.code().is_some_and(|code| {
        let code = code.trim_start_matches("AWS.SimpleQueueService.");
        matches!(code, "ReceiptHandleIsInvalid" | "MessageNotInflight" | "InvalidParameterValue" | "InvalidIdFormat")
    })
}

impl From<Message> for Received {
    fn from(message: Message) -> Self {
        let system = message.attributes.unwrap_or_default();
        let number = |name| system.get(&name).and_then(|text| text.parse::<i64>().ok());
        let attempts = number(MessageSystemAttributeName::ApproximateReceiveCount).unwrap_or(1);
        let sent = number(MessageSystemAttributeName::SentTimestamp).unwrap_or(0);
        let own = message.message_attributes.unwrap_or_default();
        let text = |name: &str| own.get(name).and_then(MessageAttributeValue::string_value);
        let note = text("why").map(|why| Note {
            why: why.to_owned(),
            attempts: text("attempts").and_then(|text| text.parse().ok()).unwrap_or(0),
            at: text("buriedAt").and_then(|text| text.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH),
        });
        Self {
            id: message.message_id.unwrap_or_default(),
            handle: message.receipt_handle.unwrap_or_default(),
            body: message.body.unwrap_or_default(),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            sent_at: Timestamp::from_millisecond(sent).unwrap_or(Timestamp::UNIX_EPOCH),
            note,
        }
    }
}

fn attribute(kind: &str, value: &str) -> Result<MessageAttributeValue, PortError> {
    let built = MessageAttributeValue::builder().data_type(kind).string_value(value).build();
    built.map_err(|error| PortError::permanent("a note cannot be written").because(error))
}

/// A note as SQS takes it: not empty, not long, no control characters.
fn printable(why: &str) -> String {
    let text: String = why.chars().filter(|c| !c.is_control()).take(1_000).collect();
    if text.trim().is_empty() { "no reason was given".to_owned() } else { text }
}

/// Whole seconds, none of them too few.
fn seconds(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis().div_ceil(1_000)).unwrap_or(i32::MAX)
}
