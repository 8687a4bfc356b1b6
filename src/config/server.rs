//! `[server]`, `[slack]` and `[backend]`.

use super::section::Section;
use super::values::address;
use super::{Backend, Server, aws};
use std::net::SocketAddr;
use std::path::Path;

const LISTEN: &str = "127.0.0.1:3000";
const COMMAND: &str = "/my-slack-bot";
const DATA: &str = "var";

pub(super) fn server(section: &Section<'_>) -> Option<Server> {
    let (text, at) = section.text("listen").map_or((LISTEN.to_owned(), section.at), |text| (text.value, text.at));
    let listen: Option<SocketAddr> = text.parse().ok();
    if listen.is_none() {
        section.wrong("listen", at, format!("{text:?} is not an address and a port"), format!("write {LISTEN:?}"));
    }
    let public_url = section.text("public_url").and_then(|text| match address(&text.value, |_| true) {
        Ok(url) => Some(url),
        Err(why) => {
            section.wrong("public_url", text.at, why, "write something like \"https://bot.example.com\"");
            None
        }
    });
    section.finish();
    Some(Server { listen: listen?, public_url })
}

/// The slash command. Slack's rule: a slash, then at most 31 characters without blanks (lower case).
pub(super) fn slash_command(section: &Section<'_>) -> String {
    let command = section.text("command");
    section.finish();
    let Some(text) = command else { return COMMAND.to_owned() };
    let valid = text.value.strip_prefix('/').is_some_and(|word| {
        (1..=31).contains(&word.chars().count())
            && !word.contains(|c: char| c.is_whitespace() || c.is_uppercase() || c == '/' || c.is_control())
    });
    if !valid {
        let what = format!("{:?} is not a slash command", text.value);
        section.wrong("command", text.at, what, "write a slash and up to 31 lower-case letters, digits and dashes");
    }
    text.value
}

/// Whether the file asks for AWS, and this build has it.
pub(super) fn asks_for_aws(section: &Section<'_>) -> bool {
    cfg!(feature = "aws") && section.text("kind").is_some_and(|kind| kind.value == "aws")
}

pub(super) fn backend(section: &Section<'_>, folder: &Path) -> Option<Backend> {
    if asks_for_aws(section) {
        return aws::names(section).map(Backend::Aws);
    }
    let (kind, data) = (section.text("kind"), section.text("data"));
    section.finish();
    match kind.as_ref().map(|k| k.value.as_str()) {
        None | Some("embedded") => {}
        Some("aws") => {
            let at = kind.map_or(section.at, |k| k.at);
            let what = "this build has no AWS backend";
            section.wrong("kind", at, what, "write \"embedded\", or build with the cargo feature aws");
            return None;
        }
        Some(_) => {
            let possible: &[&str] = if cfg!(feature = "aws") { &["embedded", "aws"] } else { &["embedded"] };
            if let Some(kind) = &kind {
                section.unknown("kind", kind, "a backend", possible);
            }
            return None;
        }
    }
    let at = data.as_ref().map_or(section.at, |d| d.at);
    let data = folder.join(data.map_or(DATA.to_owned(), |d| d.value));
    if data.exists() && !data.is_dir() {
        section.wrong(
            "data",
            at,
            format!("{} is not a folder", data.display()),
            "name a folder; it is made when needed",
        );
        return None;
    }
    Some(Backend::Embedded { data })
}
