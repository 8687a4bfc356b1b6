//! The bot as functions of Lambda: the same router and the same processor, called for one event at a time. Between two calls nothing
//! runs, so everything is done before an answer is given, and what could not be done in time is found again by its lease.

mod front_door;
mod hand;
mod queue;

use super::aws::{self, Aws};
use super::{App, Setting, config_at};
use crate::config::{Backend, LambdaSettings, Role, SlackAccess};
use anyhow::{Context, anyhow};
use hand::Hand;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use queue::{Answer, Messages};
use serde_json::Value;

/// Answers what Lambda asks, until Lambda ends the process. Nothing is asked of AWS before the first event but for the configuration.
pub async fn lambda(settings: LambdaSettings, access: SlackAccess) -> anyhow::Result<()> {
    let LambdaSettings { role, config } = settings;
    if role == Role::Batch {
        return Err(anyhow!("SWITCHMAN_ROLE: this build cannot do steps of batches yet"));
    }
    let (config, _copied) = config_at(&config).await?;
    let Backend::Aws(names) = &config.backend else {
        return Err(anyhow!("backend.kind: a function of Lambda works with AWS; write \"aws\""));
    };
    let metrics = crate::telemetry::unread();
    let app = aws::build(names, Setting { config: &config, access: &access, metrics, drains: false }).await?;
    match role {
        Role::FrontDoor => front_door::run(app.router()).await,
        Role::Commands => commands(&Hand::new(app)).await,
        Role::Signals => signals(&Hand::new(app)).await,
        Role::Tick | Role::Batch => tick(&Hand::new(app)).await,
    }
    .map_err(|error| anyhow!(error))
    .context("Lambda cannot be asked for events")
}

async fn commands(hand: &Hand) -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Messages>| {
        let end = hand.end(event.context.deadline);
        Ok::<Answer, Error>(hand.commands(event.payload, end).await)
    }))
    .await
}

async fn signals(hand: &Hand) -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Messages>| {
        let end = hand.end(event.context.deadline);
        Ok::<Answer, Error>(hand.signals(event.payload, end).await)
    }))
    .await
}

/// Whatever the schedule says: it is only there to call.
async fn tick(hand: &Hand) -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Value>| {
        let end = hand.end(event.context.deadline);
        hand.tick(end).await.map_err(Error::from)
    }))
    .await
}

impl App<Aws> {
    /// What a function works with.
    fn into_hand_parts(self) -> (std::sync::Arc<crate::workers::Crew>, std::sync::Arc<Aws>) {
        (self.crew, self.backend)
    }
}
