//! Who is in the workspace: the team, its channels, its members and the app, in Slack's shapes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What kind of account a member has. Guests and people of other companies are refused by a careful bot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberKind {
    #[default]
    Full,
    /// A multi-channel guest (`is_restricted`).
    Guest,
    /// Somebody of another workspace in a shared channel (`is_stranger`, another `team_id`).
    Connect,
}

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub id: String,
    /// The handle after `@`, without spaces.
    pub handle: String,
    pub name: String,
    /// What the page says under the name in the user switcher.
    pub hint: String,
    pub kind: MemberKind,
    pub deactivated: bool,
    pub team: String,
}

impl Member {
    /// A full member of team `T0LOCAL`.
    pub fn new(id: &str, handle: &str, name: &str, hint: &str) -> Self {
        Self {
            id: id.to_owned(),
            handle: handle.to_owned(),
            name: name.to_owned(),
            hint: hint.to_owned(),
            kind: MemberKind::Full,
            deactivated: false,
            team: "T0LOCAL".to_owned(),
        }
    }

    /// The same person as a multi-channel guest.
    #[must_use]
    pub fn guest(mut self) -> Self {
        self.kind = MemberKind::Guest;
        self
    }

    /// The same person as a member of another company's workspace.
    #[must_use]
    pub fn connect(mut self, team: &str) -> Self {
        self.kind = MemberKind::Connect;
        team.clone_into(&mut self.team);
        self
    }

    /// The same person with the account closed.
    #[must_use]
    pub fn deactivated(mut self) -> Self {
        self.deactivated = true;
        self
    }

    /// The `user` object of `users.info` and `users.list`.
    pub fn to_slack(&self) -> Value {
        json!({
            "id": self.id, "team_id": self.team, "name": self.handle, "deleted": self.deactivated,
            "real_name": self.name, "tz": "Etc/UTC", "tz_label": "Coordinated Universal Time", "tz_offset": 0,
            "profile": {
                "real_name": self.name, "display_name": self.handle, "real_name_normalized": self.name,
                "display_name_normalized": self.handle, "team": self.team,
            },
            "is_admin": false, "is_owner": false, "is_primary_owner": false, "is_bot": false, "is_app_user": false,
            "is_restricted": self.kind == MemberKind::Guest, "is_ultra_restricted": false,
            "is_stranger": self.kind == MemberKind::Connect, "updated": 0,
        })
    }
}

/// A channel of the workspace, or the direct messages between one member and the app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    pub id: String,
    pub name: String,
    pub topic: String,
    pub private: bool,
    pub archived: bool,
    /// Whether the app was invited.
    pub has_bot: bool,
    /// The one member of a direct message with the app.
    pub direct_with: Option<String>,
    /// Ids of the members who are not in it (everybody else is).
    pub without: Vec<String>,
}

impl Channel {
    /// A public channel that everybody is in.
    pub fn public(id: &str, name: &str, topic: &str, has_bot: bool) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            topic: topic.to_owned(),
            private: false,
            archived: false,
            has_bot,
            direct_with: None,
            without: Vec::new(),
        }
    }

    /// The direct messages of `user` with the app. The id is made of the user's, so it is the same after a restart.
    pub fn direct(user: &str) -> Self {
        let mut channel = Self::public(&direct_id(user), "directmessage", "", true);
        channel.private = true;
        channel.direct_with = Some(user.to_owned());
        channel
    }

    /// Whether `user` is in the channel.
    pub fn has(&self, user: &str) -> bool {
        match &self.direct_with {
            Some(with) => with == user,
            None => !self.without.iter().any(|id| id == user),
        }
    }

    /// The name Slack puts into requests: direct messages and private channels are not named.
    pub fn request_name(&self) -> &str {
        if self.private && self.direct_with.is_none() { "privategroup" } else { &self.name }
    }

    /// The `channel` object of `conversations.info`.
    pub fn to_slack(&self) -> Value {
        if let Some(user) = &self.direct_with {
            return json!({
                "id": self.id, "created": 0, "is_im": true, "is_channel": false, "is_group": false, "is_mpim": false,
                "is_archived": false, "is_org_shared": false, "user": user, "is_user_deleted": false, "priority": 0,
            });
        }
        json!({
            "id": self.id, "name": self.name, "name_normalized": self.name, "created": 0, "creator": "U0OPERATOR",
            "is_channel": !self.private, "is_group": self.private, "is_im": false, "is_mpim": false,
            "is_private": self.private, "is_archived": self.archived, "is_general": false, "is_member": self.has_bot,
            "is_shared": false, "is_ext_shared": false, "is_org_shared": false, "unlinked": 0,
            "topic": { "value": self.topic, "creator": "", "last_set": 0 },
            "purpose": { "value": "", "creator": "", "last_set": 0 },
        })
    }
}

/// The id of the direct messages of `user` with the app.
pub(super) fn direct_id(user: &str) -> String {
    format!("D{}", user.get(1..).unwrap_or(user))
}

/// The workspace as a request names it; with an enterprise, an org-wide install sends `team: null`.
#[derive(Debug, Clone, Serialize)]
pub struct Team {
    pub id: String,
    pub domain: String,
    pub name: String,
    /// Id and name of the Enterprise Grid organisation.
    pub enterprise: Option<(String, String)>,
    /// The app is installed for the whole organisation: interactions then carry `team: null`.
    pub org_install: bool,
}

/// The app under test, as the workspace knows it.
#[derive(Debug, Clone, Serialize)]
pub struct App {
    pub id: String,
    pub bot_id: String,
    pub user_id: String,
    pub name: String,
    pub handle: String,
    /// Whether the manifest switches the Home tab on; `views.publish` answers `not_enabled` otherwise.
    pub home: bool,
    /// Whether `chat:write.public` is granted: posting to public channels without having been invited.
    pub posts_anywhere: bool,
}

/// Everything about a workspace that is set up before anybody types.
#[derive(Debug, Clone, Serialize)]
pub struct Workspace {
    pub team: Team,
    pub app: App,
    pub channels: Vec<Channel>,
    pub members: Vec<Member>,
}

impl Default for Workspace {
    fn default() -> Self {
        let member = Member::new;
        Self {
            team: Team {
                id: "T0LOCAL".to_owned(),
                domain: "local".to_owned(),
                name: "Switchman Local".to_owned(),
                enterprise: None,
                org_install: false,
            },
            app: App {
                id: "A0SWITCHMAN".to_owned(),
                bot_id: "B0SWITCHMAN".to_owned(),
                user_id: "U0SWITCHMAN".to_owned(),
                name: "Switchman".to_owned(),
                handle: "switchman".to_owned(),
                home: true,
                posts_anywhere: false,
            },
            channels: vec![
                Channel::public("C0BATCH", "batch", "Batch jobs: start, watch, reprocess", true),
                Channel::public("C0RANDOM", "random", "The bot is not permitted here", false),
            ],
            members: vec![
                member("U0OPERATOR", "operator", "Operator", "starts and reruns batches"),
                member("U0APPROVER1", "approver1", "Approver 1", "approves what is dangerous"),
                member("U0APPROVER2", "approver2", "Approver 2", "approves what is dangerous"),
                member("U0LEAD", "lead", "Lead", "decides alone in an emergency"),
                member("U0VIEWER", "viewer", "Viewer", "may look, not touch"),
                member("U0STRANGER", "stranger", "Stranger", "in the workspace, on no list"),
            ],
        }
    }
}

impl Workspace {
    /// The member with this id.
    pub fn member(&self, id: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.id == id)
    }

    /// The name to show for a user id; the id itself for nobody known.
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        if id == self.app.user_id || id == self.app.bot_id {
            return &self.app.name;
        }
        self.member(id).map_or(id, |member| &member.name)
    }

    /// What `should_escape` in the manifest makes Slack send for a typed text: `& < >` as entities, `@handle` (or the
    /// display name) as `<@U…|handle>`, `#channel` as `<#C…|name>`.
    pub fn escape(&self, typed: &str) -> String {
        let mut out = String::with_capacity(typed.len());
        let mut rest = typed;
        while let Some(first) = rest.chars().next() {
            let at_word_start = out.chars().next_back().is_none_or(|before| !before.is_alphanumeric());
            if at_word_start && let Some((taken, markup)) = self.mention(rest) {
                out.push_str(&markup);
                rest = &rest[taken..];
                continue;
            }
            match first {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                other => out.push(other),
            }
            rest = &rest[first.len_utf8()..];
        }
        out
    }

    /// The mention at the very start of `text`: how many bytes it takes, and its markup.
    fn mention(&self, text: &str) -> Option<(usize, String)> {
        let (sigil, word) = (text.chars().next()?, text.get(1..)?);
        let names: Vec<(&str, String)> = match sigil {
            '@' => {
                let app = [(self.app.handle.as_str(), format!("<@{}|{}>", self.app.user_id, self.app.handle))];
                let people = self.members.iter().flat_map(|m| {
                    let markup = format!("<@{}|{}>", m.id, m.handle);
                    [(m.handle.as_str(), markup.clone()), (m.name.as_str(), markup)]
                });
                people.chain(app).collect()
            }
            '#' => {
                let open = self.channels.iter().filter(|c| c.direct_with.is_none());
                open.map(|c| (c.name.as_str(), format!("<#{}|{}>", c.id, c.name))).collect()
            }
            _ => return None,
        };
        let fits = |name: &str| {
            word.get(..name.len()).is_some_and(|head| head.eq_ignore_ascii_case(name))
                && word[name.len()..].chars().next().is_none_or(|next| !next.is_alphanumeric())
        };
        let longest = names.into_iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len())?;
        Some((1 + longest.0.len(), longest.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_mentions_become_markup_and_the_rest_is_escaped() {
        let workspace = Workspace::default();
        for (typed, sent) in [
            ("why @Operator start-batch", "why <@U0OPERATOR|operator> start-batch"),
            ("why @operator start-batch sales", "why <@U0OPERATOR|operator> start-batch sales"),
            ("@approver 1 and @Approver 2", "<@U0APPROVER1|approver1> and <@U0APPROVER2|approver2>"),
            ("@approver1", "<@U0APPROVER1|approver1>"),
            ("in #batch, not #batches", "in <#C0BATCH|batch>, not #batches"),
            ("a & b < c > d", "a &amp; b &lt; c &gt; d"),
            ("<@U0VIEWER>", "&lt;@U0VIEWER&gt;"),
            ("mail@operator", "mail@operator"),
            ("@nobody é@ #", "@nobody é@ #"),
        ] {
            assert_eq!(workspace.escape(typed), sent, "{typed}");
        }
    }

    #[test]
    fn kinds_of_account_show_in_slacks_user_object() {
        let guest = Member::new("U0G", "g", "G", "").guest().to_slack();
        assert_eq!((&guest["is_restricted"], &guest["is_stranger"]), (&json!(true), &json!(false)));
        let other = Member::new("U0C", "c", "C", "").connect("T0OTHER").to_slack();
        assert_eq!((&other["team_id"], &other["is_stranger"]), (&json!("T0OTHER"), &json!(true)));
        assert_eq!(Member::new("U0D", "d", "D", "").deactivated().to_slack()["deleted"], true);
    }
}
