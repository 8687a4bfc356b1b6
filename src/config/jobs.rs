//! `[[job]]`: what may be run, on which files, and where its results go.

use super::machines::{self, MachineConfig};
use super::people::FoundChannel;
use super::section::{Section, Text};
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
    pub(super) config: Option<Found>,
    line: usize,
}

/// A job of either kind.
pub(super) enum Found {
    Files(Box<JobConfig>),
    Machine(MachineConfig),
}

const KINDS: [&str; 2] = ["csv", machines::KIND];
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
    let kind = section.text("kind");
    if let Some(kind) = kind.as_ref().filter(|kind| !KINDS.contains(&kind.value.as_str())) {
        section.unknown("kind", kind, "a kind of job", &KINDS);
    }
    let summary = section.text("summary").map(|t| t.value).unwrap_or_default();
    if summary.contains(char::is_control) || summary.chars().count() > 150 {
        let at = section.place("summary").unwrap_or(section.at);
        section.wrong("summary", at, "is longer than one line of 150 characters", "shorten it");
    }
    let found = match kind.filter(|kind| kind.value == machines::KIND) {
        Some(kind) => machine(&section, &kind, channels.is_some()),
        None => files(&section, folder, (channels, depth)),
    };
    section.finish();

    let (name, text) = (name?, text?);
    if let Some(first) = before.iter().find(|job| job.name == name) {
        let hint = format!("it stands in line {} already; give this one another name", first.line);
        section.wrong("name", text.at, format!("the job {name} stands twice"), hint);
        return None;
    }
    let config = found.map(|found| match found {
        Found::Files(job) => Found::Files(Box::new(JobConfig { name: name.clone(), summary, ..*job })),
        Found::Machine(machine) => Found::Machine(MachineConfig { name: name.clone(), summary, ..machine }),
    });
    Some(FoundJob { name, config, line: section.notes.line(text.at) })
}

/// What a job on files has beside its name and summary.
fn files(section: &Section<'_>, folder: &Path, (channels, depth): (Option<&[FoundChannel]>, Depth)) -> Option<Found> {
    let input = folder.join(section.text("input").map_or(INPUT.to_owned(), |t| t.value));
    let output = folder.join(section.text("output").map_or(OUTPUT.to_owned(), |t| t.value));
    let pattern = pattern(section);
    let arrival = arrival(section, channels);
    let spec = csv::read(section, folder, depth);
    check_folders(section, &input, &output);
    let (pattern, spec) = (pattern?, spec?);
    let (name, summary, base) = (unnamed(), String::new(), folder.to_owned());
    Some(Found::Files(Box::new(JobConfig { name, summary, input, pattern, output, arrival, spec, base })))
}

/// The same of a workflow. Nothing on this machine runs one.
fn machine(section: &Section<'_>, kind: &Text, embedded: bool) -> Option<Found> {
    if embedded {
        let hint = "write kind = \"aws\" under [backend], or give the job kind = \"csv\" and files";
        section.wrong("kind", kind.at, "state machines run on AWS, and the backend of this file is embedded", hint);
    }
    let (machine, inputs) = machines::read(section)?;
    Some(Found::Machine(MachineConfig { name: unnamed(), summary: String::new(), machine, inputs }))
}

/// Stands for the name until it is known that everything else is right.
fn unnamed() -> JobName {
    JobName::parse("unnamed").expect("a plain name")
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
