//! What Slack says about people: members, guests, people of other workspaces, bots.

use super::answer::ClientError;
use super::{Client, Identity};
use crate::domain::actor::Outsider;
use crate::domain::id::{TeamId, UserId};
use crate::ports::{Age, Kind, Member};
use serde_json::Value;

impl Client {
    /// What kind of member somebody is (`users.info`), remembered for some minutes. `Unknown` where the scope `users:read` is missing.
    pub async fn member_kind(&self, team: &TeamId, user: &UserId, age: Age) -> Result<Member, ClientError> {
        let key = format!("{team}/{user}");
        if let Some(known) = self.members.get(&key).filter(|_| age == Age::Minutes) {
            return Ok(known);
        }
        let us = match self.whoami().await {
            Ok(us) => Some(us),
            Err(error) if matches!(error.kind, Kind::Transient { .. } | Kind::Ambiguous) => return Err(error),
            // Without our own team nobody can be told to be of another one; the rest still can.
            Err(_) => None,
        };
        let member = match self.read("users.info", &[("user", user.as_str())]).await {
            Ok(answer) => judge(us.as_ref(), answer.get("user").unwrap_or(&Value::Null)),
            // Slack does not show us everybody: who is hidden from us is no member here.
            Err(error) if error.is("user_not_found") || error.is("user_not_visible") => {
                Member::Outsider(Outsider::Connect)
            }
            Err(error) if error.is("missing_scope") || error.is("unknown_method") => Member::Unknown,
            Err(error) => return Err(error),
        };
        self.members.insert(key, member);
        Ok(member)
    }
}

fn judge(us: Option<&Identity>, user: &Value) -> Member {
    let flag = |name: &str| user.get(name) == Some(&Value::Bool(true));
    let text = |pointer: &str| user.pointer(pointer).and_then(Value::as_str);
    let our_team = us.map(|us| us.bot.team.as_str()).filter(|team| !team.is_empty());
    let our_organisation = us.and_then(|us| us.enterprise.as_deref());
    let same_organisation = our_organisation.is_some() && text("/enterprise_user/enterprise_id") == our_organisation;
    let other_team = our_team.is_some_and(|ours| text("/team_id").is_some_and(|team| team != ours));
    if flag("deleted") {
        Member::Outsider(Outsider::Deactivated)
    } else if flag("is_stranger") || (other_team && !same_organisation) {
        Member::Outsider(Outsider::Connect)
    } else if flag("is_bot") {
        Member::Outsider(Outsider::Bot)
    } else if flag("is_restricted") || flag("is_ultra_restricted") {
        Member::Outsider(Outsider::Guest)
    } else {
        Member::Full
    }
}
