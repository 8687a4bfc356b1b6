//! What travels on the bus. The JSON keeps the field names of the systems this one grew from: source, detail-type and a detail of
//! `channelId userName action actionBase responseUrl inputValue permittedActions`, with more beside them.

use super::actor::Actor;
use super::approval::Digest;
use super::command::{Action, Command};
use super::grammar;
use super::id::{BadId, ChannelId, EnvelopeId, FileName, JobName, RunId, TeamId, UserId};
use super::run::AttemptKey;
use super::task::TaskWaiting;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The version of the JSON below; it goes up when a reader of the old one would misread the new one.
pub const SCHEMA_VERSION: u32 = 1;

/// An event on the bus.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub struct Envelope {
    /// This very request.
    pub id: EnvelopeId,
    /// What must happen at most once: two envelopes with the same key are the same decision.
    pub key: EnvelopeId,
    pub issued_at: Timestamp,
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody gave a command.
    Asked { origin: Origin, command: Command },
    /// Somebody opened the App Home tab.
    HomeOpened { actor: Actor },
    /// The engine has news of an attempt, or it is time to ask for them.
    Look { key: AttemptKey },
    /// The engine will never start this attempt.
    StartRefused { key: AttemptKey, reason: String },
    /// A file is complete in the place where a job has its inputs. `fingerprint` is that of the input as it was found.
    InputArrived { job: JobName, file: FileName, fingerprint: String },
    /// A workflow has stopped at a question and waits for people.
    TaskWaiting(Box<TaskWaiting>),
}

/// Where a command came from and where its answer goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    pub actor: Actor,
    pub channel: ChannelId,
    /// Slack's one-off address for private answers (5 posts in 30 minutes).
    pub response_url: Option<String>,
    /// What the actor was permitted when the command was taken. For the record: it is asked again where the effect happens.
    pub permitted: Vec<Action>,
    /// What a vote came with, beyond its words.
    pub proof: Option<Proof>,
}

/// What somebody saw and proved when they voted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Proof {
    /// The digest of the plan that was shown.
    pub digest: Option<Digest>,
    /// What was typed to confirm.
    pub confirmed: Option<String>,
    pub break_glass: bool,
    /// A one-time code was checked, and is used up.
    pub stepped_up: bool,
}

impl Envelope {
    /// The event's name on the bus: the action, or what happened.
    pub fn detail_type(&self) -> &'static str {
        match &self.event {
            Event::Asked { command, .. } => command.action().name(),
            Event::HomeOpened { .. } => "home-opened",
            Event::Look { .. } => "look",
            Event::StartRefused { .. } => "start-refused",
            Event::InputArrived { .. } => "input-arrived",
            Event::TaskWaiting(_) => "task-waiting",
        }
    }

    /// The engine has news of an attempt.
    pub fn news(key: AttemptKey, now: Timestamp) -> Result<Self, BadId> {
        let id = EnvelopeId::parse(format!("news:{key}:{}", now.as_microsecond()))?;
        Ok(Self { id: id.clone(), key: id, issued_at: now, event: Event::Look { key } })
    }

    /// A file has arrived; `key` is that of [`arrival_key`].
    pub fn arrived(job: JobName, file: FileName, fingerprint: String, key: EnvelopeId, now: Timestamp) -> Self {
        Self { id: key.clone(), key, issued_at: now, event: Event::InputArrived { job, file, fingerprint } }
    }

    /// A workflow waits. The same token is the same envelope, however often it is told.
    pub fn task_waiting(task: TaskWaiting, now: Timestamp) -> Result<Self, BadId> {
        let key = task.token.key()?;
        Ok(Self { id: key.clone(), key, issued_at: now, event: Event::TaskWaiting(Box::new(task)) })
    }

    /// Who asked, where somebody did.
    pub fn actor(&self) -> Option<&Actor> {
        match &self.event {
            Event::Asked { origin, .. } => Some(&origin.actor),
            Event::HomeOpened { actor } => Some(actor),
            Event::Look { .. } | Event::StartRefused { .. } | Event::InputArrived { .. } | Event::TaskWaiting(_) => {
                None
            }
        }
    }
}

/// The key of an arrival. `content` is a checksum of the whole file: the same content under the same name is the same decision, whoever
/// saw it and however often.
pub fn arrival_key(job: &JobName, file: &FileName, content: &str) -> Result<EnvelopeId, BadId> {
    // Names may be longer than a key, and of any letters.
    let what = hex::encode(&Sha256::digest(format!("{file}/{content}").as_bytes())[..20]);
    EnvelopeId::parse(format!("arrived:{job}:{what}"))
}

/// The JSON form.
#[derive(Serialize, Deserialize)]
struct Wire {
    source: String,
    #[serde(rename = "detail-type")]
    detail_type: String,
    detail: Detail,
}

#[derive(Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Detail {
    schema_version: u32,
    request_id: String,
    idempotency_key: String,
    issued_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    team_id: Option<TeamId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<ChannelId>,
    action: String,
    action_base: String,
    /// The command as text, as the grammar reads it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    input_value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_url: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    permitted_actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    run_id: Option<RunId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proof: Option<Proof>,
    #[serde(skip_serializing_if = "Option::is_none")]
    job: Option<JobName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<FileName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    task: Option<TaskWaiting>,
}

const SOURCE_SLACK: &str = "slack-app";
const SOURCE_OWN: &str = "switchman";

impl From<Envelope> for Wire {
    fn from(envelope: Envelope) -> Self {
        let detail_type = envelope.detail_type().to_owned();
        let mut detail = Detail {
            schema_version: SCHEMA_VERSION,
            request_id: envelope.id.into(),
            idempotency_key: envelope.key.into(),
            issued_at: envelope.issued_at,
            action: detail_type.clone(),
            action_base: detail_type.clone(),
            ..Detail::default()
        };
        let mut source = SOURCE_OWN;
        let mut set_actor = |detail: &mut Detail, actor: Actor| {
            source = SOURCE_SLACK;
            detail.team_id = Some(actor.team);
            detail.user_id = Some(actor.user);
            detail.user_name = Some(actor.name);
        };
        match envelope.event {
            Event::Asked { origin, command } => {
                set_actor(&mut detail, origin.actor);
                detail.channel_id = Some(origin.channel);
                detail.response_url = origin.response_url;
                detail.permitted_actions = origin.permitted.iter().map(|a| a.name().to_owned()).collect();
                detail.proof = origin.proof;
                detail.input_value = Some(grammar::render(&command));
            }
            Event::HomeOpened { actor } => set_actor(&mut detail, actor),
            Event::Look { key } => {
                detail.run_id = Some(key.run);
                detail.attempt = Some(key.attempt);
            }
            Event::StartRefused { key, reason } => {
                detail.run_id = Some(key.run);
                detail.attempt = Some(key.attempt);
                detail.reason = Some(reason);
            }
            Event::InputArrived { job, file, fingerprint } => {
                (detail.job, detail.file, detail.fingerprint) = (Some(job), Some(file), Some(fingerprint));
            }
            Event::TaskWaiting(task) => detail.task = Some(*task),
        }
        Self { source: source.to_owned(), detail_type, detail }
    }
}

/// A message on the bus that is not one of our envelopes.
#[derive(Debug, thiserror::Error)]
pub enum BadEnvelope {
    #[error("the envelope has schema version {0}, this program reads {SCHEMA_VERSION}")]
    Version(u32),
    #[error("the envelope lacks or garbles {0}")]
    Field(&'static str),
    #[error("the envelope's detail-type {0:?} is not known")]
    Kind(String),
}

impl TryFrom<Wire> for Envelope {
    type Error = BadEnvelope;

    fn try_from(wire: Wire) -> Result<Self, BadEnvelope> {
        let detail = wire.detail;
        if detail.schema_version != SCHEMA_VERSION {
            return Err(BadEnvelope::Version(detail.schema_version));
        }
        let actor = || {
            Some(Actor {
                team: detail.team_id.clone()?,
                user: detail.user_id.clone()?,
                name: detail.user_name.clone().unwrap_or_default(),
            })
        };
        let key = || Some(AttemptKey { run: detail.run_id.clone()?, attempt: detail.attempt? });
        let event = match wire.detail_type.as_str() {
            "look" => Event::Look { key: key().ok_or(BadEnvelope::Field("runId"))? },
            "home-opened" => Event::HomeOpened { actor: actor().ok_or(BadEnvelope::Field("userId"))? },
            "start-refused" => Event::StartRefused {
                key: key().ok_or(BadEnvelope::Field("runId"))?,
                reason: detail.reason.clone().unwrap_or_default(),
            },
            "input-arrived" => Event::InputArrived {
                job: detail.job.clone().ok_or(BadEnvelope::Field("job"))?,
                file: detail.file.clone().ok_or(BadEnvelope::Field("file"))?,
                fingerprint: detail.fingerprint.clone().ok_or(BadEnvelope::Field("fingerprint"))?,
            },
            "task-waiting" => Event::TaskWaiting(Box::new(detail.task.clone().ok_or(BadEnvelope::Field("task"))?)),
            kind if Action::parse(kind).is_some() => {
                let text = detail.input_value.as_deref().ok_or(BadEnvelope::Field("inputValue"))?;
                let command = grammar::read_back(text).map_err(|_| BadEnvelope::Field("inputValue"))?;
                let origin = Origin {
                    actor: actor().ok_or(BadEnvelope::Field("userId"))?,
                    channel: detail.channel_id.clone().ok_or(BadEnvelope::Field("channelId"))?,
                    response_url: detail.response_url.clone(),
                    permitted: detail.permitted_actions.iter().filter_map(|a| Action::parse(a)).collect(),
                    proof: detail.proof.clone(),
                };
                Event::Asked { origin, command }
            }
            kind => return Err(BadEnvelope::Kind(kind.to_owned())),
        };
        Ok(Self {
            id: EnvelopeId::parse(detail.request_id).map_err(|_| BadEnvelope::Field("requestId"))?,
            key: EnvelopeId::parse(detail.idempotency_key).map_err(|_| BadEnvelope::Field("idempotencyKey"))?,
            issued_at: detail.issued_at,
            event,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked() -> Envelope {
        let actor = Actor {
            team: TeamId::parse("T0LOCAL").unwrap(),
            user: UserId::parse("U0OPERATOR").unwrap(),
            name: "operator".into(),
        };
        let origin = Origin {
            actor,
            channel: ChannelId::parse("C0BATCH").unwrap(),
            response_url: Some("https://hooks.slack.com/commands/x".into()),
            permitted: vec![Action::StartBatch, Action::Status],
            proof: None,
        };
        let command = grammar::read_back("start-batch sales \"my file.csv\"").unwrap();
        Envelope {
            id: EnvelopeId::parse("req-1").unwrap(),
            key: EnvelopeId::parse("slash-1").unwrap(),
            issued_at: Timestamp::from_second(1_700_000_000).unwrap(),
            event: Event::Asked { origin, command },
        }
    }

    #[test]
    fn the_json_keeps_the_fields_of_the_systems_before_us() {
        insta::assert_json_snapshot!(asked(), @r#"
        {
          "source": "slack-app",
          "detail-type": "start-batch",
          "detail": {
            "schemaVersion": 1,
            "requestId": "req-1",
            "idempotencyKey": "slash-1",
            "issuedAt": "2023-11-14T22:13:20Z",
            "teamId": "T0LOCAL",
            "userId": "U0OPERATOR",
            "userName": "operator",
            "channelId": "C0BATCH",
            "action": "start-batch",
            "actionBase": "start-batch",
            "inputValue": "start-batch sales \"my file.csv\"",
            "responseUrl": "https://hooks.slack.com/commands/x",
            "permittedActions": [
              "start-batch",
              "status"
            ]
          }
        }
        "#);
    }

    fn waiting() -> TaskWaiting {
        let body = serde_json::json!({
            "token": "AQCEAAAA", "job": "nightly", "channel": "C0BATCH", "question": "Publish?",
            "details": {"rows": 812}, "expiresIn": "PT2H", "heartbeat": "PT5M",
        });
        TaskWaiting::read(&body, None, Timestamp::UNIX_EPOCH).unwrap()
    }

    #[test]
    fn a_waiting_workflow_is_one_envelope_however_often_it_is_told_and_its_name_hides_the_token() {
        let told = |second| Envelope::task_waiting(waiting(), Timestamp::from_second(second).unwrap()).unwrap();
        assert_eq!((told(1).id, told(1).key), (told(2).id, told(2).key));
        assert!(!told(1).id.as_str().contains("AQCE"));
        assert!(!format!("{:?}", told(1)).contains("AQCE"));
    }

    #[test]
    fn every_event_survives_the_journey() {
        let key = AttemptKey { run: RunId::parse("r-7k3f").unwrap(), attempt: 2 };
        let actor = asked().actor().unwrap().clone();
        for event in [
            asked().event,
            Event::HomeOpened { actor },
            Event::Look { key: key.clone() },
            Event::StartRefused { key, reason: "no such file".into() },
            Event::InputArrived {
                job: JobName::parse("sales").unwrap(),
                file: FileName::parse("März.csv").unwrap(),
                fingerprint: "9-f".into(),
            },
            Event::TaskWaiting(Box::new(waiting())),
        ] {
            let envelope = Envelope { event, ..asked() };
            let json = serde_json::to_string(&envelope).unwrap();
            assert_eq!(serde_json::from_str::<Envelope>(&json).unwrap(), envelope);
        }
    }

    #[test]
    fn the_key_of_an_arrival_is_its_job_file_and_content() {
        let key = |job: &str, file: &str, content: &str| {
            arrival_key(&JobName::parse(job).unwrap(), &FileName::parse(file).unwrap(), content).unwrap()
        };
        let longest = "ü".repeat(200);
        assert_eq!(key("sales", &longest, "c"), key("sales", &longest, "c"));
        let keys = [
            key("sales", "a.csv", "c"),
            key("sales", "a.csv", "d"),
            key("sales", "b.csv", "c"),
            key("s", "a.csv", "c"),
        ];
        assert!((1..4).all(|n| !keys[..n].contains(&keys[n])), "{keys:?}");
    }

    #[test]
    fn a_newer_or_foreign_message_is_refused_by_name() {
        let json = serde_json::to_string(&asked()).unwrap();
        let newer = json.replace("\"schemaVersion\":1", "\"schemaVersion\":9");
        assert!(serde_json::from_str::<Envelope>(&newer).unwrap_err().to_string().contains("schema version 9"));
        let foreign = json.replace("\"detail-type\":\"start-batch\"", "\"detail-type\":\"welcome\"");
        assert!(serde_json::from_str::<Envelope>(&foreign).unwrap_err().to_string().contains("welcome"));
    }
}
