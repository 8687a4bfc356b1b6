//! Who is asking: an actor, what the directory says about them, and what Slack says about them.

use super::id::{JobName, TeamId, UserId};
use serde::{Deserialize, Serialize};

/// Team id + user id. The name is for display only and never decides anything.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    pub team: TeamId,
    pub user: UserId,
    /// Display name as Slack sent it; may be empty.
    pub name: String,
}

/// Who or what asked for something that is done.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Asker {
    Person(Actor),
    /// The bot itself, because the catalog says so.
    Bot {
        because: Cause,
    },
    /// A workflow that stopped at a question.
    Workflow {
        workflow: JobName,
    },
}

/// What made the bot do something that no person asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// An input file arrived.
    Arrival,
}

impl Asker {
    /// The person, where it was one.
    pub fn person(&self) -> Option<&Actor> {
        match self {
            Self::Person(actor) => Some(actor),
            Self::Bot { .. } | Self::Workflow { .. } => None,
        }
    }

    /// Who it was, for people; no markup.
    pub fn shown(&self) -> String {
        match self {
            Self::Person(actor) if actor.name.trim().is_empty() => actor.user.to_string(),
            Self::Person(actor) => actor.name.clone(),
            Self::Bot { .. } => "the bot".to_owned(),
            Self::Workflow { workflow } => format!("workflow {workflow}"),
        }
    }
}

impl From<Actor> for Asker {
    fn from(actor: Actor) -> Self {
        Self::Person(actor)
    }
}

/// What a listed person may be. Rules name roles, so the set is open: a catalog may use its own words.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Role(pub String);

impl Role {
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }
}

/// A person on the list of the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub name: String,
    pub roles: Vec<Role>,
}

/// What Slack knows about a person that rules them out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outsider {
    /// A single- or multi-channel guest.
    Guest,
    /// Someone of another workspace, through Slack Connect.
    Connect,
    /// The account was deactivated.
    Deactivated,
    /// A bot or a workflow.
    Bot,
}

/// Everything known about an actor when a decision is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    pub actor: Actor,
    /// `None`: on no list.
    pub listed: Option<Listed>,
    /// `Some`: ruled out whatever the list says.
    pub outsider: Option<Outsider>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_asker_is_written_as_the_person_was_before_there_was_another() {
        let actor = Actor {
            team: TeamId::parse("T0LOCAL").unwrap(),
            user: UserId::parse("U0OPERATOR").unwrap(),
            name: "operator".into(),
        };
        let old = serde_json::to_string(&actor).unwrap();
        assert_eq!(serde_json::to_string(&Asker::Person(actor.clone())).unwrap(), old);
        assert_eq!(serde_json::from_str::<Asker>(&old).unwrap().person(), Some(&actor));
        let bot = Asker::Bot { because: Cause::Arrival };
        let text = serde_json::to_string(&bot).unwrap();
        assert_eq!(text, r#"{"because":"arrival"}"#);
        assert_eq!(serde_json::from_str::<Asker>(&text).unwrap(), bot);
        let workflow = Asker::Workflow { workflow: JobName::parse("nightly").unwrap() };
        let text = serde_json::to_string(&workflow).unwrap();
        assert_eq!(text, r#"{"workflow":"nightly"}"#);
        assert_eq!(serde_json::from_str::<Asker>(&text).unwrap(), workflow);
    }
}
