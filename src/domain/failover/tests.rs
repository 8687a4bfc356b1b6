//! How far the world may leave a plan, and the states of a move.

use super::*;
use crate::domain::id::{FileName, JobName, RegionName};
use crate::domain::region::Replication;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

fn plan(files: &[(&str, FileState)], lag: Option<i64>) -> FailOverPlan {
    let case = |(file, state): &(&str, FileState)| FileCase {
        job: JobName::parse("sales").unwrap(),
        file: FileName::parse(*file).unwrap(),
        attempt: None,
        bytes: 1,
        state: state.clone(),
        treatment: state.treatment(),
    };
    FailOverPlan {
        kind: Move::FailOver,
        from: RegionName::parse("east").unwrap(),
        to: RegionName::parse("west").unwrap(),
        epoch: 3,
        made_at: Timestamp::UNIX_EPOCH,
        replication: Replication { lag: lag.map(SignedDuration::from_secs), ..Replication::default() },
        files: files.iter().map(case).collect(),
        expected: None,
        targets: Targets { recovery_time: SignedDuration::from_mins(15), data_loss: SignedDuration::from_mins(1) },
        unknowns: Vec::new(),
        tolerance: Tolerance { more_unfinished: 1, more_lag: SignedDuration::from_secs(10) },
    }
}

#[test]
fn a_plan_holds_until_the_world_leaves_what_it_states() {
    let planned = plan(&[("a.csv", FileState::Untouched), ("b.csv", FileState::NotReplicated)], Some(5));
    let held = |now: &FailOverPlan| planned.still_holds(now);
    assert_eq!(held(&planned), Ok(()));
    let more = [("a.csv", FileState::Untouched), ("b.csv", FileState::Untouched), ("c.csv", FileState::Untouched)];
    assert_eq!(held(&plan(&more, Some(15))), Ok(()));
    let four = [more[0].clone(), more[1].clone(), more[2].clone(), ("d.csv", FileState::Merged)];
    assert_eq!(held(&plan(&four, Some(5))), Err(Drift::MoreUnfinished { planned: 2, now: 4 }));
    let lost = [("a.csv", FileState::NotReplicated), ("b.csv", FileState::NotReplicated)];
    assert_eq!(held(&plan(&lost, Some(5))), Err(Drift::MoreLost { files: vec![FileName::parse("a.csv").unwrap()] }));
    let late = |now| Err(Drift::LagGrew { planned: SignedDuration::from_secs(5), now });
    assert_eq!(held(&plan(&more, Some(16))), late(Some(SignedDuration::from_secs(16))));
    assert_eq!(held(&plan(&more, None)), late(None));
    let moved = FailOverPlan { epoch: 4, ..planned.clone() };
    assert_eq!(held(&moved), Err(Drift::EpochMoved { planned: 3, now: 4 }));
    let dark = FailOverPlan { unknowns: vec![Unknown::LagUnmeasured], ..planned.clone() };
    assert_eq!(held(&dark), Err(Drift::LessKnown));
}

const EVENTS: [FailOverEvent; 3] = [FailOverEvent::Switched, FailOverEvent::AllAccounted, FailOverEvent::SwitchRefused];

proptest! {
    #[test]
    fn no_path_recovers_before_the_switch_or_leaves_an_end(events in proptest::collection::vec(proptest::sample::select(EVENTS.to_vec()), 0..12)) {
        let (mut state, mut switched) = (FailOverState::Switching, false);
        for event in events {
            let before = state;
            if let Ok(next) = state.next(event) {
                prop_assert!(!before.is_terminal());
                switched |= event == FailOverEvent::Switched;
                state = next;
            } else {
                prop_assert_eq!(state, before);
            }
            prop_assert_eq!(switched, matches!(state, FailOverState::Recovering | FailOverState::Finished));
        }
    }
}
