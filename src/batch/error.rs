//! What can go wrong with a batch as a whole. What is wrong with one row is a `Reason`, not an error.
use std::fmt;
use std::io;
use std::path::Path;

/// Everything that is wrong with a job's description, in one go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError {
    /// One text per mistake; each names the place and says what to do.
    pub problems: Vec<String>,
}

impl LoadError {
    pub(crate) fn one(problem: impl Into<String>) -> Self {
        Self { problems: vec![problem.into()] }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problems.join("; "))
    }
}

impl std::error::Error for LoadError {}

/// Why a batch did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BatchError {
    #[error("cannot {what}: {source}")]
    Io { what: String, source: io::Error },
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("the input is empty; a first line with the column names was expected")]
    EmptyInput,
    #[error("the input is not UTF-8 but {0}; make it CSV in UTF-8 and start again")]
    Encoding(&'static str),
    #[error("the first line does not fit the schema: {0}")]
    Header(String),
    #[error("the input changed since this batch was planned ({0}); start a new run")]
    InputChanged(String),
    #[error("the job changed since this batch was planned; start a new run or reprocess it")]
    JobChanged,
    #[error("cannot build on the earlier attempt: {0}")]
    Earlier(String),
    #[error("this batch is already running in another process")]
    Running,
    #[error("the batch was cancelled")]
    Cancelled,
    #[error("the result was not published, it is kept aside: {0}")]
    Fenced(String),
    #[error("{failed} of {chunks} chunks failed, first chunk {first}: {reason}; reprocess the failed chunks")]
    Chunks { failed: usize, chunks: usize, first: usize, reason: String },
    #[error("the stored state of the batch is not usable: {0}; reprocess all")]
    State(String),
}

impl BatchError {
    /// Says of how many chunks some have failed, where that was not known yet.
    pub(crate) fn among(self, total: usize) -> Self {
        match self {
            Self::Chunks { failed, first, reason, .. } => Self::Chunks { failed, chunks: total, first, reason },
            other => other,
        }
    }

    pub(crate) fn io(what: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let what = format!("{what} {}", path.display());
        move |source| Self::Io { what, source }
    }

    pub(crate) fn stream(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { what: what.to_owned(), source }
    }
}
