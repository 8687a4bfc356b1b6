//! The whole bot on the emulator, as processes of the real binary, with the playground as its Slack. Everybody has the real time here.

pub(crate) mod lambda;
mod serve;
mod world;
