//! Keys that stay on this machine: in files that only the bot's own user may read, made when they are first needed; and chance.

use crate::domain::seal::SealingKey;
use crate::ports::{Kind, PortError, Secrets};
use async_trait::async_trait;
use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The name of the file beside the records.
const SEAL_KEY: &str = "seal.key";

/// A file with one key of 32 bytes, in hex.
#[derive(Debug, Clone)]
pub struct KeyFile(PathBuf);

impl KeyFile {
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The key; `None`: there is no such file.
    pub fn read(&self) -> Result<Option<[u8; 32]>, PortError> {
        let file = match File::open(&self.0) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.failed("cannot be read").because(error)),
        };
        let mode = file.metadata().map_err(|e| self.failed("cannot be read").because(e))?.mode();
        if mode & 0o077 != 0 {
            return Err(self.failed("may be read by others, so it is not used: chmod 600 it, or better make a new one"));
        }
        let text = std::io::read_to_string(file).map_err(|e| self.failed("cannot be read").because(e))?;
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key)
            .map_err(|_| self.failed("is damaged: bring it back from a copy, or remove it to have a new one made"))?;
        Ok(Some(key))
    }

    /// The key, made where there is none. Of several who make it at once, all get the same.
    pub fn read_or_make(&self) -> Result<[u8; 32], PortError> {
        if let Some(key) = self.read()? {
            return Ok(key);
        }
        let written = self.write_new(&random()?);
        match written {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(self.failed("cannot be written").because(error));
            }
            _ => {}
        }
        self.read()?.ok_or_else(|| self.failed("was removed meanwhile"))
    }

    /// Written whole under another name first: nobody ever reads half a key.
    fn write_new(&self, key: &[u8; 32]) -> std::io::Result<()> {
        let folder = self.0.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        let part = self.0.with_extension(format!("{}.part", std::process::id()));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&part)?;
        file.write_all(hex::encode(key).as_bytes())?;
        file.sync_all()?;
        let linked = std::fs::hard_link(&part, &self.0);
        std::fs::remove_file(&part)?;
        linked?;
        File::open(folder)?.sync_all()
    }

    fn failed(&self, what: &str) -> PortError {
        PortError::new(Kind::Permanent, format!("{} {what}", self.0.display()))
    }
}

/// Bytes that nobody can guess.
pub fn random() -> Result<[u8; 32], PortError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| PortError::permanent("the system gives no random numbers").because(e))?;
    Ok(bytes)
}

/// [`Secrets`] of this machine: the keys that the environment gives, else a file beside the records.
#[derive(Debug)]
pub struct LocalSecrets {
    given: Vec<SealingKey>,
    file: KeyFile,
}

impl LocalSecrets {
    /// The first of the `given` keys seals; without any, that of the file beside the records in `data`. What the file's key has sealed
    /// is opened in any case.
    pub fn beside(data: &Path, given: Vec<SealingKey>) -> Self {
        Self { given, file: KeyFile::new(data.join(SEAL_KEY)) }
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    async fn sealing_key(&self) -> Result<SealingKey, PortError> {
        match self.given.first() {
            Some(key) => Ok(key.clone()),
            None => self.file.read_or_make().map(SealingKey::new),
        }
    }

    async fn opening_keys(&self) -> Result<Vec<SealingKey>, PortError> {
        let kept = self.file.read()?.map(SealingKey::new);
        Ok(self.given.iter().cloned().chain(kept).collect())
    }

    fn random(&self) -> Result<[u8; 32], PortError> {
        random()
    }
}

/// [`Secrets`] where no folder of this machine is the bot's own: the keys that the environment gives, and no others.
#[derive(Debug)]
pub struct GivenKeys(Vec<SealingKey>);

impl GivenKeys {
    /// The first of them seals.
    pub fn new(given: Vec<SealingKey>) -> Self {
        Self(given)
    }
}

#[async_trait]
impl Secrets for GivenKeys {
    async fn sealing_key(&self) -> Result<SealingKey, PortError> {
        self.0.first().cloned().ok_or_else(|| {
            PortError::permanent("there is no key to seal a secret with, so nothing was stored: set SWITCHMAN_SEAL_KEY")
        })
    }

    async fn opening_keys(&self) -> Result<Vec<SealingKey>, PortError> {
        Ok(self.0.clone())
    }

    fn random(&self) -> Result<[u8; 32], PortError> {
        random()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[tokio::test]
    async fn a_key_is_made_once_for_its_owner_only_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("data");
        let path = data.join("seal.key");
        let secrets = LocalSecrets::beside(&data, Vec::new());
        assert!(secrets.opening_keys().await.unwrap().is_empty());
        assert!(!path.exists());
        let sealed = secrets.sealing_key().await.unwrap().seal([1; 12], "here", b"zebra");
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
        let again = LocalSecrets::beside(&data, Vec::new()).opening_keys().await.unwrap();
        assert_eq!(again[0].open("here", &sealed).unwrap(), b"zebra");
    }

    #[tokio::test]
    async fn a_given_key_seals_and_what_the_file_has_sealed_still_opens() {
        let dir = tempfile::tempdir().unwrap();
        let before = LocalSecrets::beside(dir.path(), Vec::new());
        let before = before.sealing_key().await.unwrap().seal([1; 12], "a", b"old");
        let given = LocalSecrets::beside(dir.path(), vec![SealingKey::new([9; 32])]);
        let after = given.sealing_key().await.unwrap().seal([1; 12], "a", b"new");
        let keys = given.opening_keys().await.unwrap();
        assert_eq!(keys[0].open("a", &after).unwrap(), b"new");
        assert_eq!(keys[1].open("a", &before).unwrap(), b"old");
        assert!(keys[1].open("a", &after).is_none());
    }

    #[tokio::test]
    async fn without_a_folder_only_a_given_key_seals() {
        let given = GivenKeys::new(vec![SealingKey::new([9; 32])]);
        let sealed = given.sealing_key().await.unwrap().seal([1; 12], "a", b"new");
        assert_eq!(given.opening_keys().await.unwrap()[0].open("a", &sealed).unwrap(), b"new");
        let error = GivenKeys::new(Vec::new()).sealing_key().await.unwrap_err();
        assert!(error.to_string().contains("SWITCHMAN_SEAL_KEY"), "{error}");
    }

    #[test]
    fn a_key_that_others_may_read_or_that_is_damaged_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let file = KeyFile::new(dir.path().join("seal.key"));
        let key = file.read_or_make().unwrap();
        assert_eq!(file.read_or_make().unwrap(), key);
        std::fs::set_permissions(&file.0, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(file.read().unwrap_err().what.contains("chmod 600"));
        std::fs::set_permissions(&file.0, PermissionsExt::from_mode(0o600)).unwrap();
        std::fs::write(&file.0, "half").unwrap();
        assert!(file.read_or_make().unwrap_err().what.contains("damaged"));
    }
}
