//! `[[job]]`: what may be run, on which files, and where its results go.

use super::people::FoundChannel;
use super::section::Section;
use super::values::Pattern;
use super::{Depth, csv};
use crate::batch::{Job, LoadError, Spec};
use crate::domain::id::{ChannelId, JobName};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// One entry of the catalog with all its settings. Paths are absolute, but for those of `spec`: they count from `base`.
#[derive(Debug, Clone)]
pub struct JobConfig {
    pub name: JobName,
    /// One line for menus and forms.
    pub summary: String,
    /// Where its input files lie.
    pub input: PathBuf,
    /// Which of the files there are its own.
    pub pattern: Pattern,
    /// Where people find its results.
    pub output: PathBuf,
    /// Where the runs are reported that start because a file arrived; `None`: none start for that.
    pub arrival: Option<ChannelId>,
    /// How its rows are read, checked and written.
    pub spec: Spec,
    /// The folder of the configuration.
    pub base: PathBuf,
}

impl JobConfig {
    /// The job as `batch/` runs it, with today's schema and lookups.
    pub fn load(&self) -> Result<Job, LoadError> {
        Job::load(&self.spec, &self.base)
    }

    /// A hash over everything that decides what happens to a row, but for the contents of lookups: those are data.
    pub fn definition(&self) -> String {
        let spec = serde_json::to_vec(&self.spec).unwrap_or_default();
        let schema = std::fs::read(self.base.join(&self.spec.schema)).unwrap_or_default();
        let hash = Sha256::new().chain_update(spec).chain_update([0]).chain_update(schema);
        hex::encode(&hash.finalize()[..16])
    }
}

pub(super) struct FoundJob {
    pub(super) name: JobName,
    /// `None` where something else of it is wrong.
    pub(super) config: Option<JobConfig>,
    line: usize,
}

const INPUT: &str = "input";
const OUTPUT: &str = "output";
const PATTERN: &str = "*.csv";

/// Reads the jobs; paths are relative to `folder`.
pub(super) fn jobs(
    sections: Vec<Section<'_>>,
    folder: &Path,
    channels: Option<&[FoundChannel]>,
    depth: Depth,
) -> Vec<FoundJob> {
    let mut found: Vec<FoundJob> = Vec::new();
    for section in sections {
        let Some(new) = job(section, folder, (channels, depth), &found) else { continue };
        found.push(new);
    }
    found
}

fn job(
    mut section: Section<'_>,
    folder: &Path,
    (channels, depth): (Option<&[FoundChannel]>, Depth),
    before: &[FoundJob],
) -> Option<FoundJob> {
    let text = section.required("name", "lower-case letters, digits and dashes, such as \"sales\"");
    let name = text.as_ref().and_then(|text| section.id("name", text, JobName::parse));
    if let Some(name) = &name {
        section.path = format!("job.{name}");
    }
    if let Some(kind) = section.text("kind").filter(|kind| kind.value != "csv") {
        section.unknown("kind", &kind, "a kind of job", &["csv"]);
    }
    let summary = section.text("summary").map(|t| t.value).unwrap_or_default();
    if summary.contains(char::is_control) || summary.chars().count() > 150 {
        let at = section.place("summary").unwrap_or(section.at);
        section.wrong("summary", at, "is longer than one line of 150 characters", "shorten it");
    }
    let input = folder.join(section.text("input").map_or(INPUT.to_owned(), |t| t.value));
    let output = folder.join(section.text("output").map_or(OUTPUT.to_owned(), |t| t.value));
    let pattern = pattern(&section);
    let arrival = arrival(&section, channels);
    let spec = csv::read(&section, folder, depth);
    section.finish();
    check_folders(&section, &input, &output);

    let (name, text) = (name?, text?);
    if let Some(first) = before.iter().find(|job| job.name == name) {
        let hint = format!("it stands in line {} already; give this one another name", first.line);
        section.wrong("name", text.at, format!("the job {name} stands twice"), hint);
        return None;
    }
    let config = match (pattern, spec) {
        (Some(pattern), Some(spec)) => Some(JobConfig {
            name: name.clone(),
            summary,
            input,
            pattern,
            output,
            arrival,
            spec,
            base: folder.to_owned(),
        }),
        _ => None,
    };
    Some(FoundJob { name, config, line: section.notes.line(text.at) })
}

fn pattern(section: &Section<'_>) -> Option<Pattern> {
    let text = section.text("pattern");
    let (value, at) = text.map_or((PATTERN.to_owned(), section.at), |t| (t.value, t.at));
    let pattern = Pattern::parse(&value);
    if pattern.is_none() {
        let hint = "write a name with * for any characters and ? for one, without folders, such as \"*.csv\"";
        section.wrong("pattern", at, format!("{value:?} is not a pattern of file names"), hint);
    }
    pattern
}

/// Where runs are reported that start on arrival: the channel that is named, or the first one of the file. Where the file lists none
/// (`None`), it has to be named.
fn arrival(section: &Section<'_>, channels: Option<&[FoundChannel]>) -> Option<ChannelId> {
    let on = section.flag("on_arrival").unwrap_or(false);
    let named = section.text("arrival_channel");
    if let (false, Some(text)) = (on, &named) {
        section.wrong("arrival_channel", text.at, "does nothing without on_arrival = true", "add that, or remove this");
        return None;
    }
    if !on {
        return None;
    }
    let Some(channels) = channels else {
        if named.is_none() {
            let at = section.place("on_arrival").unwrap_or(section.at);
            let hint = "name one with arrival_channel";
            section.wrong("on_arrival", at, "no channel of this file is there to report the runs in", hint);
        }
        return named.and_then(|text| section.id("arrival_channel", &text, ChannelId::parse));
    };
    let Some(first) = channels.first() else {
        let at = section.place("on_arrival").unwrap_or(section.at);
        let hint = "add a [[channel]] with the id of a channel that the bot works in";
        section.wrong("on_arrival", at, "there is no channel in which the runs could be reported", hint);
        return None;
    };
    let Some(text) = named else { return Some(first.id.clone()) };
    let found = channels.iter().find(|channel| channel.id.as_str() == text.value);
    if found.is_none() {
        let ids: Vec<&str> = channels.iter().map(|channel| channel.id.as_str()).collect();
        section.unknown("arrival_channel", &text, "a channel of this file", &ids);
    }
    found.map(|channel| channel.id.clone())
}

fn check_folders(section: &Section<'_>, input: &Path, output: &Path) {
    for (key, path) in [("input", input), ("output", output)] {
        if path.exists() && !path.is_dir() {
            let at = section.place(key).unwrap_or(section.at);
            section.wrong(
                key,
                at,
                format!("{} is not a folder", path.display()),
                "name a folder; it is made when needed",
            );
        }
    }
    if input == output {
        let at = section.place("output").or(section.place("input")).unwrap_or(section.at);
        let hint = "give results a folder of their own, or they would be taken for inputs";
        section.wrong("output", at, "is the input folder", hint);
    }
}
