//! Files that appear under their name only when they are complete: write beside, fsync, rename, fsync the directory.
use super::error::BatchError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path;

/// Writes `dir/name` through a file beside it.
pub(crate) fn publish<T>(
    dir: &Path,
    name: &str,
    write: impl FnOnce(&mut File) -> Result<T, BatchError>,
) -> Result<T, BatchError> {
    let beside = dir.join(format!("{name}.tmp"));
    let target = dir.join(name);
    let mut file = File::create(&beside).map_err(BatchError::io("create", &beside))?;
    let outcome = write(&mut file).and_then(|value| {
        file.sync_all().map_err(BatchError::io("sync", &beside))?;
        fs::rename(&beside, &target).map_err(BatchError::io("rename to", &target))?;
        sync_dir(dir)?;
        Ok(value)
    });
    if outcome.is_err() {
        // Not finding it is as good as removing it.
        let _ = fs::remove_file(&beside);
    }
    outcome
}

/// Writes a value as JSON, durably.
pub(crate) fn publish_json<T: Serialize>(dir: &Path, name: &str, value: &T) -> Result<(), BatchError> {
    publish(dir, name, |file| {
        let text = serde_json::to_vec_pretty(value).map_err(|e| BatchError::State(e.to_string()))?;
        file.write_all(&text).map_err(BatchError::io("write", &dir.join(name)))
    })
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
