//! One state machine and its executions, as Step Functions has them.

use super::names::{ExecutionName, MachineArn};
use crate::aws::breaker::Breaker;
use crate::aws::errors::Access;
use crate::ports::{Clock, Kind, PortError};
use aws_config::{Region, SdkConfig};
use aws_sdk_sfn::Client;
use aws_sdk_sfn::operation::describe_execution::DescribeExecutionOutput;
use aws_sdk_sfn::types::{ExecutionRedriveStatus, ExecutionStatus};
use std::sync::Arc;

/// A state machine, asked in the region where it is.
#[derive(Debug, Clone)]
pub(super) struct Machine {
    client: Client,
    breaker: Arc<Breaker>,
    arn: MachineArn,
}

/// Where an execution stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Running,
    /// It was redriven, and waits for a place.
    PendingRedrive,
    Succeeded,
    Failed,
    TimedOut,
    Aborted,
}

/// What Step Functions knows of an execution.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) status: Status,
    pub(super) input: String,
    /// Whether it can be redriven; why not, where AWS says that.
    pub(super) redrivable: Result<(), String>,
    pub(super) error: String,
    pub(super) cause: String,
}

/// What became of a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Begun {
    /// It runs, since now or before.
    Runs,
    /// The name is taken, by an execution that has ended or has another input.
    Taken,
}

/// Items of a Distributed Map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct MapCounts {
    pub(super) done: u64,
    pub(super) total: u64,
}

impl Machine {
    pub(super) fn new(config: &SdkConfig, arn: &str, clock: &Arc<dyn Clock>) -> Result<Self, PortError> {
        let arn = MachineArn::parse(arn).ok_or_else(|| {
            PortError::permanent(format!(
                "{arn:?} is not the ARN of a state machine; the configuration has to name one"
            ))
        })?;
        let here = config.to_builder().region(Region::new(arn.region.clone())).build();
        Ok(Self { client: Client::new(&here), breaker: Breaker::new(clock), arn })
    }

    /// The way to its region.
    pub(super) fn parts(&self) -> (&Client, &Breaker) {
        (&self.client, &self.breaker)
    }

    /// The same name and input twice is the same execution while it runs.
    pub(super) async fn start(&self, name: &ExecutionName, input: &str) -> Result<Begun, PortError> {
        let call = self.client.start_execution().state_machine_arn(&self.arn.text).name(name.to_string()).input(input);
        match self.breaker.call(call.send()).await {
            // Nobody could ask after it: it has no execution of that name, no status events, and the same name twice is two of them.
            Ok(begun) if begun.execution_arn.contains(":express:") => {
                let what = format!(
                    "{} is an Express state machine, which cannot be watched or stopped: make it a Standard one. It was started once, and nothing more is known of that",
                    self.arn.text
                );
                Err(PortError::permanent(what))
            }
            Ok(_) => Ok(Begun::Runs),
            Err(failed) if failed.is("ExecutionAlreadyExists") => Ok(Begun::Taken),
            Err(failed) if failed.is("StateMachineDoesNotExist") || failed.is("StateMachineDeleting") => {
                let what = format!(
                    "the state machine {} is not there (any more); nothing was started. Deploy it, or name another in the configuration",
                    self.arn.text
                );
                Err(PortError::new(Kind::Gone, what))
            }
            Err(failed) => Err(failed.port(Access::Write, &format!("could not start the execution {name}"))),
        }
    }

    /// `None`: there is none of that name. AWS may be a moment behind.
    pub(super) async fn describe(&self, name: &ExecutionName) -> Result<Option<Seen>, PortError> {
        let call = self.client.describe_execution().execution_arn(self.arn.execution(name));
        match self.breaker.call(call.send()).await {
            Ok(found) => seen(found).map(Some),
            Err(failed) if failed.is("ExecutionDoesNotExist") => Ok(None),
            Err(failed) => Err(failed.port(Access::Read, &format!("could not look at the execution {name}"))),
        }
    }

    /// Goes on with a failed execution where it failed. `false`: AWS refused, because it runs already or cannot be redriven any more.
    pub(super) async fn redrive(&self, name: &ExecutionName) -> Result<bool, PortError> {
        // The SDK adds a token of its own, so that a call whose answer was lost counts once.
        let call = self.client.redrive_execution().execution_arn(self.arn.execution(name));
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(true),
            Err(failed) if failed.is("ExecutionNotRedrivable") => Ok(false),
            Err(failed) => Err(failed.port(Access::Write, &format!("could not redrive the execution {name}"))),
        }
    }

    /// Aborts an execution. `false`: there is none. One that has ended stays as it is.
    pub(super) async fn stop(&self, name: &ExecutionName) -> Result<bool, PortError> {
        let cause = "It was cancelled by way of Switchman; its record says by whom.";
        let call = self
            .client
            .stop_execution()
            .execution_arn(self.arn.execution(name))
            .error("Switchman.Cancelled")
            .cause(cause);
        match self.breaker.call(call.send()).await {
            Ok(_) => Ok(true),
            Err(failed) if failed.is("ExecutionDoesNotExist") => Ok(false),
            // There is an execution, and nothing of it to stop.
            Err(failed) if failed.is("ValidationException") => Ok(true),
            Err(failed) => Err(failed.port(Access::Write, &format!("could not stop the execution {name}"))),
        }
    }

    /// How far its newest Distributed Map is; `None` before it has one.
    pub(super) async fn map_counts(&self, name: &ExecutionName) -> Result<Option<MapCounts>, PortError> {
        let doing = format!("could not count the chunks of the execution {name}");
        let call = self.client.list_map_runs().execution_arn(self.arn.execution(name)).send();
        let runs = match self.breaker.call(call).await {
            Err(failed) if failed.is("ExecutionDoesNotExist") => return Ok(None),
            runs => runs.map_err(|failed| failed.port(Access::Read, &doing))?.map_runs,
        };
        let Some(newest) = runs.into_iter().max_by_key(|run| run.start_date.as_nanos()) else { return Ok(None) };
        let call = self.client.describe_map_run().map_run_arn(newest.map_run_arn).send();
        let run = self.breaker.call(call).await.map_err(|failed| failed.port(Access::Read, &doing))?;
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        Ok(run.item_counts().map(|items| MapCounts { done: number(items.succeeded()), total: number(items.total()) }))
    }
}

fn seen(found: DescribeExecutionOutput) -> Result<Seen, PortError> {
    let status = match &found.status {
        ExecutionStatus::Running => Status::Running,
        ExecutionStatus::PendingRedrive => Status::PendingRedrive,
        ExecutionStatus::Succeeded => Status::Succeeded,
        ExecutionStatus::Failed => Status::Failed,
        ExecutionStatus::TimedOut => Status::TimedOut,
        ExecutionStatus::Aborted => Status::Aborted,
        unknown => {
            let what = format!("AWS says that an execution is {unknown}, which this version does not know; update it");
            return Err(PortError::transient(what));
        }
    };
    let redrivable = match found.redrive_status {
        Some(ExecutionRedriveStatus::Redrivable) => Ok(()),
        _ => Err(found.redrive_status_reason.unwrap_or_else(|| "AWS does not say that it can be redriven".to_owned())),
    };
    let (error, cause) = (found.error.unwrap_or_default(), found.cause.unwrap_or_default());
    Ok(Seen { status, input: found.input.unwrap_or_default(), redrivable, error, cause })
}
