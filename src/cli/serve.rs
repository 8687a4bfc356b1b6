//! `switchman serve`: the bot alone, against the Slack API.

use super::args::ConfigArg;
use super::{Failure, Outcome, Terminal, block_on};
use crate::app;
use crate::config::{Config, Mistakes, SlackAccess, Strings};

pub(super) fn run(args: &ConfigArg, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let (config, access) = both(Config::load(&args.config), SlackAccess::read(strings))?;
    for warning in config.warnings() {
        terminal.note(&format!("warning: {warning}"));
    }
    let metrics = crate::telemetry::metrics()?;
    block_on(app::serve(config, access, metrics, Terminal::announce("serve")))??;
    Ok(())
}

/// Both, or the mistakes of both at once.
pub(super) fn both<A, B>(first: Result<A, Mistakes>, second: Result<B, Mistakes>) -> Result<(A, B), Failure> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(one), Err(other)) => Err(Mistakes(one.0.into_iter().chain(other.0).collect()).into()),
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes.into()),
    }
}
