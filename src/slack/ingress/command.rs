//! Slash commands.

use super::ask::Asker;
use super::{Ack, Ingress, Turned, unavailable};
use crate::domain::command::Action;
use crate::domain::grammar::{self, Parsed};
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::ports::Published;
use crate::slack::inbound::SlashCommand;
use axum::http::StatusCode;

impl Ingress {
    /// Reads the line; then a form, the bus, or a private answer in the acknowledgement itself.
    pub(super) async fn command(&self, id: &str, slash: SlashCommand) -> Result<Ack, Turned> {
        let asker = match self.asker(&slash.sender, slash.channel.clone(), slash.response_url.clone()).await {
            Ok(asker) => asker,
            Err(error) => return Ok(unavailable(&error)),
        };
        let parsed = match grammar::parse(&slash.text, self.doors.catalog.names()) {
            Ok(parsed) => parsed,
            // Who may do nothing here is told that, and not which words would be valid.
            Err(usage) => {
                let problem = match self.allowed(&asker, usage.action.unwrap_or(Action::Help), None) {
                    Ok(()) => Problem::Usage { usage },
                    Err(refused) => refused,
                };
                return Ok(Box::pin(self.refuse_now(&asker, "usage", problem)).await);
            }
        };
        match parsed {
            Parsed::Menu => Ok(Box::pin(self.menu(&asker)).await),
            Parsed::Incomplete(action) => Ok(Box::pin(self.form_for_command(&asker, action, slash.trigger_id)).await),
            Parsed::Complete(command) => {
                let words = super::ask::words(&command);
                match self.ask(id, id, &asker, command).await {
                    Ok(Published::New) => Ok(Ack::Empty),
                    Ok(Published::Duplicate) => Err(Turned::Replayed),
                    Err(Problem::NotTaken) => Ok(Ack::Status(StatusCode::SERVICE_UNAVAILABLE)),
                    Err(problem) => Ok(Box::pin(self.refuse_now(&asker, &words, problem)).await),
                }
            }
        }
    }

    async fn menu(&self, asker: &Asker) -> Ack {
        if let Err(problem) = self.allowed(asker, Action::Help, None) {
            return self.refuse_now(asker, "menu", problem).await;
        }
        let permitted = self.doors.policy.permitted_actions(&asker.standing, asker.place());
        self.private(&Reply::Menu { permitted })
    }

    async fn form_for_command(&self, asker: &Asker, action: Action, trigger: Option<String>) -> Ack {
        match self.open_form(asker, action, trigger.as_deref()).await {
            Ok(()) => Ack::Empty,
            Err(problem) => self.refuse_now(asker, action.name(), problem).await,
        }
    }

    /// Refuses in the acknowledgement: only the person who typed sees it.
    async fn refuse_now(&self, asker: &Asker, what: &str, problem: Problem) -> Ack {
        if matches!(problem, Problem::NotPermitted { .. }) {
            self.note_refusal(asker, what, &problem).await;
        }
        self.private(&Reply::refused(problem))
    }

    fn private(&self, reply: &Reply) -> Ack {
        let mut body = self.doors.renderer.message(reply).as_json();
        body["response_type"] = "ephemeral".into();
        Ack::Json(body)
    }
}
