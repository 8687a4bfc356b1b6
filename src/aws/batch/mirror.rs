//! The function's disk made to look like an attempt's directory, as far as one step looks.

use super::Worker;
use super::error::{Halt, disk};
use super::layout::Place;
use super::ranges::{changed, gone};
use super::scratch::{Scratch, hollow};
use crate::batch::chunk::Written;
use crate::batch::earlier::Manifest;
use crate::batch::ledger::Request;
use crate::batch::parts::{Marker, Parts, Round};
use crate::batch::plan::Chunk;
use crate::batch::{self, MANIFEST};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// An item of a Distributed Map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Item {
    pub(super) chunk: usize,
}

impl Worker {
    /// Brings the plan of an earlier attempt.
    pub(super) async fn bring_plan(&self, older: &Place, dir: &Path) -> Result<(), Halt> {
        match self.bucket.read(&older.at(batch::PLAN)).await? {
            Some(plan) => fs::write(dir.join(batch::PLAN), plan).map_err(disk),
            None => Ok(()),
        }
    }

    /// Brings a chunk's range of the input, at its place in a file that is otherwise empty.
    pub(super) async fn bring_input(
        &self,
        request: &Request,
        chunk: &Chunk,
        scratch: &Scratch,
    ) -> Result<PathBuf, Halt> {
        let (input, path) = (&request.input, scratch.path("input"));
        let from = (input.key.as_str(), chunk.start, chunk.bytes);
        if self.bucket.bring(from, Some(&input.fingerprint), (&path, chunk.start)).await?.is_some() {
            return Ok(path);
        }
        let name = input.name.as_str();
        Err(match self.bucket.head(&input.key).await? {
            Some(_) => changed(name),
            None => gone(name),
        })
    }

    /// Brings what earlier attempts have of one chunk; older ones only where the newer ones do not have it.
    pub(super) async fn bring_earlier(
        &self,
        earlier: &[Place],
        chunk: usize,
        scratch: &Scratch,
    ) -> Result<Vec<PathBuf>, Halt> {
        let (mut dirs, mut found) = (Vec::new(), false);
        for older in earlier {
            let dir = scratch.folder(&older.key.to_string())?;
            self.bring_plan(older, &dir).await?;
            found =
                found || self.bring_result(older, chunk, &dir).await? || self.bring_parts(older, chunk, &dir).await?;
            dirs.push(dir);
        }
        Ok(dirs)
    }

    /// From the result of a finished attempt; false where it is not whole.
    async fn bring_result(&self, older: &Place, chunk: usize, dir: &Path) -> Result<bool, Halt> {
        let Some(manifest) = self.bucket.json::<Manifest>(&older.at(MANIFEST)).await? else { return Ok(false) };
        let Some(done) = manifest.chunks.get(chunk) else { return Ok(false) };
        let before = &manifest.chunks[..chunk];
        let output: u64 = before.iter().map(|done| done.output.bytes).sum();
        let rejects: u64 = before.iter().map(|done| done.rejects.bytes).sum();
        let files = [
            (&manifest.output, manifest.output_start + output, done.output),
            (&manifest.rejects, manifest.rejects_start + rejects, done.rejects),
        ];
        for (name, start, written) in files {
            let key = older.at(name);
            let Some((size, _)) = self.bucket.head(&key).await? else { return Ok(false) };
            let path = dir.join(name);
            hollow(&path, size)?;
            if self.bucket.bring((&key, start, written.bytes), None, (&path, start)).await? != Some(written) {
                return Ok(false);
            }
        }
        fs::write(dir.join(MANIFEST), batch::durable::json(&manifest)?).map_err(disk)?;
        Ok(true)
    }

    /// From the parts of an attempt that was not finished; false where it was not done, or is not whole.
    async fn bring_parts(&self, older: &Place, chunk: usize, dir: &Path) -> Result<bool, Halt> {
        let parts = Parts::create(dir)?;
        for round in [Round::Second, Round::First] {
            let Some(marker) = self.marker(older, chunk, round).await? else { continue };
            if self.bring_marked(older, &marker, round, &parts).await? {
                parts.mark(chunk, round, &marker)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn bring_marked(&self, older: &Place, marker: &Marker, round: Round, parts: &Parts) -> Result<bool, Halt> {
        let (chunk, done) = (marker.chunk.index, &marker.done);
        for (kind, written) in [("output", done.output), ("rejects", done.rejects)] {
            let (key, path) = (older.part(chunk, round, kind), parts.path(chunk, round, kind));
            if !self.bring_whole(&key, &path, written).await? {
                return Ok(false);
            }
        }
        if let Some(keys) = marker.keys {
            // They are made again; only that they were there is looked at.
            hollow(&parts.path(chunk, round, "keys"), keys.bytes)?;
        }
        Ok(true)
    }

    /// Brings an object that must be what was written; whether it is.
    pub(super) async fn bring_whole(&self, key: &str, path: &Path, written: Written) -> Result<bool, Halt> {
        Ok(self.bucket.bring((key, 0, written.bytes), None, (path, 0)).await? == Some(written))
    }
}
