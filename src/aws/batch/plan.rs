//! The step `plan`: cuts the input, or takes over the plan of the attempt that is built on.

use super::error::Halt;
use super::layout::{MAP, Place};
use super::ranges::{Broken, Ranges, Source, changed, gone};
use super::scratch::Scratch;
use super::session::blocking;
use super::{Worker, mirror};
use crate::batch::ledger::{self, Request};
use crate::batch::plan::Plan;
use crate::batch::{self, Control, Job, Redo, Task, apart, durable, keys};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

impl Worker {
    pub(super) async fn plan(&self, place: &Place) -> Result<Value, Halt> {
        let request = self.request(place).await?;
        let job = self.job(&request).await?;
        let key = place.at(batch::PLAN);
        if self.bucket.head(&key).await?.is_none() {
            let plan = self.make_plan(place, &request, &job).await?;
            let text = durable::json(&plan)?;
            // Another copy of this step may have been first: then its plan holds.
            self.bucket.put_new(&key, text).await?;
        }
        let plan = self.planned(place, &job).await?;
        self.bucket.put(&place.at(MAP), map(0..plan.chunks.len())).await?;
        Ok(json!({"outcome": "planned", "chunks": plan.chunks.len(), "unique": keys::has_unique(&job)}))
    }

    async fn make_plan(&self, place: &Place, request: &Request, job: &Arc<Job>) -> Result<Plan, Halt> {
        let input = &request.input;
        let name = input.name.as_str();
        let (size, etag) = self.bucket.head(&input.key).await?.ok_or_else(|| gone(name))?;
        if size != input.bytes || etag != input.fingerprint {
            return Err(changed(name));
        }
        let scratch = Scratch::new(&self.place.scratch)?;
        let earlier = self.earlier(place, request).await?;
        let mut dirs = Vec::new();
        for older in &earlier {
            let dir = scratch.folder(&older.key.to_string())?;
            self.bring_plan(older, &dir).await?;
            dirs.push(dir);
        }
        let (broken, scope, job) = (Broken::default(), ledger::scope(request.scope), job.clone());
        let ranges = Ranges::new(&self.bucket, Source { key: input.key.clone(), etag, bytes: size }, &broken);
        blocking(move || {
            let redo = (!dirs.is_empty()).then_some(Redo { scope, earlier: &dirs });
            let nowhere = Path::new("");
            let task = Task { job: &job, input: nowhere, dir: nowhere, redo };
            apart::plan(&task, ranges, size, &Control::default()).map_err(|error| broken.or(error))
        })
        .await
    }
}

/// What a Distributed Map reads: one item for each chunk.
pub(super) fn map(chunks: impl Iterator<Item = usize>) -> Vec<u8> {
    let items: Vec<_> = chunks.map(|chunk| mirror::Item { chunk }).collect();
    json!(items).to_string().into_bytes()
}
