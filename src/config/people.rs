//! `[[channel]]` and `[[user]]`: where the bot works and who is on the list.

use super::mistake::Notes;
use super::section::Section;
use crate::domain::actor::Role;
use crate::domain::id::{ChannelId, TeamId, UserId};

/// A person on the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub team: TeamId,
    pub user: UserId,
    /// For display only.
    pub name: String,
    pub roles: Vec<Role>,
}

pub(super) struct FoundChannel {
    pub(super) id: ChannelId,
    line: usize,
}

pub(super) struct FoundPerson<'a> {
    pub(super) notes: &'a Notes,
    pub(super) person: Person,
    /// What messages call it.
    pub(super) path: String,
    /// Each role's place in the file.
    pub(super) places: Vec<usize>,
    line: usize,
}

pub(super) fn channels(sections: &[Section<'_>]) -> Vec<FoundChannel> {
    let mut found: Vec<FoundChannel> = Vec::new();
    for section in sections {
        let text = section.required("id", "a channel's id starts with C; in Slack: channel name, About, at the bottom");
        section.finish();
        let Some(text) = text else { continue };
        let Some(id) = section.id("id", &text, ChannelId::parse) else { continue };
        let line = section.notes.line(text.at);
        match found.iter().find(|c| c.id == id) {
            Some(first) => section.wrong("id", text.at, format!("{id} is listed twice"), again(first.line)),
            None => found.push(FoundChannel { id, line }),
        }
    }
    found
}

pub(super) fn people<'a>(sections: &[Section<'a>]) -> Vec<FoundPerson<'a>> {
    let mut found: Vec<FoundPerson<'a>> = Vec::new();
    for section in sections {
        let Some(new) = person(section) else { continue };
        let same = |p: &&FoundPerson<'a>| p.person.team == new.person.team && p.person.user == new.person.user;
        match found.iter().find(same) {
            Some(first) => {
                let at = section.place("id").unwrap_or(section.at);
                section.wrong("id", at, format!("{} is listed twice", new.person.user), again(first.line));
            }
            None => found.push(new),
        }
    }
    found
}

fn person<'a>(section: &Section<'a>) -> Option<FoundPerson<'a>> {
    let team =
        section.required("team", "a workspace's id starts with T; it stands in the address of Slack in the browser");
    let id =
        section.required("id", "a person's id starts with U or W; in Slack: profile, the three dots, Copy member ID");
    let name = section.text("name");
    let roles = section.texts("roles");
    section.finish();
    let team = team.and_then(|text| section.id("team", &text, TeamId::parse));
    let user = id.as_ref().and_then(|text| section.id("id", text, UserId::parse));
    for role in roles.iter().filter(|r| r.value.trim().is_empty()) {
        section.wrong("roles", role.at, "a role has no name", "write something like \"operator\"");
    }
    let (team, user) = (team?, user?);
    let name = name.map(|n| n.value).filter(|n| !n.trim().is_empty()).unwrap_or_else(|| user.to_string());
    Some(FoundPerson {
        notes: section.notes,
        path: format!("user.{user}"),
        line: section.notes.line(id.map_or(section.at, |text| text.at)),
        places: roles.iter().map(|r| r.at).collect(),
        person: Person { team, user, name, roles: roles.iter().map(|r| Role::new(&r.value)).collect() },
    })
}

fn again(line: usize) -> String {
    format!("it stands in line {line} already; remove one")
}
