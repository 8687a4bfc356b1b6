//! How a subcommand ends: done (0), failed (1), wrong usage or configuration (2).

use super::Terminal;
use crate::config::Mistakes;
use std::process::ExitCode;

/// What a subcommand returns.
pub type Outcome = Result<(), Failure>;

/// Why a subcommand did not do what it was asked.
#[derive(Debug)]
pub enum Failure {
    /// Wrong usage or configuration; the text is for stderr.
    Wrong(String),
    /// It was tried and failed.
    Failed(anyhow::Error),
    /// It failed and has said why already.
    Told,
    /// Nobody reads our output any more.
    Unread,
}

impl Failure {
    /// The exit code of wrong usage or configuration.
    pub(super) const WRONG: u8 = 2;

    pub(super) fn failed(error: impl Into<anyhow::Error>) -> Self {
        Self::Failed(error.into())
    }

    /// Says why on stderr and gives the exit code.
    pub(super) fn report(self, terminal: &mut Terminal) -> ExitCode {
        match self {
            Self::Wrong(text) => {
                terminal.note(&text);
                Self::WRONG.into()
            }
            Self::Failed(error) => {
                terminal.note(&format!("switchman: {error:#}"));
                ExitCode::FAILURE
            }
            Self::Told | Self::Unread => ExitCode::FAILURE,
        }
    }
}

impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        let count = match mistakes.0.len() {
            1 => "1 mistake".to_owned(),
            n => format!("{n} mistakes"),
        };
        Self::Wrong(format!("{mistakes}\n{count}"))
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
