//! Words and rules. Pure: nothing in here does I/O, waits, reads a clock, or draws a random number; nothing knows Slack or AWS.
//!
//! *Job* an entry of the catalog. *Run* one execution of a job on one input. *Attempt* one pass of a run. *Chunk* a byte range of the input.
//! *Reject* a row that was refused. *Request* something that needs approval; it has a *Plan* and the plan's *digest*. *Region* and
//! *epoch*: the number that goes up at each switch. *Actor* team id + user id. *Envelope* an event on the bus. *Reply* what a person is told.
//! *Problem* why not.

pub mod actor;
pub mod approval;
pub mod audit;
pub mod command;
pub mod envelope;
pub mod failover;
pub mod grammar;
pub mod id;
pub mod job;
pub mod parameter;
pub mod policy;
pub mod problem;
pub mod region;
pub mod reply;
pub mod run;
pub mod seal;
pub mod step_up;
pub mod task;
