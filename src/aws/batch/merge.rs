//! The step `merge`: puts the parts together, decides, publishes.

use super::Worker;
use super::assemble::{AssembleError, Segment, Target};
use super::compare::DAMAGED;
use super::error::Halt;
use super::layout::{DECIDED, PUBLISH, Place};
use super::publish::Results;
use super::scratch::Scratch;
use crate::batch::earlier::Manifest;
use crate::batch::ledger::{Request, result_name};
use crate::batch::parts::{Marker, Round};
use crate::batch::plan::Plan;
use crate::batch::{self, Job, Outcome, Summary, keys};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// An attempt whose chunks are all done.
struct Finished {
    summary: Summary,
    manifest: Manifest,
    rounds: Vec<Round>,
}

/// Everything that is known of an attempt under way.
struct Under<'a> {
    place: &'a Place,
    request: &'a Request,
    job: &'a Job,
    plan: &'a Plan,
    second: BTreeSet<usize>,
}

impl Worker {
    pub(super) async fn merge(&self, place: &Place) -> Result<Value, Halt> {
        if let Some(summary) = self.summary(place).await? {
            return Ok(answer(&summary));
        }
        let request = self.request(place).await?;
        let job = self.job(&request).await?;
        let plan = self.planned(place, &job).await?;
        let second = match self.second(place).await? {
            Some(second) => second,
            None if keys::has_unique(&job) && !plan.chunks.is_empty() => {
                return Err(Halt::outage("the keys were not compared yet"));
            }
            None => BTreeSet::new(),
        };
        let under = Under { place, request: &request, job: &job, plan: &plan, second };
        for _ in 0..DAMAGED {
            let finished = self.finished(&under).await?;
            match self.assemble_all(&under, finished).await {
                Ok((results, _scratch)) => {
                    if let Err(halt) = self.decide(place).await {
                        self.drop_results(&results).await;
                        return Err(halt);
                    }
                    let summary = results.summary.clone();
                    self.publish(place, &request, results).await?;
                    return Ok(answer(&summary));
                }
                Err(AssembleError::Damaged(chunk)) => self.mend(place, chunk, under.rounds(chunk)).await?,
                Err(AssembleError::Halt(halt)) => return Err(halt),
            }
        }
        Err(Halt::outage("the parts do not stay as they were written"))
    }

    pub(super) async fn summary(&self, place: &Place) -> Result<Option<Summary>, Halt> {
        self.bucket.json(&place.at(batch::SUMMARY)).await
    }

    /// Makes sure that all chunks are done and their parts as long as their markers say, and adds up.
    async fn finished(&self, under: &Under<'_>) -> Result<Finished, Halt> {
        let place = under.place;
        let sizes: BTreeMap<String, u64> = self.bucket.list(&place.at("parts/")).await?.into_iter().collect();
        let mut markers = self.markers(place).await?;
        let (mut chunks, mut rounds) = (Vec::new(), Vec::new());
        for chunk in &under.plan.chunks {
            let index = chunk.index;
            let round = under.round(index);
            let fits = |marker: &Marker| {
                let size = |kind| sizes.get(&place.part(index, round, kind)).copied();
                let (output, rejects) = (marker.done.output.bytes, marker.done.rejects.bytes);
                marker.chunk == *chunk && size("output") == Some(output) && size("rejects") == Some(rejects)
            };
            let marker = match markers[usize::from(round == Round::Second)].remove(&index).filter(fits) {
                Some(marker) => marker,
                None => {
                    self.mend(place, index, under.rounds(index)).await?;
                    let marker = self.marker(place, index, round).await?;
                    marker.ok_or_else(|| Halt::outage(format!("chunk {index} was done and is not marked")))?
                }
            };
            chunks.push(marker.done);
            rounds.push(round);
        }
        let summary = Summary::of(under.job, under.plan, &chunks);
        let manifest = Manifest::of(under.job, &summary, chunks);
        Ok(Finished { summary, manifest, rounds })
    }

    async fn assemble_all(&self, under: &Under<'_>, finished: Finished) -> Result<(Results, Scratch), AssembleError> {
        let Finished { summary, manifest, rounds } = finished;
        let scratch = Scratch::new(&self.place.scratch)?;
        let key = &under.place.key;
        let target =
            |name: &str, rejects| Target { key: under.place.at(name), shown: result_name(key, under.request, rejects) };
        let segments = |kind: &str| -> Vec<Segment> {
            let segment = |(chunk, (done, round)): (usize, (&batch::chunk::Done, &Round))| Segment {
                chunk,
                key: under.place.part(chunk, *round, kind),
                written: if kind == "output" { done.output } else { done.rejects },
            };
            manifest.chunks.iter().zip(&rounds).enumerate().map(segment).collect()
        };
        let (to_rejects, to_output) = (target(&manifest.rejects, true), target(&manifest.output, false));
        let rejects = self.assemble(&to_rejects, under.job.rejects_header(), segments("rejects"), &scratch).await?;
        let output = self.assemble(&to_output, under.job.output_header(), segments("output"), &scratch).await;
        let output = match output {
            Ok(output) => output,
            Err(error) => {
                self.drop_ready(&to_rejects, &rejects).await;
                return Err(error);
            }
        };
        Ok((Results { files: vec![(to_rejects, rejects), (to_output, output)], manifest, summary }, scratch))
    }

    /// From here on it cannot be cancelled any more, unless it was.
    async fn decide(&self, place: &Place) -> Result<(), Halt> {
        let key = place.at(DECIDED);
        if self.bucket.put_new(&key, PUBLISH.to_vec()).await? {
            return Ok(());
        }
        match self.bucket.read(&key).await? {
            Some(decided) if decided == PUBLISH => Ok(()),
            _ => Err(Halt::Stopped),
        }
    }
}

impl Under<'_> {
    fn round(&self, chunk: usize) -> Round {
        if self.second.contains(&chunk) { Round::Second } else { Round::First }
    }

    fn rounds(&self, chunk: usize) -> &'static [Round] {
        if self.second.contains(&chunk) { &[Round::First, Round::Second] } else { &[Round::First] }
    }
}

fn answer(summary: &Summary) -> Value {
    let outcome = match summary.outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::TooManyRejects => "failed",
    };
    json!({"outcome": outcome, "rows": summary.rows, "rejected": summary.rejected})
}
