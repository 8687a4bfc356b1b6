//! The step `chunk`: makes the parts of one chunk.

use super::Worker;
use super::error::{Halt, WorkerError};
use super::layout::Place;
use super::scratch::Scratch;
use super::session::blocking;
use crate::batch::parts::{Marker, Parts, Round};
use crate::batch::{Control, Redo, Task, apart, durable, ledger};
use std::fs;

impl Worker {
    /// Does a chunk, unless it is done.
    pub(super) async fn chunk(&self, place: &Place, index: usize, round: Round) -> Result<(), Halt> {
        let request = self.request(place).await?;
        let job = self.job(&request).await?;
        let plan = self.planned(place, &job).await?;
        let chunk = plan.chunks.get(index).copied();
        let chunk = chunk.ok_or_else(|| WorkerError::Call(format!("the plan has no chunk {index}")))?;
        if self.marker(place, index, round).await?.is_some_and(|marker| marker.chunk == chunk) {
            return Ok(());
        }
        let scratch = Scratch::new(&self.place.scratch)?;
        let (dir, input) = (scratch.folder("attempt")?, self.bring_input(&request, &chunk, &scratch).await?);
        let parts = Parts::create(&dir)?;
        if round == Round::Second {
            let list = self.bucket.read(&place.duplicates(index)).await?;
            let list = list.ok_or_else(|| Halt::outage(format!("the duplicates of chunk {index} are not there")))?;
            fs::write(parts.path(index, round, "duplicates"), list).map_err(super::error::disk)?;
        }
        let earlier = self.earlier(place, &request).await?;
        let dirs = self.bring_earlier(&earlier, index, &scratch).await?;
        let scope = ledger::scope(request.scope);
        let marker = blocking(move || {
            let redo = (!dirs.is_empty()).then_some(Redo { scope, earlier: &dirs });
            let task = Task { job: &job, input: &input, dir: &dir, redo };
            Ok(apart::chunk(&task, &plan, index, round, &Control::default())?)
        })
        .await?;
        self.keep(place, &parts, round, &marker).await
    }

    /// The parts first, what says that they are whole last.
    async fn keep(&self, place: &Place, parts: &Parts, round: Round, marker: &Marker) -> Result<(), Halt> {
        let (index, done) = (marker.chunk.index, &marker.done);
        let keys = marker.keys.map(|keys| ("keys", keys));
        for (kind, written) in [("output", done.output), ("rejects", done.rejects)].into_iter().chain(keys) {
            let (key, path) = (place.part(index, round, kind), parts.path(index, round, kind));
            self.bucket.put_file(&key, &path, written).await?;
        }
        Ok(self.bucket.put(&place.done(round, marker), durable::json(marker)?).await?)
    }

    /// Does a chunk again whose parts are not what its markers say.
    pub(super) async fn mend(&self, place: &Place, index: usize, rounds: &[Round]) -> Result<(), Halt> {
        tracing::warn!(attempt = %place.key, chunk = index, "the parts of a chunk are damaged or missing; it is done again");
        let mut markers = Vec::new();
        for round in [Round::First, Round::Second] {
            markers.extend(self.bucket.list(&place.done_prefix(index, round)).await?.into_iter().map(|(key, _)| key));
        }
        self.bucket.delete(markers).await?;
        for round in rounds {
            self.chunk(place, index, *round).await?;
        }
        Ok(())
    }
}
