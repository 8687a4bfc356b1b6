//! What the SDK's errors mean to a caller: the one place that knows.

use crate::ports::{Kind, PortError};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use std::error::Error;
use std::time::Duration;

/// What a lost answer leaves open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Nothing: it only looked.
    Read,
    /// Whether it was done.
    Write,
}

/// A call that did not succeed.
#[derive(Debug)]
pub(super) enum Failed<E> {
    /// The service did not answer for a while, and this call was not made.
    Resting(Duration),
    Sdk(Box<SdkError<E, HttpResponse>>),
}

impl<E> Failed<E> {
    /// The service's own error, where it gave one.
    pub(super) fn service(&self) -> Option<&E> {
        match self {
            Self::Sdk(error) => error.as_service_error(),
            Self::Resting(_) => None,
        }
    }
}

impl<E: ProvideErrorMetadata + Error + Send + Sync + 'static> Failed<E> {
    /// The error for the caller of a port. `doing` says what was tried, such as `could not read a run`.
    pub(super) fn port(self, access: Access, doing: &str) -> PortError {
        match self {
            Self::Resting(rest) => PortError::new(
                Kind::Transient { after: Some(rest) },
                format!(
                    "{doing}: AWS has not answered for a while and is left alone; nothing was done, it is tried again"
                ),
            ),
            Self::Sdk(error) => {
                let (kind, said) = meaning(&error, access);
                // The chain of causes, without the request or its answer.
                PortError::new(kind, format!("{doing}: {said}")).because(DisplayErrorContext(&*error).to_string())
            }
        }
    }

    /// Whether the service's error has this code.
    pub(super) fn is(&self, code: &str) -> bool {
        self.service().and_then(ProvideErrorMetadata::code) == Some(code)
    }
}

const TRANSIENT: Kind = Kind::Transient { after: None };

fn meaning<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>, access: Access) -> (Kind, String) {
    let lost = match access {
        Access::Read => (TRANSIENT, "it can be tried again"),
        Access::Write => (Kind::Ambiguous, "it may or may not have been done"),
    };
    let said = |what: &str, (kind, then): (Kind, &str)| (kind, format!("{what}; {then}"));
    match error {
        SdkError::ConstructionFailure(_) => {
            said("the request cannot be made", (Kind::Permanent, "nothing was done, look at the cause beneath"))
        }
        SdkError::TimeoutError(_) => said("AWS did not answer in time", lost),
        // Also where no credentials were found, and where an answer broke off: the SDK does not tell these apart.
        SdkError::DispatchFailure(_) => {
            said("AWS could not be reached, its answer broke off, or there are no valid credentials", lost)
        }
        SdkError::ResponseError(_) => said("the answer of AWS broke off or cannot be read", lost),
        SdkError::ServiceError(context) => {
            let code = context.err().code().unwrap_or("an error without a name");
            by_code(code, context.raw().status().as_u16(), lost)
        }
        _ => said("AWS failed in an unknown way", lost),
    }
}

/// The meaning of an error by its code, then by the status of the answer. The codes are those of the services' API references.
pub(super) fn by_code(code: &str, status: u16, lost: (Kind, &str)) -> (Kind, String) {
    let (kind, then) = match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "LimitExceededException"
        | "SlowDown"
        | "TooManyRequestsException"
        | "TooManyUpdates"
        | "OverLimit"
        | "BandwidthLimitExceeded"
        | "ThrottlingError"
        | "ProvisionedThroughputExceeded"
        | "KmsThrottled"
        | "ServiceUnavailable"
        | "TransactionInProgressException"
        | "ConcurrentModificationException"
        | "ReplicatedWriteConflictException"
        | "ConditionalRequestConflict"
        | "OperationAborted"
        | "RequestTimeout"
        | "LimitExceeded"
        | "ExecutionLimitExceeded"
        | "KmsThrottlingException" => (TRANSIENT, "nothing was done, it is tried again later"),
        "ConditionalCheckFailedException"
        | "ConditionalCheckFailed"
        | "PreconditionFailed"
        | "TransactionConflict"
        | "TransactionConflictException"
        | "TransactionCanceledException" => (Kind::Conflict, "somebody else was first, nothing was written"),
        "AccessDeniedException"
        | "AccessDenied"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "InvalidAccessKeyId"
        | "NotAuthorized"
        | "Forbidden"
        | "KmsAccessDenied"
        | "KmsAccessDeniedException"
        | "AuthFailure" => (Kind::Denied, "nothing was done, look at the credentials and at the role's permissions"),
        "ResourceNotFoundException"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "ParameterNotFound"
        | "NotFound"
        | "QueueDoesNotExist"
        | "AWS.SimpleQueueService.NonExistentQueue" => (Kind::Gone, "it does not exist under this name in this region"),
        _ if status >= 500 => lost,
        _ => (Kind::Permanent, "nothing was done, and trying again will not help"),
    };
    (kind, format!("AWS answered {code}; {then}"))
}
