//! The suite of the bus on EventBridge and SQS, and what only that can suffer.

use crate::emulator::Account;

bus_contract!(Account);
