//! Sealing: what must not lie in the clear is encrypted and bound to its place (ChaCha20-Poly1305). Pure: keys and chance come from outside.

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use secrecy::{ExposeSecret, SecretBox};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A key that seals and opens. Never shown.
pub struct SealingKey(SecretBox<[u8; 32]>);

/// What was sealed: a nonce and the ciphertext with its tag, in hex.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Sealed(String);

impl SealingKey {
    pub fn new(key: [u8; 32]) -> Self {
        Self(SecretBox::new(Box::new(key)))
    }

    /// A key from 64 hex digits.
    pub fn parse(text: &str) -> Option<Self> {
        let mut key = [0; 32];
        hex::decode_to_slice(text.trim(), &mut key).ok().map(|()| Self::new(key))
    }

    /// Seals `secret` for `place`: it opens nowhere else. `nonce`: 12 bytes of chance, never used twice under one key.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], place: &str, secret: &[u8]) -> Sealed {
        let mut bytes = secret.to_vec();
        self.cipher()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(place.as_bytes()), &mut bytes)
            .expect("a secret is shorter than what one nonce can seal");
        Sealed(hex::encode([&nonce[..], &bytes].concat()))
    }

    /// What was sealed for `place`; `None`: not by this key, not for this place, or damaged.
    pub fn open(&self, place: &str, sealed: &Sealed) -> Option<Vec<u8>> {
        let bytes = hex::decode(&sealed.0).ok()?;
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut opened = ciphertext.to_vec();
        let length = self.cipher().open_in_place(nonce, Aad::from(place.as_bytes()), &mut opened).ok()?.len();
        opened.truncate(length);
        Some(opened)
    }

    fn cipher(&self) -> LessSafeKey {
        let key = UnboundKey::new(&CHACHA20_POLY1305, self.0.expose_secret()).expect("a key of 32 bytes");
        LessSafeKey::new(key)
    }
}

impl Clone for SealingKey {
    fn clone(&self) -> Self {
        Self::new(*self.0.expose_secret())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_key_opens_it_only_in_its_place_and_only_whole(
            secret in proptest::collection::vec(any::<u8>(), 0..40), key in any::<[u8; 32]>(), nonce in any::<[u8; 12]>(), at in 0..200_usize,
        ) {
            let sealed = SealingKey::new(key).seal(nonce, "totp:T1/U1", &secret);
            prop_assert_eq!(SealingKey::new(key).open("totp:T1/U1", &sealed), Some(secret));
            prop_assert_eq!(SealingKey::new(key).open("totp:T1/U2", &sealed), None);
            let mut other = key;
            other[at % 32] ^= 1;
            prop_assert_eq!(SealingKey::new(other).open("totp:T1/U1", &sealed), None);
            let mut text = sealed.0.clone().into_bytes();
            let at = at % text.len();
            text[at] = if text[at] == b'0' { b'1' } else { b'0' };
            let damaged = Sealed(String::from_utf8(text).unwrap());
            prop_assert_eq!(SealingKey::new(key).open("totp:T1/U1", &damaged), None);
            prop_assert_eq!(SealingKey::new(key).open("totp:T1/U1", &Sealed(sealed.0[..at].to_owned())), None);
        }
    }

    #[test]
    fn a_key_is_64_hex_digits_and_is_never_shown() {
        let key = SealingKey::parse(&"ab".repeat(32)).unwrap();
        assert_eq!(format!("{key:?}"), "SealingKey(…)");
        for bad in ["", "ab", &"zz".repeat(32), &"ab".repeat(33)] {
            assert!(SealingKey::parse(bad).is_none(), "{bad}");
        }
    }
}
