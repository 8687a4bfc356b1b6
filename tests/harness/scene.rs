//! Transcripts for people: what differs from one test run to the next is taken out, and what only counted up is left out.

use regex::Regex;
use std::collections::HashMap;

/// A transcript of the workspace as a scene: run ids become `r-1`, `r-2`, …; times and rates become words; edits that only count up
/// are left out.
pub(crate) fn of(transcript: &str) -> String {
    let mut entries: Vec<String> = Vec::new();
    for line in transcript.lines() {
        match entries.last_mut() {
            Some(entry) if line.starts_with("    ") => {
                entry.push('\n');
                entry.push_str(line);
            }
            _ => entries.push(line.to_owned()),
        }
    }
    let counts_up = |entry: &String| {
        let head = entry.lines().next().unwrap_or_default();
        head.starts_with("Switchman edits")
            && [": running*", ": starting*", ": cancelling*"].iter().any(|state| head.contains(state))
    };
    entries.retain(|entry| !counts_up(entry));
    entries.dedup();
    // The rejected rows may be attached while the last edit waits for its turn.
    for at in 1..entries.len() {
        if entries[at].starts_with("Switchman edits") && entries[at - 1].starts_with("Switchman (in a thread)") {
            entries.swap(at, at - 1);
        }
    }
    steady(&entries.join("\n"))
}

/// A text without what differs from one test run to the next.
pub(crate) fn steady(text: &str) -> String {
    let ids = Regex::new(r"\br-[2-9a-z]{4,12}\b").unwrap();
    let mut known: HashMap<String, usize> = HashMap::new();
    let text = ids.replace_all(text, |found: &regex::Captures<'_>| {
        let next = known.len() + 1;
        format!("r-{}", known.entry(found[0].to_owned()).or_insert(next))
    });
    let mut text = text.into_owned();
    for (pattern, word) in [
        (r"\*Time\* [^\n·]*", "*Time* TIME"),
        (r"[\d,]+ rows per second", "RATE"),
        (r"just now|\d+ (s|min|h|days) ago", "some time ago"),
        (r"http://127\.0\.0\.1:\d+\S*", "LINK"),
        (r"(/[^\s/`]+)+/input", "/…/input"),
    ] {
        text = Regex::new(pattern).unwrap().replace_all(&text, word).into_owned();
    }
    text
}
