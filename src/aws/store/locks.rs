//! Locks: read first, worked out in memory, written under the condition that nothing has changed.

use crate::aws::table::{Check, Item, Key, Write};
use crate::domain::id::RunId;
use crate::ports::{Commit, Kind, PortError};
use std::collections::BTreeMap;

/// The locks that a commit touches.
#[derive(Debug, Default)]
pub(super) struct Locks(BTreeMap<String, Lock>);

#[derive(Debug, Clone, Default)]
struct Lock {
    before: Option<RunId>,
    after: Option<RunId>,
    /// Whether the commit relies on it.
    asked: bool,
}

/// Where the locks of a commit lie.
pub(super) fn keys(commit: &Commit) -> impl Iterator<Item = Key> {
    commit.unlock.iter().chain(&commit.lock).map(|(name, _)| Key::one("lock", name))
}

pub(super) fn holder(item: &Item) -> Result<RunId, PortError> {
    RunId::parse(item.text("run")?).map_err(|error| PortError::permanent("a lock is held by no run").because(error))
}

impl Locks {
    /// Gives back and takes what the commit asks for. `Conflict`: another run has one.
    pub(super) fn work_out(commit: &Commit, found: &BTreeMap<Key, Item>) -> Result<Self, PortError> {
        let mut locks = Self::default();
        for (name, run) in &commit.unlock {
            let lock = locks.of(name, found)?;
            if lock.after.as_ref() == Some(run) {
                lock.after = None;
            }
        }
        for (name, run) in &commit.lock {
            let lock = locks.of(name, found)?;
            if let Some(other) = lock.after.as_ref().filter(|other| *other != run) {
                return Err(PortError::new(Kind::Conflict, format!("{name} is locked for run {other}")));
            }
            (lock.after, lock.asked) = (Some(run.clone()), true);
        }
        Ok(locks)
    }

    fn of(&mut self, name: &str, found: &BTreeMap<Key, Item>) -> Result<&mut Lock, PortError> {
        let before = found.get(&Key::one("lock", name)).map(holder).transpose()?;
        Ok(self.0.entry(name.to_owned()).or_insert_with(|| Lock { after: before.clone(), before, asked: false }))
    }

    /// What has to be written. A lock that is taken again by its own run is written too: nobody may free it meanwhile.
    pub(super) fn writes(self) -> impl Iterator<Item = Write> {
        self.0.into_iter().filter_map(|(name, lock)| {
            let key = Key::one("lock", &name);
            let check = lock.before.as_ref().map_or(Check::Absent, |run| Check::Text("run", run.to_string()));
            match lock.after {
                None if lock.before.is_some() => Some(Write::Delete(key, check)),
                Some(run) if lock.asked => Some(Write::Put(Item::at(&key).with_text("run", run.to_string()), check)),
                _ => None,
            }
        })
    }
}
