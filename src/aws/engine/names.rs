//! Names of executions, and what they say: whose attempt, in which sandbox, and the how manieth execution of it.

use crate::domain::id::RequestId;
use crate::domain::run::AttemptKey;
use std::fmt;

/// The name of an execution: `r-7k3f_1`, in a drill's sandbox `q-7k3f_r-7k3f_1`, and `…_2` for the second execution of an attempt. Step
/// Functions keeps a name for 90 days, so the same name is the same execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutionName {
    pub sandbox: Option<RequestId>,
    pub key: AttemptKey,
    /// Counts from 1.
    pub nth: u32,
}

impl fmt::Display for ExecutionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(sandbox) = &self.sandbox {
            write!(f, "{sandbox}_")?;
        }
        write!(f, "{}_{}", self.key.run, self.key.attempt)?;
        if self.nth > 1 {
            write!(f, "_{}", self.nth)?;
        }
        Ok(())
    }
}

impl ExecutionName {
    /// Reads what `Display` wrote; `None` for a name that somebody else gave.
    pub fn parse(text: &str) -> Option<Self> {
        let (sandbox, rest) = match text.split_once('_') {
            Some((first, rest)) if first.starts_with("q-") => (Some(RequestId::parse(first).ok()?), rest),
            _ => (None, text),
        };
        let mut parts = rest.split('_');
        let key = AttemptKey::parse(&format!("{}.{}", parts.next()?, parts.next()?))?;
        let nth = parts.next().map_or(Some(1), |nth| nth.parse().ok())?;
        let name = Self { sandbox, key, nth };
        // One name for one execution: nothing behind it, no leading zeros, no `_1` at the end.
        (parts.next().is_none() && name.to_string() == text).then_some(name)
    }
}

/// The parts of a state machine's ARN that its executions share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MachineArn {
    pub(super) text: String,
    pub(super) region: String,
    executions: String,
}

impl MachineArn {
    /// Reads `arn:PARTITION:states:REGION:ACCOUNT:stateMachine:NAME`, with a version or an alias behind it or not.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let ["arn", partition, "states", region, account, "stateMachine", name, qualifier @ ..] = parts.as_slice()
        else {
            return None;
        };
        let whole = [partition, region, account, name].into_iter().chain(qualifier).all(|part| !part.is_empty());
        (whole && qualifier.len() <= 1).then(|| Self {
            text: text.to_owned(),
            region: (*region).to_owned(),
            executions: format!("arn:{partition}:states:{region}:{account}:execution:{name}:"),
        })
    }

    pub(super) fn execution(&self, name: &ExecutionName) -> String {
        format!("{}{name}", self.executions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_nobody_elses_is() {
        let key = AttemptKey::parse("r-7k3f.12").unwrap();
        let sandbox = Some(RequestId::parse("q-7k3f").unwrap());
        for (sandbox, nth, text) in
            [(None, 1, "r-7k3f_12"), (None, 3, "r-7k3f_12_3"), (sandbox.clone(), 1, "q-7k3f_r-7k3f_12")]
        {
            let name = ExecutionName { sandbox, key: key.clone(), nth };
            assert_eq!(name.to_string(), text);
            assert_eq!(ExecutionName::parse(text), Some(name));
        }
        for foreign in [
            "",
            "r-7k3f",
            "r-7k3f_",
            "r-7k3f_0",
            "r-7k3f_012",
            "r-7k3f_1_1",
            "r-7k3f_1_02",
            "r-7k3f_1_2_3",
            "r-7k3f_1_x",
            "q-7k3f_1",
            "q-0_r-7k3f_1",
            "nightly_2026",
            "3f1c9a1e-0000-4000-8000-000000000000",
        ] {
            assert_eq!(ExecutionName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn executions_are_named_below_their_machine() {
        let name = ExecutionName::parse("r-7k3f_1").unwrap();
        for arn in ["batch", "batch:prod", "batch:3"] {
            let arn =
                MachineArn::parse(&format!("arn:aws-cn:states:cn-north-1:123456789012:stateMachine:{arn}")).unwrap();
            assert_eq!(arn.region, "cn-north-1");
            assert_eq!(arn.execution(&name), "arn:aws-cn:states:cn-north-1:123456789012:execution:batch:r-7k3f_1");
        }
        for wrong in ["batch", "arn:aws:states:eu-central-1::stateMachine:x", "arn:aws:states:x:1:activity:x"] {
            assert_eq!(MachineArn::parse(wrong), None, "{wrong}");
        }
    }
}
