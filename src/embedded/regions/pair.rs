//! What one region has and another has not: noticed change by change, and copied once it has waited long enough. What is complete is
//! never looked at again.

use super::region::Region;
use crate::batch::{self, Trace, ledger::ENDED};
use crate::domain::id::{FileName, JobName};
use crate::domain::region::Replication;
use crate::domain::run::AttemptKey;
use crate::embedded::engine::{self, io, unusable};
use crate::ports::PortError;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

/// What arrives at once.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Unit {
    /// Inputs come before the work on them.
    Input(JobName, FileName),
    Attempt(AttemptKey),
}

/// Since when something waits, and how many files it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    pub(super) since: Timestamp,
    pub(super) files: u64,
}

type Stamp = (u64, SystemTime);

/// The copy of the active region in another.
pub(super) struct Pair {
    from: Arc<Region>,
    to: Arc<Region>,
    /// The epoch in which it is the copy.
    pub(super) epoch: u64,
    pub(super) waiting: BTreeMap<Unit, Waiting>,
    arrived: HashMap<Unit, Stamp>,
    /// Attempts under way, and what was copied of each.
    open: HashMap<AttemptKey, Option<Trace>>,
    complete: HashSet<AttemptKey>,
    /// The folder of the attempts as it was when its list was read last, and the time before.
    listed: [Option<SystemTime>; 2],
    pub(super) complete_at: Option<Timestamp>,
}

impl Pair {
    pub(super) fn new(from: Arc<Region>, to: Arc<Region>, epoch: u64) -> Self {
        Self {
            from,
            to,
            epoch,
            waiting: BTreeMap::new(),
            arrived: HashMap::new(),
            open: HashMap::new(),
            complete: HashSet::new(),
            listed: [None; 2],
            complete_at: None,
        }
    }

    /// Notices what has changed.
    pub(super) fn scan(&mut self, now: Timestamp) -> Result<(), PortError> {
        let failed = |error| io("could not compare the regions", error);
        let mut seen = HashSet::new();
        self.scan_inputs(now, &mut seen).map_err(failed)?;
        self.list_attempts().map_err(failed)?;
        let open: Vec<_> = self.open.keys().cloned().collect();
        for key in open {
            self.scan_attempt(now, &key, &mut seen).map_err(failed)?;
        }
        self.waiting.retain(|unit, _| seen.contains(unit));
        self.complete_at = Some(self.waiting.values().map(|waiting| waiting.since).min().unwrap_or(now));
        Ok(())
    }

    fn scan_inputs(&mut self, now: Timestamp, seen: &mut HashSet<Unit>) -> std::io::Result<()> {
        for job in self.from.jobs.all() {
            let Ok(there) = self.to.jobs.get(&job.name) else { continue };
            for (name, stamp) in inputs(&job.input, &*job.takes)? {
                let unit = Unit::Input(job.name.clone(), name);
                if self.arrived.get(&unit) == Some(&stamp) {
                    continue;
                }
                let Unit::Input(_, name) = &unit else { continue };
                if stamp_of(&there.input.join(name.as_str()))? == Some(stamp) {
                    self.arrived.insert(unit, stamp);
                } else {
                    self.waiting.entry(unit.clone()).or_insert(Waiting { since: now, files: 1 });
                    seen.insert(unit);
                }
            }
        }
        Ok(())
    }

    /// A folder may change twice within one tick of its clock: it is read once more after each change.
    fn list_attempts(&mut self) -> std::io::Result<()> {
        let [mut last, before] = self.listed;
        let mut seen = if last == before { last } else { None };
        if let Some(keys) = self.from.attempts.keys(&mut seen)? {
            for key in keys.into_iter().filter(|key| !self.complete.contains(key)) {
                self.open.entry(key).or_insert(None);
            }
        }
        std::mem::swap(&mut last, &mut seen);
        self.listed = [last, seen];
        Ok(())
    }

    fn scan_attempt(&mut self, now: Timestamp, key: &AttemptKey, seen: &mut HashSet<Unit>) -> std::io::Result<()> {
        let (from, to) = (self.from.attempts.dir(key), self.to.attempts.dir(key));
        let Some(trace) = batch::trace(&from)? else {
            self.open.remove(key);
            return Ok(());
        };
        let carried = self.open.get(key).and_then(Option::as_ref) == Some(&trace);
        let ended = trace.files.iter().any(|(name, _)| name == ENDED);
        if ended && (carried || to.join(ENDED).exists()) || self.is_at_home(key) {
            self.open.remove(key);
            self.complete.insert(key.clone());
            return Ok(());
        }
        if !carried {
            let missing =
                |(name, bytes): &&(String, u64)| fs::metadata(to.join(name)).map(|f| f.len()).ok() != Some(*bytes);
            let files = trace.files.iter().filter(missing).count().max(1) as u64;
            let unit = Unit::Attempt(key.clone());
            self.waiting.entry(unit.clone()).or_insert(Waiting { since: now, files }).files = files;
            seen.insert(unit);
        }
        Ok(())
    }

    /// Whether the attempt was begun where it would be copied to: there is the original.
    fn is_at_home(&self, key: &AttemptKey) -> bool {
        let request = self.from.attempts.request(key).ok().flatten();
        request.and_then(|request| request.region).is_some_and(|region| region == self.to.name)
    }

    /// Copies one unit as it is now; gives how many files came.
    pub(super) fn copy(&mut self, unit: &Unit) -> Result<u64, PortError> {
        let came = match unit {
            Unit::Input(job, name) => {
                let from = self.from.jobs.get(job)?.input.join(name.as_str());
                let folder = &self.to.jobs.get(job)?.input;
                let stamp = self.copy_input(unit, &from, &folder.join(name.as_str()));
                let stamp = stamp.map_err(|e| io(format!("could not copy the input {name}"), e))?;
                self.arrived.insert(unit.clone(), stamp);
                1
            }
            Unit::Attempt(key) => {
                let (from, to) = (self.from.attempts.dir(key), self.to.attempts.dir(key));
                if batch::is_running(&to) {
                    return Ok(0);
                }
                let failed = |e| io(format!("could not copy the attempt {key}"), e);
                let ended = fs::read(from.join(ENDED)).ok();
                let trace = batch::trace(&from).map_err(failed)?;
                let mut came = batch::carry(&from, &to, ENDED).map_err(unusable)?;
                if let Some(ended) = ended {
                    self.show(key, &to)?;
                    engine::keep_text(&to, ENDED, &ended)?;
                    came += 1;
                }
                self.open.insert(key.clone(), trace);
                came
            }
        };
        self.waiting.remove(unit);
        Ok(came)
    }

    /// Where the other region has something else under this name, that is kept aside: the active region wins, and nothing is lost.
    fn copy_input(&self, unit: &Unit, from: &Path, to: &Path) -> std::io::Result<Stamp> {
        fs::create_dir_all(to.parent().unwrap_or(to))?;
        let there = stamp_of(to)?;
        if let Some((_, changed)) = there.filter(|there| self.arrived.get(unit) != Some(there)) {
            let seconds = changed.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
            let name = to.file_name().unwrap_or_default().to_string_lossy();
            fs::rename(to, to.with_file_name(format!(".{name}.{seconds}.replaced")))?;
        }
        batch::whole(from, to)?;
        Ok(stamp_of(to)?.unwrap_or((0, SystemTime::UNIX_EPOCH)))
    }

    /// Puts a result that has arrived where people of that region look for it, unless they have a later one.
    fn show(&self, key: &AttemptKey, dir: &Path) -> Result<(), PortError> {
        let ended = self.from.attempts.ended(key)?;
        let (Some(request), Some(summary)) = (self.to.attempts.request(key)?, batch::summary(dir).map_err(unusable)?)
        else {
            return Ok(());
        };
        if !ended.is_some_and(|ended| ended.has_succeeded()) || self.later_succeeded(key)? {
            return Ok(());
        }
        engine::show(self.to.jobs.get(&request.job)?, key, &request, dir, &summary).map_err(unusable)
    }

    fn later_succeeded(&self, key: &AttemptKey) -> Result<bool, PortError> {
        let later = |attempt| AttemptKey { run: key.run.clone(), attempt };
        let there = |key: &AttemptKey| self.to.attempts.dir(key).exists();
        for key in (key.attempt + 1..).map(later).take_while(there) {
            if self.to.attempts.ended(&key)?.is_some_and(|ended| ended.has_succeeded()) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// How far it is behind, as of the last look.
    pub(super) fn behind(&self, now: Timestamp) -> Replication {
        let oldest = self.waiting.values().map(|waiting| waiting.since).min();
        Replication {
            lag: Some(oldest.map_or(SignedDuration::ZERO, |since| now.duration_since(since))),
            pending: Some(self.waiting.values().map(|waiting| waiting.files).sum()),
            complete_at: self.complete_at,
        }
    }
}

/// The inputs of a folder.
pub(super) fn inputs(folder: &Path, takes: &dyn Fn(&str) -> bool) -> std::io::Result<Vec<(FileName, Stamp)>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let path: PathBuf = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).and_then(|name| FileName::parse(name).ok());
        if let (Some(name), Some(stamp)) = (name.filter(|name| takes(name.as_str())), stamp_of(&path)?) {
            found.push((name, stamp));
        }
    }
    Ok(found)
}

/// Size and time of the last change of a file; `None`: there is none.
pub(super) fn stamp_of(path: &Path) -> std::io::Result<Option<Stamp>> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => {
            let found = found?;
            found.is_file().then(|| found.modified().map(|at| (found.len(), at))).transpose()
        }
    }
}
