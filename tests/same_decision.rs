//! The same vote by typed text, by button and form, and as the command line sends it gives the same decision: the same state of the
//! request, the same people counted with the same verdicts, and the same code for how it came out. The cases are generated.
//!
//! Differences by design, each of them about which of several true refusals is named; nothing is ever counted on one way and not on another:
//! - The command line says what holds whoever votes (decided, own request, a missing reason) before it uses up a one-time code, and asks
//!   about rights afterwards. Where a vote is wrong in both ways it names the first, and the others the second.
//! - A form that was opened earlier says what is missing beside its field before it asks how the request stands by now (decided, expired,
//!   this person counted).

use crate::harness::bot::{Bot, CHANNEL, Setup, Wrap};
use crate::harness::dice::Dice;
use crate::harness::regions::with_names;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use switchman::domain::actor::{Actor, Role};
use switchman::domain::approval::{ApprovalRule, Ballot, Guarded, Request, RequestState, Rights, Verdict};
use switchman::domain::command::{Action, Command};
use switchman::domain::envelope::{Envelope, Event, Origin, Proof};
use switchman::domain::id::{ChannelId, EnvelopeId, RegionName, TeamId, UserId};
use switchman::playground::{Ack, Act, Message};
use switchman::ports::{Clock, load, request_key};
use switchman::processor::Ctx;

const CASES: u64 = 80;
const SEED: u64 = 0x5a3e_2026;
const REASON: &str = "because it is right";
/// Longer than a request lives.
const OVER: Duration = Duration::from_mins(31);
const ASKER: &str = "U0OPERATOR";
const FIRST: &str = "U0APPROVER1";
const SECOND: &str = "U0APPROVER2";
/// May vote by the policy, has no role of the rule, and may break the glass.
const LEAD: &str = "U0LEAD";
const STRANGER: &str = "U0STRANGER";
const VOTERS: [&str; 6] = [ASKER, FIRST, SECOND, LEAD, "U0VIEWER", STRANGER];

/// How the request stands when the vote comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Before {
    Open,
    /// The first approver was counted.
    OneCounted,
    Decided,
    Expired,
}

/// What is typed to confirm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word {
    Right,
    Wrong,
    Missing,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    n: u64,
    by: &'static str,
    verdict: Verdict,
    reason: bool,
    /// `None`: the plan asks for no word.
    word: Option<Word>,
    break_glass: bool,
    before: Before,
}

impl Case {
    fn generated(n: u64, dice: &mut Dice) -> Self {
        let verdict = dice.pick(&[Verdict::Approve, Verdict::Approve, Verdict::Deny]);
        let by = if dice.pick(&[true, false, false]) { dice.pick(&[FIRST, SECOND]) } else { dice.pick(&VOTERS) };
        let word = dice.pick(&[None, None, Some(Word::Right), Some(Word::Wrong), Some(Word::Missing)]);
        let break_glass = verdict == Verdict::Approve && dice.pick(&[true, false, false]);
        // Nothing moves here: a fail-over needs a third vote, and the glass is not broken for one.
        let word = if break_glass && by == LEAD && word.is_some() { Some(Word::Wrong) } else { word };
        let before = dice.pick(&[Before::Open, Before::OneCounted, Before::OneCounted, Before::Decided]);
        let before = if dice.pick(&[true, false, false, false, false, false]) { Before::Expired } else { before };
        Self { n, by, verdict, reason: dice.pick(&[true, true, false]), word, break_glass, before }
    }

    fn reason(&self) -> Option<&'static str> {
        self.reason.then_some(REASON)
    }

    fn typed_word(&self) -> Option<&'static str> {
        match self.word.filter(|_| self.verdict == Verdict::Approve)? {
            Word::Right => Some("west"),
            Word::Wrong => Some("wset"),
            Word::Missing => None,
        }
    }

    fn line(&self, request: &Request) -> String {
        let verb = if self.verdict == Verdict::Approve { "approve" } else { "deny" };
        let glass = self.break_glass.then_some("break-glass");
        let words = [Some(verb), Some(request.id.as_str()), glass, self.typed_word(), self.reason()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    }

    fn button(&self) -> &'static str {
        match (self.verdict, self.break_glass) {
            (Verdict::Deny, _) => "deny-request",
            (Verdict::Approve, true) => "break-glass",
            (Verdict::Approve, false) => "approve-request",
        }
    }
}

/// The way a vote is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Text,
    Form,
    /// The form was opened before the request came to stand as it does.
    EarlyForm,
    CommandLine,
}

/// What became of a vote.
#[derive(Debug, Clone, PartialEq, Eq)]
struct End {
    state: RequestState,
    counted: Vec<(String, Verdict)>,
    ran: bool,
    /// The result's code; of a form with several mistakes, of each.
    codes: Vec<String>,
    /// Whether it was refused before it was sent.
    unsent: bool,
}

struct World {
    bot: Bot,
}

impl World {
    async fn new() -> Self {
        let lead = || vec![Role::new("lead")];
        let start = ApprovalRule { reason: false, break_glass: lead(), ..ApprovalRule::for_regions() };
        let fail_over = ApprovalRule { quorum: 3, break_glass: lead(), ..ApprovalRule::for_regions() };
        let guard = |action: Action, rule: ApprovalRule| Guarded {
            actions: vec![action],
            workflows: false,
            jobs: Vec::new(),
            rule,
        };
        let guards = vec![guard(Action::StartBatch, start), guard(Action::FailOver, fail_over)];
        let wrap: Wrap = Arc::new(move |ctx: Ctx| {
            let catalog = Arc::new((*ctx.catalog).clone().guarded_by(guards.clone()));
            let west = RegionName::parse("west").unwrap();
            Ctx { catalog, regions: with_names(ctx.regions.clone(), &[west]), ..ctx }
        });
        let bot = Bot::with(Setup { rows: 100, wrap: Some(wrap), ..Setup::default() }).await;
        Self { bot }
    }

    /// A fresh request for this case.
    async fn asked(&self, case: &Case) -> Request {
        let line = match case.word {
            Some(_) => "fail-over west drill".to_owned(),
            None => {
                let file = format!("day-{}.csv", case.n);
                std::fs::copy(self.bot.path("input/sales.csv"), self.bot.path(&format!("input/{file}"))).unwrap();
                format!("start-batch sales {file}")
            }
        };
        self.bot.operator().says(&line).await;
        self.bot.request().await
    }

    async fn now(&self, request: &Request) -> Request {
        load(self.bot.ports().store.as_ref(), &request_key(&request.id)).await.unwrap().unwrap()
    }

    /// Brings the request to where the case wants it.
    async fn brought_to(&self, case: &Case, request: &Request) {
        let approve = format!("approve {} {}{REASON}", request.id, if case.word.is_some() { "west " } else { "" });
        match (case.before, case.word) {
            (Before::Open, _) => {}
            (Before::OneCounted, _) => self.bot.approver().says(&approve).await,
            (Before::Decided, None) => {
                self.bot.approver().says(&approve).await;
                self.bot.approver2().says(&approve).await;
            }
            (Before::Decided, Some(_)) => self.bot.approver2().says(&format!("deny {} {REASON}", request.id)).await,
            (Before::Expired, _) => {
                self.bot.clock.advance(OVER);
                self.bot.settle().await;
            }
        }
    }

    fn card(&self, request: &Request) -> Message {
        let about = |card: &Message| self.bot.slack.read(card).contains(request.id.as_str());
        self.bot.cards().into_iter().find(about).expect("the request has its message")
    }

    /// The whole case on one way; `None`: this way does not lead there.
    async fn end(&self, case: &Case, way: Way) -> Option<End> {
        let asked = self.asked(case).await;
        if way == Way::EarlyForm {
            self.click(case, &asked).await;
            if !self.form_is_open(case) {
                self.away(&asked).await;
                return None;
            }
        }
        self.brought_to(case, &asked).await;
        let before = self.bot.audit().await.len();
        let unsent = match way {
            Way::Text => {
                assert!(self.bot.person(case.by).types(&case.line(&asked)).await.is_ok());
                Vec::new()
            }
            Way::Form => {
                self.click(case, &asked).await;
                if self.form_is_open(case) { self.submit(case).await } else { self.refused_at_the_click(case) }
            }
            Way::EarlyForm => self.submit(case).await,
            Way::CommandLine => self.publish(case, &asked).await,
        };
        self.bot.settle().await;
        let votes = ["approve", "deny", "break-glass"];
        let records = self.bot.audit().await.split_off(before);
        let mut codes: Vec<String> =
            records.into_iter().filter(|r| votes.contains(&r.draft.action.as_str())).map(|r| r.draft.result).collect();
        assert!(codes.len() <= 1, "{case:?} by {way:?} has one record: {codes:?}");
        let was_sent = unsent.is_empty();
        if codes.is_empty() {
            codes = unsent;
        }
        let request = self.now(&asked).await;
        let counted = request.decisions.iter().map(|d| (d.by.user.to_string(), d.verdict)).collect();
        let end = End { state: request.state, counted, ran: request.run.is_some(), codes, unsent: !was_sent };
        self.away(&asked).await;
        Some(end)
    }

    /// The next case finds nothing waiting.
    async fn away(&self, request: &Request) {
        for who in VOTERS {
            while let Some(view) = self.bot.person(who).modal() {
                self.bot.slack.close(who, &view.id, true).await;
            }
        }
        if self.now(request).await.is_open() {
            self.bot.operator().says(&format!("deny {} no longer", request.id)).await;
        }
    }

    async fn click(&self, case: &Case, request: &Request) {
        let act = Act::click(&self.card(request).ts, case.button()).stale();
        assert!(self.bot.person(case.by).acts(&act).await.is_ok(), "{case:?}");
        self.bot.settle().await;
    }

    fn form_is_open(&self, case: &Case) -> bool {
        self.bot.person(case.by).reads_modal().contains("Digest")
    }

    /// Fills the form in; what was said beside its fields.
    async fn submit(&self, case: &Case) -> Vec<String> {
        let confirm = case.typed_word().map(|word| json!({"confirm": word}));
        let mut values = confirm.unwrap_or_else(|| json!({}));
        if let Some(reason) = case.reason() {
            values["reason"] = reason.into();
        }
        let ack: Ack = self.bot.person(case.by).submits(values).await;
        let beside = |field: &str| match field {
            "reason" => "reason-needed".to_owned(),
            "confirm" => "confirmation-needed".to_owned(),
            other => panic!("{case:?}: {other} is wrong"),
        };
        ack.errors.iter().map(|(field, _)| beside(field)).collect()
    }

    /// What the click was answered with instead of a form; nothing where the audit trail has it.
    fn refused_at_the_click(&self, case: &Case) -> Vec<String> {
        let said = self.bot.person(case.by).reads_modal();
        let known = [
            ("Already decided.", "decided-before"),
            ("Already counted.", "counted-before"),
            ("Too late.", "request-expired"),
            ("whoever asked does not count", "own-request"),
            ("You may not decide about", "not-an-approver"),
            ("Nobody may break the glass", "no-break-glass"),
        ];
        let code = known.iter().find(|(words, _)| said.contains(words));
        assert!(code.is_some() || said.is_empty(), "{case:?}: {said}");
        code.map(|(_, code)| (*code).to_owned()).into_iter().collect()
    }

    /// What `switchman approve` does once a code was accepted: the same check first, the same envelope then.
    async fn publish(&self, case: &Case, asked: &Request) -> Vec<String> {
        if case.by == STRANGER {
            return vec!["not-listed".to_owned()];
        }
        let (request, now) = (self.now(asked).await, self.bot.clock.now());
        let (team, user) = (TeamId::parse("T0LOCAL").unwrap(), UserId::parse(case.by).unwrap());
        let actor = Actor { team, user, name: case.by.to_owned() };
        let (reason, confirmed) = (case.reason().map(str::to_owned), case.typed_word().map(str::to_owned));
        let ballot = Ballot {
            by: actor.clone(),
            verdict: case.verdict,
            reason: reason.clone(),
            digest: None,
            confirmed: confirmed.clone(),
            break_glass: case.break_glass,
            stepped_up: true,
        };
        let rights = Rights { may_vote: true, may_break_glass: true, lost_rights: Vec::new() };
        if let Err(refusal) = request.cast(&ballot, &rights, now) {
            return vec![refusal.code().to_owned()];
        }
        let digest = Some(request.digest.clone());
        let proof = Proof { digest, confirmed, break_glass: case.break_glass, stepped_up: true };
        let channel = ChannelId::parse(CHANNEL).unwrap();
        let origin = Origin { actor, channel, response_url: None, permitted: Vec::new(), proof: Some(proof) };
        let id = request.id;
        let key = EnvelopeId::parse(format!("cli:{id}:{}", case.n)).unwrap();
        let command = match case.verdict {
            Verdict::Approve => Command::Approve { request: id, words: reason },
            Verdict::Deny => Command::Deny { request: id, reason },
        };
        let event = Event::Asked { origin, command };
        let envelope = Envelope { id: key.clone(), key, issued_at: now, event };
        self.bot.ports().bus.publish(envelope).await.unwrap();
        Vec::new()
    }
}

/// Whether the header names the difference.
fn by_design(way: Way, text: &End, end: &End) -> bool {
    let about_rights = ["no-rule", "not-listed", "not-an-approver"].contains(&text.codes[0].as_str());
    let about_time = ["decided-before", "counted-before", "request-expired"].contains(&text.codes[0].as_str());
    match way {
        Way::Text => false,
        Way::CommandLine => end.unsent && about_rights,
        Way::Form | Way::EarlyForm => {
            let missing = ["reason-needed", "confirmation-needed"].contains(&end.codes[0].as_str());
            way == Way::EarlyForm && end.unsent && about_time && missing
        }
    }
}

/// All cases on one way, in a world of their own.
async fn ends(cases: &[Case], way: Way) -> Vec<Option<End>> {
    let world = World::new().await;
    let mut ends = Vec::new();
    for case in cases {
        ends.push(world.end(case, way).await);
    }
    world.bot.finish().await;
    ends
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn heavy_the_same_vote_is_the_same_decision_on_every_way() {
    println!("same decision: seed {SEED:#x}, {CASES} cases");
    let mut dice = Dice(SEED);
    let cases: Vec<Case> = (0..CASES).map(|n| Case::generated(n, &mut dice)).collect();
    let (typed, form, early, command_line) = tokio::join!(
        ends(&cases, Way::Text),
        ends(&cases, Way::Form),
        ends(&cases, Way::EarlyForm),
        ends(&cases, Way::CommandLine)
    );
    let mut table: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (way, ends) in [(Way::Form, form), (Way::EarlyForm, early), (Way::CommandLine, command_line)] {
        for ((case, text), end) in cases.iter().zip(&typed).zip(ends) {
            let (text, Some(end)) = (text.as_ref().unwrap(), end) else { continue };
            let same = (text.state, &text.counted, text.ran) == (end.state, &end.counted, end.ran);
            let how = match (end.codes.contains(&text.codes[0]), by_design(way, text, &end)) {
                (true, _) if end.unsent => "the same, before it was sent",
                (true, _) => "the same",
                (false, true) => "another refusal, by design",
                (false, false) => "different",
            };
            *table.entry((format!("{way:?}: {}", text.codes[0]), how)).or_default() += 1;
            if !same || how == "different" {
                wrong.push(format!("{way:?} {case:?}\n  typed: {text:?}\n  here: {end:?}"));
            }
        }
    }
    for ((what, how), count) in &table {
        println!("{count:>4}  {what}: {how}");
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
    let came = |code: &str| typed.iter().flatten().any(|end| end.codes[0] == code);
    for code in ["done", "waiting for approval", "denied", "own-request", "not-an-approver", "no-rule", "not-listed"] {
        assert!(came(code), "{code} came about");
    }
    for code in ["counted-before", "decided-before", "request-expired", "reason-needed", "confirmation-needed"] {
        assert!(came(code), "{code} came about");
    }
}
