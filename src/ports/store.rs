//! The record: runs, claims, locks, deadlines, outbox, audit. One [`Commit`] is one transaction, small enough for any store that can
//! compare and set a few records at once; every query names its index.

use super::{MessageRef, Person, PortError, RecordWrite, StoredRecord, Target};
use crate::domain::audit::{AuditDraft, AuditHead, AuditRecord};
use crate::domain::id::{ChannelId, EnvelopeId, RequestId, RunId, UserId};
use crate::domain::reply::Reply;
use crate::domain::run::{AttemptKey, Run};
use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A write of one run record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunWrite {
    /// The record to be; the store sets its version to `expected + 1`.
    pub run: Run,
    /// The version it must have now; 0: it must not exist.
    pub expected: u64,
}

/// Something to be done outside, once the transaction stands. Repeating one is harmless, or its deliverer checks first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "effect")]
pub enum Effect {
    /// Have the engine start this attempt.
    Start { key: AttemptKey },
    /// Have the engine stop this attempt.
    Stop { key: AttemptKey },
    /// Bring the message of this attempt up to date with its record; post it if there is none.
    Show { key: AttemptKey },
    /// The end of what is shown was told elsewhere: bring the message it had before up to date, once its channel can be used again.
    Settle { show: Box<Self>, at: MessageRef },
    /// Attach the rejected rows to the message of this attempt.
    Attach { key: AttemptKey },
    /// Bring the message of this request up to date; post it if there is none.
    ShowRequest { request: RequestId },
    /// Bring the message of this move up to date; post it if there is none.
    ShowMove { request: RequestId },
    /// Attach the report of this move to its message.
    AttachReport { request: RequestId },
    /// Make the planned region of this move the active one.
    Switch { request: RequestId },
    /// Answer the workflow that waits for this request.
    AnswerTask { request: RequestId },
    /// Tell what requests are routed by that this move has switched.
    Route { request: RequestId, name: String },
    /// Say something that stays, once.
    Tell { to: Target, reply: Box<Reply> },
    /// The same in the thread of a request's message.
    TellInThread { request: RequestId, reply: Box<Reply> },
    /// Tell one person something.
    Whisper { to: Person, reply: Box<Reply> },
    /// Bring the App Home tabs up to date of those who opened theirs lately: something on the board has changed.
    Homes,
    /// Bring a person's App Home tab up to date.
    Home { user: UserId, team: crate::domain::id::TeamId },
}

/// What goes first where not everything can go at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Priority {
    /// Final answers, approvals, and everything that moves work.
    First,
    /// Progress.
    Later,
}

/// A write to the outbox. One item per key: a second write under the same key replaces the effect, keeps the better priority and the
/// earlier due time, and raises the version, so that progress coalesces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxWrite {
    pub key: String,
    pub effect: Effect,
    pub priority: Priority,
    pub due: Timestamp,
}

/// An item of the outbox, ours until its lease passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxItem {
    pub key: String,
    pub effect: Effect,
    pub priority: Priority,
    /// Goes up at each write under the same key.
    pub version: u64,
    /// How often it has been taken, this time included; counted anew when a write replaces it.
    pub attempts: u32,
    /// When the first write under this key was made.
    pub since: Timestamp,
    /// The adapter's own handle for this lease: tells this taking from every other.
    pub lease: u64,
}

/// What became of an item that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// Done. The item goes, unless a write has raised its version meanwhile: then it is due again at `again`.
    /// A receipt is kept under the item's key and can be asked for ([`Store::receipt`]).
    Done { receipt: Option<MessageRef>, again: Timestamp },
    /// Not done: due again at `at`. `count` is false where we only waited for our turn.
    Later { at: Timestamp, why: String, count: bool },
    /// Given up, for `why`: kept aside with the dead letters of the outbox. Where a write has raised the version meanwhile, only what
    /// was taken is given up: the newer effect stays and is due.
    GivenUp { why: String },
}

/// An effect that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The outbox key it had.
    pub key: String,
    pub effect: Effect,
    pub attempts: u32,
    pub why: String,
    pub at: Timestamp,
}

/// Something that is due at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deadline {
    /// One per key; setting it again moves it.
    pub key: String,
    pub due: Timestamp,
    /// What to look at.
    pub subject: Subject,
}

/// What a deadline is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    Attempt(AttemptKey),
    Request(RequestId),
    /// A move, by its request.
    Move(RequestId),
}

const MOVE: &str = "move:";

impl std::fmt::Display for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Attempt(key) => write!(f, "{key}"),
            Self::Request(id) => write!(f, "{id}"),
            Self::Move(id) => write!(f, "{MOVE}{id}"),
        }
    }
}

impl Subject {
    /// Reads what `Display` wrote.
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(id) = text.strip_prefix(MOVE) {
            return RequestId::parse(id).ok().map(Self::Move);
        }
        AttemptKey::parse(text).map(Self::Attempt).or_else(|| RequestId::parse(text).ok().map(Self::Request))
    }

    /// The key of its deadline: there is one per subject.
    pub fn deadline(&self) -> String {
        format!("look:{self}")
    }
}

/// One transaction: all of it or nothing.
#[derive(Debug, Clone, Default)]
pub struct Commit {
    /// The envelope key whose work this is; `Kind::Claimed` if it was claimed before.
    pub claim: Option<EnvelopeId>,
    /// `Kind::Conflict` if a version is not the expected one.
    pub runs: Vec<RunWrite>,
    /// `Kind::Conflict` if a version is not the expected one.
    pub records: Vec<RecordWrite>,
    /// Locks to take for a run; `Kind::Conflict` if another run has one.
    pub lock: Vec<(String, RunId)>,
    /// Locks to give back, if that run has them.
    pub unlock: Vec<(String, RunId)>,
    pub outbox: Vec<OutboxWrite>,
    /// Deadlines to set.
    pub deadlines: Vec<Deadline>,
    /// Keys of deadlines to drop.
    pub clear: Vec<String>,
    pub audit: Vec<AuditDraft>,
}

/// Lists of runs, each along one index, the newest (by `created_at`) first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunQuery {
    /// Asked for in this channel.
    Channel(ChannelId),
    /// Whose current attempt has not ended.
    Open,
    /// Whose current attempt has failed.
    Failed,
    /// On this input (its key).
    Input(String),
    /// All of them.
    All,
}

/// The key of the lock on an input.
pub fn input_lock(input_key: &str) -> String {
    format!("input:{input_key}")
}

/// The key of the deadline at which an attempt is looked at.
pub fn look_deadline(key: &AttemptKey) -> String {
    Subject::Attempt(key.clone()).deadline()
}

/// The record.
#[async_trait]
pub trait Store: Send + Sync {
    async fn commit(&self, commit: Commit) -> Result<(), PortError>;

    async fn run(&self, id: &RunId) -> Result<Option<Run>, PortError>;

    /// At most `max` runs.
    async fn runs(&self, query: RunQuery, max: usize) -> Result<Vec<Run>, PortError>;

    /// A record by its key.
    async fn record(&self, key: &str) -> Result<Option<StoredRecord>, PortError>;

    /// At most `max` records of a list, the newest (by `at`) first.
    async fn records(&self, list: &str, max: usize) -> Result<Vec<StoredRecord>, PortError>;

    /// The run that has the lock.
    async fn holder(&self, lock: &str) -> Result<Option<RunId>, PortError>;

    /// Whether this envelope key was claimed.
    async fn claimed(&self, key: &EnvelopeId) -> Result<bool, PortError>;

    /// Deadlines due by `now`, the oldest first.
    async fn due(&self, now: Timestamp, max: usize) -> Result<Vec<Deadline>, PortError>;

    /// When the next thing comes due, a deadline or an effect of the outbox (one that somebody holds: when its lease ends); in the past
    /// where something is due already. A hint, for whoever cannot look all the time: it may be some milliseconds late.
    async fn next_due(&self) -> Result<Option<Timestamp>, PortError>;

    /// Takes up to `max` items that are due and that nobody holds, each for `lease`: the first priority first, then by due time.
    async fn outbox_take(&self, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<OutboxItem>, PortError>;

    /// Says what became of an item. A lease that has passed and been taken by another has no effect.
    async fn outbox_settle(&self, item: &OutboxItem, settled: Settled) -> Result<(), PortError>;

    /// How many items wait, and how many were given up.
    async fn outbox_depth(&self) -> Result<(u64, u64), PortError>;

    /// Effects that were given up, the oldest first.
    async fn given_up(&self, max: usize) -> Result<Vec<GivenUp>, PortError>;

    /// Puts an effect that was given up back into the outbox, due now. `false`: there is none of that key.
    async fn outbox_replay(&self, key: &str) -> Result<bool, PortError>;

    /// The message that an outbox item of this key made.
    async fn receipt(&self, key: &str) -> Result<Option<MessageRef>, PortError>;

    /// Audit records after `seq`, in order.
    async fn audit(&self, after: u64, max: usize) -> Result<Vec<AuditRecord>, PortError>;

    /// The head that is kept apart from the records.
    async fn audit_head(&self) -> Result<AuditHead, PortError>;

    /// Whether it can be written to.
    async fn ping(&self) -> Result<(), PortError>;
}

impl Effect {
    /// The outbox key under which writes of this effect coalesce.
    pub fn key(&self, unique: &str) -> String {
        match self {
            Self::Start { key } => format!("start:{key}"),
            Self::Stop { key } => format!("stop:{key}"),
            Self::Show { key } => format!("show:{key}"),
            Self::Settle { show, .. } => format!("settle:{}", show.key(unique)),
            Self::Attach { key } => format!("attach:{key}"),
            Self::ShowRequest { request } => format!("request:{request}"),
            Self::ShowMove { request } => format!("move:{request}"),
            Self::AttachReport { request } => format!("report:{request}"),
            Self::AnswerTask { request } => format!("answer:{request}"),
            Self::Switch { request } => format!("switch:{request}"),
            Self::Route { request, name } => format!("route:{request}:{name}"),
            Self::Tell { .. } | Self::TellInThread { .. } => format!("tell:{unique}"),
            Self::Whisper { .. } => format!("whisper:{unique}"),
            Self::Homes => "homes".to_owned(),
            Self::Home { user, .. } => format!("home:{user}"),
        }
    }
}

/// Where a fallback goes when the channel of a message is gone.
impl From<&Person> for Target {
    fn from(person: &Person) -> Self {
        Self::Direct(person.user.clone())
    }
}
