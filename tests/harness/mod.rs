//! What tests share. Nothing in here ever sleeps or asks for the real time.

pub(crate) mod clock;
