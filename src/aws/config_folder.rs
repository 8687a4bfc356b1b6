//! The configuration with the jobs' schemas and lookups, as `aws s3 sync` put it into a bucket: copied into a folder of this machine,
//! and brought up to date by what a listing says has changed.

use super::breaker::Breaker;
use super::errors::Access;
use super::files;
use super::random;
use crate::ports::{Clock, Kind, PortError};
use aws_config::SdkConfig;
use aws_sdk_s3::Client;
use futures_util::{StreamExt, TryStreamExt, stream};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

const DOING: &str = "could not fetch the configuration";
/// Files fetched side by side.
const AT_ONCE: usize = 8;

/// Until it is dropped: a copy of everything beside an object of a bucket, and of the object itself.
#[derive(Debug)]
pub struct ConfigFolder {
    client: Client,
    bucket: String,
    /// What the names of all of it begin with.
    prefix: String,
    file: PathBuf,
    folder: PathBuf,
    breaker: Arc<Breaker>,
    /// The ETags of what is here, by name.
    known: Mutex<BTreeMap<String, String>>,
}

impl ConfigFolder {
    /// Copies what lies beside `key`, such as `config/switchman.toml`, into a new folder under `within`.
    pub async fn open(
        config: &SdkConfig,
        (bucket, key): (&str, &str),
        within: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, PortError> {
        let name = key.rsplit('/').next().unwrap_or(key);
        let folder = within.join(format!("switchman-config-{:x}", random::number()));
        let copy = Self {
            client: files::client(config),
            bucket: bucket.to_owned(),
            prefix: key[..key.len() - name.len()].to_owned(),
            file: folder.join(name),
            folder,
            breaker: Breaker::new(clock),
            known: Mutex::default(),
        };
        copy.refresh().await?;
        if copy.known.lock().await.contains_key(name) {
            return Ok(copy);
        }
        let what = format!("{DOING}: there is no s3://{bucket}/{key}; put it there with `aws s3 sync`");
        Err(PortError::new(Kind::Gone, what))
    }

    /// The configuration file in its folder here.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What is here: another text wherever any of it differs.
    pub async fn version(&self) -> String {
        let mut hash = Sha256::new();
        for (name, tag) in self.known.lock().await.iter() {
            hash.update(format!("{name}\n{tag}\n"));
        }
        hex::encode(&hash.finalize()[..16])
    }

    /// Fetches what has changed and removes what is gone; whether there was any. Each file changes as a whole.
    pub async fn refresh(&self) -> Result<bool, PortError> {
        // One fetches, the others wait for it.
        let mut known = self.known.lock().await;
        let there = self.list().await?;
        let is_new = |(name, tag): &(&String, &String)| known.get(*name) != Some(*tag);
        let changed: Vec<String> = there.iter().filter(is_new).map(|(name, _)| name.clone()).collect();
        let gone: Vec<String> = known.keys().filter(|name| !there.contains_key(*name)).cloned().collect();
        if changed.is_empty() && gone.is_empty() {
            return Ok(false);
        }
        let fetched = stream::iter(changed).map(|name| self.fetch(name)).buffer_unordered(AT_ONCE);
        let fetched: Vec<(String, String)> = fetched.try_collect().await?;
        for name in gone {
            let removed = tokio::fs::remove_file(self.folder.join(&name)).await;
            removed.map_err(|error| here(&name, error))?;
            known.remove(&name);
        }
        known.extend(fetched);
        Ok(true)
    }

    /// The ETags in the bucket, by name.
    async fn list(&self) -> Result<BTreeMap<String, String>, PortError> {
        let (mut found, mut from) = (BTreeMap::new(), None);
        loop {
            let call = self.client.list_objects_v2().bucket(&self.bucket).prefix(&self.prefix);
            let page = self.breaker.call(call.set_continuation_token(from).send()).await;
            let page = page.map_err(|failed| failed.port(Access::Read, DOING))?;
            for object in page.contents.into_iter().flatten() {
                let name = object.key().and_then(|key| key.strip_prefix(&self.prefix)).unwrap_or_default();
                if is_inside(name) {
                    found.insert(name.to_owned(), object.e_tag().unwrap_or_default().to_owned());
                }
            }
            from = page.next_continuation_token;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// Copies one object; its name and the ETag of what was copied.
    async fn fetch(&self, name: String) -> Result<(String, String), PortError> {
        let call = self.client.get_object().bucket(&self.bucket).key(format!("{}{name}", self.prefix));
        let answer = self.breaker.call(call.send()).await.map_err(|failed| failed.port(Access::Read, DOING))?;
        let tag = answer.e_tag().unwrap_or_default().to_owned();
        let path = self.folder.join(&name);
        // Whole or not at all: somebody may be reading the one before.
        let part = self.folder.join(format!(".{:x}.part", random::number()));
        let written = async {
            tokio::fs::create_dir_all(path.parent().unwrap_or(&self.folder)).await?;
            let mut file = tokio::fs::File::create(&part).await?;
            tokio::io::copy(&mut answer.body.into_async_read(), &mut file).await?;
            tokio::io::AsyncWriteExt::flush(&mut file).await?;
            tokio::fs::rename(&part, &path).await
        };
        written.await.map_err(|error| here(&name, error))?;
        Ok((name, tag))
    }
}

impl Drop for ConfigFolder {
    fn drop(&mut self) {
        // What stays is in nobody's way.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Whether this is the name of a file that lies in the folder, and nowhere else.
fn is_inside(name: &str) -> bool {
    !name.is_empty()
        && !name.ends_with('/')
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

fn here(name: &str, error: std::io::Error) -> PortError {
    PortError::transient(format!("{DOING}: {name} broke off or cannot be written here; it is tried again"))
        .because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        assert!(is_inside("switchman.toml") && is_inside("sales/schema.json"));
        for name in ["", "sales/", "../x", "a/../../x", "/etc/passwd", "./x"] {
            assert!(!is_inside(name), "{name}");
        }
    }
}
