//! The one thread that writes. All work that waits goes into one transaction, so that one fsync serves everybody;
//! callers are answered after it, never before.

use super::checkpoint::Checkpointer;
use super::errors::{Failure, Fault, port_error};
use super::head::{HeadKeeper, Verdict};
use super::keys::Keys;
use super::statements as sql;
use crate::domain::audit::{AuditDraft, AuditHead};
use crate::ports::{Clock, Kind, PortError};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

/// The most work one transaction takes: bounds its length, so that other processes get their turn.
const GROUP: usize = 256;
/// How long the key of a handled message stays known.
const KEYS_KEPT: jiff::SignedDuration = jiff::SignedDuration::from_mins(15);

/// Whether a piece of work must be undone by itself when it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// A single statement, which SQLite undoes by itself.
    One,
    /// Several: they get a savepoint.
    Many,
}

/// The transaction as one piece of work sees it.
pub(super) struct Group<'c> {
    pub(super) connection: &'c Connection,
    /// The keys that the bus knows.
    pub(super) keys: &'c mut Keys,
    /// The newest audit record, once somebody has asked for it in this transaction.
    head: Option<AuditHead>,
    /// Messages that were acknowledged in this transaction.
    handled: usize,
}

/// The sending side; dropping the last one ends the thread once it has answered everybody.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Work>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(
        connection: Connection,
        keeper: HeadKeeper,
        checkpointer: Checkpointer,
        clock: Arc<dyn Clock>,
    ) -> std::io::Result<Self> {
        let (jobs, queue) = mpsc::channel(4096);
        let runtime = tokio::runtime::Handle::try_current().ok();
        let worker = Worker { connection, keeper, checkpointer, clock, keys: Keys::default(), runtime };
        std::thread::Builder::new().name("store-writer".into()).spawn(move || worker.run(queue))?;
        Ok(Self { jobs })
    }

    /// Does `work` inside the next transaction and answers once that is on the disk. `doing` begins the text of an error.
    pub(super) async fn write<T, F>(&self, doing: &'static str, parts: Parts, work: F) -> Result<T, PortError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Group<'_>) -> Result<T, Fault> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let task = Task { doing, parts, work: Some(work), outcome: None, reply };
        let stopped = "the store's writer has stopped";
        self.jobs.send(Box::new(task)).await.map_err(|_| PortError::transient(stopped))?;
        answer.await.map_err(|_| PortError::new(Kind::Ambiguous, stopped))?
    }
}

impl Group<'_> {
    /// Appends records to the audit trail. The last thing a piece of work does: nothing may fail after it.
    pub(super) fn audit(&mut self, drafts: Vec<(AuditDraft, String)>) -> rusqlite::Result<()> {
        if drafts.is_empty() {
            return Ok(());
        }
        let mut head = match self.head.take() {
            Some(head) => head,
            None => self.last_record()?,
        };
        let undo = head.clone();
        for (draft, json) in drafts {
            let record = head.append(draft);
            let values = params![record.seq.cast_signed(), record.previous, record.hash, json];
            if let Err(error) = self.connection.prepare_cached(sql::AUDIT_APPEND)?.execute(values) {
                self.head = Some(undo);
                return Err(error);
            }
            head = record.head();
        }
        self.head = Some(head);
        Ok(())
    }

    /// Counts a message as handled: as many old ones are forgotten in the same transaction, so that there is never a long sweep.
    pub(super) fn count_handled(&mut self) {
        self.handled += 1;
    }

    /// A number that no taking of a message or an item had before, in any process.
    pub(super) fn next_lease(&self) -> rusqlite::Result<i64> {
        self.connection.prepare_cached(sql::NEXT_LEASE)?.query_row([], |row| row.get(0))
    }

    /// Read within the transaction, because another process may have appended since ours.
    fn last_record(&self) -> rusqlite::Result<AuditHead> {
        let head = self
            .connection
            .prepare_cached(sql::AUDIT_LAST)?
            .query_row([], |row| Ok(AuditHead { seq: row.get::<_, i64>(0)?.cast_unsigned(), hash: row.get(1)? }));
        Ok(head.optional()?.unwrap_or_else(AuditHead::empty))
    }

    fn forget_old_keys(&mut self, now: Timestamp) -> rusqlite::Result<()> {
        if self.handled > 0 {
            let before = now.saturating_sub(KEYS_KEPT).unwrap_or(Timestamp::MIN).as_microsecond();
            let most = i64::try_from(self.handled * 2).unwrap_or(i64::MAX);
            let mut statement = self.connection.prepare_cached(sql::BUS_FORGET)?;
            let mut forgotten = statement.query([before, most])?;
            while let Some(row) = forgotten.next()? {
                self.keys.forget(&row.get::<_, String>(0)?);
            }
        }
        Ok(())
    }
}

/// A piece of work and whoever waits for it.
pub(super) trait Work: Send {
    /// Does it inside the transaction; `false`: it must be undone.
    fn apply(&mut self, group: &mut Group<'_>) -> bool;
    fn parts(&self) -> Parts;
    /// Tells the caller. A failed transaction overrides the outcome: what the work saw may never have happened.
    fn answer(self: Box<Self>, verdict: Result<(), &Failure>);
}

struct Task<T, F> {
    doing: &'static str,
    parts: Parts,
    work: Option<F>,
    outcome: Option<Result<T, PortError>>,
    reply: oneshot::Sender<Result<T, PortError>>,
}

impl<T, F> Task<T, F> {
    fn explain(&self, fault: Fault) -> PortError {
        if let Fault::Sqlite(error) = &fault {
            tracing::error!(%error, doing = self.doing, "a statement failed");
        }
        port_error(self.doing, fault)
    }
}

impl<T, F> Work for Task<T, F>
where
    T: Send,
    F: FnOnce(&mut Group<'_>) -> Result<T, Fault> + Send,
{
    fn apply(&mut self, group: &mut Group<'_>) -> bool {
        let outcome = self.work.take().map(|work| work(group).map_err(|fault| self.explain(fault)));
        let good = matches!(outcome, Some(Ok(_)));
        self.outcome = outcome;
        good
    }

    fn parts(&self) -> Parts {
        self.parts
    }

    fn answer(self: Box<Self>, verdict: Result<(), &Failure>) {
        let outcome = match (verdict, self.outcome) {
            (Err(failure), _) => Err(failure.to_port_error()),
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => return,
        };
        // A caller that has gone away needs no answer.
        drop(self.reply.send(outcome));
    }
}

struct Worker {
    connection: Connection,
    keeper: HeadKeeper,
    checkpointer: Checkpointer,
    clock: Arc<dyn Clock>,
    keys: Keys,
    /// Where the callers wait, if the store was opened there.
    runtime: Option<tokio::runtime::Handle>,
}

impl Worker {
    fn run(mut self, mut queue: mpsc::Receiver<Box<dyn Work>>) {
        let mut waiting = Vec::with_capacity(GROUP);
        while queue.blocking_recv_many(&mut waiting, GROUP) > 0 {
            let works = waiting.len();
            match self.transaction(&mut waiting) {
                Ok(None) => self.answer(std::mem::take(&mut waiting)),
                Ok(Some((head, audited))) => {
                    let (mut records, mut others) = (Vec::new(), Vec::new());
                    for (work, audited) in waiting.drain(..).zip(audited) {
                        if audited { records.push(work) } else { others.push(work) }
                    }
                    self.keeper.keep(Verdict { head, work: records });
                    self.answer(others);
                }
                Err(failure) => {
                    tracing::error!(error = %failure.to_port_error(), works = waiting.len(), "a transaction failed");
                    waiting.drain(..).for_each(|work| work.answer(Err(&failure)));
                }
            }
            self.checkpointer.wrote(works, &self.connection);
        }
    }

    /// Answers callers whose work is on the disk. From this thread each of them would have to be woken by itself, which costs more than
    /// the rest of their work: the runtime is woken once and does it.
    fn answer(&self, works: Vec<Box<dyn Work>>) {
        let answer = move || works.into_iter().for_each(|work| work.answer(Ok(())));
        match &self.runtime {
            Some(runtime) => drop(runtime.spawn(async move { answer() })),
            None => answer(),
        }
    }

    /// One transaction over all of `works`. `Some`: the new audit head, and which works added to the trail.
    fn transaction(&mut self, works: &mut [Box<dyn Work>]) -> Result<Option<(AuditHead, Vec<bool>)>, Failure> {
        let mut keys = std::mem::take(&mut self.keys);
        let done = self.transaction_with(&mut keys, works);
        keys.settle(done.is_ok());
        self.keys = keys;
        done
    }

    fn transaction_with(
        &self,
        keys: &mut Keys,
        works: &mut [Box<dyn Work>],
    ) -> Result<Option<(AuditHead, Vec<bool>)>, Failure> {
        self.execute("BEGIN IMMEDIATE").map_err(|e| Failure::new("could not begin to write", e))?;
        let mut group = Group { connection: &self.connection, keys, head: None, handled: 0 };
        let done = self.apply(&mut group, works).and_then(|audited| {
            group.forget_old_keys(self.clock.now()).map_err(|e| Failure::new("could not write", e))?;
            self.execute("COMMIT").map_err(Failure::at_commit)?;
            Ok(audited)
        });
        if done.is_err() && !self.connection.is_autocommit() {
            // Where even this fails, the next BEGIN says so.
            drop(self.execute("ROLLBACK"));
        }
        let audited = done?;
        Ok(group.head.map(|head| (head, audited)))
    }

    fn apply(&self, group: &mut Group<'_>, works: &mut [Box<dyn Work>]) -> Result<Vec<bool>, Failure> {
        let failed = |e| Failure::new("could not write", e);
        let mut audited = Vec::with_capacity(works.len());
        for work in works {
            let before = group.head.as_ref().map(|head| head.seq);
            let savepoint = work.parts() == Parts::Many;
            if savepoint {
                self.execute("SAVEPOINT work").map_err(failed)?;
            }
            let good = work.apply(group);
            if self.connection.is_autocommit() {
                return Err(Failure::undone());
            }
            if savepoint && !good {
                self.execute("ROLLBACK TO work").map_err(failed)?;
            }
            if savepoint {
                self.execute("RELEASE work").map_err(failed)?;
            }
            audited.push(good && group.head.as_ref().map(|head| head.seq) != before);
        }
        Ok(audited)
    }

    fn execute(&self, statement: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }
}
