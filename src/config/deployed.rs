//! `[[region]]` and `[failover.routing]` on AWS: what was deployed into each region, and what is told of a switch.

use super::aws::{AwsNames, AwsRegion, DEPLOYED, REGION_RULE, Routing, checked, is_arn, is_bucket, is_region};
use super::section::{Section, Text};
use crate::domain::id::RegionName;

struct Found {
    region: AwsRegion,
    line: usize,
}

/// Reads the regions into the names, if those are right; says what is wrong in any case.
pub(super) fn regions(sections: Vec<Section<'_>>, backend: &Section<'_>, names: Option<&mut AwsNames>) {
    let given = sections.len();
    if given == 0 {
        let hint = format!("add a [[region]] with name, bucket and state_machine; {DEPLOYED}");
        backend.notes.add(backend.at, "region", "there is none", hint);
        return;
    }
    let mut found: Vec<Found> = Vec::new();
    for mut section in sections {
        found.extend(region(&mut section, given > 1, &found));
    }
    let Some(names) = names else { return };
    if found.len() == given && !found.iter().any(|found| found.region.name.as_str() == names.region) {
        let all: Vec<_> = found.iter().map(|found| found.region.name.as_str()).collect();
        let what = format!("{:?} is not one of the regions: {}", names.region, all.join(", "));
        let at = backend.place("region").unwrap_or(backend.at);
        backend.wrong("region", at, what, "add a [[region]] of this name, or name the one this bot runs in");
    }
    names.regions = found.into_iter().map(|found| found.region).collect();
}

fn region(section: &mut Section<'_>, several: bool, before: &[Found]) -> Option<Found> {
    let text = section.required("name", "write something like \"eu-central-1\"");
    let at = text.as_ref().map_or(section.at, |text| text.at);
    let code = text.and_then(|text| checked(section, "name", text, is_region, REGION_RULE));
    let name = code.and_then(|code| section.id("name", &Text { value: code, at }, RegionName::parse));
    if let Some(name) = &name {
        section.path = format!("region.{name}");
    }
    let bucket = section.required("bucket", DEPLOYED);
    let machine = section.required("state_machine", DEPLOYED);
    let bus = section.text("event_bus");
    section.finish();
    let bucket_at = bucket.as_ref().map_or(section.at, |text| text.at);
    let bucket_rule = "a bucket's name: 3 to 63 small letters, digits, dots and dashes";
    let bucket = bucket.and_then(|text| checked(section, "bucket", text, is_bucket, bucket_rule));
    let state_machine = machine.and_then(|text| within(section, "state_machine", text, "states", name.as_ref()));
    if let (Some(bus), false) = (&bus, several) {
        let what = "there is only one region, so nothing is ever handed over to it";
        section.wrong("event_bus", bus.at, what, "remove it, or add a second [[region]]");
    }
    let bus_wanted = bus.is_some();
    let event_bus = bus.and_then(|text| within(section, "event_bus", text, "events", name.as_ref()));
    let name = name?;
    let line = section.notes.line(at);
    if let Some(other) = before.iter().find(|found| found.region.name == name) {
        let hint = format!("it stands in line {} already; give this one another name", other.line);
        section.wrong("name", at, format!("the region {name} stands twice"), hint);
        return None;
    }
    let (bucket, state_machine) = (bucket?, state_machine?);
    if bus_wanted && event_bus.is_none() {
        return None;
    }
    if let Some(other) = before.iter().find(|found| found.region.bucket == bucket) {
        let hint = "give each region a bucket of its own, or losing one would lose the other";
        section.wrong("bucket", bucket_at, format!("is the bucket of the region {}", other.region.name), hint);
        return None;
    }
    Some(Found { line, region: AwsRegion { name, bucket, state_machine, event_bus } })
}

/// The ARN of something that lies in the region.
fn within(section: &Section<'_>, key: &str, text: Text, service: &str, region: Option<&RegionName>) -> Option<String> {
    let at = text.at;
    let arn = arn(section, key, text, service)?;
    let place = arn.split(':').nth(3).unwrap_or_default();
    match region {
        Some(region) if place != region.as_str() => {
            let what = format!("lies in {place:?} and not in {region}");
            section.wrong(key, at, what, "write the one that the template's output of this region names");
            None
        }
        _ => Some(arn),
    }
}

fn arn(section: &Section<'_>, key: &str, text: Text, service: &str) -> Option<String> {
    if is_arn(&text.value, service) {
        return Some(text.value);
    }
    let what = format!("{:?} is not an ARN of the service {service}", text.value);
    section.wrong(key, text.at, what, format!("write one that begins with \"arn:aws:{service}:\""));
    None
}

/// Reads `[failover.routing]`; of use only where there are `several` regions.
pub(super) fn routing(section: &Section<'_>, several: bool) -> Routing {
    let point = section.text("multi_region_access_point");
    let plan = section.text("region_switch_plan");
    section.finish();
    if let (Some(given), false) = (point.as_ref().or(plan.as_ref()), several) {
        let what = "there is only one region, so nothing is ever routed elsewhere";
        section.notes.add(given.at, &section.path, what, "remove it, or add a second [[region]]");
    }
    Routing {
        multi_region_access_point: point.and_then(|text| arn(section, "multi_region_access_point", text, "s3")),
        region_switch_plan: plan.and_then(|text| arn(section, "region_switch_plan", text, "arc-region-switch")),
    }
}
