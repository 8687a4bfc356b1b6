//! The batch worker over S3: step by step as the state machine calls it, the same bytes as on one machine.

mod by_engine;
mod faults;
mod ground;
mod machine;
mod same;
mod stopped;
