//! The live stream of a page: everything one member sees at first, then each change, and the regions whenever they look different.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{Query, State as Injected};
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::{Receiver, error::RecvError};
use tokio::sync::watch;
use tokio::time::Instant;

use super::Playground;
use super::records::Change;
use super::regions::{self, LOOK_EVERY};
use super::workspace::{State, to_json};

/// Messages a page starts with; a long history stays with the Web API.
const PAGE_MESSAGES: usize = 500;

#[derive(Deserialize)]
pub(super) struct Viewer {
    r#as: String,
}

/// `GET /stream?as=USER`.
pub(super) async fn changes(
    Injected(playground): Injected<Playground>,
    Query(viewer): Query<Viewer>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let start = Follower {
        changes: playground.inner.changes.subscribe(),
        closed: playground.inner.closed.subscribe(),
        user: viewer.r#as,
        greeted: false,
        look_at: playground.config().regions.is_some().then(Instant::now),
        regions: None,
        playground,
    };
    let events = stream::unfold(start, |mut follower| async move {
        let text = follower.next().await?;
        Some((Ok(Event::default().data(text)), follower))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// One open page.
struct Follower {
    playground: Playground,
    user: String,
    changes: Receiver<Arc<Change>>,
    closed: watch::Receiver<bool>,
    greeted: bool,
    /// When to look at the regions again; none where there is only one.
    look_at: Option<Instant>,
    /// What the page was told of them last.
    regions: Option<Value>,
}

enum News {
    Change(Result<Arc<Change>, RecvError>),
    Regions,
    Closed,
}

impl Follower {
    /// What the page is told next; none at the end.
    async fn next(&mut self) -> Option<String> {
        if !std::mem::replace(&mut self.greeted, true) {
            return Some(self.all());
        }
        loop {
            match self.news().await {
                News::Closed | News::Change(Err(RecvError::Closed)) => return None,
                News::Change(Err(RecvError::Lagged(_))) => return Some(self.all()),
                News::Change(Ok(change)) if change.only_for.as_ref().is_none_or(|only| *only == self.user) => {
                    return Some(to_json(&change));
                }
                News::Change(Ok(_)) => {}
                News::Regions => {
                    let seen = regions::change(&self.playground).await;
                    self.look_at = Some(Instant::now() + LOOK_EVERY);
                    if seen != self.regions {
                        self.regions = seen;
                        return self.regions.as_ref().map(Value::to_string);
                    }
                }
            }
        }
    }

    async fn news(&mut self) -> News {
        let look_at = self.look_at;
        let look = async {
            match look_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let until_closed = async { _ = self.closed.wait_for(|closed| *closed).await };
        tokio::select! {
            () = until_closed => News::Closed,
            change = self.changes.recv() => News::Change(change),
            () = look => News::Regions,
        }
    }

    fn all(&self) -> String {
        self.playground.with(|state| full_state(&self.playground, state, &self.user).to_string())
    }
}

/// Everything one member's page shows.
fn full_state(playground: &Playground, state: &State, user: &str) -> Value {
    let config = playground.config();
    let sees =
        |channel: &str| state.channel(channel).is_some_and(|c| c.direct_with.as_deref().is_none_or(|w| w == user));
    let mut visible: Vec<_> = state
        .messages
        .values()
        .rev()
        .filter(|m| m.only_for.as_deref().is_none_or(|only| only == user) && sees(&m.channel))
        .take(PAGE_MESSAGES)
        .collect();
    visible.reverse();
    json!({
        "change": "all", "me": user, "workspace": state.workspace, "command": config.command, "hints": config.hints,
        "examples": config.examples, "messages": visible, "views": state.views.get(user).cloned().unwrap_or_default(),
        "home": state.homes.get(user), "notices": state.notices, "knobs": state.knobs,
        "upload": config.on_upload.is_some().then_some(config.upload_limit), "now": state.now.as_second(),
    })
}
