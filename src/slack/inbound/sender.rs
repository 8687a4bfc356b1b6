//! Who sent a request: the person, their own workspace, and the workspace the request came from.

use super::InboundError;
use crate::domain::actor::Actor;
use crate::domain::id::{TeamId, UserId};

/// The person behind a request. Ids decide; the name is for display.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sender {
    pub user: UserId,
    /// As Slack sent it; may be empty.
    pub name: String,
    /// The person's own workspace, where Slack says it.
    pub user_team: Option<TeamId>,
    /// The workspace the request came from; absent in organisation-wide installations (`team: null`).
    pub workspace: Option<TeamId>,
    /// The Enterprise Grid organisation.
    pub enterprise: Option<String>,
    /// Whether the app is installed for a whole organisation.
    pub org_install: bool,
}

/// The parts of a sender as they lie in a request.
#[derive(Debug, Default)]
pub(super) struct Parts {
    pub(super) user: Option<String>,
    pub(super) name: Option<String>,
    pub(super) user_team: Option<String>,
    pub(super) workspace: Option<String>,
    pub(super) enterprise: Option<String>,
    pub(super) org_install: bool,
}

impl Parts {
    /// Checks the ids. A person and at least one of the workspaces must be there.
    pub(super) fn check(self) -> Result<Sender, InboundError> {
        let user = self.user.ok_or(InboundError::Malformed("the user id is missing"))?;
        let user = UserId::parse(user).map_err(|_| InboundError::Malformed("the user id is not one of Slack's"))?;
        let user_team = team(self.user_team)?;
        let workspace = team(self.workspace)?;
        if user_team.is_none() && workspace.is_none() {
            return Err(InboundError::Malformed("the team id is missing"));
        }
        Ok(Sender {
            user,
            name: self.name.unwrap_or_default(),
            user_team,
            workspace,
            enterprise: self.enterprise,
            org_install: self.org_install,
        })
    }
}

fn team(id: Option<String>) -> Result<Option<TeamId>, InboundError> {
    id.map(TeamId::parse).transpose().map_err(|_| InboundError::Malformed("the team id is not one of Slack's"))
}

impl Sender {
    /// The actor: the person under their own workspace, or under the request's where Slack does not say theirs.
    pub fn actor(&self) -> Actor {
        let team = self.user_team.as_ref().or(self.workspace.as_ref());
        let team = team.expect("a sender has at least one team: `Parts::check` sees to it").clone();
        Actor { team, user: self.user.clone(), name: self.name.clone() }
    }

    /// Whether the person belongs to another workspace (Slack Connect). Workspaces of one Enterprise Grid organisation are not foreign
    /// to an app installed for all of it.
    pub fn is_foreign(&self) -> bool {
        match (&self.user_team, &self.workspace) {
            (Some(own), Some(workspace)) => {
                own != workspace && !self.org_install && self.enterprise.as_deref() != Some(own.as_str())
            }
            _ => false,
        }
    }
}
