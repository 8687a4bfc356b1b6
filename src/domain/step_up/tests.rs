//! One-time codes: the vectors of the standard, and whatever people and attackers do with codes.

use super::*;
use crate::domain::actor::Actor;
use crate::domain::id::{TeamId, UserId};
use crate::domain::seal::SealingKey;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use secrecy::ExposeSecret;

const START: i64 = 1_772_438_400;

fn secret() -> TotpSecret {
    TotpSecret::new(*b"12345678901234567890")
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn enrolment() -> Enrolment {
    let who = Actor { team: TeamId::parse("T1").unwrap(), user: UserId::parse("U1").unwrap(), name: "Ann".into() };
    Enrolment::new(who, SealingKey::new([7; 32]).seal([1; 12], "here", secret().bytes()), at(START))
}

fn code(second: i64) -> String {
    secret().code(second.div_euclid(30))
}

/// RFC 6238, appendix B, the rows for SHA-1; six digits are the last six of its eight.
#[test]
fn the_vectors_of_rfc_6238() {
    for (second, expected) in [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ] {
        assert_eq!(code(second), expected, "{second}");
    }
}

/// RFC 4226, appendix D.
#[test]
fn the_vectors_of_rfc_4226() {
    let expected = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
    for (step, expected) in (0..).zip(expected) {
        assert_eq!(secret().code(step), expected, "{step}");
    }
}

#[test]
fn an_app_is_told_everything_and_a_log_nothing() {
    let uri = secret().uri("Ann Lee (T1/U1)");
    assert_eq!(
        uri.expose_secret(),
        "otpauth://totp/Switchman:Ann%20Lee%20%28T1%2FU1%29?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Switchman&algorithm=SHA1&digits=6&period=30"
    );
    assert!(!format!("{:?} {uri:?} {:?}", secret(), enrolment()).contains("GEZDG"));
}

#[test]
fn the_codes_before_and_after_count_and_no_others() {
    for (offset, accepted) in [(-60, false), (-30, true), (0, true), (30, true), (60, false)] {
        let (next, checked) = enrolment().check(&secret(), &code(START + offset), at(START));
        assert_eq!(checked.is_ok(), accepted, "{offset}");
        assert_eq!(next.confirmed_at, accepted.then_some(at(START)));
    }
    let spaced = format!(" {} {} ", &code(START)[..3], &code(START)[3..]);
    assert!(enrolment().check(&secret(), &spaced, at(START)).1.is_ok());
}

#[test]
fn a_code_counts_once_and_no_older_one_after_it() {
    let (used, _) = enrolment().check(&secret(), &code(START), at(START));
    for offset in [0, -30] {
        let (next, checked) = used.check(&secret(), &code(START + offset), at(START + 5));
        assert_eq!((checked, next), (Err(CodeRefusal::AlreadyUsed), used.clone()));
    }
    assert!(used.check(&secret(), &code(START + 30), at(START + 5)).1.is_ok());
}

#[test]
fn five_wrong_codes_lock_for_a_quarter_of_an_hour_and_a_right_one_forgives() {
    let mut record = enrolment();
    let mut give = |code: &str, second: i64| {
        let (next, checked) = record.check(&secret(), code, at(second));
        record = next;
        checked
    };
    for (wrong, left) in [("000000", 4), ("", 3), ("12345", 2), ("abcdef", 1)] {
        assert_eq!(give(wrong, START), Err(CodeRefusal::Wrong { left }));
    }
    assert!(give(&code(START), START).is_ok());
    for left in [4, 3, 2, 1] {
        assert_eq!(give("000000", START), Err(CodeRefusal::Wrong { left }));
    }
    let until = START + 15 * 60;
    let locked = Err(CodeRefusal::Locked { until: at(until) });
    assert_eq!(give("000000", START), locked);
    assert_eq!(give(&code(until - 1), until - 1), locked);
    assert_eq!(give("000000", until), Err(CodeRefusal::Wrong { left: 4 }));
    assert!(give(&code(until), until).is_ok());
}

#[test]
fn what_was_removed_accepts_nothing() {
    let gone = Enrolment { secret: None, ..enrolment() };
    assert_eq!(gone.check(&secret(), &code(START), at(START)).1, Err(CodeRefusal::NotEnrolled));
}

/// A step of somebody who tries: time passes, then a code of this many half minutes away is given, or a guess.
fn tries() -> impl Strategy<Value = Vec<(i64, Result<i64, u32>)>> {
    let given = prop_oneof![3 => (-3..=3_i64).prop_map(Ok), 1 => (0..1_000_000_u32).prop_map(Err)];
    proptest::collection::vec((0..200_i64, given), 1..60)
}

proptest! {
    #[test]
    fn a_code_is_accepted_at_most_once_within_its_window_and_never_while_locked(tries in tries()) {
        let (mut record, mut now, mut used, mut in_a_row) = (enrolment(), START, Vec::new(), 0);
        for (passed, given) in tries {
            now += passed;
            let text = match given { Ok(away) => code(now + 30 * away), Err(guess) => format!("{guess:06}") };
            let before = record.clone();
            let (next, checked) = record.check(&secret(), &text, at(now));
            record = next;
            let locked = before.locked_until.is_some_and(|until| at(now) < until);
            match checked {
                Ok(step) => {
                    prop_assert!(!locked);
                    prop_assert!((step - now.div_euclid(30)).abs() <= 1);
                    prop_assert_eq!(secret().code(step), text);
                    prop_assert!(used.iter().all(|before| *before < step));
                    used.push(step);
                    in_a_row = 0;
                }
                Err(CodeRefusal::Wrong { left }) => {
                    in_a_row = if before.locked_until.is_some() { 1 } else { in_a_row + 1 };
                    prop_assert_eq!(left, 5 - in_a_row);
                    prop_assert!(left > 0);
                }
                Err(CodeRefusal::Locked { until }) => {
                    prop_assert!(at(now) < until && until <= at(now) + SignedDuration::from_mins(15));
                    if locked { prop_assert_eq!(&record, &before) } else { prop_assert_eq!(in_a_row, 4) }
                }
                Err(CodeRefusal::AlreadyUsed) => prop_assert!(used.iter().any(|step| secret().code(*step) == text) || used.iter().any(|step| *step >= now.div_euclid(30) - 1)),
                Err(CodeRefusal::NotEnrolled) => prop_assert!(false, "it is enrolled"),
            }
        }
    }
}
