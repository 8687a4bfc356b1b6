//! `switchman playground`: the bot with the local Slack page.

use super::args::PlaygroundArgs;
use super::{Outcome, Terminal, block_on};
use crate::app::{self, PlaygroundOptions};

pub(super) fn run(args: PlaygroundArgs, _terminal: &mut Terminal) -> Outcome {
    let metrics = crate::telemetry::metrics()?;
    let options = PlaygroundOptions { port: args.port, data: args.data };
    block_on(app::playground(options, metrics, Terminal::announce("playground")))??;
    Ok(())
}
