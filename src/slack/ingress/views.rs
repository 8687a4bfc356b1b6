//! Opening and changing modals: here and not behind the bus, because a trigger lives for three seconds.

use crate::ports::PortError;
use crate::slack::modal::Modal;
use async_trait::async_trait;

/// The modal half of Slack's Web API. The one implementation is the Slack client; the trait keeps the ingress testable without HTTP.
#[async_trait]
pub trait Views: Send + Sync {
    /// Opens a modal and gives its view id.
    async fn open(&self, trigger_id: &str, modal: &Modal) -> Result<String, PortError>;

    /// Replaces what a modal shows.
    async fn update(&self, view_id: &str, modal: &Modal) -> Result<(), PortError>;
}
