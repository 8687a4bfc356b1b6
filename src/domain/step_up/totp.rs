//! One-time codes (TOTP, RFC 6238) as every authenticator app makes them: HMAC-SHA-1, six digits, a new one each half minute.

use data_encoding::BASE32_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretBox, SecretString};
use sha1::Sha1;
use std::fmt;

/// The length RFC 4226 recommends.
pub const SECRET_BYTES: usize = 20;
/// Seconds that a code lives.
const STEP: i64 = 30;
const DIGITS: u32 = 6;

/// What a person's app and we share. Never shown but at enrolment.
pub struct TotpSecret(SecretBox<[u8; SECRET_BYTES]>);

impl TotpSecret {
    pub fn new(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(SecretBox::new(Box::new(bytes)))
    }

    /// `None`: not of the right length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self::new)
    }

    pub fn bytes(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// The code of a step, with its leading zeros (RFC 4226, section 5.3).
    pub fn code(&self, step: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(self.bytes()).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let at = usize::from(digest[digest.len() - 1] & 0x0f);
        let word = u32::from_be_bytes([digest[at], digest[at + 1], digest[at + 2], digest[at + 3]]) & 0x7fff_ffff;
        format!("{:0width$}", word % 10_u32.pow(DIGITS), width = DIGITS as usize)
    }

    /// What an authenticator app takes in, by hand or as a QR code.
    pub fn uri(&self, account: &str) -> SecretString {
        let account = utf8_percent_encode(account, NON_ALPHANUMERIC);
        let secret = BASE32_NOPAD.encode(self.bytes());
        let uri = format!(
            "otpauth://totp/Switchman:{account}?secret={secret}&issuer=Switchman&algorithm=SHA1&digits={DIGITS}&period={STEP}"
        );
        uri.into()
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// The step that a moment belongs to.
pub(super) fn step_at(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP)
}

/// The typed code without the blanks that apps show in it; `None`: not six digits.
pub(super) fn typed(code: &str) -> Option<String> {
    let digits: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    (digits.len() == DIGITS as usize && digits.bytes().all(|b| b.is_ascii_digit())).then_some(digits)
}

/// Compares without telling by its duration how much was right.
pub(super) fn same(one: &str, other: &str) -> bool {
    one.len() == other.len() && one.bytes().zip(other.bytes()).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
