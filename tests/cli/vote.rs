//! `switchman approve | deny | requests | totp`: decisions without Slack, beside a running bot.

use super::playground::Playground;
use super::{Ran, switchman, switchman_with};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::actor::Actor;
use switchman::domain::approval::Request;
use switchman::domain::command::Command;
use switchman::domain::envelope::{Envelope, Event, Origin};
use switchman::domain::id::{ChannelId, EnvelopeId, JobName, TeamId, UserId};
use switchman::domain::step_up::TotpSecret;
use switchman::embedded::{Sqlite, SystemClock};
use switchman::ports::{Bus, Clock, WAITING_REQUESTS, load_list};
use tempfile::TempDir;

const GUARD: &str = "\n[[approval]]\nactions = [\"start-batch\"]\nroles = [\"approver\"]\nquorum = 2\nstep_up = true\n";
const CONFIG: &str = "data/switchman.toml";
/// A request is made within this, or something hangs.
const ASKED_WITHIN: Duration = Duration::from_secs(20);

/// A bot whose one job needs two approvals, and a request that waits for them.
struct World {
    dir: TempDir,
    request: Request,
    _bot: Playground,
}

impl World {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(switchman(dir.path(), &["init", "data"]).code, 0);
        let file = dir.path().join(CONFIG);
        fs::write(&file, fs::read_to_string(&file).unwrap() + GUARD).unwrap();
        let mut bot = Playground::start(dir.path());
        bot.address();
        let records = Sqlite::open_existing(&dir.path().join("data/var/switchman.db"), Arc::new(SystemClock)).unwrap();
        records.publish(asked()).await.unwrap();
        let made = async {
            loop {
                if let Some(request) = load_list::<Request>(&records, WAITING_REQUESTS, 1).await.unwrap().pop() {
                    return request;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let request = tokio::time::timeout(ASKED_WITHIN, made).await.unwrap();
        Self { dir, request, _bot: bot }
    }

    fn run(&self, args: &[&str]) -> Ran {
        switchman_with(self.dir.path(), &[args, &["--config", CONFIG]].concat(), &[("SWITCHMAN_LOG", "trace")])
    }

    fn enrol(&self, user: &str) -> TotpSecret {
        let ran = self.run(&["totp", "enrol", user]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        secret(&ran.out)
    }

    /// A vote with everything it needs but what is in `more`.
    fn vote(&self, verdict: &str, user: &str, code: &str, more: &[&str]) -> Ran {
        let digest = self.request.digest.short();
        let vote = [verdict, self.request.id.as_str(), "--as", user, "--code", code, "--digest", digest];
        self.run(&[&vote[..], more].concat())
    }
}

/// The operator asks for the batch.
fn asked() -> Envelope {
    let actor = Actor {
        team: TeamId::parse("T0LOCAL").unwrap(),
        user: UserId::parse("U0OPERATOR").unwrap(),
        name: "Operator".into(),
    };
    let channel = ChannelId::parse("C0BATCH").unwrap();
    let origin = Origin { actor, channel, response_url: None, permitted: vec![], proof: None };
    let command = Command::StartBatch { job: JobName::parse("sales").unwrap(), file: None, values: Vec::new() };
    let id = EnvelopeId::parse("ask").unwrap();
    Envelope { id: id.clone(), key: id, issued_at: SystemClock.now(), event: Event::Asked { origin, command } }
}

/// The secret as an app reads it from the address.
fn secret(uri: &str) -> TotpSecret {
    let (_, rest) = uri.split_once("secret=").unwrap();
    let base32 = rest.split('&').next().unwrap();
    TotpSecret::from_bytes(&data_encoding::BASE32_NOPAD.decode(base32.as_bytes()).unwrap()).unwrap()
}

/// The code that the app shows now.
fn code(secret: &TotpSecret) -> String {
    secret.code(SystemClock.now().as_second().div_euclid(30))
}

fn same(ran: &Ran, code: i32, part: &str) {
    assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
    assert!(format!("{}{}", ran.out, ran.err).contains(part), "{part}: {}{}", ran.out, ran.err);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvers_decide_and_everybody_later_is_told_who_did() {
    let world = World::new().await;
    let (one, two) = (world.enrol("U0APPROVER1"), world.enrol("U0APPROVER2"));
    let first = world.vote("approve", "U0APPROVER1", &code(&one), &["--json"]);
    assert_eq!(first.code, 0, "{}", first.err);
    let said: serde_json::Value = serde_json::from_str(&first.out).unwrap();
    assert_eq!(
        (&said["counted"], &said["have"], &said["need"], &said["state"]),
        (&true.into(), &1.into(), &2.into(), &"open".into())
    );
    let id = world.request.id.as_str();
    same(&world.run(&["requests"]), 0, &format!("{id}  waiting for approval  1 of 2"));
    same(&world.vote("approve", "U0APPROVER1", "000000", &[]), 1, "counted before: 1 of 2");
    same(&world.vote("approve", "U0APPROVER2", "000000", &[]), 1, "Tries left: 4");
    same(
        &world.vote("approve", "U0APPROVER2", &code(&two), &["--team", "T0LOCAL"]),
        0,
        "approved by Approver 1, Approver 2",
    );
    same(&world.vote("deny", "U0APPROVER2", "000000", &["--reason", "late"]), 1, "approved by Approver 1, Approver 2");
    same(&world.run(&["requests", id]), 0, &format!("digest: {}", world.request.digest.short()));
    same(&world.run(&["audit", "verify"]), 0, "all in their place");
    let trail = world.run(&["audit", "export"]).out;
    for part in ["totp-enrol", "code-accepted", "wrong-code", "approve"] {
        assert!(trail.contains(part), "{part} in {trail}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asked_cannot_approve_and_can_withdraw() {
    let world = World::new().await;
    let own = world.enrol("U0OPERATOR");
    same(&world.vote("approve", "U0OPERATOR", &code(&own), &[]), 1, "you asked for");
    same(&world.vote("deny", "U0OPERATOR", &code(&own), &[]), 1, "it needs a reason");
    same(&world.vote("deny", "U0OPERATOR", &code(&own), &["--reason", "wrong file"]), 0, "denied by Operator");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_used_up_even_by_a_vote_that_is_refused() {
    let world = World::new().await;
    let viewer = world.enrol("U0VIEWER");
    let code = code(&viewer);
    same(&world.vote("approve", "U0VIEWER", &code, &[]), 1, "refused (no-rule)");
    same(&world.vote("approve", "U0VIEWER", &code, &[]), 1, "was used already");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_without_an_enrolment_the_digest_and_a_code_and_guessing_locks() {
    let world = World::new().await;
    let vote = |code: &str, more: &[&str]| world.vote("approve", "U0APPROVER1", code, more);
    same(&vote("000000", &[]), 1, "switchman totp enrol T0LOCAL/U0APPROVER1");
    same(&world.run(&["totp", "enrol", "U0STRANGER"]), 2, "is on no list");
    let secret = world.enrol("U0APPROVER1");
    let id = world.request.id.as_str();
    let missing = world.run(&["approve", id, "--as", "U0APPROVER1", "--code", "000000"]);
    same(&missing, 2, &format!("--digest {}", world.request.digest.short()));
    assert!(missing.err.contains("input: sales.csv"), "the plan is shown: {}", missing.err);
    let other = ["approve", id, "--as", "U0APPROVER1", "--code", "000000", "--digest", "00000000"];
    same(&world.run(&other), 1, "read it again");
    same(&world.run(&["approve", id, "--as", "U0APPROVER1", "--digest", world.request.digest.short()]), 2, "--code");
    same(&world.run(&["approve", "q-2222", "--as", "U0APPROVER1"]), 1, "there is no request q-2222");
    same(&world.run(&["approve", "r-7k3f", "--as", "U0APPROVER1"]), 2, "a request id");
    same(&world.run(&["totp", "list"]), 0, "no code yet");
    for left in [4, 3, 2, 1] {
        same(&vote("000000", &[]), 1, &format!("Tries left: {left}"));
    }
    same(&vote("000000", &[]), 1, "Too many wrong codes");
    same(&vote(&code(&secret), &[]), 1, "Too many wrong codes");
    same(&world.run(&["totp", "list"]), 0, "locked until");
    same(&world.run(&["totp", "remove", "U0APPROVER1"]), 0, "removed: T0LOCAL/U0APPROVER1");
    same(&world.run(&["totp", "remove", "U0APPROVER1"]), 1, "is not enrolled");
    let again = world.enrol("U0APPROVER1");
    let ran = vote(&code(&again), &[]);
    same(&ran, 0, "counted, 1 of 2");
    clear_of(&world, &again, &ran);
}

/// Neither the records nor what was logged holds the secret.
fn clear_of(world: &World, secret: &TotpSecret, ran: &Ran) {
    let forms = [hex::encode(secret.bytes()), data_encoding::BASE32_NOPAD.encode(secret.bytes())];
    let trail = world.run(&["audit", "export"]).out;
    for form in &forms {
        for text in [&trail, &ran.out, &ran.err] {
            assert!(!text.contains(form), "{text}");
        }
        for file in ["switchman.db", "switchman.db-wal"] {
            let bytes = fs::read(path(world.dir.path(), file)).unwrap_or_default();
            assert!(!bytes.windows(form.len()).any(|window| window == form.as_bytes()), "{file}");
        }
    }
    let key = fs::metadata(path(world.dir.path(), "seal.key")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::mode(&key) & 0o777, 0o600);
}

fn path(dir: &Path, file: &str) -> std::path::PathBuf {
    dir.join("data/var").join(file)
}

#[test]
fn a_bad_sealing_key_is_told_with_the_other_mistakes_and_not_repeated() {
    let dir = tempfile::tempdir().unwrap();
    let ran = switchman_with(dir.path(), &["totp", "list"], &[("SWITCHMAN_SEAL_KEY", "zebra")]);
    same(&ran, 2, "SWITCHMAN_SEAL_KEY: holds something that is no key");
    assert!(ran.err.contains("switchman.toml: cannot be read") && !ran.err.contains("zebra"), "{}", ran.err);
}
