//! The messages of the queue, by their form: none of them is believed to be more than it says.

use crate::aws::engine::ExecutionName;
use crate::domain::envelope::{Envelope, Event, arrival_key};
use crate::domain::id::{EnvelopeId, FileName, JobName, RegionName};
use crate::domain::run::AttemptKey;
use crate::domain::task::TaskWaiting;
use jiff::Timestamp;
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What a message says.
#[derive(Debug)]
pub(super) enum Message {
    /// An execution has started or ended.
    Status(StatusChange),
    /// An object was written.
    Written(Written),
    /// It is time to look at deadlines.
    Wake,
    /// A workflow waits for an answer.
    Task(TaskWaiting),
    /// An event that nothing here is about, by its name.
    Other(String),
}

/// The detail of "Step Functions Execution Status Change".
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusChange {
    execution_arn: String,
    state_machine_arn: String,
    name: String,
    status: String,
    /// A redriven execution says again what it has said before.
    #[serde(default)]
    redrive_count: Option<u64>,
}

/// The detail of "Object Created".
#[derive(Debug, Deserialize)]
pub(super) struct Written {
    bucket: Bucket,
    object: Object,
}

#[derive(Debug, Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Object {
    key: String,
    etag: String,
}

/// What all messages have: an event has a detail-type, one of ours the word `switchman`.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    switchman: Option<String>,
    #[serde(default)]
    source: String,
    #[serde(rename = "detail-type", default)]
    detail_type: String,
    #[serde(default)]
    detail: Value,
}

impl Message {
    /// Reads what was sent at `sent` in `region`. Errors: why it cannot be read, without its content.
    pub(super) fn read(body: &str, region: &RegionName, sent: Timestamp) -> Result<Self, String> {
        let head: Head = serde_json::from_str(body).map_err(|error| format!("it is no event: {}", plain(&error)))?;
        match (head.switchman.as_deref(), head.source.as_str(), head.detail_type.as_str()) {
            (Some("wake"), ..) => Ok(Self::Wake),
            (Some("approval"), ..) => {
                let body = serde_json::from_str(body).map_err(|error| plain(&error))?;
                TaskWaiting::read(&body, Some(region.clone()), sent).map(Self::Task).map_err(|error| error.to_string())
            }
            (Some(_), ..) => Err("it has a word for switchman that this version does not know".to_owned()),
            (None, "aws.states", "Step Functions Execution Status Change") => detail(head.detail).map(Self::Status),
            (None, "aws.s3", "Object Created") => detail(head.detail).map(Self::Written),
            (None, "", "") => Err("it is neither an event nor one of our messages".to_owned()),
            (None, _, name) => Ok(Self::Other(name.chars().filter(|c| !c.is_control()).take(100).collect())),
        }
    }
}

fn detail<T: serde::de::DeserializeOwned>(detail: Value) -> Result<T, String> {
    serde_json::from_value(detail).map_err(|error| format!("the detail of the event cannot be read: {}", plain(&error)))
}

/// Where it is wrong, not what stands there: serde would quote it.
fn plain(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Io => "it could not be read",
        serde_json::error::Category::Syntax => "it is no JSON",
        serde_json::error::Category::Data => "a field is missing or of another kind",
        serde_json::error::Category::Eof => "it breaks off",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

impl StatusChange {
    /// The attempt it is about; `None`: not one of `machines`, somebody's own execution of one, or one of a drill, which is looked at
    /// from time to time.
    pub(super) fn attempt(&self, machines: &[String]) -> Option<AttemptKey> {
        machines.iter().find(|arn| is_of(&self.state_machine_arn, arn))?;
        ExecutionName::parse(&self.name).filter(|name| name.sandbox.is_none()).map(|name| name.key)
    }

    /// The envelope that has it looked at. The same change is the same envelope, however often it is told.
    pub(super) fn envelope(&self, key: AttemptKey, now: Timestamp) -> Envelope {
        let said = [&*self.execution_arn, &self.status, &self.redrive_count.unwrap_or(0).to_string()].join("\n");
        let id = id(&format!("news:{key}:{}", short(&said)));
        Envelope { id: id.clone(), key: id, issued_at: now, event: Event::Look { key } }
    }
}

/// Whether an event of this machine is one of a machine that was named with a version or an alias, or without.
fn is_of(machine: &str, named: &str) -> bool {
    let bare = |arn: &str| arn.splitn(8, ':').take(7).map(str::to_owned).collect::<Vec<_>>();
    bare(machine) == bare(named)
}

impl Written {
    /// The arrivals it may be, of these jobs, in this bucket. S3 writes the keys of its own notifications like those of a form (a plus
    /// for a blank) and those of EventBridge as they are, and its documentation says so of the first only. So where the two differ it
    /// may be either: whoever handles an arrival looks whether a file of that name and content is there.
    pub(super) fn envelopes(&self, bucket: &str, jobs: &[JobName], now: Timestamp) -> Vec<Envelope> {
        let etag = self.object.etag.trim_matches('"');
        if self.bucket.name != bucket || etag.is_empty() {
            return Vec::new();
        }
        let raw = self.object.key.clone();
        let blanks = raw.replace('+', " ");
        let decoded = percent_decode_str(&blanks).decode_utf8().ok().map(std::borrow::Cow::into_owned);
        let keys = [Some(raw.clone()), decoded.filter(|decoded| *decoded != raw)];
        keys.into_iter().flatten().filter_map(|key| arrival(&key, etag, jobs, now)).collect()
    }
}

fn arrival(key: &str, etag: &str, jobs: &[JobName], now: Timestamp) -> Option<Envelope> {
    let (job, name) = key.strip_prefix("input/")?.split_once('/')?;
    let (job, file) = (jobs.iter().find(|known| known.as_str() == job)?, FileName::parse(name).ok()?);
    let key = arrival_key(job, &file, etag).ok()?;
    Some(Envelope::arrived(job.clone(), file, etag.to_owned(), key, now))
}

/// 20 bytes of a checksum: what names something that is too long or too secret to be a name.
fn short(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..20])
}

fn id(text: &str) -> EnvelopeId {
    EnvelopeId::parse(text).expect("an attempt's key and a checksum are printable and short")
}
