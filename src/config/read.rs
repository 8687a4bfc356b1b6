//! From the text of the file to a [`Config`], with every mistake noted on the way.

use super::mistake::{Mistakes, Notes};
use super::section::Section;
use super::{
    Backend, Config, Depth, FILE_NAME, Regions, approvals, deployed, failover, jobs, leak, people, regions, rules,
    server,
};
use std::path::{Path, PathBuf};
use toml::de::DeTable;

pub(super) fn load(file: &Path, depth: Depth) -> Result<Config, Mistakes> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|e| unreadable(&shown, &e))?;
    let absolute = std::path::absolute(file).map_err(|e| unreadable(&shown, &e))?;
    parse(&shown, absolute, &text, depth)
}

fn unreadable(shown: &str, error: &std::io::Error) -> Mistakes {
    let hint = match error.kind() {
        std::io::ErrorKind::NotFound => {
            format!("write one with `switchman init`, or name yours with --config FILE (usually {FILE_NAME})")
        }
        std::io::ErrorKind::InvalidData => "save it as UTF-8".to_owned(),
        _ => String::new(),
    };
    Mistakes::of_file(shown, format!("cannot be read: {error}"), &hint)
}

/// The tables of a TOML text; where the syntax is broken, all of its mistakes.
pub(super) fn tables<'t>(notes: &Notes, text: &'t str) -> Option<DeTable<'t>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        notes.add(at, "", format!("not TOML here: {}", error.message().replace('\n', ", ")), "");
    }
    errors.is_empty().then(|| table.into_inner())
}

/// Reads the text of a configuration at `file` (absolute), which messages call `shown`.
pub(super) fn parse(shown: &str, file: PathBuf, text: &str, depth: Depth) -> Result<Config, Mistakes> {
    let notes = Notes::new(shown, text);
    let Some(table) = tables(&notes, text) else { return Err(notes.finish()) };
    leak::note_secrets(&notes, "", &table);
    let folder = file.parent().unwrap_or(Path::new("")).to_owned();
    let root = Section::new(&notes, "", 0, Some(&table));

    let server = server::server(&root.section("server"));
    let slash_command = server::slash_command(&root.section("slack"));
    let where_kept = root.section("backend");
    let on_aws = server::asks_for_aws(&where_kept);
    let mut backend = server::backend(&where_kept, &folder);
    let given = root.sections("region");
    let several = given.len() != 1;
    let regions = places(&root, given, on_aws.then_some(&where_kept), backend.as_mut(), &folder);
    let (channels, people) = (root.sections("channel"), root.sections("user"));
    if on_aws {
        useless(&channels, "channel", "the channels are in the parameter that backend.channels_parameter names");
        useless(&people, "user", "people are in the table that backend.people_table names");
    }
    let channels = people::channels(&channels);
    let people = people::people(&people);
    let listed = (!on_aws).then_some(channels.as_slice());
    let jobs = jobs::jobs(root.sections("job"), &folder, listed, depth);
    let tables = root.sections("approval");
    let found = rules::rules(&root.sections("rule"), &people, listed, &jobs, &approvals::roles(&tables));
    let policy = notes.is_empty().then_some(&found.policy);
    let world = approvals::World { people: &people, channels: listed, jobs: &jobs, policy };
    let approvals = approvals::approvals(&tables, &world);
    let failover = root.section("failover");
    routing(&failover, on_aws, several, backend.as_mut());
    let moves = failover::failover(&failover);
    root.finish();

    let order = jobs.iter().map(|job| job.name.clone()).collect();
    let (mut with_files, mut machines) = (Vec::new(), Vec::new());
    for config in jobs.into_iter().filter_map(|job| job.config) {
        match config {
            jobs::Found::Files(job) => with_files.push(*job),
            jobs::Found::Machine(machine) => machines.push(machine),
        }
    }
    match (server, backend, notes.is_empty()) {
        (Some(server), Some(backend), true) => Ok(Config {
            file,
            server,
            slash_command,
            backend,
            regions,
            channels: channels.into_iter().map(|c| c.id).collect(),
            people: people.into_iter().map(|p| p.person).collect(),
            jobs: with_files,
            machines,
            order,
            policy: found.policy,
            own_rules: found.own,
            approvals,
            moves,
        }),
        _ => Err(notes.finish()),
    }
}

/// Where work can be done: on this machine, or in `backend`.
fn places(
    root: &Section<'_>,
    sections: Vec<Section<'_>>,
    on_aws: Option<&Section<'_>>,
    backend: Option<&mut Backend>,
    folder: &Path,
) -> Regions {
    let Some(where_kept) = on_aws else {
        return regions::regions(sections, &root.section("replication"), backend.as_deref(), folder);
    };
    if let Some(at) = root.place("replication") {
        let what = "has no effect with the backend aws: S3 replicates from bucket to bucket there";
        root.section("replication").notes.add(at, "replication", what, "remove it here; the template sets it up");
    }
    let names = backend.and_then(Backend::names_mut);
    deployed::regions(sections, where_kept, names);
    Regions::default()
}

fn routing(failover: &Section<'_>, on_aws: bool, several: bool, backend: Option<&mut Backend>) {
    if !on_aws && failover.place("routing").is_none() {
        return;
    }
    let section = failover.section("routing");
    match (on_aws, backend) {
        (true, backend) => {
            let routing = deployed::routing(&section, several);
            if let Some(names) = backend.and_then(Backend::names_mut) {
                names.routing = routing;
            }
        }
        (false, Some(_)) => useless_here(&section),
        // The backend is wrong already.
        (false, None) => {}
    }
}

fn useless_here(section: &Section<'_>) {
    let what = "has no effect with the backend embedded: there is nothing to route";
    section.notes.add(section.at, &section.path, what, "remove it here");
}

/// Notes each of these tables, which mean nothing on AWS: what they would say is `kept` elsewhere.
fn useless(sections: &[Section<'_>], key: &str, kept: &str) {
    for section in sections {
        let what = format!("has no effect with the backend aws: {kept}");
        section.notes.add(section.at, key, what, "remove it here");
    }
}
