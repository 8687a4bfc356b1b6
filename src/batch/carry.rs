//! Copying an attempt to another place, at any moment of its life, such that it can be gone on with there.
//!
//! What names other data (the list of placed chunks, markers, the manifest, the summary) is read first and written last: so nothing that
//! has arrived names what has not. Checksums decide all the same before anything is built on it.
use super::durable;
use super::error::BatchError;
use super::parts::Parts;
use super::{ASIDE, MANIFEST, OUTPUT, REJECTS, SUMMARY};
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

const JOURNAL: &str = "parts/result.done";

/// What a copy of an attempt would have to hold: changes whenever something is added to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trace {
    /// Name (with `parts/` before it where it lies there) and size of each file, in order.
    pub files: Vec<(String, u64)>,
    hash: u64,
}

/// Looks at an attempt without reading its files; `None`: there is none.
pub fn trace(dir: &Path) -> io::Result<Option<Trace>> {
    let mut files = Vec::new();
    if !list(dir, "", &mut files)? {
        return Ok(None);
    }
    list(&dir.join("parts"), "parts/", &mut files)?;
    files.sort();
    let marked = |name: &str| files.binary_search_by(|(other, _)| other.as_str().cmp(name)).is_ok();
    // A part without its marker is not finished.
    let whole: Vec<bool> = files.iter().map(|(name, _)| marker_of(name).is_none_or(|marker| marked(&marker))).collect();
    let mut whole = whole.into_iter();
    files.retain(|_| whole.next().unwrap_or(true));
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    Ok(Some(Trace { files, hash: hasher.finish() }))
}

fn list(dir: &Path, before: &str, files: &mut Vec<(String, u64)>) -> io::Result<bool> {
    let entries = match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !is_carried(before, &name) {
            continue;
        }
        // A file may go while we look.
        if let Ok(found) = entry.metadata()
            && found.is_file()
        {
            files.push((format!("{before}{name}"), found.len()));
        }
    }
    Ok(true)
}

/// Locks, files under way and the comparison of keys stay where they are: whoever goes on makes them again.
fn is_carried(before: &str, name: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, "json" | "csv")) => before.is_empty(),
        Some((_, "output" | "rejects" | "keys" | "done")) => !before.is_empty() && !name.starts_with("merged-"),
        _ => false,
    }
}

/// The marker of a chunk's part.
fn marker_of(name: &str) -> Option<String> {
    let (stem, _) = name.strip_prefix("parts/")?.rsplit_once('.')?;
    (stem != "result").then(|| format!("parts/{stem}.done"))
}

/// Brings the copy in `to` up to what `from` is now; what is complete there already is not copied again. Gives how many files came.
/// Files called `except` are left to the caller. An error leaves a copy that can be gone on with; the next call makes it good.
pub fn carry(from: &Path, to: &Path, except: &str) -> Result<u64, BatchError> {
    let failed = |error| BatchError::Io { what: format!("copy {}", from.display()), source: error };
    let read = |name: &str| read(&from.join(name)).map_err(failed);
    // The latest first: whatever is seen here, what it names was there before.
    let (summary, manifest, journal) = (read(SUMMARY)?, read(MANIFEST)?, read(JOURNAL)?);
    let found = trace(from).map_err(failed)?.unwrap_or_default();
    durable::create_dir(to)?;
    let has_parts = found.files.iter().any(|(name, _)| name.starts_with("parts/"));
    if has_parts {
        Parts::create(to)?;
    }
    let mut came = carry_data(from, to, except, &found)?;
    came += settle(&to.join(JOURNAL), journal.filter(|_| has_parts))?;
    let names_results = [OUTPUT, ASIDE].iter().any(|name| to.join(name).exists()) && to.join(REJECTS).exists();
    if names_results {
        came += settle(&to.join(MANIFEST), manifest)?;
        let finished = summary.is_some();
        came += settle(&to.join(SUMMARY), summary)?;
        if finished && !has_parts {
            Parts::of(to).remove()?;
        }
    }
    Ok(came)
}

/// What names nothing but chunks of its own; each marker after its parts.
fn carry_data(from: &Path, to: &Path, except: &str, found: &Trace) -> Result<u64, BatchError> {
    let failed = |error| BatchError::Io { what: format!("copy {}", from.display()), source: error };
    let (mut markers, mut came) = (Vec::new(), 0);
    for (name, bytes) in &found.files {
        let target = to.join(name);
        if name == except || name == SUMMARY || name == MANIFEST || name == JOURNAL {
            continue;
        }
        if name.starts_with("parts/") && Path::new(name).extension().is_some_and(|kind| kind == "done") {
            if size(&target) != Some(*bytes) {
                markers.push((read(&from.join(name)).map_err(failed)?, name));
            }
        } else if name.starts_with("parts/result.") {
            came += grow(&from.join(name), &target).map_err(failed)?;
        } else if size(&target) != Some(*bytes) {
            came += whole(&from.join(name), &target).map_err(failed).map(|()| 1)?;
        }
    }
    for (text, name) in markers {
        came += settle(&to.join(name), text)?;
    }
    Ok(came)
}

/// Copies a file under its name in one step, with the time of its last change. A file that changes meanwhile is an error.
pub fn whole(from: &Path, to: &Path) -> io::Result<()> {
    let beside = beside(to)?;
    let copied = (|| {
        let mut source = File::open(from)?;
        let before = source.metadata()?;
        let mut file = File::create_new(&beside)?;
        io::copy(&mut source, &mut file)?;
        let after = source.metadata()?;
        if (before.len(), before.modified()?) != (after.len(), after.modified()?) {
            return Err(io::Error::other("it changed meanwhile"));
        }
        file.set_modified(before.modified()?)?;
        file.sync_all()?;
        fs::rename(&beside, to)
    })();
    if copied.is_err() {
        let _ = fs::remove_file(&beside);
    }
    copied?;
    to.parent().map_or(Ok(()), |dir| File::open(dir)?.sync_all())
}

/// A file that only ever gets longer: what is there is not copied again.
fn grow(from: &Path, to: &Path) -> io::Result<u64> {
    let mut source = File::open(from)?;
    let (there, here) = (size(to).unwrap_or(0), source.metadata()?.len());
    if there == here && to.exists() {
        return Ok(0);
    }
    if there > here {
        // It was cut to what is whole: so has the copy to be.
        return whole(from, to).map(|()| 1);
    }
    source.seek(SeekFrom::Start(there))?;
    let mut file = OpenOptions::new().append(true).create(true).open(to)?;
    io::copy(&mut source, &mut file)?;
    file.sync_data()?;
    Ok(1)
}

/// Writes what was read before, unless it stands there.
fn settle(to: &Path, text: Option<Vec<u8>>) -> Result<u64, BatchError> {
    let Some(text) = text else { return Ok(0) };
    let io = |error| BatchError::io("write", to)(error);
    if fs::read(to).is_ok_and(|there| there == text) {
        return Ok(0);
    }
    let beside = beside(to).map_err(io)?;
    fs::write(&beside, &text)
        .and_then(|()| File::open(&beside)?.sync_all())
        .and_then(|()| fs::rename(&beside, to))
        .map_err(io)?;
    Ok(1)
}

/// A name of its own for each copy of this process and of others.
fn beside(to: &Path) -> io::Result<std::path::PathBuf> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (dir, name) = to.parent().zip(to.file_name()).ok_or_else(|| io::Error::other("it has no name"))?;
    let number = NEXT.fetch_add(1, Relaxed);
    Ok(dir.join(format!(".{}.{}-{number}.tmp", name.to_string_lossy(), std::process::id())))
}

fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|found| found.len())
}
