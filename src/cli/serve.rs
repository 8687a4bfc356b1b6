//! `switchman serve`: the bot alone, against the Slack API.

use super::args::ServeArgs;
use super::{Failure, Outcome, Terminal, block_on};
use crate::app;
use crate::config::{Backend, Config, ConfigPlace, FILE_NAME, Mistakes, SlackAccess, Strings};

pub(super) fn run(args: ServeArgs, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    let place = args.config.map_or_else(|| ConfigPlace::read(strings), |place| Ok(Some(place)))?;
    let (config, _copied) = match place.unwrap_or_else(|| ConfigPlace::File(FILE_NAME.into())) {
        ConfigPlace::File(file) => (Config::load(&file), None),
        place @ ConfigPlace::Bucket { .. } => {
            let (config, copied) = block_on(app::config_at(&place))?.map_err(Failure::Failed)?;
            (Ok(config), Some(copied))
        }
    };
    let (config, access) = with_access(config, strings)?;
    for warning in config.warnings() {
        terminal.note(&format!("warning: {warning}"));
    }
    let metrics = crate::telemetry::metrics()?;
    block_on(app::serve(config, access, metrics, Terminal::announce("serve")))??;
    Ok(())
}

/// The configuration, and what is needed to talk to Slack; or the mistakes of both at once.
pub(super) fn with_access(
    config: Result<Config, Mistakes>,
    strings: &dyn Strings,
) -> Result<(Config, SlackAccess), Failure> {
    let access = match config.as_ref().map(|config| &config.backend) {
        Ok(Backend::Aws(_)) => SlackAccess::read_managed(strings),
        _ => SlackAccess::read(strings),
    };
    both(config, access)
}

/// Both, or the mistakes of both at once.
pub(super) fn both<A, B>(first: Result<A, Mistakes>, second: Result<B, Mistakes>) -> Result<(A, B), Failure> {
    match (first, second) {
        (Ok(first), Ok(second)) => Ok((first, second)),
        (Err(one), Err(other)) => Err(Mistakes(one.0.into_iter().chain(other.0).collect()).into()),
        (Err(mistakes), Ok(_)) | (Ok(_), Err(mistakes)) => Err(mistakes.into()),
    }
}
