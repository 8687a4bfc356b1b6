//! `[[region]]` and `[replication]`: where work can be done, and how soon what is done in one region is copied to the others.

use super::section::{Section, Text};
use super::{Backend, Regions};
use crate::domain::id::RegionName;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a change waits before it is copied, unless the file says otherwise.
const LAG: Duration = Duration::from_secs(2);
const LONGEST: Duration = Duration::from_hours(1);
/// Where the regions lie within the data folder, unless they say otherwise.
const FOLDER: &str = "regions";

/// A region beside the first one, or the first itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    pub name: RegionName,
    /// Its inputs, attempts and results (absolute). The first region has the folders of the jobs and of the backend instead.
    pub data: PathBuf,
}

struct Found {
    region: Region,
    line: usize,
}

/// Reads both; the paths of `data` count from `folder`.
pub(super) fn regions(
    sections: Vec<Section<'_>>,
    replication: &Section<'_>,
    backend: Option<&Backend>,
    folder: &Path,
) -> Regions {
    let Some(Backend::Embedded { data }) = backend else {
        sections.iter().for_each(forgive);
        forgive(replication);
        return Regions::default();
    };
    let given = sections.len();
    let (mut found, mut last) = (Vec::new(), None);
    for (number, mut section) in sections.into_iter().enumerate() {
        found.extend(region(&mut section, number == 0, data, folder, &found));
        last = Some(section);
    }
    if let (1, Some(only)) = (given, last) {
        let what = "there is only one region, so there is nowhere to fail over to";
        only.wrong("name", only.at, what, "add a second [[region]], or remove this one");
    }
    let lag = lag(replication, given > 0);
    Regions { all: found.into_iter().map(|found| found.region).collect(), lag }
}

fn region(section: &mut Section<'_>, first: bool, data: &Path, folder: &Path, before: &[Found]) -> Option<Found> {
    let text = section.required("name", "lower-case letters, digits and dashes, such as \"east\"");
    let name = text.as_ref().and_then(|text| section.id("name", text, RegionName::parse));
    if let Some(name) = &name {
        section.path = format!("region.{name}");
    }
    let own = section.text("data");
    section.finish();
    let (name, text) = (name?, text?);
    if let Some(other) = before.iter().find(|found| found.region.name == name) {
        let hint = format!("it stands in line {} already; give this one another name", other.line);
        section.wrong("name", text.at, format!("the region {name} stands twice"), hint);
        return None;
    }
    let usual = data.join(FOLDER).join(name.as_str());
    let place = match &own {
        Some(own) if first => {
            let hint = "remove it: the first region has the folders of the jobs and of [backend]";
            section.wrong("data", own.at, "the first region has no folder of its own", hint);
            usual
        }
        Some(own) => folder.join(&own.value),
        None => usual,
    };
    check_folder(section, own.as_ref(), &place, data, before);
    Some(Found { line: section.notes.line(text.at), region: Region { name, data: place } })
}

fn check_folder(section: &Section<'_>, own: Option<&Text>, place: &Path, data: &Path, before: &[Found]) {
    let at = own.map_or(section.at, |own| own.at);
    let wrong = |what: String, hint: &str| section.wrong("data", at, what, hint);
    if place.exists() && !place.is_dir() {
        wrong(format!("{} is not a folder", place.display()), "name a folder; it is made when needed");
    } else if place == data {
        wrong("is the folder of [backend], which the first region uses".to_owned(), "name another folder");
    } else if let Some(other) = before.iter().find(|found| found.region.data == place) {
        let hint = "give each region a folder of its own, or losing one would lose the other";
        wrong(format!("is the folder of the region {}", other.region.name), hint);
    }
}

fn lag(section: &Section<'_>, of_use: bool) -> Duration {
    let text = section.text("lag");
    section.finish();
    let Some(text) = text else { return LAG };
    if !of_use {
        section.wrong("lag", text.at, "there is nothing to copy without a [[region]]", "add two, or remove it");
        return LAG;
    }
    seconds(&text.value).filter(|lag| *lag <= LONGEST).unwrap_or_else(|| {
        let what = format!("{:?} is not a time of at most an hour", text.value);
        section.wrong("lag", text.at, what, "write something like \"2s\" or \"500 ms\"");
        LAG
    })
}

/// A length of time from a text such as `500 ms`, `2s` or `5 min`.
fn seconds(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let number: u64 = text[..digits].parse().ok()?;
    let millis: u64 = match text[digits..].trim() {
        "ms" => 1,
        "s" => 1_000,
        "min" => 60_000,
        _ => return None,
    };
    number.checked_mul(millis).map(Duration::from_millis)
}

/// The backend is wrong already: nothing more is said about what depends on it.
fn forgive(section: &Section<'_>) {
    section.text("name");
    section.text("data");
    section.text("lag");
}
