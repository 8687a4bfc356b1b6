//! Somebody else's state machine: it takes a date, asks people a question, and ends by what they say.

use super::world::{CHANNEL, Stack};
use serde_json::json;

/// Its name, and the job's.
pub(crate) const WORKFLOW: &str = "nightly";

/// The job that it is. One approver has to agree to a start.
pub(crate) fn job(machine: &str) -> String {
    format!(
        r#"
[[job]]
name = "{WORKFLOW}"
kind = "state-machine"
machine = "{machine}"
summary = "Close the books of a day"

[[job.input]]
name = "date"
type = "date"
required = true

[[approval]]
actions = ["start-batch"]
jobs = ["{WORKFLOW}"]
roles = ["approver"]
reason = false
"#
    )
}

impl Stack {
    /// Makes it. It asks its question by the queue of signals, and waits for the answer.
    pub(crate) async fn make_workflow(&self) {
        let question = json!({
            "switchman": "approval", "token.$": "$$.Task.Token", "job": WORKFLOW, "channel": CHANNEL,
            "question": "Publish the figures?", "details": {"date.$": "$.date"}, "expiresIn": "PT2H",
        });
        let ask = json!({
            "Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "End": true,
            "Parameters": {"QueueUrl": self.output("SignalsQueueUrl"), "MessageBody": question},
        });
        let definition = json!({"StartAt": "Ask", "States": {"Ask": ask}}).to_string();
        let call = aws_sdk_sfn::Client::new(&self.config).create_state_machine().name(WORKFLOW);
        call.role_arn("arn:aws:iam::123456789012:role/workflow").definition(definition).send().await.unwrap();
    }
}
