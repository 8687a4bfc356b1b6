//! Files that appear under their name only when they are complete: write beside, fsync, rename, fsync the directory.
use super::error::BatchError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A file that is complete beside its name and on the disk, but not yet under its name. Dropped, it goes.
pub(crate) struct Staged {
    beside: PathBuf,
    target: PathBuf,
    kept: bool,
}

impl Staged {
    /// Writes `dir/name.tmp` and syncs it.
    pub(crate) fn write<T>(
        dir: &Path,
        name: &str,
        write: impl FnOnce(&mut File) -> Result<T, BatchError>,
    ) -> Result<(Self, T), BatchError> {
        let beside = dir.join(format!("{name}.tmp"));
        let mut file = File::create(&beside).map_err(BatchError::io("create", &beside))?;
        let staged = Self { beside, target: dir.join(name), kept: false };
        let value = write(&mut file)?;
        file.sync_all().map_err(BatchError::io("sync", &staged.beside))?;
        Ok((staged, value))
    }

    /// A complete and synced file that gets its name by being moved; dropped, it stays where it is.
    pub(crate) fn complete(beside: PathBuf, target: PathBuf) -> Self {
        Self { beside, target, kept: true }
    }

    /// Gives it its name; durable once the directory is synced.
    pub(crate) fn show(mut self) -> Result<(), BatchError> {
        fs::rename(&self.beside, &self.target).map_err(BatchError::io("rename to", &self.target))?;
        self.kept = true;
        Ok(())
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.kept {
            // Not finding it is as good as removing it.
            let _ = fs::remove_file(&self.beside);
        }
    }
}

/// Writes `dir/name` through a file beside it.
pub(crate) fn publish<T>(
    dir: &Path,
    name: &str,
    write: impl FnOnce(&mut File) -> Result<T, BatchError>,
) -> Result<T, BatchError> {
    let (staged, value) = Staged::write(dir, name, write)?;
    staged.show()?;
    sync_dir(dir)?;
    Ok(value)
}

/// Writes a value as JSON, whole or not at all; after a power cut it may be gone.
pub(crate) fn replace_json<T: Serialize>(dir: &Path, name: &str, value: &T) -> Result<(), BatchError> {
    replace(&dir.join(name), &json(value)?)
}

/// Writes a file, whole or not at all; after a power cut it may be gone.
pub(crate) fn replace(target: &Path, text: &[u8]) -> Result<(), BatchError> {
    let mut beside = target.to_owned();
    beside.add_extension("tmp");
    fs::write(&beside, text).map_err(BatchError::io("write", &beside))?;
    fs::rename(&beside, target).map_err(BatchError::io("rename to", target))
}

/// A value as the text of a JSON file.
pub(crate) fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, BatchError> {
    serde_json::to_vec_pretty(value).map_err(|e| BatchError::State(e.to_string()))
}

/// Writes a value as JSON, durably.
pub(crate) fn publish_json<T: Serialize>(dir: &Path, name: &str, value: &T) -> Result<(), BatchError> {
    let text = json(value)?;
    publish(dir, name, |file| file.write_all(&text).map_err(BatchError::io("write", &dir.join(name))))
}

/// Reads a JSON file; `None` when it is not there.
pub(crate) fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BatchError> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(BatchError::io("read", path)(error)),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|e| BatchError::State(format!("{} is not readable: {e}", path.display()))),
    }
}

/// The same, where a file that cannot be read is as good as none.
pub(crate) fn read_json_or_none<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, BatchError> {
    match read_json(path) {
        Err(BatchError::State(_)) => Ok(None),
        other => other,
    }
}

/// Makes sure that a file that was written before is on the disk.
pub(crate) fn sync_file(path: &Path) -> Result<(), BatchError> {
    File::open(path).and_then(|file| file.sync_all()).map_err(BatchError::io("sync", path))
}

/// Makes renames and new names in a directory durable.
pub(crate) fn sync_dir(dir: &Path) -> Result<(), BatchError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(BatchError::io("sync", dir))
}

/// Creates a directory and makes its name durable.
pub(crate) fn create_dir(dir: &Path) -> Result<(), BatchError> {
    fs::create_dir_all(dir).map_err(BatchError::io("create", dir))?;
    match dir.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_dir(parent),
        _ => Ok(()),
    }
}

/// Reads through a checksum.
pub(crate) struct CheckedReader<R> {
    input: R,
    crc: crc32fast::Hasher,
}

impl<R> CheckedReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, crc: crc32fast::Hasher::new() }
    }

    /// The checksum of all that was read so far.
    pub(crate) fn crc(&self) -> u32 {
        self.crc.clone().finalize()
    }
}

impl<R: Read> Read for CheckedReader<R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(to)?;
        self.crc.update(&to[..n]);
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        publish_json(dir.path(), "a.json", &1).unwrap();
        let failed = publish(dir.path(), "a.json", |file| {
            file.write_all(b"half").unwrap();
            Err::<(), _>(BatchError::Cancelled)
        });
        assert!(failed.is_err());
        assert_eq!(read_json::<i32>(&dir.path().join("a.json")).unwrap(), Some(1));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(read_json::<i32>(&dir.path().join("b.json")).unwrap(), None);
    }
}
