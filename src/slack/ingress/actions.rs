//! Clicks. A button carries an id and nothing else; what it means is read again, and who presses it is asked again.

use super::ask::{Asker, Wanted};
use super::{Ack, Ingress, unavailable};
use crate::domain::command::{Action, Command, Scope};
use crate::domain::envelope::Event;
use crate::domain::id::{ChannelId, EnvelopeId, RunId};
use crate::domain::problem::Problem;
use crate::domain::run::{AttemptKey, Run, RunState};
use crate::ports::{PortError, Published};
use crate::slack::inbound::{BlockActions, Container, HomeOpened};
use crate::slack::modal::{Button, Metadata};
use crate::slack::render::ids;
use axum::http::StatusCode;

/// How often the same button may be refused before it has to be typed.
const ROUNDS: u32 = 20;

/// A decision by button.
struct Click<'a> {
    what: &'static str,
    attempt: &'a AttemptKey,
    /// Whether the run is as it was before the decision.
    undone: fn(&Run) -> bool,
}

impl Ingress {
    /// Does what the first of our elements asks for; Slack sends one at a time.
    pub(super) async fn actions(&self, id: &str, actions: BlockActions) -> Ack {
        let button = actions.actions.iter().find_map(|a| Button::read(&a.action_id, a.chosen.one()));
        let Some(button) = button else {
            return Ack::Empty;
        };
        let asker = match self.clicker(&actions, &button).await {
            Ok(Some(asker)) => asker,
            Ok(None) => return Ack::Empty,
            Err(error) => return unavailable(&error),
        };
        let what = Wanted::pressed(&button);
        match self.press(id, &asker, button, &actions).await {
            Ok(()) => Ack::Empty,
            Err(Problem::NotTaken) => Ack::Status(StatusCode::SERVICE_UNAVAILABLE),
            Err(problem) => {
                self.refuse_later(id, &asker, what, problem).await;
                Ack::Empty
            }
        }
    }

    /// Who pressed, and where: the message's channel, the form's, the run's, or the first permitted one (on the Home tab).
    async fn clicker(&self, actions: &BlockActions, button: &Button) -> Result<Option<Asker>, PortError> {
        let of_form = || actions.view.as_ref().and_then(|v| Metadata::read(&v.private_metadata)).map(|m| m.channel);
        let channel = match actions.channel.clone().or_else(of_form) {
            Some(channel) => Some(channel),
            None => self.channel_of(button).await?,
        };
        let Some(channel) = channel else {
            return Ok(None);
        };
        self.asker(&actions.sender, channel, actions.response_url.clone()).await.map(Some)
    }

    async fn channel_of(&self, button: &Button) -> Result<Option<ChannelId>, PortError> {
        let run = match button {
            Button::ViewRejects(key)
            | Button::Reprocess(key, _)
            | Button::Cancel(key)
            | Button::Download(key, _)
            | Button::RejectsPage(key, _) => self.doors.store.run(&key.run).await?,
            Button::Vote(_, id) | Button::Review(id) => return self.channel_of_request(id).await,
            Button::Command(_) | Button::JobPicked(_) => None,
        };
        match run {
            Some(run) => Ok(Some(run.channel)),
            None => Ok(self.doors.settings.channels().await?.into_iter().next()),
        }
    }

    async fn press(&self, id: &str, asker: &Asker, button: Button, actions: &BlockActions) -> Result<(), Problem> {
        let trigger = actions.trigger_id.as_deref();
        let view = match &actions.container {
            Container::View { id } if actions.view.as_ref().is_none_or(|v| v.callback_id != ids::HOME) => {
                Some(id.as_str())
            }
            Container::View { .. } | Container::Message { .. } | Container::Other => None,
        };
        match button {
            Button::Command(action) => self.pressed_command(id, asker, action, trigger).await,
            Button::ViewRejects(key) => self.open_rejects(asker, &key, trigger).await,
            Button::RejectsPage(key, skip) => self.turn_rejects(asker, &key, skip, view).await,
            Button::Download(key, kind) => self.offer_download(asker, &key, kind, trigger, view).await,
            Button::Cancel(key) => {
                let undone = |run: &Run| matches!(run.current().state, RunState::Starting | RunState::Running);
                let click = Click { what: "click-cancel", attempt: &key, undone };
                self.once(id, &click, asker, Command::CancelBatch { run: key.run.clone() }).await
            }
            Button::Reprocess(key, scope) => self.redo(id, asker, key, scope).await,
            Button::JobPicked(job) => self.refill_start(asker, &job, view).await,
            Button::Vote(kind, id) => self.open_vote(asker, (kind, &id), trigger, view).await,
            Button::Review(id) => self.open_review(asker, &id, trigger).await,
        }
    }

    async fn pressed_command(
        &self,
        id: &str,
        asker: &Asker,
        action: Action,
        trigger: Option<&str>,
    ) -> Result<(), Problem> {
        let command = match action {
            Action::Status => Command::Status { run: None },
            Action::ListBatches => Command::ListBatches,
            Action::Help => Command::Help { about: None },
            Action::FailBack => Command::FailBack,
            Action::StartBatch
            | Action::FailOver
            | Action::ReprocessBatch
            | Action::CancelBatch
            | Action::Approve
            | Action::Deny
            | Action::Why => {
                return self.open_form(asker, action, trigger).await;
            }
        };
        self.ask(id, id, asker, command).await.map(|_| ())
    }

    /// The attempt is part of the key: a second click on the same message is the same decision, a click on a later attempt's is not.
    async fn redo(&self, id: &str, asker: &Asker, key: AttemptKey, scope: Scope) -> Result<(), Problem> {
        self.still_current(&key).await?;
        let command = Command::ReprocessBatch { run: Some(key.run.clone()), scope: Some(scope) };
        let click = Click { what: "click-redo", attempt: &key, undone: |run| !run.is_open() };
        self.once(id, &click, asker, command).await
    }

    /// A message of an attempt that a later one has replaced has nothing to offer any more.
    async fn still_current(&self, key: &AttemptKey) -> Result<(), Problem> {
        let run = self.doors.store.run(&key.run).await.map_err(|_| Problem::NotTaken)?;
        let run = run.ok_or_else(|| Problem::UnknownRun { run: key.run.clone(), nearest: None })?;
        if run.key() == *key { Ok(()) } else { Err(already(&key.run)) }
    }

    /// Publishes under a key that a second click has too. A click that was refused decided nothing: the next one gets the next key.
    async fn once(&self, id: &str, click: &Click<'_>, asker: &Asker, command: Command) -> Result<(), Problem> {
        for round in 0..ROUNDS {
            let key = match round {
                0 => format!("{}:{}", click.what, click.attempt),
                _ => format!("{}:{}:{round}", click.what, click.attempt),
            };
            match self.ask(id, &key, asker, command.clone()).await? {
                Published::New => return Ok(()),
                Published::Duplicate if self.was_refused(&key, click).await? => {}
                Published::Duplicate => break,
            }
        }
        Err(already(&click.attempt.run))
    }

    /// Whether the click under this key was handled and left everything as it was. The order matters: what it did stands in the
    /// same transaction as that it was handled.
    async fn was_refused(&self, key: &str, click: &Click<'_>) -> Result<bool, Problem> {
        let key = EnvelopeId::parse(key).map_err(|_| Problem::NotTaken)?;
        if !self.doors.store.claimed(&key).await.map_err(|_| Problem::NotTaken)? {
            return Ok(false);
        }
        let run = self.doors.store.run(&click.attempt.run).await.map_err(|_| Problem::NotTaken)?;
        Ok(run.is_some_and(|run| run.key() == *click.attempt && (click.undone)(&run)))
    }

    /// The tab is redrawn behind the bus; it shows a person's own rights, so nothing is decided here.
    pub(super) async fn home_opened(&self, id: &str, opened: &HomeOpened) -> Ack {
        if opened.tab != "home" {
            return Ack::Empty;
        }
        // Slack delivers an event again until it is acknowledged, each time signed anew: its own id is the key.
        let key = if opened.event_id.is_empty() { id.to_owned() } else { format!("event:{}", opened.event_id) };
        self.refresh_home(id, &key, opened.sender.actor()).await
    }

    async fn refresh_home(&self, id: &str, key: &str, actor: crate::domain::actor::Actor) -> Ack {
        match self.publish(id, key, Event::HomeOpened { actor }).await {
            Ok(_) => Ack::Empty,
            Err(_) => Ack::Status(StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

fn already(run: &RunId) -> Problem {
    Problem::AlreadyAsked { what: run.to_string() }
}
