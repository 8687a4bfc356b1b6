//! The step `compare`: finds the rows whose key an earlier row has.

use super::layout::{Place, SECOND};
use super::mirror::Item;
use super::plan::map;
use super::scratch::Scratch;
use super::session::blocking;
use super::{Worker, error::Halt};
use crate::batch::chunk::Written;
use crate::batch::keys::RunError;
use crate::batch::parts::{Parts, Round};
use crate::batch::plan::Plan;
use crate::batch::{Control, Job, apart};
use futures_util::future::try_join_all;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

/// After so many damaged chunks the bucket is not to be trusted.
pub(super) const DAMAGED: usize = 8;
/// Lists and keys that are under way at once.
pub(super) const AT_ONCE: usize = 8;

/// A comparison, or the chunk whose keys are not what was written.
type Compared = Result<BTreeSet<usize>, usize>;

impl Worker {
    pub(super) async fn compare(&self, place: &Place) -> Result<Value, Halt> {
        if let Some(second) = self.second(place).await? {
            return Ok(answer(second.len()));
        }
        let job = self.job(&self.request(place).await?).await?;
        let plan = self.planned(place, &job).await?;
        for _ in 0..DAMAGED {
            match self.compare_once(place, &job, &plan).await? {
                Ok(second) => return Ok(answer(second.len())),
                Err(chunk) => self.mend(place, chunk, &[Round::First]).await?,
            }
        }
        Err(Halt::outage("the keys do not stay as they were written"))
    }

    /// The chunks that need a second round, once they are known.
    pub(super) async fn second(&self, place: &Place) -> Result<Option<BTreeSet<usize>>, Halt> {
        let items: Option<Vec<Item>> = self.bucket.json(&place.at(SECOND)).await?;
        Ok(items.map(|items| items.into_iter().map(|item| item.chunk).collect()))
    }

    async fn compare_once(&self, place: &Place, job: &Arc<Job>, plan: &Plan) -> Result<Compared, Halt> {
        let [first, _] = self.markers(place).await?;
        let keys: Vec<_> = (0..plan.chunks.len()).map(|chunk| first.get(&chunk)?.keys).collect();
        let scratch = Scratch::new(&self.place.scratch)?;
        let dir = scratch.folder("attempt")?;
        let parts = Parts::create(&dir)?;
        let all: Vec<_> = keys.iter().copied().enumerate().collect();
        for some in all.chunks(AT_ONCE) {
            let bring = some.iter().map(|(chunk, written)| self.bring_keys(place, *chunk, *written, &parts));
            if let Some(damaged) = try_join_all(bring).await?.into_iter().flatten().min() {
                return Ok(Err(damaged));
            }
        }
        let job = job.clone();
        let compared = blocking(move || match apart::compare(&job, &dir, &keys, &Control::default()) {
            Ok(second) => Ok(Ok(second)),
            Err(RunError::Damaged(chunk)) => Ok(Err(chunk)),
            Err(RunError::Failed(error)) => Err(error.into()),
        });
        let second = match compared.await? {
            Ok(second) => second,
            damaged => return Ok(damaged),
        };
        for chunk in &second {
            let list = std::fs::read(parts.path(*chunk, Round::Second, "duplicates")).map_err(super::error::disk)?;
            self.bucket.put(&place.duplicates(*chunk), list).await?;
        }
        self.bucket.put(&place.at(SECOND), map(second.iter().copied())).await?;
        Ok(Ok(second))
    }

    /// Brings the keys of a chunk; the chunk, where they are not what was written.
    async fn bring_keys(
        &self,
        place: &Place,
        chunk: usize,
        written: Option<Written>,
        parts: &Parts,
    ) -> Result<Option<usize>, Halt> {
        let Some(written) = written else { return Ok(Some(chunk)) };
        let (key, path) = (place.part(chunk, Round::First, "keys"), parts.path(chunk, Round::First, "keys"));
        Ok((!self.bring_whole(&key, &path, written).await?).then_some(chunk))
    }
}

fn answer(second: usize) -> Value {
    json!({"outcome": "compared", "chunks": second})
}
