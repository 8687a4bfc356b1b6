//! What executions are given, and whether an execution was given that.

use crate::domain::run::{AttemptKey, Input};
use crate::ports::StartRun;
use serde_json::{Value, json};

/// Where the keys of inputs begin that are parameters and no file.
const MACHINE_KEYS: &str = "machine/";

/// Whether this is the input of a job with a state machine of its own.
pub(super) fn is_of_a_machine(input: &Input) -> bool {
    input.key.starts_with(MACHINE_KEYS)
}

/// For the site's own state machine.
pub(super) fn of_batch(root: &str, key: &AttemptKey, job: &str, concurrency: u32) -> Value {
    json!({ "root": root, "key": key.to_string(), "job": job, "concurrency": concurrency })
}

/// For a job's own: its parameters, and whose attempt it is.
pub(super) fn of_machine(run: &StartRun) -> Value {
    json!({ "switchman": { "key": run.key.to_string() } })
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
