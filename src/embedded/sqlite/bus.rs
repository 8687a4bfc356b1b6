//! [`Bus`] on SQLite.

use super::commit::json;
use super::errors::Fault;
use super::writer::{Group, Parts};
use super::{Sqlite, after, limit, micros, statements as sql, time};
use crate::domain::envelope::Envelope;
use crate::ports::{Bus, DeadLetter, Delivery, PortError, Published};
use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, Row, params};
use std::time::Duration;
use tokio::time::Instant;

/// How often somebody who waits looks for what nobody tells them about: messages of other processes, leases and delays that end.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[async_trait]
impl Bus for Sqlite {
    async fn publish(&self, envelope: Envelope) -> Result<Published, PortError> {
        let body = json(&envelope)?;
        let now = micros(self.clock.now());
        let work = move |group: &mut Group<'_>| {
            if !group.keys.add(group.connection, envelope.key.as_str())? {
                return Ok(false);
            }
            let values = params![envelope.key.as_str(), envelope.id.as_str(), body, now];
            let published = group.connection.prepare_cached(sql::BUS_PUBLISH)?.execute(values);
            if published.is_err() {
                group.keys.forget(envelope.key.as_str());
            }
            published?;
            group.keys.published(group.connection.last_insert_rowid());
            Ok(true)
        };
        if !self.writer.write("could not publish", Parts::One, work).await? {
            return Ok(Published::Duplicate);
        }
        self.news.notify_waiters();
        Ok(Published::New)
    }

    async fn take(&self, max: usize, lease: Duration, wait: Duration) -> Result<Vec<Delivery>, PortError> {
        let end = Instant::now() + wait;
        let mut look = true;
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // From here on nothing that is published is missed.
            news.as_mut().enable();
            if look || self.something_is_due().await? {
                let deliveries = self.take_now(max, lease).await?;
                if !deliveries.is_empty() {
                    return Ok(deliveries);
                }
            }
            let now = Instant::now();
            if now >= end || max == 0 {
                return Ok(Vec::new());
            }
            look = tokio::time::timeout_at(end.min(now + LOOK_AGAIN), news).await.is_ok();
        }
    }

    async fn ack(&self, delivery: &Delivery) -> Result<(), PortError> {
        let held = Held::new(delivery)?;
        let now = micros(self.clock.now());
        let work = move |group: &mut Group<'_>| {
            let values = params![held.seq, held.lease, held.key, now];
            if group.connection.prepare_cached(sql::BUS_ACK)?.execute(values)? == 1 {
                group.count_handled();
            }
            Ok(())
        };
        self.writer.write("could not acknowledge a message", Parts::One, work).await
    }

    async fn retry(&self, delivery: &Delivery, delay: Duration, why: &str) -> Result<(), PortError> {
        let due = after(self.clock.now(), delay);
        self.let_go(sql::BUS_RETRY, Held::new(delivery)?, due, why).await?;
        self.news.notify_waiters();
        Ok(())
    }

    async fn bury(&self, delivery: &Delivery, why: &str) -> Result<(), PortError> {
        self.let_go(sql::BUS_BURY, Held::new(delivery)?, micros(self.clock.now()), why).await
    }

    async fn dead(&self, max: usize) -> Result<Vec<DeadLetter>, PortError> {
        let query = move |connection: &rusqlite::Connection| {
            let mut statement = connection.prepare_cached(sql::BUS_DEAD)?;
            let rows = statement.query_map([limit(max)], |row| {
                Ok(DeadLetter {
                    id: lossy(row, 0)?,
                    body: lossy(row, 1)?,
                    why: lossy(row, 2)?,
                    attempts: row.get(3)?,
                    buried_at: time(row.get(4)?),
                })
            })?;
            Ok(rows.collect::<Result<Vec<_>, _>>()?)
        };
        self.readers.read("could not list dead letters", query).await
    }

    async fn replay(&self, id: &str) -> Result<bool, PortError> {
        let id = id.to_owned();
        let now = micros(self.clock.now());
        let work = move |group: &mut Group<'_>| {
            Ok(group.connection.prepare_cached(sql::BUS_REPLAY)?.execute(params![id, now])? > 0)
        };
        let replayed = self.writer.write("could not replay a dead letter", Parts::One, work).await?;
        self.news.notify_waiters();
        Ok(replayed)
    }

    async fn depth(&self) -> Result<u64, PortError> {
        let query = |connection: &rusqlite::Connection| {
            let count: i64 = connection.prepare_cached(sql::BUS_DEPTH)?.query_row([], |row| row.get(0))?;
            Ok(count.cast_unsigned())
        };
        self.readers.read("could not count the bus", query).await
    }
}

impl Sqlite {
    async fn something_is_due(&self) -> Result<bool, PortError> {
        let now = micros(self.clock.now());
        let query = move |connection: &rusqlite::Connection| {
            let next: Option<i64> =
                connection.prepare_cached(sql::BUS_NEXT_DUE)?.query_row([], |row| row.get(0)).optional()?;
            Ok(next.is_some_and(|due| due <= now))
        };
        self.readers.read("could not look at the bus", query).await
    }

    async fn take_now(&self, max: usize, lease: Duration) -> Result<Vec<Delivery>, PortError> {
        let now = self.clock.now();
        let work = move |group: &mut Group<'_>| take(group, now, lease, max);
        let taken = self.writer.write("could not take from the bus", Parts::Many, work).await?;
        let mut deliveries = Vec::with_capacity(taken.len());
        for message in taken {
            match message.read() {
                Ok(envelope) => {
                    let receipt = format!("{}.{}", message.held.seq, message.held.lease);
                    deliveries.push(Delivery { envelope, attempts: message.attempts, receipt });
                }
                Err(error) => {
                    tracing::error!(key = message.held.key, %error, "a message cannot be read and is buried");
                    self.let_go(sql::BUS_BURY, message.held, micros(now), &error).await?;
                }
            }
        }
        Ok(deliveries)
    }

    /// Ends a lease without the message being handled: it is due again, or buried, at `at`.
    async fn let_go(&self, sql: &'static str, held: Held, at: i64, why: &str) -> Result<(), PortError> {
        let why = why.to_owned();
        let work = move |group: &mut Group<'_>| {
            group.connection.prepare_cached(sql)?.execute(params![held.seq, held.lease, held.key, at, why])?;
            Ok(())
        };
        self.writer.write("could not give a message back", Parts::One, work).await
    }
}

/// A message and the lease it is held under.
struct Held {
    seq: i64,
    lease: i64,
    key: String,
}

impl Held {
    fn new(delivery: &Delivery) -> Result<Self, PortError> {
        let numbers = delivery.receipt.split_once('.').and_then(|(s, l)| Some((s.parse().ok()?, l.parse().ok()?)));
        let (seq, lease) = numbers.ok_or_else(|| PortError::permanent("the receipt is not one of this bus"))?;
        Ok(Self { seq, lease, key: delivery.envelope.key.to_string() })
    }
}

struct Taken {
    held: Held,
    body: String,
    attempts: u32,
}

impl Taken {
    fn read(&self) -> Result<Envelope, String> {
        let envelope: Envelope =
            serde_json::from_str(&self.body).map_err(|error| format!("the message cannot be read: {error}"))?;
        if envelope.key.as_str() == self.held.key {
            Ok(envelope)
        } else {
            Err("the message does not bear the key it was published under".to_owned())
        }
    }
}

fn take(group: &Group<'_>, now: Timestamp, lease: Duration, max: usize) -> Result<Vec<Taken>, Fault> {
    let mut statement = group.connection.prepare_cached(sql::BUS_READY)?;
    let rows = statement.query_map([micros(now), limit(max)], |row| {
        let held = Held { seq: row.get(0)?, lease: 0, key: lossy(row, 1)? };
        Ok(Taken { held, body: lossy(row, 2)?, attempts: row.get::<_, u32>(3)?.saturating_add(1) })
    })?;
    let mut taken = rows.collect::<Result<Vec<_>, _>>()?;
    if taken.is_empty() {
        return Ok(taken);
    }
    let (number, end) = (group.next_lease()?, after(now, lease));
    for message in &mut taken {
        message.held.lease = number;
        group.connection.prepare_cached(sql::BUS_TAKE)?.execute([message.held.seq, end, number])?;
    }
    Ok(taken)
}

/// A text that need not be readable: a damaged one must still be found, shown and buried.
fn lossy(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(String::from_utf8_lossy(row.get_ref(column)?.as_bytes().unwrap_or_default()).into_owned())
}
