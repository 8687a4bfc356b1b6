//! A folder on the function's disk for one step; it goes with the step, also where that fails.

use super::error::{Halt, disk};
use crate::aws::random;
use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The folder.
pub(super) struct Scratch {
    dir: PathBuf,
}

impl Scratch {
    pub(super) fn new(base: &Path) -> Result<Self, Halt> {
        let dir = base.join(format!("switchman-{:016x}", random::number()));
        fs::create_dir_all(&dir).map_err(disk)?;
        Ok(Self { dir })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// A folder within it.
    pub(super) fn folder(&self, name: &str) -> Result<PathBuf, Halt> {
        let dir = self.dir.join(name);
        fs::create_dir_all(&dir).map_err(disk)?;
        Ok(dir)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.dir) {
            tracing::warn!(%error, "a folder on the function's disk could not be removed");
        }
    }
}

/// A file of this length that takes room only where something is written.
pub(super) fn hollow(path: &Path, bytes: u64) -> Result<(), Halt> {
    File::create(path).and_then(|file| file.set_len(bytes)).map_err(disk)
}

/// Writes into a file at an offset; makes the file if need be.
pub(super) fn write_at(path: &Path, bytes: &[u8], offset: u64) -> Result<(), Halt> {
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(path);
    file.and_then(|file| file.write_all_at(bytes, offset)).map_err(disk)
}
