//! Copying from the active region to the others, one step at a time.

use super::Inner;
use super::pair::{Pair, Unit};
use super::record;
use super::region::Region;
use super::sandbox;
use crate::batch;
use crate::domain::failover::FailOver;
use crate::domain::id::RegionName;
use crate::domain::region::{Active, Replication};
use crate::embedded::engine::io;
use crate::ports::{PortError, load, move_key};
use jiff::Timestamp;
use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// One process at a time copies.
const LOCK: &str = "replication.lock";

/// What is remembered between two steps.
pub(super) struct Replicator {
    lock: PathBuf,
    lag: AtomicU64,
    memory: Mutex<Memory>,
}

#[derive(Default)]
struct Memory {
    pairs: HashMap<(RegionName, RegionName), Pair>,
    /// The epoch up to which the old attempts of a region were ended.
    settled: HashMap<RegionName, u64>,
    swept: bool,
}

impl Replicator {
    pub(super) fn new(data: &Path, lag: Duration) -> Self {
        let own = Self { lock: data.join(LOCK), lag: AtomicU64::new(0), memory: Mutex::default() };
        own.set_lag(lag);
        own
    }

    pub(super) fn set_lag(&self, lag: Duration) {
        self.lag.store(u64::try_from(lag.as_millis()).unwrap_or(u64::MAX), SeqCst);
    }

    pub(super) fn lag(&self) -> Duration {
        Duration::from_millis(self.lag.load(SeqCst))
    }

    /// A region went, or is there again: then what it did alone is seen to.
    pub(super) fn reached(&self, region: &RegionName) {
        self.memory().settled.remove(region);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alone(&self) -> std::io::Result<Option<File>> {
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(&self.lock)?;
        Ok(lock.try_lock().is_ok().then_some(lock))
    }
}

impl Memory {
    fn pair(&mut self, from: &Arc<Region>, to: &Arc<Region>, epoch: u64) -> &mut Pair {
        let key = (from.name.clone(), to.name.clone());
        let fresh = || Pair::new(from.clone(), to.clone(), epoch);
        let pair = self.pairs.entry(key).or_insert_with(fresh);
        if pair.epoch != epoch {
            *pair = fresh();
        }
        pair
    }
}

/// One step; gives how many files arrived.
pub(super) fn step(inner: &Inner) -> Result<u64, PortError> {
    let active = inner.record.wait_read()?;
    let Some(alone) = inner.replicator.alone().map_err(|e| io("could not lock the copying", e))? else { return Ok(0) };
    let mut memory = inner.replicator.memory();
    if !memory.swept {
        memory.swept = true;
        sweep(inner);
    }
    settle(inner, &mut memory, &active);
    let from = inner.known(&active.region)?;
    let mut came = 0;
    for to in inner.regions.iter().filter(|to| to.name != from.name) {
        if from.gate.is_open() && to.gate.is_open() {
            came += bring(inner, memory.pair(from, to, active.epoch), from, to)?;
        }
    }
    drop(alone);
    Ok(came)
}

/// Copies what has waited long enough.
fn bring(inner: &Inner, pair: &mut Pair, from: &Region, to: &Region) -> Result<u64, PortError> {
    let (now, lag) = (inner.clock.now(), inner.replicator.lag());
    pair.scan(now)?;
    let is_due = |since: Timestamp| since.saturating_add(lag).is_ok_and(|due| due <= now);
    let due = pair.waiting.iter().filter(|(_, waiting)| is_due(waiting.since)).map(|(unit, _)| unit.clone());
    let due: Vec<Unit> = due.collect();
    let mut came = 0;
    for unit in due {
        // No region becomes active while a copy is written into it, and none is written into it afterwards.
        let Ok(_permit) = inner.record.permit(&from.gate, pair.epoch) else { break };
        if !to.gate.is_open() {
            break;
        }
        match pair.copy(&unit) {
            Ok(files) => came += files,
            // It changed under our hands, or the disk had a bad moment: the next step tries again.
            Err(error) => tracing::debug!(?unit, %error, "a copy is tried again"),
        }
    }
    if came > 0 {
        pair.scan(now)?;
    }
    Ok(came)
}

/// How far `to` is behind `from`, looked at now.
pub(super) fn measure(inner: &Inner, from: &RegionName, to: &RegionName) -> Result<Replication, PortError> {
    let (from, to) = (inner.known(from)?, inner.known(to)?);
    let active = inner.record.wait_read()?;
    let mut memory = inner.replicator.memory();
    if active.region != from.name || !from.gate.is_open() || !to.gate.is_open() {
        let pair = memory.pairs.get(&(from.name.clone(), to.name.clone()));
        let complete_at = pair.and_then(|pair| pair.complete_at);
        return Ok(Replication { complete_at, ..Replication::default() });
    }
    let now = inner.clock.now();
    let pair = memory.pair(from, to, active.epoch);
    pair.scan(now)?;
    Ok(pair.behind(now))
}

/// What a region began under an epoch that is over will never be published: where nobody works on it, it ends and says so.
fn settle(inner: &Inner, memory: &mut Memory, active: &Active) {
    for region in inner.regions.iter().filter(|region| region.name != active.region && region.gate.is_open()) {
        if memory.settled.get(&region.name) == Some(&active.epoch) {
            continue;
        }
        match settle_one(region, active) {
            Ok(true) => drop(memory.settled.insert(region.name.clone(), active.epoch)),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, region = %region.name, "attempts of an epoch that is over could not be ended");
            }
        }
    }
}

/// `false`: something is being worked on, and may still be left unfinished.
fn settle_one(region: &Region, active: &Active) -> Result<bool, PortError> {
    let mut idle = true;
    let keys = region.attempts.keys(&mut None).map_err(|e| io("could not list the attempts", e))?;
    for key in keys.unwrap_or_default() {
        if region.attempts.ended(&key)?.is_some() {
            continue;
        }
        if batch::is_running(&region.attempts.dir(&key)) {
            idle = false;
            continue;
        }
        let Some(request) = region.attempts.request(&key)? else { continue };
        let own = request.region.as_ref() == Some(&region.name);
        if own && request.epoch.is_some_and(|epoch| epoch < active.epoch) {
            region.attempts.end_fenced(&key, record::over(active))?;
        }
    }
    Ok(idle)
}

/// Sandboxes that a drill has left which is over.
fn sweep(inner: &Inner) {
    for region in &inner.regions {
        for id in sandbox::left(region) {
            let record = inner.record.wait(load::<FailOver>(inner.store.as_ref(), &move_key(&id)));
            let over = matches!(record, Ok(None)) || matches!(record, Ok(Some(record)) if !record.is_open());
            if over && let Err(error) = sandbox::remove(region, &id) {
                tracing::warn!(%error, %id, "the sandbox of a drill that is over could not be removed");
            }
        }
    }
}
