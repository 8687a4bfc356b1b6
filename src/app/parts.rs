//! What differs between the backends, as one value: whoever puts a bot together from it need not know which backend it is.

use crate::ports::{Bus, Clock, Credentials, Directory, Lead, Regions, Secrets, Settings, Store};
use crate::workers::Tempo;
use async_trait::async_trait;
use axum::Router;
use std::sync::Arc;
use tokio::sync::watch;

/// The ports of a backend, and how it is worked with.
pub(super) struct Parts {
    pub(super) store: Arc<dyn Store>,
    pub(super) bus: Arc<dyn Bus>,
    pub(super) regions: Arc<dyn Regions>,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) settings: Arc<dyn Settings>,
    pub(super) credentials: Arc<dyn Credentials>,
    pub(super) secrets: Arc<dyn Secrets>,
    pub(super) lead: Arc<dyn Lead>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) tempo: Tempo,
    /// What it answers besides requests of Slack and probes.
    pub(super) router: Router,
}

/// What works beside the loops where a bot stays.
#[async_trait]
pub trait Beside: Send + Sync + 'static {
    /// Works until `stop` turns true; what was begun is finished or kept.
    async fn work(&self, stop: watch::Receiver<bool>);

    /// The last thing before the end: what goes on elsewhere in this process is broken off, so that the next start can go on with it.
    async fn settle(&self);
}
