//! A person as the command line names one: a user id, a team where that is not clear.

use super::policy::standing;
use crate::config::Config;
use crate::domain::actor::Standing;

/// Who is meant, and what the list says about them.
pub(super) fn named(config: &Config, team: Option<&str>, user: &str) -> Result<Standing, String> {
    let text = match team {
        Some(team) if !user.contains('/') => format!("{team}/{user}"),
        _ => user.to_owned(),
    };
    standing(config, &text).map_err(|why| format!("switchman: {why}"))
}
