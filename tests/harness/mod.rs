//! What tests share. Nothing in here ever sleeps or asks for the real time.

pub(crate) mod bot;
pub(crate) mod clock;
pub(crate) mod dice;
pub(crate) mod faults;
pub(crate) mod http;
pub(crate) mod moves;
pub(crate) mod process;
pub(crate) mod regions;
pub(crate) mod requests;
pub(crate) mod scene;
pub(crate) mod workflows;
