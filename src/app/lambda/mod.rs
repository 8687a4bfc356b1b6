//! The bot as functions of Lambda: the same router and the same processor, called for one event at a time. Between two calls nothing
//! runs, so everything is done before an answer is given, and what could not be done in time is found again by its lease.

mod batch;
mod front_door;
mod hand;
mod queue;

use super::aws::{self, Aws};
use super::{App, Copied, Setting, config_at};
use crate::config::{AwsNames, Backend, Config, ConfigPlace, LambdaSettings, Role, SlackAccess};
use anyhow::{Context, anyhow};
use hand::Hand;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use queue::{Answer, Messages};
use serde_json::Value;

/// Answers what Lambda asks, until Lambda ends the process. Nothing is asked of AWS before the first event but for the configuration.
pub async fn lambda(settings: LambdaSettings, access: SlackAccess) -> anyhow::Result<()> {
    let LambdaSettings { role, config } = settings;
    let done = match role {
        Role::Batch => return batch::run(&config).await,
        Role::FrontDoor => {
            let (app, _copied) = bot(&config, &access).await?;
            front_door::run(app.router()).await
        }
        Role::Commands => {
            let (app, _copied) = bot(&config, &access).await?;
            commands(&Hand::new(app)).await
        }
        Role::Signals => {
            let (app, _copied) = bot(&config, &access).await?;
            signals(&Hand::new(app)).await
        }
        Role::Tick => {
            let (app, _copied) = bot(&config, &access).await?;
            tick(&Hand::new(app)).await
        }
    };
    done.map_err(|error| anyhow!(error)).context("Lambda cannot be asked for events")
}

/// Everything but the batches, connected.
async fn bot(place: &ConfigPlace, access: &SlackAccess) -> anyhow::Result<(App<Aws>, Copied)> {
    let (config, copied) = config_at(place).await?;
    let metrics = crate::telemetry::unread();
    let app = aws::build(names(&config)?, Setting { config: &config, access, metrics, drains: false }).await?;
    Ok((app, copied))
}

fn names(config: &Config) -> anyhow::Result<&AwsNames> {
    match &config.backend {
        Backend::Aws(names) => Ok(names),
        Backend::Embedded { .. } => Err(anyhow!("backend.kind: a function of Lambda works with AWS; write \"aws\"")),
    }
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
