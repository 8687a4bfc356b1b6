//! From a verified request to an envelope on the bus, or to a refusal: the one way in for slash text, buttons and forms alike.

use super::Ingress;
use crate::domain::actor::{Outsider, Standing};
use crate::domain::audit::AuditDraft;
use crate::domain::command::{Action, Command};
use crate::domain::envelope::{Envelope, Event, Origin, Proof};
use crate::domain::grammar;
use crate::domain::id::{ChannelId, EnvelopeId, JobName};
use crate::domain::policy::{Decision, Place};
use crate::domain::problem::Problem;
use crate::domain::reply::Reply;
use crate::ports::{Commit, Effect, OutboxWrite, Person, PortError, Priority, Published};
use crate::slack::inbound::Sender;
use crate::slack::modal::{Button, VoteKind};

/// What the audit trail calls handing out a link.
pub(super) const DOWNLOAD: &str = "download-link";

/// Who asks, from where.
pub(super) struct Asker {
    pub standing: Standing,
    pub channel: ChannelId,
    pub permitted: bool,
    pub response_url: Option<String>,
}

impl Asker {
    pub(super) fn place(&self) -> Place<'_> {
        Place::Channel { id: &self.channel, permitted: self.permitted }
    }

    pub(super) fn person(&self) -> Person {
        Person {
            user: self.standing.actor.user.clone(),
            channel: self.channel.clone(),
            response_url: self.response_url.clone(),
        }
    }
}

/// A command, and what it came with beyond its words.
pub(super) struct Given {
    pub command: Command,
    pub proof: Option<Proof>,
}

impl From<Command> for Given {
    fn from(command: Command) -> Self {
        Self { command, proof: None }
    }
}

/// What somebody wanted, in the words of the audit trail: refusals are found by the same words as what was done.
pub(super) struct Wanted {
    action: &'static str,
    subject: String,
}

/// Characters of a typed line that the audit trail keeps.
const LINE: usize = 200;

impl Wanted {
    /// A command that was typed or filled in.
    pub(super) fn command(command: &Command) -> Self {
        Self { action: command.action().name(), subject: grammar::render(command) }
    }

    /// A line that is not a whole command.
    pub(super) fn line(action: Action, line: &str) -> Self {
        Self { action: action.name(), subject: line.trim().chars().take(LINE).collect() }
    }

    /// A button.
    pub(super) fn pressed(button: &Button) -> Self {
        let (action, subject) = match button {
            Button::Command(action) => (action.name(), action.to_string()),
            Button::ViewRejects(key) | Button::RejectsPage(key, _) => ("view-rejects", key.to_string()),
            Button::Reprocess(key, _) => (Action::ReprocessBatch.name(), key.to_string()),
            Button::Cancel(key) => (Action::CancelBatch.name(), key.to_string()),
            Button::Download(key, _) => (DOWNLOAD, key.to_string()),
            Button::Vote(VoteKind::Approve | VoteKind::CloseReview, id) => (Action::Approve.name(), id.to_string()),
            Button::Vote(VoteKind::BreakGlass, id) => ("break-glass", id.to_string()),
            Button::Vote(VoteKind::Deny, id) => (Action::Deny.name(), id.to_string()),
            Button::Review(id) => (Action::Status.name(), id.to_string()),
            Button::JobPicked(job) => (Action::StartBatch.name(), job.chars().take(LINE).collect()),
        };
        Self { action, subject }
    }
}

impl Ingress {
    /// What is known about the sender here. The processor asks again, and asks Slack about guests too.
    pub(super) async fn asker(
        &self,
        sender: &Sender,
        channel: ChannelId,
        response_url: Option<String>,
    ) -> Result<Asker, PortError> {
        let actor = sender.actor();
        let listed = self.doors.directory.find(&actor.team, &actor.user).await?;
        let outsider = sender.is_foreign().then_some(Outsider::Connect);
        let permitted = self.doors.settings.channels().await?.contains(&channel);
        let standing = Standing { actor, listed, outsider };
        Ok(Asker { standing, channel, permitted, response_url })
    }

    /// The policy's word on an action; `Err` is the refusal.
    pub(super) fn allowed(&self, asker: &Asker, action: Action, job: Option<&JobName>) -> Result<(), Problem> {
        match self.doors.policy.decide(&asker.standing, asker.place(), action, job) {
            Decision::Allowed { .. } => Ok(()),
            decision => Err(Problem::NotPermitted { action: Some(action), decision }),
        }
    }

    /// Authorises a command and puts it on the bus under `key`, durably. `Err` is what the asker is told instead.
    pub(super) async fn ask(
        &self,
        id: &str,
        key: &str,
        asker: &Asker,
        given: impl Into<Given>,
    ) -> Result<Published, Problem> {
        let Given { command, proof } = given.into();
        let command = self
            .doors
            .policy
            .authorize(&asker.standing, asker.place(), command, None)
            .map_err(|decision| Problem::NotPermitted { action: None, decision })?;
        let origin = Origin {
            actor: asker.standing.actor.clone(),
            channel: asker.channel.clone(),
            response_url: asker.response_url.clone(),
            permitted: self.doors.policy.permitted_actions(&asker.standing, asker.place()),
            proof,
        };
        let event = Event::Asked { origin, command: command.get().clone() };
        self.publish(id, key, event).await
    }

    /// Puts an event on the bus.
    pub(super) async fn publish(&self, id: &str, key: &str, event: Event) -> Result<Published, Problem> {
        let ids = EnvelopeId::parse(id).and_then(|id| Ok((id, EnvelopeId::parse(key)?)));
        let Ok((id, key)) = ids else {
            return Err(Problem::NotTaken);
        };
        let envelope = Envelope { id, key, issued_at: self.doors.clock.now(), event };
        match self.doors.bus.publish(envelope).await {
            Ok(published) => Ok(published),
            Err(error) => {
                tracing::error!(%error, "a command could not be put on the bus and was not taken");
                Err(Problem::NotTaken)
            }
        }
    }

    /// Writes a refusal into the audit trail. A store that cannot be written to does not turn a "no" into anything else.
    pub(super) async fn note_refusal(&self, asker: &Asker, what: Wanted, problem: &Problem) {
        let commit = Commit { audit: vec![self.refusal(asker, what, problem)], ..Commit::default() };
        if let Err(error) = self.doors.store.commit(commit).await {
            tracing::error!(%error, "a refusal could not be written to the audit trail");
        }
    }

    /// Refuses in private through the outbox: for clicks, whose acknowledgement cannot carry an answer.
    pub(super) async fn refuse_later(&self, id: &str, asker: &Asker, what: Wanted, problem: Problem) {
        let audit = self.refusal(asker, what, &problem);
        let whisper = Effect::Whisper { to: asker.person(), reply: Box::new(Reply::refused(problem)) };
        let write = OutboxWrite {
            key: whisper.key(id),
            effect: whisper,
            priority: Priority::First,
            due: self.doors.clock.now(),
        };
        let commit = Commit { outbox: vec![write], audit: vec![audit], ..Commit::default() };
        if let Err(error) = self.doors.store.commit(commit).await {
            tracing::error!(%error, "a refusal could not be stored");
        }
    }

    fn refusal(&self, asker: &Asker, what: Wanted, problem: &Problem) -> AuditDraft {
        AuditDraft {
            at: self.doors.clock.now(),
            actor: Some(asker.standing.actor.clone()),
            bot: self.doors.bot.clone(),
            action: what.action.to_owned(),
            subject: what.subject,
            why: format!("refused at the door, in {}", asker.channel),
            result: problem.code().to_owned(),
        }
    }

    /// The jobs this person may do `action` with here.
    pub(super) fn visible_jobs(&self, asker: &Asker, action: Action) -> Vec<crate::domain::job::Job> {
        let visible = |job: &JobName| self.allowed(asker, action, Some(job)).is_ok();
        self.doors.catalog.jobs().iter().filter(|j| visible(&j.name)).cloned().collect()
    }
}
