//! Slash commands.

use super::ask::{Asker, Wanted};
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
        if slash.command != self.doors.command {
            return Ok(self.private(&Reply::refused(Problem::OtherCommand { given: slash.command })));
        }
        let asker = match self.asker(&slash.sender, slash.channel.clone(), slash.response_url.clone()).await {
            Ok(asker) => asker,
            Err(error) => return Ok(unavailable(&error)),
        };
        let parsed = match grammar::parse(&slash.text, (self.doors.catalog.as_ref(), self.today())) {
            Ok(parsed) => parsed,
            // Who may do nothing here is told that, and not which words would be valid.
            Err(usage) => {
                let action = usage.action.unwrap_or(Action::Help);
                let problem = match self.allowed(&asker, action, None) {
                    Ok(()) => Problem::Usage { usage },
                    Err(refused) => refused,
                };
                return Ok(Box::pin(self.refuse_now(&asker, Wanted::line(action, &slash.text), problem)).await);
            }
        };
        match parsed {
            Parsed::Menu => Ok(Box::pin(self.menu(&asker)).await),
            Parsed::Incomplete(action) => Ok(Box::pin(self.form_for_command(&asker, action, &slash)).await),
            Parsed::Unfilled { job, given } => {
                match self.open_values(&asker, job, given, slash.trigger_id.as_deref()).await {
                    Ok(()) => Ok(Ack::Empty),
                    Err(problem) => {
                        let what = Wanted::line(Action::StartBatch, &slash.text);
                        Ok(Box::pin(self.refuse_now(&asker, what, problem)).await)
                    }
                }
            }
            Parsed::Complete(command) => {
                let wanted = Wanted::command(&command);
                match self.ask(id, id, &asker, command).await {
                    Ok(Published::New) => Ok(Ack::Empty),
                    Ok(Published::Duplicate) => Err(Turned::Replayed),
                    Err(Problem::NotTaken) => Ok(Ack::Status(StatusCode::SERVICE_UNAVAILABLE)),
                    Err(problem) => Ok(Box::pin(self.refuse_now(&asker, wanted, problem)).await),
                }
            }
        }
    }

    async fn menu(&self, asker: &Asker) -> Ack {
        if let Err(problem) = self.allowed(asker, Action::Help, None) {
            return self.refuse_now(asker, Wanted::line(Action::Help, ""), problem).await;
        }
        let permitted = self.doors.policy.permitted_actions(&asker.standing, asker.place());
        self.private(&Reply::Menu { permitted })
    }

    async fn form_for_command(&self, asker: &Asker, action: Action, slash: &SlashCommand) -> Ack {
        match self.open_form(asker, action, slash.trigger_id.as_deref()).await {
            Ok(()) => Ack::Empty,
            Err(problem) => self.refuse_now(asker, Wanted::line(action, &slash.text), problem).await,
        }
    }

    /// Refuses in the acknowledgement: only the person who typed sees it.
    async fn refuse_now(&self, asker: &Asker, what: Wanted, problem: Problem) -> Ack {
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
