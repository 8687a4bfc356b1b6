//! How often the workers look for work: often where looking costs nothing, and rarely where each look is paid for.

use std::time::Duration;

/// The rhythm of the loops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tempo {
    /// How long the bus is asked to wait for an envelope.
    pub bus_wait: Duration,
    /// So many ask the bus at the same time; the others wait for their turn.
    pub at_the_bus: usize,
    /// How often deadlines are looked for at least.
    pub tick: Duration,
    /// How long an idle deliverer waits unless it is woken.
    pub deliverer_idle: Duration,
    /// Whether one loop asks when the next thing comes due and wakes the others then.
    pub watched: bool,
}

impl Tempo {
    /// The record lies on this machine: looking costs some microseconds.
    pub const NEAR: Self = Self {
        bus_wait: Duration::from_secs(1),
        at_the_bus: usize::MAX >> 4,
        tick: Duration::from_millis(200),
        deliverer_idle: Duration::from_millis(250),
        watched: false,
    };

    /// Each look is a paid request to a service. What an idle process asks for in an hour: 180 receives of SQS, the longest wait that it
    /// knows; 2,160 queries of DynamoDB for what comes due next (three every five seconds) and 480 of deliverers that look by themselves
    /// (two queries, four deliverers, once a minute); 180 of the bus for publishes that somebody did not finish.
    pub const FAR: Self = Self {
        bus_wait: Duration::from_secs(20),
        at_the_bus: 1,
        tick: Duration::from_secs(5),
        deliverer_idle: Duration::from_mins(1),
        watched: true,
    };
}
