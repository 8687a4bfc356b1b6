//! What has happened in the workspace: messages, views, ids that were handed out. All of it behind one lock.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::journal::Journal;
use super::knobs::Knobs;
use super::message::{Author, Message, View, assign_ids, elements};
use super::people::{Channel, Workspace};
use super::records::{Call, Change, Notice, ResponseUrl, Sent, StoredFile, Trigger, What};

/// Calls and lines of the transcript that are kept; older ones are forgotten.
pub(super) const KEPT: usize = 10_000;
/// How long a `trigger_id` opens a modal.
const TRIGGER_SECONDS: i64 = 3;

pub(super) struct State {
    pub workspace: Workspace,
    pub now: Timestamp,
    pub messages: BTreeMap<String, Message>,
    /// Interactive elements that messages had once: somebody's screen may still show them.
    pub past: HashMap<String, Vec<(String, Value)>>,
    pub views: HashMap<String, Vec<View>>,
    pub homes: HashMap<String, View>,
    pub triggers: HashMap<String, Trigger>,
    pub responses: HashMap<String, ResponseUrl>,
    pub files: HashMap<String, StoredFile>,
    pub knobs: Knobs,
    pub calls: Vec<Call>,
    pub sent: Vec<Sent>,
    pub log: Vec<String>,
    pub notices: Vec<Notice>,
    pub base_url: String,
    pub bot_url: String,
    pub journal: Option<Journal>,
    pub changes: Vec<Change>,
    seed: Vec<u8>,
    counter: u64,
}

impl State {
    pub(super) fn new(workspace: Workspace, seed: Vec<u8>, now: Timestamp) -> Self {
        Self {
            workspace,
            now,
            messages: BTreeMap::new(),
            past: HashMap::new(),
            views: HashMap::new(),
            homes: HashMap::new(),
            triggers: HashMap::new(),
            responses: HashMap::new(),
            files: HashMap::new(),
            knobs: Knobs::default(),
            calls: Vec::new(),
            sent: Vec::new(),
            log: Vec::new(),
            notices: Vec::new(),
            base_url: "http://127.0.0.1:0".to_owned(),
            bot_url: String::new(),
            journal: None,
            changes: Vec::new(),
            seed,
            counter: 0,
        }
    }

    /// A number that goes up, with the hash nobody can guess without the signing secret.
    pub(super) fn secret_id(&mut self) -> (u64, String) {
        self.counter += 1;
        let mut hash = Sha256::new();
        hash.update(&self.seed);
        hash.update(self.counter.to_be_bytes());
        hash.update(self.now.as_nanosecond().to_be_bytes());
        (self.counter, hex::encode(&hash.finalize()[..16]))
    }

    /// An id such as `V00000000A3F`: the prefix and eleven letters or digits.
    pub(super) fn id(&mut self, prefix: &str) -> String {
        let (_, hash) = self.secret_id();
        format!("{prefix}{}", hash[..10].to_uppercase())
    }

    /// A ts that no message has had: Slack's `seconds.micros`, always going up.
    pub(super) fn next_ts(&mut self) -> String {
        let mut micros = self.now.as_microsecond();
        let last =
            self.messages.keys().next_back().map(|ts| parse_ts(ts)).max(self.notices.last().map(|n| parse_ts(&n.ts)));
        if let Some(last) = last {
            micros = micros.max(last + 1);
        }
        format_ts(micros)
    }

    pub(super) fn channel(&self, id: &str) -> Option<&Channel> {
        self.workspace.channels.iter().find(|channel| channel.id == id)
    }

    /// The direct messages of a member with the app, opened if need be.
    pub(super) fn open_direct(&mut self, user: &str) -> String {
        let channel = Channel::direct(user);
        let id = channel.id.clone();
        if self.channel(&id).is_none() {
            self.workspace.channels.push(channel);
            self.setting_changed();
        }
        id
    }

    pub(super) fn message(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.messages.get(ts).filter(|message| message.channel == channel)
    }

    /// Stores a message as new or changed, tells the pages, the journal and the transcript.
    pub(super) fn put(&mut self, mut message: Message) -> Message {
        let known = self.messages.contains_key(&message.ts);
        let mut blocks = std::mem::take(&mut message.blocks);
        assign_ids(&mut blocks, || self.id("b").to_lowercase());
        message.blocks = blocks;
        message.revision += 1;
        self.remember_removed(&message);
        if let Some(journal) = &mut self.journal
            && message.only_for.is_none()
        {
            journal.put(&message);
        }
        self.log_message(&message, known);
        self.changes.push(Change {
            only_for: self.audience(&message),
            what: What::Message { message: Box::new(message.clone()) },
        });
        self.messages.insert(message.ts.clone(), message.clone());
        message
    }

    fn remember_removed(&mut self, fresh: &Message) {
        let Some(old) = self.messages.get(&fresh.ts) else { return };
        let past = self.past.entry(fresh.ts.clone()).or_default();
        for (block, element) in elements(&old.blocks) {
            let action = element["action_id"].as_str().unwrap_or_default();
            if fresh.element(Some(&block), action).is_none() {
                past.retain(|(b, e)| *b != block || e["action_id"] != action);
                past.push((block, element));
            }
        }
    }

    /// A new message by somebody, to be filled in further and then [`put`](Self::put).
    pub(super) fn draft(&mut self, channel: &str, author: Author, text: &str) -> Message {
        Message {
            ts: self.next_ts(),
            channel: channel.to_owned(),
            author,
            text: text.to_owned(),
            blocks: Vec::new(),
            attachments: None,
            metadata: None,
            thread_ts: None,
            broadcast: false,
            edited: None,
            files: Vec::new(),
            only_for: None,
            revision: 0,
        }
    }

    pub(super) fn remove(&mut self, ts: &str) {
        if let Some(message) = self.messages.remove(ts) {
            if let Some(journal) = &mut self.journal {
                journal.gone(ts);
            }
            let (who, only_for) = (self.author_name(&message.author), self.audience(&message));
            self.log.push(format!("{who} deletes: {}", first_line(&message.plain(&self.workspace))));
            self.changes.push(Change { only_for, what: What::Gone { ts: ts.to_owned() } });
        }
    }

    /// The one member who sees a message: of an ephemeral one, or of the direct messages it is in.
    fn audience(&self, message: &Message) -> Option<String> {
        message.only_for.clone().or_else(|| self.channel(&message.channel)?.direct_with.clone())
    }

    pub(super) fn views_changed(&mut self, user: &str) {
        let views = self.views.get(user).cloned().unwrap_or_default();
        self.changes.push(Change { only_for: Some(user.to_owned()), what: What::Views { views } });
    }

    pub(super) fn setting_changed(&mut self) {
        let what = What::Setting { workspace: Box::new(self.workspace.clone()), knobs: self.knobs.clone() };
        self.changes.push(Change { only_for: None, what });
    }

    pub(super) fn notice(
        &mut self,
        title: &str,
        channel: Option<&str>,
        problems: Vec<(String, String)>,
        payload: Value,
    ) {
        let ts = self.next_ts();
        let notice = Notice { title: title.to_owned(), channel: channel.map(str::to_owned), ts, problems, payload };
        let told: Vec<String> = notice.problems.iter().map(|(at, rule)| format!("{at} {rule}")).collect();
        self.log.push(format!("! {title} {}", told.join("; ")).trim_end().to_owned());
        self.changes.push(Change { only_for: None, what: What::Notice { notice: notice.clone() } });
        self.notices.push(notice);
        forget_oldest(&mut self.notices, 200);
    }

    pub(super) fn record(&mut self, call: Call) {
        self.calls.push(call);
        forget_oldest(&mut self.calls, KEPT);
    }

    pub(super) fn keep_sent(&mut self, sent: Sent) {
        self.sent.push(sent);
        forget_oldest(&mut self.sent, 100);
    }

    /// A fresh `trigger_id`; those that ran out long ago are forgotten.
    pub(super) fn new_trigger(&mut self, user: &str, view: Option<String>) -> String {
        let now = self.now;
        self.triggers.retain(|_, trigger| now.as_second() - trigger.until.as_second() < 3600);
        let (number, hash) = self.secret_id();
        let id = format!("{}.{number}.{hash}", self.now.as_millisecond());
        let until = after(self.now, TRIGGER_SECONDS);
        self.triggers.insert(id.clone(), Trigger { user: user.to_owned(), until, used: false, view });
        id
    }

    /// A fresh `response_url`.
    pub(super) fn new_response_url(
        &mut self,
        kind: &str,
        user: &str,
        channel: &str,
        original: Option<String>,
    ) -> String {
        let now = self.now;
        self.responses.retain(|_, url| now.as_second() - url.until.as_second() < 3600);
        let (number, hash) = self.secret_id();
        let id = format!("{}/{number}/{hash}", self.workspace.team.id);
        let until = after(self.now, 30 * 60);
        self.responses.insert(
            id.clone(),
            ResponseUrl { user: user.to_owned(), channel: channel.to_owned(), original, until, used: 0 },
        );
        format!("{}/response/{kind}/{id}", self.base_url)
    }

    pub(super) fn author_name(&self, author: &Author) -> String {
        match author {
            Author::App => self.workspace.app.name.clone(),
            Author::Member(id) => self.workspace.name_of(id).to_owned(),
            Author::Slack => "Slackbot".to_owned(),
        }
    }

    fn log_message(&mut self, message: &Message, known: bool) {
        let who = self.author_name(&message.author);
        let place = match &message.only_for {
            Some(user) => format!(" (only {})", self.workspace.name_of(user)),
            None if message.thread_ts.is_some() => " (in a thread)".to_owned(),
            None => String::new(),
        };
        let verb = if known { " edits" } else { "" };
        let names = message.files.iter().map(|f| format!("\n    [file {}]", f["name"].as_str().unwrap_or_default()));
        let files = names.collect::<Vec<_>>().concat();
        let text = message.plain(&self.workspace).replace('\n', "\n    ");
        self.log.push(format!("{who}{verb}{place}: {text}{files}"));
    }
}

/// The audience-free JSON of one change, for the page's stream.
pub(super) fn to_json(change: &Change) -> String {
    serde_json::to_string(change).unwrap_or_else(|_| json!({ "change": "resync" }).to_string())
}

pub(super) fn after(now: Timestamp, seconds: i64) -> Timestamp {
    now.saturating_add(jiff::SignedDuration::from_secs(seconds)).unwrap_or(now)
}

/// Keeps the newest `keep` of a list, give or take a tenth.
pub(super) fn forget_oldest<T>(list: &mut Vec<T>, keep: usize) {
    if list.len() > keep + keep / 10 {
        list.drain(..list.len() - keep);
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Microseconds of a ts; 0 for something that is none.
pub(super) fn parse_ts(ts: &str) -> i64 {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let micros: i64 = format!("{micros:0<6}").get(..6).and_then(|m| m.parse().ok()).unwrap_or(0);
    seconds.parse::<i64>().map_or(0, |s| s.saturating_mul(1_000_000).saturating_add(micros))
}

fn format_ts(micros: i64) -> String {
    format!("{}.{:06}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        State::new(Workspace::default(), b"seed".to_vec(), Timestamp::from_second(1_763_715_574).unwrap())
    }

    #[test]
    fn a_ts_is_never_used_twice_even_when_the_clock_stands() {
        let mut state = state();
        let draft = state.draft("C0BATCH", Author::App, "one");
        assert_eq!(draft.ts, "1763715574.000000");
        state.put(draft);
        assert_eq!(state.next_ts(), "1763715574.000001");
    }

    #[test]
    fn ids_that_must_not_be_guessed_differ_by_seed() {
        let mut other = State::new(Workspace::default(), b"other".to_vec(), state().now);
        assert_ne!(state().secret_id().1, other.secret_id().1);
    }

    #[test]
    fn ts_are_read_as_slack_clients_write_them() {
        for (ts, micros) in [("1.5", 1_500_000), ("1.000005", 1_000_005), ("12", 12_000_000), ("x", 0)] {
            assert_eq!(parse_ts(ts), micros, "{ts}");
        }
    }
}
