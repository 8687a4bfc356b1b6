//! The command line: one file for each subcommand, each a function from its arguments to an [`Outcome`].
//! Nothing here names a concrete adapter, reads the environment, or prints but through [`Terminal`].

mod args;
mod audit;
mod batch;
mod check;
mod dead_letters;
mod function;
mod init;
mod manifest;
mod outcome;
mod plan;
mod playground;
mod policy;
mod requests;
mod sample;
mod serve;
mod terminal;
mod totp;
mod verdict;
mod vote;
mod who;
mod yaml;

pub use outcome::{Failure, Outcome};
pub use terminal::Terminal;

use crate::config::{LambdaSettings, LogSettings, Strings};
use crate::domain::approval::Verdict;
use args::{Cli, Subcommand};
use clap::Parser;
use std::ffi::OsString;
use std::process::ExitCode;

/// Runs the program on these arguments (the first is its own name).
pub fn run(args: impl IntoIterator<Item = OsString>, strings: &dyn Strings, terminal: &mut Terminal) -> ExitCode {
    match LambdaSettings::read(strings).map_err(Failure::from) {
        Ok(None) => {}
        Ok(Some(settings)) => return ended(function::run(settings, strings), terminal),
        Err(failure) => return failure.report(terminal),
    }
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, terminal),
    };
    let command = cli.command.unwrap_or_default();
    let usual = if command.stays() { "info" } else { "warn" };
    let outcome = LogSettings::read(strings, usual, terminal.watched())
        .map_err(Failure::from)
        .and_then(|settings| crate::telemetry::logs(&settings).map_err(|e| Failure::Wrong(format!("{e:#}"))))
        .and_then(|()| dispatch(command, strings, terminal));
    ended(outcome, terminal)
}

fn ended(outcome: Outcome, terminal: &mut Terminal) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(terminal),
    }
}

/// Help goes to stdout and is no failure; a usage error goes to stderr.
fn usage(error: &clap::Error, terminal: &mut Terminal) -> ExitCode {
    let text = error.render().to_string();
    if error.use_stderr() {
        terminal.note(text.trim_end());
        Failure::WRONG.into()
    } else {
        match terminal.say(text.trim_end()) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => failure.report(terminal),
        }
    }
}

fn dispatch(command: Subcommand, strings: &dyn Strings, terminal: &mut Terminal) -> Outcome {
    match command {
        Subcommand::Init(args) => init::run(&args, terminal),
        Subcommand::Playground(args) => playground::run(args, terminal),
        Subcommand::Serve(args) => serve::run(args, strings, terminal),
        Subcommand::Check(args) => check::run(&args, strings, terminal),
        Subcommand::Manifest(args) => manifest::run(&args, terminal),
        Subcommand::Batch(args) => batch::run(&args, terminal),
        Subcommand::Sample(args) => sample::run(&args, terminal),
        Subcommand::Policy { command } => policy::run(&command, terminal),
        Subcommand::Audit { command } => audit::run(&command, terminal),
        Subcommand::Approve(args) => vote::run(Verdict::Approve, &args, strings, terminal),
        Subcommand::Deny(args) => vote::run(Verdict::Deny, &args, strings, terminal),
        Subcommand::Requests(args) => requests::run(&args, terminal),
        Subcommand::Totp { command } => totp::run(&command, strings, terminal),
        Subcommand::DeadLetters { command } => dead_letters::run(&command, terminal),
    }
}

/// Runs a future to its end on a runtime of its own.
fn block_on<T>(future: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::failed(anyhow::Error::new(e).context("threads cannot be started")))?;
    Ok(runtime.block_on(future))
}
