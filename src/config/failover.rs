//! `[failover]`: what the jobs promise about a loss of their region, and how far the world may leave a plan.

use super::section::Section;
use crate::domain::failover::{Targets, Tolerance};
use crate::domain::job::MoveSettings;
use jiff::SignedDuration;
use std::ops::RangeInclusive;

const RECOVERY: RangeInclusive<SignedDuration> = SignedDuration::from_secs(1)..=SignedDuration::from_hours(7 * 24);
const DATA: RangeInclusive<SignedDuration> = SignedDuration::ZERO..=SignedDuration::from_hours(7 * 24);
const MOST_FILES: u64 = 1_000_000;

/// Reads the table; what it leaves out has its default.
pub(super) fn failover(section: &Section<'_>) -> MoveSettings {
    let usual = MoveSettings::default();
    let settings = MoveSettings {
        targets: Targets {
            recovery_time: section.duration("recovery_time", RECOVERY).unwrap_or(usual.targets.recovery_time),
            data_loss: section.duration("data_loss", DATA).unwrap_or(usual.targets.data_loss),
        },
        tolerance: Tolerance {
            more_unfinished: section
                .whole("more_unfinished", 0..=MOST_FILES)
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(usual.tolerance.more_unfinished),
            more_lag: section.duration("more_lag", DATA).unwrap_or(usual.tolerance.more_lag),
        },
    };
    section.finish();
    settings
}
