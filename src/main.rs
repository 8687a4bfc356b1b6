//! Entry point: one TLS provider, the environment, the command line, an exit code.

use std::process::ExitCode;
use switchman::cli::{self, Terminal};
use switchman::config::Environment;

fn main() -> ExitCode {
    // Before anything else: a TLS client that has to choose a provider itself panics where two are compiled in.
    rustls::crypto::ring::default_provider()
        .install_default()
        .expect("nothing has installed a TLS provider before main");
    cli::run(std::env::args_os(), &Environment, &mut Terminal::standard())
}
