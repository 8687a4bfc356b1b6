//! Looking at the workspace from outside, and changing its weather: what tests ask, and what the Faults drawer sets.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;

use super::Playground;
use super::knobs::{Fault, Knob, Knobs};
use super::message::{Message, View};
use super::people::{Channel, Member};
use super::records::{Call, Notice};

impl Playground {
    /// Everything everybody sees in a channel, oldest first, thread replies included.
    pub fn messages(&self, channel: &str) -> Vec<Message> {
        let visible = |m: &&Message| m.channel == channel && m.only_for.is_none();
        self.with(|state| state.messages.values().filter(visible).cloned().collect())
    }

    /// The messages that only this member sees, oldest first.
    pub fn ephemerals(&self, user: &str) -> Vec<Message> {
        let own = |m: &&Message| m.only_for.as_deref() == Some(user);
        self.with(|state| state.messages.values().filter(own).cloned().collect())
    }

    /// The direct messages of this member with the app, oldest first.
    pub fn direct_messages(&self, user: &str) -> Vec<Message> {
        self.messages(&super::people::direct_id(user))
    }

    /// The member's open modals, the bottom one first.
    pub fn views(&self, user: &str) -> Vec<View> {
        self.with(|state| state.views.get(user).cloned().unwrap_or_default())
    }

    /// The member's Home tab, once published.
    pub fn home(&self, user: &str) -> Option<View> {
        self.with(|state| state.homes.get(user).cloned())
    }

    /// A message or view as text, the way a person reads it.
    pub fn read(&self, message: &Message) -> String {
        self.with(|state| message.plain(&state.workspace))
    }

    /// A view as text, title and buttons included.
    pub fn read_view(&self, view: &View) -> String {
        self.with(|state| view.plain(&state.workspace))
    }

    /// All that happened, as a chat reads: who typed, clicked and said what, each edit on its own.
    pub fn transcript(&self) -> String {
        self.with(|state| state.log.join("\n"))
    }

    /// Every call of the Web API and every post to a `response_url`, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.with(|state| state.calls.clone())
    }

    /// The calls of one method (`response_url` for the posts to one).
    pub fn calls_of(&self, method: &str) -> Vec<Call> {
        self.with(|state| state.calls.iter().filter(|call| call.method == method).cloned().collect())
    }

    /// The content of a file that the bot uploaded, now or before a restart.
    pub fn file(&self, id: &str) -> Option<bytes::Bytes> {
        let in_memory = self.with(|state| state.files.get(id)?.content.clone());
        in_memory.or_else(|| {
            let plain = !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric());
            let folder = self.config().files_dir.as_ref().filter(|_| plain)?;
            std::fs::read(folder.join(id)).ok().map(bytes::Bytes::from)
        })
    }

    /// What Slack would have refused, or could not deliver.
    pub fn notices(&self) -> Vec<Notice> {
        self.with(|state| state.notices.clone())
    }

    /// Waits until `look` finds something, asking again after each change. None when nothing came in `at_most`.
    pub async fn wait_for<T>(&self, at_most: Duration, mut look: impl FnMut(&Self) -> Option<T>) -> Option<T> {
        let mut changes = self.inner.changes.subscribe();
        let search = async {
            loop {
                if let Some(found) = look(self) {
                    return Some(found);
                }
                if let Err(RecvError::Closed) = changes.recv().await {
                    return None;
                }
            }
        };
        tokio::time::timeout(at_most, search).await.ok().flatten()
    }

    /// Lets the next `times` calls of `method` (`*` for all) go wrong; none: until [`clear_faults`](Self::clear_faults).
    pub fn fault(&self, method: &str, fault: Fault, times: Option<u32>) {
        self.set_knob(Knob { method: method.to_owned(), fault, times });
    }

    pub(super) fn set_knob(&self, knob: Knob) {
        self.with(|state| {
            if knob.times != Some(0) {
                state.knobs.set.push(knob);
            }
            state.setting_changed();
        });
    }

    /// What is set to go wrong.
    pub fn knobs(&self) -> Knobs {
        self.with(|state| state.knobs.clone())
    }

    /// Takes all faults back; archived channels and deactivated people stay.
    pub fn clear_faults(&self) {
        self.with(|state| {
            state.knobs = Knobs::default();
            state.setting_changed();
        });
    }

    /// Sends the next `count` requests to the bot twice at the same time.
    pub fn deliver_twice(&self, count: u32) {
        self.with(|state| {
            state.knobs.duplicates = count;
            state.setting_changed();
        });
    }

    /// Archives a channel, or brings it back.
    pub fn archive(&self, channel: &str, archived: bool) {
        self.change_channel(channel, |channel| channel.archived = archived);
    }

    /// Invites the app to a channel, or removes it.
    pub fn set_bot_in(&self, channel: &str, inside: bool) {
        self.change_channel(channel, |channel| channel.has_bot = inside);
    }

    /// Takes a member out of a channel, or back in.
    pub fn set_member_in(&self, channel: &str, user: &str, inside: bool) {
        self.change_channel(channel, |channel| {
            channel.without.retain(|id| id != user);
            if !inside {
                channel.without.push(user.to_owned());
            }
        });
    }

    fn change_channel(&self, id: &str, change: impl FnOnce(&mut Channel)) {
        self.with(|state| {
            if let Some(channel) = state.workspace.channels.iter_mut().find(|c| c.id == id) {
                change(channel);
            }
            state.setting_changed();
        });
    }

    /// Closes a member's account, or opens it again.
    pub fn set_deactivated(&self, user: &str, deactivated: bool) {
        self.with(|state| {
            if let Some(member) = state.workspace.members.iter_mut().find(|m| m.id == user) {
                member.deactivated = deactivated;
            }
            state.setting_changed();
        });
    }

    /// Adds a member (a guest, somebody of another company, …), in place of one with the same id.
    pub fn add_member(&self, member: Member) {
        self.with(|state| {
            state.workspace.members.retain(|m| m.id != member.id);
            state.workspace.members.push(member);
            state.setting_changed();
        });
    }

    /// Adds a channel, in place of one with the same id.
    pub fn add_channel(&self, channel: Channel) {
        self.with(|state| {
            state.workspace.channels.retain(|c| c.id != channel.id);
            state.workspace.channels.push(channel);
            state.setting_changed();
        });
    }
}
