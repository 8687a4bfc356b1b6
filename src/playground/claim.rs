//! One playground for each data folder. Two of them would share records and outbox while each has a Slack of its own, and messages of one
//! would be posted into the other.

use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

const FILE_NAME: &str = "playground.lock";

/// A data folder that nobody else may use. Let go when it is dropped, and by the system when the process ends, however that ends.
#[derive(Debug)]
pub struct Claim {
    file: File,
}

/// Why a folder is not ours.
#[derive(Debug, thiserror::Error)]
pub enum ClaimError {
    #[error("{} is used by a playground already, {}; use that one, or name another folder with --data", folder.display(), place(address))]
    Taken { folder: PathBuf, address: String },
    #[error("{} cannot be locked: {source}", file.display())]
    Io { file: PathBuf, source: io::Error },
}

impl Claim {
    /// Takes the folder, which is made when needed. `Taken` where a living playground has it.
    pub fn take(folder: &Path) -> Result<Self, ClaimError> {
        let path = folder.join(FILE_NAME);
        let failed = |source| ClaimError::Io { file: path.clone(), source };
        std::fs::create_dir_all(folder).map_err(failed)?;
        // What stands there is the address of the one that runs: it may only be cleared by who has the lock.
        let options = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = options.map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut address = String::new();
                // Unreadable or not yet written: the folder is taken all the same.
                let _ = file.read_to_string(&mut address);
                return Err(ClaimError::Taken { folder: folder.to_owned(), address });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        file.set_len(0).map_err(failed)?;
        Ok(Self { file })
    }

    /// Notes where this playground answers, for whoever starts a second one.
    pub fn answers_at(&mut self, address: &str) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file.write_all(address.as_bytes())
    }
}

fn place(address: &str) -> String {
    if address.is_empty() { "which is only starting".to_owned() } else { format!("at {address}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_playground_at_a_time() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("var/playground");
        let mut first = Claim::take(&data).unwrap();
        let error = Claim::take(&data).unwrap_err().to_string();
        assert!(error.contains("already, which is only starting;"), "{error}");
        first.answers_at("http://127.0.0.1:4242").unwrap();
        let error = Claim::take(&data).unwrap_err().to_string();
        assert!(error.contains(&format!("{} is used", data.display())), "{error}");
        assert!(error.contains("at http://127.0.0.1:4242;"), "{error}");
        drop(first);
        let _second = Claim::take(&data).unwrap();
        let error = Claim::take(&data).unwrap_err().to_string();
        assert!(error.contains("only starting"), "the address of the dead is gone: {error}");
    }
}
