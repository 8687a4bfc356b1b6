//! `switchman manifest`: the Slack app manifest for this configuration, from the table of commands.

use super::args::ManifestArgs;
use super::{Outcome, Terminal, yaml};
use crate::config::Config;
use crate::domain::grammar::usage_hint;
use serde_json::{Value, json};

/// Where Slack sends everything.
const PATH: &str = "/slack/events";
const PLACEHOLDER: &str = "https://switchman.example.com";

/// What the bot asks for. No scope reads messages.
const SCOPES: [&str; 5] = ["commands", "chat:write", "files:write", "im:write", "users:read"];

const DESCRIPTION: &str = "Runs and reprocesses batch jobs: who may do it, what came of it, and the rejected rows";

const LONG_DESCRIPTION: &str = "Switchman runs batch jobs from Slack. Type the slash command to start a job on a file, watch one message count up, \
and reprocess only what was rejected. Who may do what is written in its configuration, every decision names its rule, and everything done \
is in an audit trail. It reads no messages.";

/// Longest usage hint (Slack's limit, in characters).
const HINT: usize = 1_000;

pub(super) fn run(args: &ManifestArgs, terminal: &mut Terminal) -> Outcome {
    let config = Config::load(&args.file.config)?;
    let public = config.server.public_url.as_deref();
    terminal
        .say("# Slack app manifest of Switchman. Paste it at api.slack.com/apps: Create New App, From a manifest.")?;
    terminal.say("# Then: Install to Workspace, and invite the bot to its channels.")?;
    if public.is_none() && !args.socket_mode {
        terminal.say(&format!(
            "# Put your own address in place of {PLACEHOLDER}, or set server.public_url and run this again."
        ))?;
    }
    let base = (!args.socket_mode).then_some(public.unwrap_or(PLACEHOLDER));
    terminal.say(&yaml::write(&manifest(&config.slash_command, base)))
}

/// The manifest; `base` is the public address, `None` for Socket Mode.
fn manifest(command: &str, base: Option<&str>) -> Value {
    let hint: String = usage_hint().chars().take(HINT).collect();
    let mut slash = json!({
        "command": command,
        "description": "Run, watch, cancel and reprocess batch jobs",
        "usage_hint": hint,
        "should_escape": true,
    });
    let mut events = json!({ "bot_events": ["app_home_opened"] });
    let mut interactivity = json!({ "is_enabled": true });
    if let Some(base) = base {
        let url = format!("{base}{PATH}");
        slash["url"] = url.clone().into();
        events["request_url"] = url.clone().into();
        interactivity["request_url"] = url.into();
    }
    json!({
        "_metadata": { "major_version": 1, "minor_version": 1 },
        "display_information": {
            "name": "Switchman",
            "description": DESCRIPTION,
            "long_description": LONG_DESCRIPTION,
            "background_color": "#1d3557",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": true,
                "messages_tab_enabled": true,
                "messages_tab_read_only_enabled": true,
            },
            "bot_user": { "display_name": "Switchman", "always_online": true },
            "slash_commands": [slash],
        },
        "oauth_config": { "scopes": { "bot": SCOPES } },
        "settings": {
            "event_subscriptions": events,
            "interactivity": interactivity,
            "org_deploy_enabled": false,
            "socket_mode_enabled": base.is_none(),
            "token_rotation_enabled": false,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_keep_within_slacks_limits() {
        assert!(usage_hint().chars().count() <= HINT);
        assert!(DESCRIPTION.chars().count() <= 140);
        assert!((175..=4_000).contains(&LONG_DESCRIPTION.chars().count()));
    }

    #[test]
    fn every_address_is_the_public_one_and_socket_mode_has_none() {
        let text = manifest("/bot", Some("https://bot.example.com")).to_string();
        assert_eq!(text.matches("https://bot.example.com/slack/events").count(), 3);
        let text = manifest("/bot", None).to_string();
        assert!(!text.contains("url") && text.contains(r#""socket_mode_enabled":true"#), "{text}");
    }
}
