//! How the program was started where no person types a command: as a function of Lambda, and where its configuration lies.

use super::environment::{Strings, given, mistake};
use super::mistake::Mistakes;
use std::path::PathBuf;

/// Lambda sets this for the functions that it runs.
const LAMBDA: &str = "AWS_LAMBDA_RUNTIME_API";
const ROLE: &str = "SWITCHMAN_ROLE";
const CONFIG: &str = "SWITCHMAN_CONFIG";

/// What a function of Lambda does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Answers Slack and the probes, behind an HTTP API.
    FrontDoor,
    /// Handles the messages of the queue of commands.
    Commands,
    /// Takes in what AWS says unasked, and wakes up when something comes due.
    Signals,
    /// Looks every minute at what has come due.
    Tick,
    /// Does one step of a batch.
    Batch,
}

const ROLES: [(&str, Role); 5] = [
    ("front-door", Role::FrontDoor),
    ("commands", Role::Commands),
    ("signals", Role::Signals),
    ("tick", Role::Tick),
    ("batch", Role::Batch),
];

/// Where the configuration lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigPlace {
    File(PathBuf),
    /// An object; its schemas and lookups lie beside it.
    Bucket {
        bucket: String,
        key: String,
    },
}

impl ConfigPlace {
    /// Reads a path or `s3://BUCKET/KEY`; `None`: it begins like an address of S3 and is none.
    pub fn parse(text: &str) -> Option<Self> {
        let Some(rest) = text.strip_prefix("s3://") else { return Some(Self::File(text.into())) };
        let (bucket, key) = rest.split_once('/')?;
        let whole = !bucket.is_empty() && !key.is_empty() && !key.ends_with('/') && !key.starts_with('/');
        whole.then(|| Self::Bucket { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The place that `SWITCHMAN_CONFIG` names, if it names one.
    pub fn read(strings: &dyn Strings) -> Result<Option<Self>, Mistakes> {
        let Some(text) = given(strings, CONFIG) else { return Ok(None) };
        let hint = "write a path, or an object such as s3://BUCKET/config/switchman.toml";
        Self::parse(&text).map(Some).ok_or_else(|| Mistakes(vec![mistake(CONFIG, "is no address of S3", hint)]))
    }
}

/// What a function of Lambda is started with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LambdaSettings {
    pub role: Role,
    pub config: ConfigPlace,
}

impl LambdaSettings {
    /// `None`: this is no function of Lambda.
    pub fn read(strings: &dyn Strings) -> Result<Option<Self>, Mistakes> {
        if given(strings, LAMBDA).is_none() {
            return Ok(None);
        }
        let mut mistakes = Vec::new();
        let mut note = |key, what: &str, hint: &str| mistakes.push(mistake(key, what, hint));
        let role = given(strings, ROLE);
        let role = ROLES.iter().find(|(name, _)| role.as_deref() == Some(*name)).map(|(_, role)| *role);
        if role.is_none() {
            let names = ROLES.map(|(name, _)| name).join(", ");
            note(ROLE, "does not say what this function does", &format!("write one of {names}"));
        }
        let config = ConfigPlace::read(strings).unwrap_or_else(|wrong| {
            mistakes.extend(wrong.0);
            None
        });
        let mut note = |key, what: &str, hint: &str| mistakes.push(mistake(key, what, hint));
        if config.is_none() && given(strings, CONFIG).is_none() {
            note(CONFIG, "is not set", "write where the configuration lies, such as s3://BUCKET/config/switchman.toml");
        }
        match (role, config) {
            (Some(role), Some(config)) => Ok(Some(Self { role, config })),
            _ => Err(Mistakes(mistakes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(pairs: &[(&'static str, &'static str)]) -> Result<Option<LambdaSettings>, String> {
        let map: BTreeMap<&str, &str> = pairs.iter().copied().collect();
        LambdaSettings::read(&map).map_err(|mistakes| mistakes.to_string())
    }

    #[test]
    fn a_function_knows_its_role_and_where_its_configuration_lies() {
        assert_eq!(read(&[(ROLE, "nonsense")]), Ok(None), "nobody asks for a role outside Lambda");
        let api = (LAMBDA, "127.0.0.1:9001");
        let found = read(&[api, (ROLE, "front-door"), (CONFIG, "s3://files/config/switchman.toml")]).unwrap().unwrap();
        assert_eq!(found.role, Role::FrontDoor);
        let key = "config/switchman.toml".to_owned();
        assert_eq!(found.config, ConfigPlace::Bucket { bucket: "files".into(), key });
        let found = read(&[api, (ROLE, "batch"), (CONFIG, "/etc/switchman.toml")]).unwrap().unwrap();
        assert_eq!(found.config, ConfigPlace::File("/etc/switchman.toml".into()));
    }

    #[test]
    fn what_a_function_lacks_is_said_at_once() {
        let api = (LAMBDA, "127.0.0.1:9001");
        let error = read(&[api]).unwrap_err();
        assert!(error.contains("SWITCHMAN_ROLE: ") && error.contains("SWITCHMAN_CONFIG: is not set"), "{error}");
        for wrong in ["s3://", "s3://bucket", "s3://bucket/", "s3:///key", "s3://bucket/config/"] {
            let error = read(&[api, (ROLE, "tick"), (CONFIG, wrong)]).unwrap_err();
            assert!(error.contains("SWITCHMAN_CONFIG: is no address of S3"), "{wrong}: {error}");
        }
    }
}
