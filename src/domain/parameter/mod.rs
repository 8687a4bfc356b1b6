//! What a workflow is given: named values, each of a type, in the order in which the catalog declares them.

mod declared;
mod value;

pub use declared::{Declared, Given, Inputs, Kind, LONGEST, Unfit, whole};
pub use value::Value;

use super::id::{FileName, JobName, ParameterName};
use super::run::Input;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// One value by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Parameter {
    pub name: ParameterName,
    #[serde(flatten)]
    pub value: Value,
}

/// All values of one run, in order. The same values make the same input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Parameters(pub Vec<Parameter>);

/// The day that `today` means at a moment, in UTC: people and workflows all over the world get the same one.
pub fn day_of(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

/// Characters of a readable name; what does not fit is left out of it.
const NAME: usize = 120;

impl Parameters {
    pub fn get(&self, name: &ParameterName) -> Option<&Value> {
        self.0.iter().find(|p| &p.name == name).map(|p| &p.value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Parameter> {
        self.0.iter()
    }

    /// The values as a JSON object: what the workflow reads.
    pub fn json(&self) -> serde_json::Map<String, serde_json::Value> {
        self.iter().map(|p| (p.name.to_string(), p.value.json())).collect()
    }

    /// The input of a run of `job` with these values. Its name is for people, its key is unique for the job and the values.
    pub fn input(self, job: &JobName) -> Input {
        let json = serde_json::to_vec(&self).expect("parameters are plain data");
        let fingerprint = hex::encode(&Sha256::digest(json)[..20]);
        let key = format!("machine/{job}/{fingerprint}");
        Input { name: self.readable(), key, bytes: 0, fingerprint, parameters: Some(self) }
    }

    /// `date=2026-11-01 force=true`, as far as a name may be long.
    fn readable(&self) -> FileName {
        let all: Vec<String> = self.iter().map(|p| format!("{}={}", p.name, p.value)).collect();
        let plain = |c: char| if c.is_control() || c == '/' || c == '\\' { ' ' } else { c };
        let text: String = all.join(" ").chars().map(plain).collect();
        let mut name: String = text.chars().take(NAME).collect();
        if name.len() < text.len() {
            name.push('…');
        }
        let nothing = || FileName::parse("no parameters").expect("a plain name");
        FileName::parse(name.trim()).unwrap_or_else(|_| nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameters(values: &[(&str, Value)]) -> Parameters {
        let one = |(name, value): &(&str, Value)| Parameter {
            name: ParameterName::parse(*name).unwrap(),
            value: value.clone(),
        };
        Parameters(values.iter().map(one).collect())
    }

    fn some() -> Parameters {
        parameters(&[
            ("date", Value::Date("2026-11-01".parse().unwrap())),
            ("force", Value::Boolean(true)),
            ("tries", Value::Integer(-3)),
            ("share", Value::number("0.10").unwrap()),
            ("note", Value::Text("a/b \"c\"\n".repeat(60))),
        ])
    }

    #[test]
    fn what_the_workflow_reads_is_typed_and_in_order() {
        let mut some = some();
        some.0.pop();
        let json = serde_json::to_string(&some.json()).unwrap();
        assert_eq!(json, r#"{"date":"2026-11-01","force":true,"tries":-3,"share":0.1}"#);
    }

    #[test]
    fn records_keep_the_values_and_their_types() {
        let json = serde_json::to_string(&some()).unwrap();
        assert!(json.starts_with(r#"[{"name":"date","type":"date","value":"2026-11-01"},{"name":"force","#), "{json}");
        assert_eq!(serde_json::from_str::<Parameters>(&json).unwrap(), some());
    }

    #[test]
    fn the_input_is_the_same_for_the_same_values_and_readable() {
        let job = JobName::parse("nightly").unwrap();
        let input = some().input(&job);
        assert_eq!(input, some().input(&job));
        assert!(input.name.as_str().starts_with("date=2026-11-01 force=true tries=-3 share=0.1 note=a b"));
        let (text, number) = (Value::Text("1".into()), Value::Integer(1));
        assert_ne!(parameters(&[("a", text)]).input(&job).key, parameters(&[("a", number)]).input(&job).key);
        assert_eq!(Parameters::default().input(&job).name.as_str(), "no parameters");
    }
}
