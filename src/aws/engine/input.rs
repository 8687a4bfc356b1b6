//! What executions are given, and whether an execution was given that.

use crate::domain::run::{AttemptKey, Input};
use serde_json::{Value, json};

/// Whether this is the input of a job with a state machine of its own.
pub(super) fn is_of_a_machine(input: &Input) -> bool {
    input.parameters.is_some()
}

/// For the site's own state machine.
pub(super) fn of_batch(root: &str, key: &AttemptKey, job: &str, concurrency: u32) -> Value {
    json!({ "root": root, "key": key.to_string(), "job": job, "concurrency": concurrency })
}

/// For a job's own: whose attempt it is, and its parameters.
pub(super) fn of_machine(key: &AttemptKey, input: &Input) -> Value {
    let mut given = json!({ "switchman": { "key": key.to_string() } });
    if let (Some(given), Some(parameters)) = (given.as_object_mut(), &input.parameters) {
        given.extend(parameters.json());
    }
    given
}

/// Whether an execution of our name was started for the same attempt. Two texts may mean the same, and `concurrency` may have been
/// configured otherwise since.
pub(super) fn is_same(theirs: &str, ours: &Value) -> bool {
    let Ok(mut theirs) = serde_json::from_str::<Value>(theirs) else { return false };
    let mut ours = ours.clone();
    if ours.get("root").is_some() {
        for input in [&mut theirs, &mut ours] {
            input.as_object_mut().and_then(|input| input.shift_remove("concurrency"));
        }
    }
    theirs == ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_attempt_is_known_by_its_meaning() {
        let key = AttemptKey::parse("r-7k3f.1").unwrap();
        let ours = of_batch("", &key, "sales", 16);
        assert!(is_same(r#"{ "key":"r-7k3f.1", "job":"sales","root":"","concurrency": 4 }"#, &ours));
        for other in
            ["", "[]", "{}", r#"{"root":"","key":"r-7k3f.2","job":"sales"}"#, r#"{"key":"r-7k3f.1","job":"sales"}"#]
        {
            assert!(!is_same(other, &ours), "{other}");
        }
        let machine = json!({ "switchman": { "key": "r-7k3f.1" }, "concurrency": 1 });
        assert!(is_same(&machine.to_string(), &machine));
        assert!(!is_same(r#"{"switchman":{"key":"r-7k3f.1"},"concurrency":2}"#, &machine), "a parameter of its own");
    }
}
