//! How a step ends that does not simply succeed: stopped, a mistake of the input or the job (both are answers), or an outage (an error,
//! which the state machine tries again).

use crate::batch::BatchError;
use crate::ports::PortError;

/// A step could not be done now, or was asked for in a way that nobody understands.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// Something is down or throttled. What is finished stays; the step can be called again at any time.
    #[error("{0}; what is finished is kept and the step can be called again")]
    Outage(#[from] PortError),
    /// Not what the state machine sends.
    #[error("this call is not understood: {0}; compare the state machine with the function's version")]
    Call(String),
}

/// Why a step did not come to its own answer.
#[derive(Debug)]
pub(super) enum Halt {
    Stopped,
    /// For people.
    Mistake(String),
    Error(WorkerError),
}

impl Halt {
    /// Something that comes again if it is tried again, such as an object that has not been written yet.
    pub(super) fn outage(what: impl Into<String>) -> Self {
        Self::Error(WorkerError::Outage(PortError::transient(what)))
    }
}

impl From<PortError> for Halt {
    fn from(error: PortError) -> Self {
        Self::Error(WorkerError::Outage(error))
    }
}

impl From<WorkerError> for Halt {
    fn from(error: WorkerError) -> Self {
        Self::Error(error)
    }
}

impl From<BatchError> for Halt {
    fn from(error: BatchError) -> Self {
        match error {
            BatchError::Cancelled => Self::Stopped,
            // The disk of this function: another one may have room.
            BatchError::Io { what, source } => {
                Self::from(PortError::transient(format!("could not {what}")).because(source))
            }
            mistake => Self::Mistake(mistake.to_string()),
        }
    }
}

/// The disk of the function could not be used.
pub(super) fn disk(error: std::io::Error) -> Halt {
    Halt::from(PortError::transient("the function's disk could not be used").because(error))
}
