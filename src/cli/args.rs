//! The arguments of every subcommand.

use crate::config::ConfigPlace;
use clap::{Args, Parser};
use std::path::PathBuf;

/// Switchman runs, reprocesses and fails over batch jobs from Slack.
#[derive(Debug, Parser)]
#[command(name = "switchman", version, about, long_about = None, disable_help_subcommand = true)]
#[command(
    after_help = "Without a subcommand: the playground. Exit codes: 0 done, 1 failed, 2 wrong usage or configuration."
)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Subcommand>,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum Subcommand {
    /// Write a commented switchman.toml with the sales job, its schemas, lookup and a small input
    Init(InitArgs),
    /// Run the bot with a local page that looks and answers like Slack; no account needed
    Playground(PlaygroundArgs),
    /// Run the bot against the Slack API
    Serve(ServeArgs),
    /// Name every mistake of the configuration at once
    Check(CheckArgs),
    /// Print the Slack app manifest (YAML) for this configuration
    Manifest(ManifestArgs),
    /// Run one batch here, without the bot
    Batch(BatchArgs),
    /// Write the sales workload at any size, with the totals a run over it must come to
    Sample(SampleArgs),
    /// Explain or test who may do what
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Read the audit trail
    Audit {
        #[command(subcommand)]
        command: AuditCommand,
    },
    /// Approve a request without Slack; a one-time code proves who you are
    Approve(VoteArgs),
    /// Deny a request without Slack, or withdraw your own
    Deny(VoteArgs),
    /// List the requests that wait for somebody, or show one with its whole plan
    Requests(RequestsArgs),
    /// Enrol authenticator apps for one-time codes
    Totp {
        #[command(subcommand)]
        command: TotpCommand,
    },
    /// List or replay commands that were given up
    DeadLetters {
        #[command(subcommand)]
        command: DeadLettersCommand,
    },
}

#[derive(Debug, Args)]
pub(super) struct ConfigArg {
    /// The configuration file
    #[arg(long, value_name = "FILE", default_value = crate::config::FILE_NAME)]
    pub(super) config: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    /// The configuration file, or s3://BUCKET/KEY with its schemas and lookups beside it [default: what SWITCHMAN_CONFIG
    /// names, else switchman.toml]
    #[arg(long, value_name = "FILE", value_parser = place)]
    pub(super) config: Option<ConfigPlace>,
}

fn place(text: &str) -> Result<ConfigPlace, String> {
    ConfigPlace::parse(text).ok_or_else(|| "an object is written s3://BUCKET/KEY".to_owned())
}

#[derive(Debug, Args)]
pub(super) struct InitArgs {
    /// Where to write it
    #[arg(value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
}

#[derive(Debug, Args)]
pub(super) struct PlaygroundArgs {
    /// The port of the page; 0 picks a free one [default: 4242, or a free one where that is taken]
    #[arg(long, value_name = "N")]
    pub(super) port: Option<u16>,
    /// Where inputs, results and records are kept
    #[arg(long, value_name = "DIR", default_value = PLAYGROUND_DATA)]
    pub(super) data: PathBuf,
}

const PLAYGROUND_DATA: &str = "var/playground";

#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) file: ConfigArg,
    /// Ask Slack too whether the token works
    #[arg(long)]
    pub(super) online: bool,
}

#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    #[command(flatten)]
    pub(super) file: ConfigArg,
    /// For an app that connects out to Slack and needs no public address
    #[arg(long)]
    pub(super) socket_mode: bool,
}

#[derive(Debug, Args)]
pub(super) struct BatchArgs {
    /// A job of the configuration
    #[arg(value_name = "JOB")]
    pub(super) job: String,
    /// The input file
    #[arg(value_name = "FILE")]
    pub(super) input: PathBuf,
    /// Where output, rejects and summary go; after an interruption, where to go on
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    #[command(flatten)]
    pub(super) file: ConfigArg,
    /// Print the summary as one JSON object
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Args)]
pub(super) struct SampleArgs {
    /// How many rows
    #[arg(long, value_name = "N")]
    pub(super) rows: u64,
    /// Percent of rows that the schema refuses
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    pub(super) bad: f64,
    /// Percent of rows without an entry in the lookup
    #[arg(long, value_name = "PERCENT", default_value_t = 0.1)]
    pub(super) missing: f64,
    /// The same seed makes the same bytes
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(super) seed: u64,
    /// Where to write it
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum PolicyCommand {
    /// Say whether somebody may do something, and which rule decides
    Explain(ExplainArgs),
    /// Check the policy against the cases of a file
    Test(PolicyTestArgs),
}

#[derive(Debug, Args)]
pub(super) struct ExplainArgs {
    #[command(flatten)]
    pub(super) file: ConfigArg,
    /// Who: a user id, or TEAM/USER
    #[arg(long, value_name = "TEAM/USER")]
    pub(super) user: String,
    /// Where: a channel id
    #[arg(long, value_name = "C")]
    pub(super) channel: String,
    /// What, as it would be typed after the slash command
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(super) command: Vec<String>,
}

#[derive(Debug, Args)]
pub(super) struct PolicyTestArgs {
    #[command(flatten)]
    pub(super) config: ConfigArg,
    /// A TOML file of `[[case]]` tables: user, channel, command, expect = "allow" or "deny", because
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum AuditCommand {
    /// Print every record, one JSON object a line
    Export(ConfigArg),
    /// Name the first record that was edited, moved, put in or taken out
    Verify(ConfigArg),
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum DeadLettersCommand {
    /// Print what was given up, the oldest first, one JSON object a line
    List(ConfigArg),
    /// Put one or all back on the bus
    Replay(ReplayArgs),
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// The id that `list` shows
    #[arg(value_name = "ID")]
    pub(super) id: Option<String>,
    /// Every one of them
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    pub(super) file: ConfigArg,
    #[command(flatten)]
    pub(super) which: Which,
}

#[derive(Debug, Args)]
pub(super) struct VoteArgs {
    /// The request, such as q-7k3f
    #[arg(value_name = "ID")]
    pub(super) request: String,
    /// Who votes: a user id, or TEAM/USER
    #[arg(long = "as", value_name = "USER")]
    pub(super) user: String,
    /// Their team, where the user id alone is not clear
    #[arg(long, value_name = "T")]
    pub(super) team: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// The name of the target, where the plan asks for it
    #[arg(long, value_name = "WORD")]
    pub(super) confirm: Option<String>,
    /// Do it alone and at once, where the catalog lets you; a review stays open
    #[arg(long)]
    pub(super) break_glass: bool,
    /// The one-time code of your authenticator app; asked for where it is left out
    #[arg(long, value_name = "CODE")]
    pub(super) code: Option<String>,
    /// The start of the plan's digest, which says that you have read it; asked for where it is left out
    #[arg(long, value_name = "SHORT")]
    pub(super) digest: Option<String>,
    /// Print the outcome as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) file: ConfigArg,
}

#[derive(Debug, Args)]
pub(super) struct RequestsArgs {
    /// One of them, with its plan
    #[arg(value_name = "ID")]
    pub(super) request: Option<String>,
    /// Print each as one JSON object
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) file: ConfigArg,
}

#[derive(Debug, clap::Subcommand)]
pub(super) enum TotpCommand {
    /// Make a secret for somebody, and print it once: as a QR code and as an address for the app
    Enrol(TotpArgs),
    /// Forget somebody's secret
    Remove(TotpArgs),
    /// Print who has enrolled
    List(ConfigArg),
}

#[derive(Debug, Args)]
pub(super) struct TotpArgs {
    /// Who: a user id, or TEAM/USER
    #[arg(value_name = "USER")]
    pub(super) user: String,
    /// Their team, where the user id alone is not clear
    #[arg(long, value_name = "T")]
    pub(super) team: Option<String>,
    #[command(flatten)]
    pub(super) file: ConfigArg,
}

impl Default for Subcommand {
    fn default() -> Self {
        Self::Playground(PlaygroundArgs { port: None, data: PLAYGROUND_DATA.into() })
    }
}

impl Subcommand {
    /// Whether it runs until it is stopped.
    pub(super) fn stays(&self) -> bool {
        matches!(self, Self::Playground(_) | Self::Serve(_))
    }
}
