//! `switchman init`: a configuration to start from.

use super::args::InitArgs;
use super::{Failure, Outcome, Terminal};
use crate::config::FILE_NAME;
use crate::config::starter::{Starter, StarterError};

pub(super) fn run(args: &InitArgs, terminal: &mut Terminal) -> Outcome {
    let (files, _) = Starter::small().write(&args.dir).map_err(|error| match error {
        StarterError::Exists(_) => {
            Failure::Wrong(format!("switchman: {error}; name another folder: switchman init DIR"))
        }
        other => Failure::failed(other),
    })?;
    for file in files {
        terminal.say(&format!("wrote: {}", args.dir.join(file).display()))?;
    }
    let config = args.dir.join(FILE_NAME);
    let config = config.display();
    for line in [
        String::new(),
        "Next:".to_owned(),
        format!("  1. Put your own team, channel and people into {config}"),
        format!("     and see what follows from it:   switchman check --config {config}"),
        format!("  2. Make the Slack app from this:   switchman manifest --config {config}"),
        "  3. Give the bot its two secrets:   export SLACK_SIGNING_SECRET=…   (Basic Information, Signing Secret)".to_owned(),
        "                                     export SLACK_BOT_TOKEN=xoxb-…   (OAuth & Permissions, Bot User OAuth Token)".to_owned(),
        format!("  4. Run it:                         switchman serve --config {config}"),
        String::new(),
        "To try it without Slack first:       switchman playground".to_owned(),
    ] {
        terminal.say(&line)?;
    }
    Ok(())
}
