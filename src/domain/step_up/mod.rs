//! Step-up: a one-time code beside a vote proves that the person is there who enrolled, and not only their open Slack or their terminal.

mod enrolment;
mod totp;

pub use enrolment::{CodeRefusal, Enrolment};
pub use totp::{SECRET_BYTES, TotpSecret};

#[cfg(test)]
mod tests;
