//! Ports that fail at the n-th call, or at which the process dies: before the call does anything, or after it did everything.

use super::regions::with_sites;
use async_trait::async_trait;
use jiff::Timestamp;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use switchman::domain::audit::{AuditHead, AuditRecord};
use switchman::domain::envelope::Envelope;
use switchman::domain::id::{EnvelopeId, FileName, JobName, RegionName, RequestId, RunId, TeamId, UserId};
use switchman::domain::region::{Active, Replication};
use switchman::domain::reply::Reply;
use switchman::domain::run::{AttemptKey, Input, Run};
use switchman::domain::task::{TaskAnswer, TaskToken};
use switchman::ports::{
    Age, Artifact, ArtifactKind, BotIdentity, Bus, Chat, Commit, DeadLetter, Deadline, Delivery, Engine, Execution,
    Files, GivenUp, Kind, Member, MessageRef, OutboxItem, Person, PortError, Published, Regions, RejectPage, RunQuery,
    Settled, Site, StartRun, Store, StoredRecord, Target,
};
use switchman::processor::Ctx;
use tokio::sync::Notify;

/// What happens at the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Blow {
    /// It fails and does nothing.
    Fails,
    /// It is done, and its answer is lost.
    AnswerLost,
    /// The process dies before it is done.
    DiesBefore,
    /// The process dies once it is done.
    DiesAfter,
}

/// A blow at the n-th call from when it was armed.
pub(crate) struct Faults {
    blow: Blow,
    /// Calls until the blow; 0: not armed, or over.
    left: AtomicU64,
    struck: Mutex<Option<&'static str>>,
    dead: AtomicBool,
    died: Notify,
}

/// Whether a lost answer leaves it open if something was done.
#[derive(Clone, Copy)]
enum Nature {
    Reads,
    Writes,
}

impl Faults {
    pub(crate) fn new(blow: Blow) -> Arc<Self> {
        Arc::new(Self {
            blow,
            left: AtomicU64::new(0),
            struck: Mutex::default(),
            dead: AtomicBool::new(false),
            died: Notify::new(),
        })
    }

    /// The n-th call from now on is hit.
    pub(crate) fn arm(&self, n: u64) {
        self.left.store(n, SeqCst);
    }

    /// The call that was hit.
    pub(crate) fn struck(&self) -> Option<&'static str> {
        *self.struck.lock().unwrap()
    }

    /// Ends when the process has died.
    pub(crate) async fn died(&self) {
        let died = self.died.notified();
        if !self.dead.load(SeqCst) {
            died.await;
        }
    }

    pub(crate) fn is_dead(&self) -> bool {
        self.dead.load(SeqCst)
    }

    /// Puts itself between the core and its ports.
    pub(crate) fn wrap(self: &Arc<Self>, ctx: Ctx) -> Ctx {
        Ctx {
            store: Arc::new(Faulty { port: ctx.store, faults: self.clone() }),
            bus: Arc::new(Faulty { port: ctx.bus, faults: self.clone() }),
            regions: self.regions(ctx.regions),
            chat: Arc::new(Faulty { port: ctx.chat, faults: self.clone() }),
            ..ctx
        }
    }

    fn regions(self: &Arc<Self>, regions: Arc<dyn Regions>) -> Arc<dyn Regions> {
        let faults = self.clone();
        let sites = with_sites(regions, move |site| Site {
            engine: Arc::new(Faulty { port: site.engine, faults: faults.clone() }),
            files: Arc::new(Faulty { port: site.files, faults: faults.clone() }),
            ..site
        });
        Arc::new(Faulty { port: sites, faults: self.clone() })
    }

    async fn call<T>(
        &self,
        name: &'static str,
        nature: Nature,
        call: impl Future<Output = Result<T, PortError>>,
    ) -> Result<T, PortError> {
        if self.dead.load(SeqCst) {
            return std::future::pending().await;
        }
        let hit = self.left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)) == Ok(1);
        if !hit {
            let answer = call.await;
            // What was under way when the process died never comes back to it.
            return if self.dead.load(SeqCst) { std::future::pending().await } else { answer };
        }
        *self.struck.lock().unwrap() = Some(name);
        match self.blow {
            Blow::Fails => Err(PortError::transient(format!("{name} failed"))),
            Blow::AnswerLost => {
                call.await?;
                let kind = match nature {
                    Nature::Reads => Kind::Transient { after: None },
                    Nature::Writes => Kind::Ambiguous,
                };
                Err(PortError::new(kind, format!("the answer of {name} was lost")))
            }
            Blow::DiesBefore => self.die().await,
            Blow::DiesAfter => {
                let _ = call.await;
                self.die().await
            }
        }
    }

    async fn die<T>(&self) -> T {
        self.dead.store(true, SeqCst);
        self.died.notify_waiters();
        std::future::pending().await
    }
}

/// A port with faults.
struct Faulty<T: ?Sized> {
    port: Arc<T>,
    faults: Arc<Faults>,
}

#[async_trait]
impl Store for Faulty<dyn Store> {
    async fn commit(&self, commit: Commit) -> Result<(), PortError> {
        self.faults.call("Store::commit", Nature::Writes, self.port.commit(commit)).await
    }

    async fn run(&self, id: &RunId) -> Result<Option<Run>, PortError> {
        self.faults.call("Store::run", Nature::Reads, self.port.run(id)).await
    }

    async fn runs(&self, query: RunQuery, max: usize) -> Result<Vec<Run>, PortError> {
        self.faults.call("Store::runs", Nature::Reads, self.port.runs(query, max)).await
    }

    async fn record(&self, key: &str) -> Result<Option<StoredRecord>, PortError> {
        self.faults.call("Store::record", Nature::Reads, self.port.record(key)).await
    }

    async fn records(&self, list: &str, max: usize) -> Result<Vec<StoredRecord>, PortError> {
        self.faults.call("Store::records", Nature::Reads, self.port.records(list, max)).await
    }

    async fn holder(&self, lock: &str) -> Result<Option<RunId>, PortError> {
        self.faults.call("Store::holder", Nature::Reads, self.port.holder(lock)).await
    }

    async fn claimed(&self, key: &EnvelopeId) -> Result<bool, PortError> {
        self.faults.call("Store::claimed", Nature::Reads, self.port.claimed(key)).await
    }

    async fn due(&self, now: Timestamp, max: usize) -> Result<Vec<Deadline>, PortError> {
        self.faults.call("Store::due", Nature::Reads, self.port.due(now, max)).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, PortError> {
        self.faults.call("Store::next_due", Nature::Reads, self.port.next_due()).await
    }

    async fn outbox_take(&self, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<OutboxItem>, PortError> {
        self.faults.call("Store::outbox_take", Nature::Reads, self.port.outbox_take(now, lease, max)).await
    }

    async fn outbox_settle(&self, item: &OutboxItem, settled: Settled) -> Result<(), PortError> {
        self.faults.call("Store::outbox_settle", Nature::Writes, self.port.outbox_settle(item, settled)).await
    }

    async fn outbox_depth(&self) -> Result<(u64, u64), PortError> {
        self.faults.call("Store::outbox_depth", Nature::Reads, self.port.outbox_depth()).await
    }

    async fn given_up(&self, max: usize) -> Result<Vec<GivenUp>, PortError> {
        self.faults.call("Store::given_up", Nature::Reads, self.port.given_up(max)).await
    }

    async fn outbox_replay(&self, key: &str) -> Result<bool, PortError> {
        self.faults.call("Store::outbox_replay", Nature::Writes, self.port.outbox_replay(key)).await
    }

    async fn receipt(&self, key: &str) -> Result<Option<MessageRef>, PortError> {
        self.faults.call("Store::receipt", Nature::Reads, self.port.receipt(key)).await
    }

    async fn audit(&self, after: u64, max: usize) -> Result<Vec<AuditRecord>, PortError> {
        self.faults.call("Store::audit", Nature::Reads, self.port.audit(after, max)).await
    }

    async fn audit_head(&self) -> Result<AuditHead, PortError> {
        self.faults.call("Store::audit_head", Nature::Reads, self.port.audit_head()).await
    }

    async fn ping(&self) -> Result<(), PortError> {
        self.faults.call("Store::ping", Nature::Writes, self.port.ping()).await
    }
}

#[async_trait]
impl Bus for Faulty<dyn Bus> {
    async fn publish(&self, envelope: Envelope) -> Result<Published, PortError> {
        self.faults.call("Bus::publish", Nature::Writes, self.port.publish(envelope)).await
    }

    async fn take(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        self.faults.call("Bus::take", Nature::Reads, self.port.take(max, lease, wait)).await
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), PortError> {
        self.faults.call("Bus::ack", Nature::Writes, self.port.ack(delivery)).await
    }

    async fn retry(&self, delivery: &Delivery, after: Duration, why: &str) -> Result<(), PortError> {
        self.faults.call("Bus::retry", Nature::Writes, self.port.retry(delivery, after, why)).await
    }

    async fn bury(&self, delivery: &Delivery, why: &str) -> Result<(), PortError> {
        self.faults.call("Bus::bury", Nature::Writes, self.port.bury(delivery, why)).await
    }

    async fn dead(&self, max: usize) -> Result<Vec<DeadLetter>, PortError> {
        self.faults.call("Bus::dead", Nature::Reads, self.port.dead(max)).await
    }

    async fn replay(&self, id: &str) -> Result<bool, PortError> {
        self.faults.call("Bus::replay", Nature::Writes, self.port.replay(id)).await
    }

    async fn depth(&self) -> Result<u64, PortError> {
        self.faults.call("Bus::depth", Nature::Reads, self.port.depth()).await
    }
}

#[async_trait]
impl Engine for Faulty<dyn Engine> {
    async fn start(&self, run: &StartRun) -> Result<(), PortError> {
        self.faults.call("Engine::start", Nature::Writes, self.port.start(run)).await
    }

    async fn describe(&self, key: &AttemptKey) -> Result<Execution, PortError> {
        self.faults.call("Engine::describe", Nature::Reads, self.port.describe(key)).await
    }

    async fn stop(&self, key: &AttemptKey) -> Result<(), PortError> {
        self.faults.call("Engine::stop", Nature::Writes, self.port.stop(key)).await
    }

    async fn answer(&self, task: &TaskAnswer) -> Result<(), PortError> {
        self.faults.call("Engine::answer", Nature::Writes, self.port.answer(task)).await
    }

    async fn heartbeat(&self, token: &TaskToken) -> Result<(), PortError> {
        self.faults.call("Engine::heartbeat", Nature::Writes, self.port.heartbeat(token)).await
    }

    async fn rejects(&self, key: &AttemptKey, skip: u64, max: usize) -> Result<RejectPage, PortError> {
        self.faults.call("Engine::rejects", Nature::Reads, self.port.rejects(key, skip, max)).await
    }
}

#[async_trait]
impl Files for Faulty<dyn Files> {
    fn input_folder(&self, job: &JobName) -> String {
        self.port.input_folder(job)
    }

    async fn inputs(&self, job: &JobName) -> Result<Vec<Input>, PortError> {
        self.faults.call("Files::inputs", Nature::Reads, self.port.inputs(job)).await
    }

    async fn put_input(&self, job: &JobName, name: &FileName, content: &[u8]) -> Result<(), PortError> {
        self.faults.call("Files::put_input", Nature::Writes, self.port.put_input(job, name, content)).await
    }

    async fn artifact(&self, key: &AttemptKey, kind: ArtifactKind) -> Result<Option<Artifact>, PortError> {
        self.faults.call("Files::artifact", Nature::Reads, self.port.artifact(key, kind)).await
    }

    async fn read(&self, artifact: &Artifact, offset: u64, max: usize) -> Result<Vec<u8>, PortError> {
        self.faults.call("Files::read", Nature::Reads, self.port.read(artifact, offset, max)).await
    }

    async fn link(&self, artifact: &Artifact, now: Timestamp, life: Duration) -> Result<String, PortError> {
        self.faults.call("Files::link", Nature::Reads, self.port.link(artifact, now, life)).await
    }
}

#[async_trait]
impl Regions for Faulty<dyn Regions> {
    fn names(&self) -> &[RegionName] {
        self.port.names()
    }

    fn site(&self, region: &RegionName) -> Option<Site> {
        self.port.site(region)
    }

    async fn active(&self) -> Result<Active, PortError> {
        self.faults.call("Regions::active", Nature::Reads, self.port.active()).await
    }

    async fn switch(&self, expected: u64, to: &RegionName) -> Result<Active, PortError> {
        self.faults.call("Regions::switch", Nature::Writes, self.port.switch(expected, to)).await
    }

    async fn replication(&self, from: &RegionName, to: &RegionName) -> Result<Replication, PortError> {
        self.faults.call("Regions::replication", Nature::Reads, self.port.replication(from, to)).await
    }

    async fn sandbox(&self, region: &RegionName, id: &RequestId) -> Result<Site, PortError> {
        self.faults.call("Regions::sandbox", Nature::Writes, self.port.sandbox(region, id)).await
    }

    async fn clear_sandbox(&self, id: &RequestId) -> Result<(), PortError> {
        self.faults.call("Regions::clear_sandbox", Nature::Writes, self.port.clear_sandbox(id)).await
    }
}

#[async_trait]
impl Chat for Faulty<dyn Chat> {
    async fn post(&self, to: &Target, reply: &Reply, mark: &str) -> Result<MessageRef, PortError> {
        self.faults.call("Chat::post", Nature::Writes, self.port.post(to, reply, mark)).await
    }

    async fn find(&self, to: &Target, mark: &str, since: Timestamp) -> Result<Option<MessageRef>, PortError> {
        self.faults.call("Chat::find", Nature::Reads, self.port.find(to, mark, since)).await
    }

    async fn update(&self, at: &MessageRef, reply: &Reply) -> Result<(), PortError> {
        self.faults.call("Chat::update", Nature::Reads, self.port.update(at, reply)).await
    }

    async fn whisper(&self, to: &Person, reply: &Reply) -> Result<(), PortError> {
        self.faults.call("Chat::whisper", Nature::Writes, self.port.whisper(to, reply)).await
    }

    async fn publish_home(&self, user: &UserId, reply: &Reply) -> Result<(), PortError> {
        self.faults.call("Chat::publish_home", Nature::Reads, self.port.publish_home(user, reply)).await
    }

    async fn attach(&self, at: &MessageRef, name: &str, content: Vec<u8>, comment: &Reply) -> Result<(), PortError> {
        self.faults.call("Chat::attach", Nature::Writes, self.port.attach(at, name, content, comment)).await
    }

    async fn member(&self, team: &TeamId, user: &UserId, age: Age) -> Result<Member, PortError> {
        self.faults.call("Chat::member", Nature::Reads, self.port.member(team, user, age)).await
    }

    async fn identity(&self) -> Result<BotIdentity, PortError> {
        self.faults.call("Chat::identity", Nature::Reads, self.port.identity()).await
    }
}
