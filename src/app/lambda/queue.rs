//! Messages of a queue as Lambda hands them over, and which of them it keeps.

use crate::aws::Handed;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Some messages of one queue.
#[derive(Debug, Deserialize)]
pub(super) struct Messages {
    #[serde(rename = "Records")]
    pub(super) records: Vec<Message>,
}

/// One of them; what we do not use is left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Message {
    #[serde(rename = "messageId")]
    id: String,
    receipt_handle: String,
    body: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
}

impl Message {
    /// When it was sent to the queue.
    pub(super) fn sent(&self) -> Timestamp {
        let sent = self.attributes.get("SentTimestamp").and_then(|sent| sent.parse().ok());
        sent.and_then(|sent| Timestamp::from_millisecond(sent).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

impl From<Message> for Handed {
    fn from(message: Message) -> Self {
        let count = message.attributes.get("ApproximateReceiveCount").and_then(|count| count.parse().ok());
        Self { id: message.id, handle: message.receipt_handle, body: message.body, attempts: count.unwrap_or(1) }
    }
}

/// The messages that stay in the queue and come again; Lambda deletes the others.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answer {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

impl Answer {
    /// The ids of the messages that are kept.
    pub(super) fn keeping(ids: impl IntoIterator<Item = String>) -> Self {
        let kept = ids.into_iter().map(|item_identifier| Failure { item_identifier });
        Self { batch_item_failures: kept.collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_of_sqs_becomes_messages_and_the_answer_names_those_that_stay() {
        // As the documentation of Lambda shows it.
        let event = r#"{"Records": [{
            "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
            "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a",
            "body": "{\"id\": 1}",
            "attributes": {
                "ApproximateReceiveCount": "3",
                "SentTimestamp": "1545082649183",
                "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                "ApproximateFirstReceiveTimestamp": "1545082649185"
            },
            "messageAttributes": {},
            "md5OfBody": "098f6bcd4621d373cade4e832627b4f6",
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:eu-central-1:123456789012:commands",
            "awsRegion": "eu-central-1"
        }]}"#;
        let mut messages: Messages = serde_json::from_str(event).unwrap();
        let handed = Handed::from(messages.records.remove(0));
        let expected = Handed {
            id: "059f36b4-87a3-44ab-83d2-661975830a7d".into(),
            handle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a".into(),
            body: "{\"id\": 1}".into(),
            attempts: 3,
        };
        assert_eq!(handed, expected);
        let answer = serde_json::to_string(&Answer::keeping(["a".to_owned()])).unwrap();
        assert_eq!(answer, r#"{"batchItemFailures":[{"itemIdentifier":"a"}]}"#);
        assert_eq!(serde_json::to_string(&Answer::default()).unwrap(), r#"{"batchItemFailures":[]}"#);
    }
}
