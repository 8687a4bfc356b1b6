//! Slack request signatures: the raw body, two headers and the time in, [`Verified`] out.
//!
//! Source of the rules: Slack's "Verifying requests from Slack". The base string is `v0:{timestamp}:{raw body}`,
//! the signature `v0=` and the hex HMAC-SHA256 under the signing secret; a timestamp more than five minutes off is refused.

use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

/// Seconds a request's timestamp may differ from our clock, in both directions (Slack's rule).
pub const MAX_SKEW_SECONDS: i64 = 300;

/// A body whose signature and age were checked. Only [`verify`] makes one.
#[derive(Debug)]
pub struct Verified {
    body: bytes::Bytes,
    fingerprint: [u8; 32],
}

impl Verified {
    /// The raw body, exactly as it was signed.
    pub fn body(&self) -> &bytes::Bytes {
        &self.body
    }

    /// The request's signature as bytes: equal for a replay, different for any other request.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }
}

/// Why a request is not from Slack, or no longer.
#[derive(Debug, thiserror::Error, PartialEq, Eq, Clone, Copy)]
pub enum SignatureError {
    #[error("the signature or timestamp header is missing or malformed")]
    Malformed,
    #[error("the timestamp is more than five minutes off")]
    Stale,
    #[error("the signature does not match")]
    Mismatch,
}

/// Checks `signature` (header `X-Slack-Signature`) and `timestamp` (header `X-Slack-Request-Timestamp`) over the raw body,
/// in constant time, against each of the secrets (two while one is being rotated).
pub fn verify(
    secrets: &[SecretString],
    timestamp: &str,
    signature: &str,
    body: bytes::Bytes,
    now: Timestamp,
) -> Result<Verified, SignatureError> {
    let seconds: i64 = parse_seconds(timestamp).ok_or(SignatureError::Malformed)?;
    if now.as_second().abs_diff(seconds) > MAX_SKEW_SECONDS.unsigned_abs() {
        return Err(SignatureError::Stale);
    }
    let mut fingerprint = [0_u8; 32];
    let hexed = signature.strip_prefix("v0=").ok_or(SignatureError::Malformed)?;
    hex::decode_to_slice(hexed, &mut fingerprint).map_err(|_| SignatureError::Malformed)?;
    for secret in secrets {
        if mac(secret, timestamp, &body).verify_slice(&fingerprint).is_ok() {
            return Ok(Verified { body, fingerprint });
        }
    }
    Err(SignatureError::Mismatch)
}

/// The `X-Slack-Signature` header for a body, as Slack would send it. The playground signs its requests with it.
pub fn sign(secret: &SecretString, timestamp: i64, body: &[u8]) -> String {
    format!("v0={}", hex::encode(mac(secret, &timestamp.to_string(), body).finalize().into_bytes()))
}

/// Digits only: `+5` or ` 5` would parse as numbers but are not what Slack signs.
fn parse_seconds(text: &str) -> Option<i64> {
    (!text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

fn mac(secret: &SecretString, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"v0:");
    mac.update(timestamp.as_bytes());
    mac.update(b":");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
    const STAMP: &str = "1531420618";
    const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn check(secrets: &[&str], stamp: &str, signature: &str, body: &str, now: i64) -> Result<Verified, SignatureError> {
        let secrets: Vec<SecretString> = secrets.iter().map(|s| SecretString::from(*s)).collect();
        verify(&secrets, stamp, signature, bytes::Bytes::copy_from_slice(body.as_bytes()), at(now))
    }

    #[test]
    fn slacks_documented_vector_is_accepted() {
        let verified = check(&[SECRET], STAMP, SIGNATURE, BODY, 1_531_420_618).unwrap();
        assert_eq!(verified.body().as_ref(), BODY.as_bytes());
        assert_eq!(sign(&SecretString::from(SECRET), 1_531_420_618, BODY.as_bytes()), SIGNATURE);
    }

    #[test]
    fn both_secrets_of_a_rotation_are_accepted_and_no_third() {
        assert!(check(&["new", SECRET], STAMP, SIGNATURE, BODY, 1_531_420_618).is_ok());
        assert_eq!(
            check(&["new", "other"], STAMP, SIGNATURE, BODY, 1_531_420_618).unwrap_err(),
            SignatureError::Mismatch
        );
        assert_eq!(check(&[], STAMP, SIGNATURE, BODY, 1_531_420_618).unwrap_err(), SignatureError::Mismatch);
    }

    #[test]
    fn five_minutes_either_way_is_the_limit() {
        for (now, expected) in [(300, true), (-300, true), (301, false), (-301, false)] {
            let result = check(&[SECRET], STAMP, SIGNATURE, BODY, 1_531_420_618 + now);
            assert_eq!(result.is_ok(), expected, "skew {now}");
            if !expected {
                assert_eq!(result.unwrap_err(), SignatureError::Stale);
            }
        }
    }

    #[test]
    fn headers_that_are_not_slacks_are_malformed() {
        let now = 1_531_420_618;
        for stamp in ["", "+1531420618", " 1531420618", "1531420618.0", "99999999999999999999", "-5", "abc"] {
            assert_eq!(
                check(&[SECRET], stamp, SIGNATURE, BODY, now).unwrap_err(),
                SignatureError::Malformed,
                "{stamp:?}"
            );
        }
        for signature in [
            "",
            "v0=",
            "v0=zz",
            "v1=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503",
            &SIGNATURE[..66],
        ] {
            assert_eq!(
                check(&[SECRET], STAMP, signature, BODY, now).unwrap_err(),
                SignatureError::Malformed,
                "{signature:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_changed_byte_is_refused(at_byte in 0..BODY.len(), flip in 1_u8..=255) {
            let mut body = BODY.as_bytes().to_vec();
            body[at_byte] ^= flip;
            let result = verify(&[SecretString::from(SECRET)], STAMP, SIGNATURE, body.into(), at(1_531_420_618));
            prop_assert_eq!(result.unwrap_err(), SignatureError::Mismatch);
        }

        #[test]
        fn no_header_text_panics_or_passes(stamp in ".{0,20}", signature in ".{0,80}") {
            prop_assert!(check(&[SECRET], &stamp, &signature, BODY, 1_531_420_618).is_err());
        }
    }
}
