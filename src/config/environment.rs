//! Secrets and switches from the environment.

use super::leak::looks_secret;
use super::mistake::{Mistake, Mistakes};
use super::values::{address, is_loopback};
use crate::domain::seal::SealingKey;
use secrecy::SecretString;
use std::collections::BTreeMap;

/// Slack's own API.
pub const SLACK_API_URL: &str = "https://slack.com/api";

/// A signing secret of fewer characters was cut off somewhere (Slack's have 32).
const SHORTEST_SECRET: usize = 8;

/// Where texts come from by name. Tests give a map, the binary [`Environment`].
pub trait Strings {
    /// The text of that name; `None` where there is none.
    fn get(&self, name: &str) -> Option<String>;
}

/// The environment of the process.
#[derive(Debug, Clone, Copy)]
pub struct Environment;

impl Strings for Environment {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the environment")]
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }
}

impl Strings for BTreeMap<&str, &str> {
    fn get(&self, name: &str) -> Option<String> {
        Self::get(self, name).map(|text| (*text).to_owned())
    }
}

/// What is needed to talk to Slack and to believe it.
#[derive(Debug)]
pub struct SlackAccess {
    /// One, or two while one is being rotated; none where the backend keeps them.
    pub signing_secrets: Vec<SecretString>,
    pub bot_token: SecretString,
    /// For Socket Mode.
    pub app_token: Option<SecretString>,
    /// The Slack API without a trailing slash. The token goes only there.
    pub api_url: String,
    /// What one-time codes are checked with; empty: the key file beside the records.
    pub seal_keys: Vec<SealingKey>,
}

impl SlackAccess {
    /// Reads it where the backend keeps the signing secrets and the token, and hands them out as they are now: those of the environment
    /// are left alone, and stay empty here.
    pub fn read_managed(strings: &dyn Strings) -> Result<Self, Mistakes> {
        Self::read_with(strings, true)
    }

    /// Reads it, or says everything that is wrong with it at once. No message repeats a secret.
    pub fn read(strings: &dyn Strings) -> Result<Self, Mistakes> {
        Self::read_with(strings, false)
    }

    fn read_with(strings: &dyn Strings, managed: bool) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        let mut note = |key: &str, what: &str, hint: &str| mistakes.push(mistake(key, what, hint));
        let api_url = match address(&given(strings, "SLACK_API_URL").unwrap_or(SLACK_API_URL.to_owned()), is_loopback) {
            Ok(url) => url,
            Err(why) => {
                note(
                    "SLACK_API_URL",
                    why,
                    "leave it out for Slack itself, or give the address of another Slack API such as http://127.0.0.1:4000/api",
                );
                String::new()
            }
        };
        let signing_secrets = if managed { Vec::new() } else { signing_secrets(strings, &mut note) };
        let bot_token = if managed { String::new() } else { bot_token(strings, &api_url, &mut note) };
        let app_token = given(strings, "SLACK_APP_TOKEN").map(|token| {
            if !token.starts_with("xapp-") {
                note(
                    "SLACK_APP_TOKEN",
                    "is not an app-level token",
                    "it starts with xapp-; api.slack.com/apps, your app, Basic Information, App-Level Tokens",
                );
            }
            SecretString::from(token)
        });
        let seal_keys = seal_keys(strings).unwrap_or_else(|wrong| {
            mistakes.extend(wrong.0);
            Vec::new()
        });
        if mistakes.is_empty() {
            Ok(Self { signing_secrets, bot_token: bot_token.into(), app_token, api_url, seal_keys })
        } else {
            Err(Mistakes(mistakes))
        }
    }
}

type Note<'a> = &'a mut dyn FnMut(&str, &str, &str);

fn signing_secrets(strings: &dyn Strings, note: Note<'_>) -> Vec<SecretString> {
    const KEY: &str = "SLACK_SIGNING_SECRET";
    const WHERE: &str = "find it at api.slack.com/apps, your app, Basic Information, App Credentials, Signing Secret";
    let Some(text) = given(strings, KEY) else {
        note(KEY, "is not set", WHERE);
        return Vec::new();
    };
    let secrets: Vec<&str> = text.split(',').map(str::trim).collect();
    if secrets.len() > 2 {
        note(
            KEY,
            "holds more than two secrets",
            "give the current one and, while you rotate, the one before, with a comma between",
        );
    }
    for secret in &secrets {
        if looks_secret(secret) {
            note(KEY, "holds a token, not the signing secret", WHERE);
        } else if secret.is_empty() {
            note(KEY, "holds an empty secret", "remove the stray comma");
        } else if secret.chars().count() < SHORTEST_SECRET {
            note(KEY, "holds a secret that is too short", WHERE);
        } else if secret.contains(char::is_whitespace) {
            note(KEY, "holds a secret with blanks in it", WHERE);
        }
    }
    secrets.into_iter().map(SecretString::from).collect()
}

fn bot_token(strings: &dyn Strings, api_url: &str, note: Note<'_>) -> String {
    const KEY: &str = "SLACK_BOT_TOKEN";
    const WHERE: &str = "it starts with xoxb-; api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token";
    let Some(token) = given(strings, KEY) else {
        note(KEY, "is not set", WHERE);
        return String::new();
    };
    let bot = token.starts_with("xoxb-") || token.starts_with("xoxe.xoxb-");
    if token.contains(|c: char| c.is_whitespace() || c.is_control()) {
        note(KEY, "has blanks in it", WHERE);
    } else if !bot && looks_secret(&token) {
        note(KEY, "is a token of another kind, not the bot's", WHERE);
    } else if !bot && api_url == SLACK_API_URL {
        note(KEY, "is not a bot token", WHERE);
    }
    token
}

/// The text of that name, trimmed; a blank one counts as not given.
pub(super) fn given(strings: &dyn Strings, name: &str) -> Option<String> {
    strings.get(name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

pub(super) fn mistake(key: &str, what: &str, hint: &str) -> Mistake {
    Mistake {
        file: "environment".to_owned(),
        line: 0,
        key: key.to_owned(),
        what: what.to_owned(),
        hint: hint.to_owned(),
    }
}

/// The keys of `SWITCHMAN_SEAL_KEY`, which seal what must not lie in the clear: none, one, or two while one is being rotated (the new one
/// first). Without it a key file beside the records is used.
pub fn seal_keys(strings: &dyn Strings) -> Result<Vec<SealingKey>, Mistakes> {
    const KEY: &str = "SWITCHMAN_SEAL_KEY";
    let hint = "write 64 hex digits (openssl rand -hex 32), or two such keys with a comma between, the new one first";
    let Some(text) = given(strings, KEY) else { return Ok(Vec::new()) };
    let keys: Option<Vec<SealingKey>> = text.split(',').map(SealingKey::parse).collect();
    match keys {
        Some(keys) if keys.len() <= 2 => Ok(keys),
        Some(_) => Err(Mistakes(vec![mistake(KEY, "holds more than two keys", hint)])),
        None => Err(Mistakes(vec![mistake(KEY, "holds something that is no key", hint)])),
    }
}

/// How to log, from `SWITCHMAN_LOG` (else `RUST_LOG`), `SWITCHMAN_LOG_FORMAT` and `NO_COLOR`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A filter of tracing-subscriber, such as `info` or `switchman=debug`.
    pub filter: String,
    /// One JSON object a line.
    pub json: bool,
    /// Colours, where a person watches.
    pub colour: bool,
}

impl LogSettings {
    /// Reads them; `usual` is the filter where none is given, `watched` whether a person sees the logs.
    pub fn read(strings: &dyn Strings, usual: &str, watched: bool) -> Result<Self, Mistakes> {
        let filter = given(strings, "SWITCHMAN_LOG").or_else(|| given(strings, "RUST_LOG"));
        let json = match given(strings, "SWITCHMAN_LOG_FORMAT").as_deref() {
            None | Some("text") => false,
            Some("json") => true,
            Some(_) => {
                return Err(Mistakes(vec![mistake("SWITCHMAN_LOG_FORMAT", "is not a format", "write text or json")]));
            }
        };
        let colour = watched && given(strings, "NO_COLOR").is_none();
        Ok(Self { filter: filter.unwrap_or_else(|| usual.to_owned()), json, colour })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<SlackAccess, String> {
        let map: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        SlackAccess::read(&map).map_err(|m| m.to_string())
    }

    #[test]
    fn one_or_two_secrets_and_the_default_address() {
        let access = read(&[("SLACK_SIGNING_SECRET", SECRET), ("SLACK_BOT_TOKEN", "xoxb-1")]).unwrap();
        assert_eq!(access.signing_secrets.len(), 1);
        assert_eq!(access.api_url, SLACK_API_URL);
        let both = format!("{SECRET}, another-secret");
        let map: BTreeMap<&str, &str> = [("SLACK_SIGNING_SECRET", both.as_str()), ("SLACK_BOT_TOKEN", "xoxb-1")].into();
        let access = SlackAccess::read(&map).unwrap();
        let exposed: Vec<&str> = access.signing_secrets.iter().map(ExposeSecret::expose_secret).collect();
        assert_eq!(exposed, [SECRET, "another-secret"]);
    }

    #[test]
    fn sealing_keys_are_none_one_or_two_and_never_repeated() {
        let read = |text: &str| {
            let map: BTreeMap<&str, &str> = [("SWITCHMAN_SEAL_KEY", text)].into();
            seal_keys(&map).map(|keys| keys.len()).map_err(|m| m.to_string())
        };
        let key = "5eb4".repeat(16);
        assert_eq!((read(""), read(&key), read(&format!("{key}, {key}"))), (Ok(0), Ok(1), Ok(2)));
        for bad in [format!("{key},"), format!("{key},{key},{key}"), "5eb45eb4".to_owned()] {
            let error = read(&bad).unwrap_err();
            assert!(error.starts_with("environment: SWITCHMAN_SEAL_KEY: holds") && !error.contains("5eb4"), "{error}");
        }
    }

    #[test]
    fn everything_that_is_missing_is_said_at_once_with_its_place() {
        insta::assert_snapshot!(read(&[]).unwrap_err(), @r"
        environment: SLACK_SIGNING_SECRET: is not set; find it at api.slack.com/apps, your app, Basic Information, App Credentials, Signing Secret
        environment: SLACK_BOT_TOKEN: is not set; it starts with xoxb-; api.slack.com/apps, your app, OAuth & Permissions, Bot User OAuth Token
        ");
    }

    #[test]
    fn wrong_secrets_are_refused_and_never_repeated() {
        for (secret, token, url, part) in [
            ("short", "xoxb-zebra", "", "too short"),
            ("xoxb-zebra", "xoxb-zebra", "", "a token, not the signing secret"),
            ("zebrazebrazebra,", "xoxb-zebra", "", "stray comma"),
            ("zebrazebra1,zebrazebra2,zebrazebra3", "xoxb-zebra", "", "more than two"),
            (SECRET, "xoxp-zebra", "", "another kind"),
            (SECRET, "zebra", "", "not a bot token"),
            (SECRET, "xoxb-zebra zebra", "", "blanks"),
            (SECRET, "xoxb-zebra", "http://slack.com/api", "not https"),
        ] {
            let error = read(&[("SLACK_SIGNING_SECRET", secret), ("SLACK_BOT_TOKEN", token), ("SLACK_API_URL", url)])
                .unwrap_err();
            assert!(error.contains(part), "{error}");
            assert!(!error.contains("zebra"), "{error}");
        }
    }
}
