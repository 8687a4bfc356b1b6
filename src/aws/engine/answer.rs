//! Answers to workflows that wait. A token is good in the region where its workflow runs, and once.
//!
//! Who answers twice is told the second time that nobody waits any more. So an answer is sent once in each call: were the SDK to send it
//! again after a reply was lost, an answer that was heard would be called too late. `Ambiguous` says that, and the caller asks again.

use super::machine::Machine;
use crate::aws::errors::{Access, Failed};
use crate::domain::task::{TaskAnswer, TaskOutcome, TaskToken};
use crate::ports::{Kind, PortError};
use aws_config::retry::RetryConfig;
use aws_sdk_sfn::error::ProvideErrorMetadata;
use std::error::Error;

/// What Step Functions takes of an error's cause, in characters.
const LONGEST_CAUSE: usize = 32_768;

/// Answers a workflow. Where it does not wait any more: `Gone`.
pub(super) async fn answer(machine: &Machine, task: &TaskAnswer) -> Result<(), PortError> {
    let (client, breaker) = machine.parts();
    let token = task.token.expose();
    let doing = "could not answer the workflow";
    match &task.outcome {
        TaskOutcome::Success { output } => {
            let call = client.send_task_success().task_token(token).output(output.to_string());
            breaker
                .call(call.customize().config_override(once()).send())
                .await
                .map(drop)
                .map_err(|failed| dead_or(failed, doing))
        }
        TaskOutcome::Failure { error, cause } => {
            let cause: String = cause.chars().take(LONGEST_CAUSE).collect();
            let call = client.send_task_failure().task_token(token).error(*error).cause(cause);
            breaker
                .call(call.customize().config_override(once()).send())
                .await
                .map(drop)
                .map_err(|failed| dead_or(failed, doing))
        }
    }
}

/// Sends a request once, whatever becomes of it.
fn once() -> aws_sdk_sfn::config::Builder {
    aws_sdk_sfn::config::Builder::new().retry_config(RetryConfig::disabled())
}

/// Tells a workflow that somebody is still at it.
pub(super) async fn heartbeat(machine: &Machine, token: &TaskToken) -> Result<(), PortError> {
    let (client, breaker) = machine.parts();
    let call = client.send_task_heartbeat().task_token(token.expose());
    let doing = "could not tell the workflow that people are still at it";
    breaker.call(call.send()).await.map(drop).map_err(|failed| dead_or(failed, doing))
}

/// The error for a port: what tells that nobody waits for the answer is told apart from the rest.
fn dead_or<E: ProvideErrorMetadata + Error + Send + Sync + 'static>(failed: Failed<E>, doing: &str) -> PortError {
    let why = [
        (
            "TaskTimedOut",
            "the workflow does not wait any more: its time ran out, it was stopped, or it was answered before",
        ),
        ("TaskDoesNotExist", "no workflow waits for this answer any more: it was answered before, or it has ended"),
        (
            "InvalidToken",
            "Step Functions does not know the token of this question: it belongs to another region or account, or was changed",
        ),
    ];
    match why.iter().find(|(code, _)| failed.is(code)) {
        Some((_, why)) => PortError::new(Kind::Gone, format!("{why}; nothing was changed")),
        None => failed.port(Access::Write, doing),
    }
}
