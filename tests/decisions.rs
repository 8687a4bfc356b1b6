//! Ten thousand votes on one request, from ten people by sixteen clients at the same time, at two processes of the real binary that share
//! one record: one effect, and for each vote one audit record and one private answer, each with the right result. All of it over HTTP.
//!
//! "Right" is judged by a small model that knows nothing of the bot but the order of the audit trail: a result has to be what the model
//! says of a moment between the vote's posting and its record; one that counts has to be so at its very place in the trail.

use crate::harness::bot::{CHANNEL, OPERATOR, SECRET};
use crate::harness::http;
use crate::harness::process::Served;
use secrecy::SecretString;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;
use switchman::app::{Records, open_store};
use switchman::batch::sample::Settings;
use switchman::config::starter::Starter;
use switchman::config::{Config, FILE_NAME};
use switchman::domain::approval::{Request, RequestState};
use switchman::domain::audit::{AuditRecord, Verifier};
use switchman::domain::id::RequestId;
use switchman::domain::run::RunState;
use switchman::playground::{Member, Playground, PlaygroundConfig};
use switchman::ports::{RunQuery, WAITING_REQUESTS, load, load_list, request_key};
use switchman::slack::signature::sign;
use tempfile::TempDir;
use tokio::task::JoinHandle;

const VOTES: usize = 10_000;
const CLIENTS: usize = 16;
const QUORUM: usize = 3;
/// Until here only two of the approvers vote: one short of the quorum.
const ONE_SHORT: usize = 4_000;
/// From here on there are denials, too, as soon as the request is decided.
const DENIALS: usize = 7_000;
const TOKEN: &str = "xoxb-playground";
const APPROVERS: [&str; 6] = ["U0APPROVER1", "U0APPROVER2", "U0APPROVER3", "U0APPROVER4", "U0APPROVER5", "U0APPROVER6"];
const LEAD: &str = "U0LEAD";
const VIEWER: &str = "U0VIEWER";
const STRANGER: &str = "U0STRANGER";
/// At most this long for what is waited for; then something hangs.
const WITHIN: Duration = Duration::from_mins(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The same number for the same one (SplitMix64).
fn mixed(n: usize) -> usize {
    let mut z = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    usize::try_from((z ^ (z >> 31)) >> 33).unwrap()
}

/// What is voted, by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Approve,
    /// Only given once the request is decided: before, it would decide.
    Deny,
    /// A denial without a reason.
    DenyForNothing,
    /// On a request that never was.
    Unknown,
}

#[derive(Debug, Clone, Copy)]
struct Vote {
    n: usize,
    by: &'static str,
    kind: Kind,
}

impl Vote {
    fn number(n: usize, decided: bool) -> Self {
        let (dice, which) = (mixed(n), mixed(n + VOTES));
        let approvers = if n < ONE_SHORT { &APPROVERS[..QUORUM - 1] } else { &APPROVERS[..] };
        let by = match dice % 10 {
            0 => OPERATOR,
            1 => LEAD,
            2 => VIEWER,
            3 => STRANGER,
            _ => approvers[which % approvers.len()],
        };
        let kind = match dice / 10 % 20 {
            0 => Kind::Unknown,
            1 if APPROVERS.contains(&by) => Kind::DenyForNothing,
            2..6 if n >= DENIALS && decided => Kind::Deny,
            // Neither of them has a vote, and so theirs never decides.
            6 if by == LEAD || by == VIEWER => Kind::Deny,
            _ => Kind::Approve,
        };
        Self { n, by, kind }
    }

    fn text(&self, id: &RequestId) -> String {
        match self.kind {
            Kind::Approve => format!("approve {id} vote-{}", self.n),
            Kind::Deny => format!("deny {id} vote-{}", self.n),
            Kind::DenyForNothing => format!("deny {id}"),
            Kind::Unknown => format!("approve q-2222222 vote-{}", self.n),
        }
    }
}

/// A vote that was posted.
struct Posted {
    vote: Vote,
    /// The envelope's id: made of the signature.
    id: String,
    /// The newest audit record before it was posted.
    after: u64,
    status: u16,
    /// Whether the acknowledgement was a private answer.
    answered: bool,
}

/// The request as the audit trail tells it.
#[derive(Debug, Clone, Default)]
struct Model {
    counted: BTreeSet<&'static str>,
}

impl Model {
    fn decided(&self) -> bool {
        self.counted.len() == QUORUM
    }

    fn result(&self, vote: &Vote) -> &'static str {
        match (vote.by, vote.kind) {
            (VIEWER, _) => "no-rule",
            (STRANGER, _) => "not-listed",
            (_, Kind::Unknown) => "unknown-request",
            _ if self.decided() => "decided-before",
            (OPERATOR, _) => "own-request",
            (LEAD, _) => "not-an-approver",
            (_, Kind::DenyForNothing) => "reason-needed",
            (by, _) if self.counted.contains(by) => "counted-before",
            _ if self.counted.len() + 1 == QUORUM => "done",
            _ => "waiting for approval",
        }
    }
}

fn counts(result: &str) -> bool {
    RequestState::ALL.iter().any(|state| state.word() == result)
}

struct World {
    dir: TempDir,
    slack: Playground,
    server: JoinHandle<()>,
}

impl Drop for World {
    fn drop(&mut self) {
        self.slack.shut_down();
        self.server.abort();
    }
}

#[expect(clippy::disallowed_methods, reason = "the binary checks signatures against the real clock")]
fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let sample = Settings { rows: 600, bad_percent: 2.0, missing_percent: 0.5, seed: 3 };
        Starter { sample, ..Starter::small() }.write(dir.path()).unwrap();
        let file = dir.path().join(FILE_NAME);
        let mut text = std::fs::read_to_string(&file).unwrap().replace("127.0.0.1:3000", "127.0.0.1:0");
        let rule = format!("actions = [\"start-batch\"]\nroles = [\"approver\"]\nquorum = {QUORUM}\nreason = false");
        writeln!(text, "\n[[approval]]\n{rule}").unwrap();
        let slack = Playground::new(PlaygroundConfig::new("", SECRET.into(), TOKEN.into(), Arc::new(now))).unwrap();
        for id in &APPROVERS[2..] {
            writeln!(text, "\n[[user]]\nteam = \"T0LOCAL\"\nid = \"{id}\"\nroles = [\"approver\"]").unwrap();
            slack.add_member(Member::new(id, &id[2..].to_lowercase(), id, ""));
        }
        std::fs::write(&file, text).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        slack.set_base_url(&format!("http://{}", listener.local_addr().unwrap()));
        let router = slack.router();
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { dir, slack, server }
    }

    /// Starts a process; the base of its address.
    async fn start(&self) -> (Served, String) {
        let mut bot = Served::start(self.dir.path(), &self.slack.api_url(), SECRET, TOKEN);
        let base = bot.ready().await;
        (bot, base)
    }

    async fn records(&self) -> Records {
        open_store(&Config::load(&self.dir.path().join(FILE_NAME)).unwrap()).await.unwrap()
    }

    /// The operator asks for a batch; its request.
    async fn asked(&self, base: &str, (store, _): &Records) -> RequestId {
        self.slack.set_bot_url(&format!("{base}/slack/events"));
        assert!(self.slack.type_command(OPERATOR, CHANNEL, "/my-slack-bot start-batch sales").await.is_ok());
        let made = async {
            loop {
                if let Some(made) = load_list::<Request>(store.as_ref(), WAITING_REQUESTS, 1).await.unwrap().pop() {
                    return made.id;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        tokio::time::timeout(WITHIN, made).await.unwrap()
    }

    /// Waits until nothing is left to be done.
    async fn settled(&self, (store, bus): &Records) {
        let look = async {
            loop {
                let open = store.runs(RunQuery::Open, 10).await.unwrap().len();
                let left = (open, bus.depth().await.unwrap(), store.outbox_depth().await.unwrap());
                if left == (0, 0, (0, 0)) {
                    return;
                }
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        if tokio::time::timeout(WITHIN, look).await.is_err() {
            let left = (bus.depth().await.unwrap(), store.outbox_depth().await.unwrap());
            let log = std::fs::read_to_string(self.dir.path().join("log")).unwrap();
            panic!("never settled: {left:?}\n{}", &log[log.len().saturating_sub(4_000)..]);
        }
        assert_eq!(bus.dead(10).await.unwrap().len(), 0, "dead letters");
    }
}

/// Posts one vote as Slack does: signed, and like no other.
async fn post(base: &str, vote: Vote, id: &RequestId, after: u64) -> Posted {
    let (text, trigger) = (vote.text(id), format!("1.2.{}", vote.n));
    let fields = [
        ("team_id", "T0LOCAL"),
        ("channel_id", CHANNEL),
        ("user_id", vote.by),
        ("user_name", vote.by),
        ("command", "/my-slack-bot"),
        ("text", &text),
        ("trigger_id", &trigger),
    ];
    let body = serde_urlencoded::to_string(fields).unwrap();
    let stamp = now().as_second();
    let signature = sign(&SecretString::from(SECRET), stamp, body.as_bytes());
    let (kind, stamp) = ("application/x-www-form-urlencoded", stamp.to_string());
    let headers = [("content-type", kind), ("x-slack-request-timestamp", &stamp), ("x-slack-signature", &signature)];
    let (status, body) = http::post(&format!("{base}/slack/events"), &headers, body).await;
    let answered = body.contains("\"ephemeral\"");
    let id = format!("req-{}", &signature.strip_prefix("v0=").unwrap()[..32]);
    Posted { vote, id, after, status, answered }
}

/// The votes of one client, one after the other, to each process in turn.
async fn client(number: usize, bases: [String; 2], records: Records, id: RequestId) -> Vec<Posted> {
    let mut posted = Vec::new();
    for (round, n) in (number..VOTES).step_by(CLIENTS).enumerate() {
        let request: Request = load(records.0.as_ref(), &request_key(&id)).await.unwrap().unwrap();
        let vote = Vote::number(n, !request.is_open());
        let after = records.0.audit_head().await.unwrap().seq;
        posted.push(post(&bases[(number + round) % 2], vote, &id, after).await);
    }
    posted
}

/// The whole trail, verified.
async fn trail((store, _): &Records) -> Vec<AuditRecord> {
    let (mut all, mut verifier) = (Vec::new(), Verifier::new(store.audit_head().await.unwrap()));
    loop {
        let page = store.audit(all.len() as u64, 1_000).await.unwrap();
        if page.is_empty() {
            break;
        }
        all.extend(page);
    }
    for record in &all {
        verifier.next(record).unwrap();
    }
    verifier.finish().unwrap();
    all
}

/// Which vote a record is about: by the id of its envelope, or, where it was refused at the door, by its words.
fn about(record: &AuditRecord, known: &HashMap<&str, usize>) -> Option<usize> {
    let by_id = record.draft.why.rsplit(' ').next().and_then(|id| known.get(id).copied());
    by_id.or_else(|| {
        let digits = record.draft.subject.split_once("vote-")?.1;
        digits.trim_end_matches(|c: char| !c.is_ascii_digit()).parse().ok()
    })
}

/// Judges each record by the model; how often each result came, with how many of them were right for a moment before their own only.
fn judge(trail: &[AuditRecord], posted: &BTreeMap<usize, Posted>) -> (Model, BTreeMap<String, (usize, usize)>) {
    let known: HashMap<&str, usize> = posted.iter().map(|(n, p)| (p.id.as_str(), *n)).collect();
    let mut seen = BTreeSet::new();
    let mut table: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    // The model after each record that changed it.
    let mut history = vec![(0, Model::default())];
    for record in trail.iter().filter(|r| ["approve", "deny"].contains(&r.draft.action.as_str())) {
        let n = about(record, &known).unwrap_or_else(|| panic!("about no vote: {record:?}"));
        let (vote, after, result) = (&posted[&n].vote, posted[&n].after, record.draft.result.as_str());
        assert!(seen.insert(n), "a second record of {vote:?}: {record:?}");
        assert_eq!(record.draft.actor.as_ref().unwrap().user.as_str(), vote.by, "{record:?}");
        let now = &history.last().unwrap().1;
        let late = now.result(vote) != result;
        if late {
            let first = history.iter().rposition(|(seq, _)| *seq <= after).unwrap();
            let was = history[first..].iter().any(|(_, model)| model.result(vote) == result);
            assert!(was && !counts(result), "{vote:?} is {result}, not {}: {record:?}", now.result(vote));
        }
        if counts(result) {
            let mut next = now.clone();
            next.counted.insert(vote.by);
            history.push((record.seq, next));
        }
        let entry = table.entry(result.to_owned()).or_default();
        *entry = (entry.0 + 1, entry.1 + usize::from(late));
    }
    assert_eq!(seen.len(), VOTES, "each vote has its record");
    (history.pop().unwrap().1, table)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_ten_thousand_votes_at_once_have_one_effect_and_each_the_right_answer() {
    let world = World::new().await;
    let (one, first) = world.start().await;
    let (other, second) = world.start().await;
    let records = world.records().await;
    let id = world.asked(&first, &records).await;
    let bases = [first, second];
    let clients: Vec<_> =
        (0..CLIENTS).map(|n| tokio::spawn(client(n, bases.clone(), records.clone(), id.clone()))).collect();
    let mut posted = BTreeMap::new();
    for client in clients {
        posted.extend(client.await.unwrap().into_iter().map(|p| (p.vote.n, p)));
    }
    assert!(posted.values().all(|p| p.status == 200), "each was taken");
    world.settled(&records).await;

    let trail = trail(&records).await;
    let (model, table) = judge(&trail, &posted);
    let request: Request = load(records.0.as_ref(), &request_key(&id)).await.unwrap().unwrap();
    let voters: BTreeSet<&str> = request.decisions.iter().map(|d| d.by.user.as_str()).collect();
    assert_eq!((request.state, request.decisions.len()), (RequestState::Done, QUORUM), "{request:?}");
    assert_eq!(voters, model.counted, "different people, and those of the trail");
    let runs = records.0.runs(RunQuery::All, 10).await.unwrap();
    assert_eq!(runs.len(), 1, "one effect");
    assert_eq!((runs[0].attempts.len(), runs[0].current().state), (1, RunState::Succeeded));
    assert_eq!(Some(&runs[0].id), request.run.as_ref());

    let people = APPROVERS.into_iter().chain([OPERATOR, LEAD, VIEWER, STRANGER]);
    for who in people {
        let own = || posted.values().filter(|p| p.vote.by == who);
        let (votes, at_once) = (own().count(), own().filter(|p| p.answered).count());
        let later = world.slack.ephemerals(who).len();
        assert!(votes > 0, "{who} voted");
        assert_eq!(at_once + later, votes, "one private answer for each vote of {who}");
        println!("{votes:>6} votes of {who}, {at_once} answered in the acknowledgement, {later} after it");
    }
    for (result, (count, late)) in &table {
        println!("{count:>6}  {result} ({late} of them overtaken by the vote that changed it)");
    }
    for code in [
        "own-request",
        "not-an-approver",
        "no-rule",
        "not-listed",
        "counted-before",
        "decided-before",
        "unknown-request",
    ] {
        assert!(table.contains_key(code), "{code} came about");
    }
    assert_eq!((one.stop().await, other.stop().await), (Some(0), Some(0)), "SIGTERM drains");
}
