//! As a function of Lambda: nobody types a command there.

use super::{Failure, Outcome, block_on};
use crate::app;
use crate::config::{LambdaSettings, LogSettings, SlackAccess, Strings};

pub(super) fn run(settings: LambdaSettings, strings: &dyn Strings) -> Outcome {
    let logs = LogSettings { json: true, ..LogSettings::read(strings, "info", false)? };
    crate::telemetry::logs(&logs).map_err(Failure::Failed)?;
    let access = SlackAccess::read_managed(strings)?;
    block_on(app::lambda(settings, access))?.map_err(Failure::Failed)
}
