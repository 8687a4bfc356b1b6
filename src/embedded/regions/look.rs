//! The regions as people are shown them.

use super::Inner;
use super::pair::inputs;
use super::region::Region;
use super::replicate;
use crate::batch;
use crate::domain::id::RegionName;
use crate::domain::region::{Active, Replication};
use crate::domain::run::AttemptKey;
use crate::embedded::engine::io;
use crate::ports::PortError;
use std::time::{Duration, SystemTime};

/// So many files of a region are shown, the newest first.
const SHOWN: usize = 60;

/// All regions at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionsLook {
    pub active: Active,
    /// How long a change waits before it is copied.
    pub lag: Duration,
    /// In the order of the configuration.
    pub regions: Vec<RegionLook>,
}

/// One region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionLook {
    pub name: RegionName,
    pub active: bool,
    /// False: it is cut off.
    pub reachable: bool,
    /// How far it is behind the active region; of no meaning for that one.
    pub replication: Replication,
    /// The newest of its files; `None`: it cannot be read.
    pub files: Option<Vec<RegionFile>>,
    /// How many there are beside them.
    pub more: usize,
}

/// A file of a region, or the finished chunks of one attempt taken together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegionFile {
    pub name: String,
    pub kind: FileKind,
    pub bytes: u64,
    /// 1, or the number of chunks.
    pub parts: u64,
    /// How many of them every other region that answers has; `None`: none answers.
    pub arrived: Option<u64>,
}

/// What a file of a region is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileKind {
    Input,
    Chunks,
    Output,
    Rejects,
}

pub(super) fn look(inner: &Inner) -> Result<RegionsLook, PortError> {
    let active = inner.record.wait_read()?;
    let mut regions = Vec::new();
    for region in &inner.regions {
        let is_active = region.name == active.region;
        let reachable = region.gate.is_open();
        let replication = if is_active || inner.regions.len() < 2 {
            Replication::default()
        } else {
            replicate::measure(inner, &active.region, &region.name)?
        };
        let others: Vec<&Region> = inner
            .regions
            .iter()
            .filter(|other| other.name != region.name && other.gate.is_open())
            .map(AsRef::as_ref)
            .collect();
        let mut files = if reachable { Some(files(region, &others)?) } else { None };
        let more = files.as_mut().map_or(0, |files| {
            let more = files.len().saturating_sub(SHOWN);
            files.truncate(SHOWN);
            more
        });
        regions.push(RegionLook { name: region.name.clone(), active: is_active, reachable, replication, files, more });
    }
    Ok(RegionsLook { active, lag: inner.replicator.lag(), regions })
}

fn files(region: &Region, others: &[&Region]) -> Result<Vec<RegionFile>, PortError> {
    let failed = |e| io(format!("could not list the files of {}", region.name), e);
    let mut found: Vec<(SystemTime, RegionFile)> = Vec::new();
    for job in region.jobs.all() {
        for (name, (bytes, changed)) in inputs(&job.input, &*job.takes).map_err(failed)? {
            let has = |other: &Region| {
                let there = other.jobs.get(&job.name).map(|job| job.input.join(name.as_str()));
                there.is_ok_and(|path| super::pair::stamp_of(&path).is_ok_and(|stamp| stamp == Some((bytes, changed))))
            };
            let arrived = arrived(others, |other| u64::from(has(other)));
            let name = name.to_string();
            found.push((changed, RegionFile { name, kind: FileKind::Input, bytes, parts: 1, arrived }));
        }
    }
    for (changed, key) in newest(region).map_err(failed)? {
        found.extend(of_attempt(region, &key, others).into_iter().map(|file| (changed, file)));
    }
    found.sort_by(|(a, a_file), (b, b_file)| b.cmp(a).then_with(|| a_file.name.cmp(&b_file.name)));
    Ok(found.into_iter().map(|(_, file)| file).collect())
}

/// The attempts that changed last: more of them than are shown would only cost time.
fn newest(region: &Region) -> std::io::Result<Vec<(SystemTime, AttemptKey)>> {
    let mut keys = Vec::new();
    for key in region.attempts.keys(&mut None)?.unwrap_or_default() {
        // It may go while we look.
        if let Ok(changed) = std::fs::metadata(region.attempts.dir(&key)).and_then(|found| found.modified()) {
            keys.push((changed, key));
        }
    }
    keys.sort_by(|a, b| b.cmp(a));
    keys.truncate(SHOWN);
    Ok(keys)
}

fn of_attempt(region: &Region, key: &AttemptKey, others: &[&Region]) -> Vec<RegionFile> {
    let dir = region.attempts.dir(key);
    let mut found = Vec::new();
    let size =
        |region: &Region, name: &str| std::fs::metadata(region.attempts.dir(key).join(name)).map(|f| f.len()).ok();
    for (file, kind) in [(batch::OUTPUT, FileKind::Output), (batch::REJECTS, FileKind::Rejects)] {
        if let Some(bytes) = size(region, file) {
            let arrived = arrived(others, |other| u64::from(size(other, file) == Some(bytes)));
            let name = format!("{key} {}", file.trim_end_matches(".csv"));
            found.push(RegionFile { name, kind, bytes, parts: 1, arrived });
        }
    }
    if found.is_empty()
        && let Some(reached) = progress(&dir)
    {
        let chunks =
            |other: &Region| progress(&other.attempts.dir(key)).map_or(0, |there| there.chunks.min(reached.chunks));
        let (name, arrived) = (format!("{key} chunks"), arrived(others, chunks));
        found.push(RegionFile { name, kind: FileKind::Chunks, bytes: reached.bytes, parts: reached.chunks, arrived });
    }
    found
}

fn progress(dir: &std::path::Path) -> Option<batch::Progress> {
    batch::stored_progress(dir).ok().flatten().filter(|reached| reached.chunks > 0)
}

fn arrived(others: &[&Region], count: impl Fn(&Region) -> u64) -> Option<u64> {
    others.iter().map(|other| count(other)).min()
}
