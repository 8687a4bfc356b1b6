//! Requests for approval in tests: what is guarded, and what became of it.

use super::bot::{Bot, Wrap};
use std::sync::Arc;
use switchman::domain::approval::{ApprovalRule, Guarded, Request};
use switchman::domain::command::Action;
use switchman::ports::{load, request_key};
use switchman::processor::Ctx;

/// Has the catalog guard these actions.
pub(crate) fn guard(actions: &[Action], rule: ApprovalRule) -> Wrap {
    let guarded = vec![Guarded { actions: actions.to_vec(), workflows: false, jobs: Vec::new(), rule }];
    Arc::new(move |ctx: Ctx| {
        let catalog = Arc::new((*ctx.catalog).clone().guarded_by(guarded.clone()));
        Ctx { catalog, ..ctx }
    })
}

/// How each command of this action came out, in order, as the audit trail has it.
pub(crate) async fn results(bot: &Bot, action: &str) -> Vec<String> {
    let records = bot.audit().await;
    records.into_iter().filter(|r| r.draft.action == action).map(|r| r.draft.result).collect()
}

impl Bot {
    /// Every request that the audit trail names, the oldest first.
    pub(crate) async fn requests(&self) -> Vec<Request> {
        let mut ids: Vec<String> = Vec::new();
        for record in self.audit().await {
            let id = record.draft.subject.split(' ').next().unwrap_or_default().to_owned();
            if id.starts_with("q-") && !ids.contains(&id) {
                ids.push(id);
            }
        }
        let mut found = Vec::new();
        for id in ids {
            let id = switchman::domain::id::RequestId::parse(id).unwrap();
            found.extend(load(self.ports().store.as_ref(), &request_key(&id)).await.unwrap());
        }
        found
    }

    /// The newest of them.
    pub(crate) async fn request(&self) -> Request {
        self.requests().await.pop().expect("something was asked for")
    }
}
