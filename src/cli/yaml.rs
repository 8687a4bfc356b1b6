//! Writes plain data as YAML: block style, every text as a JSON string (which YAML 1.2 reads as it stands), so that nothing a text
//! says is ever taken for syntax, a number or a date.

use serde_json::Value;
use std::fmt::Write;

/// The document, without a line end.
pub(super) fn write(value: &Value) -> String {
    let mut text = String::new();
    node(&mut text, value, 0);
    text.trim_start_matches('\n').to_owned()
}

/// What follows a key or a dash: a scalar on the same line, or an indented block.
fn node(text: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, value) in map {
                let _ = write!(text, "\n{}{}:", "  ".repeat(depth), scalar(key));
                below(text, value, depth);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            for item in items {
                let _ = write!(text, "\n{}-", "  ".repeat(depth));
                let mut inner = String::new();
                below(&mut inner, item, depth);
                // The first line of a block goes beside the dash.
                let _ = write!(text, " {}", inner.trim_start());
            }
        }
        other => {
            let _ = write!(text, "{other}");
        }
    }
}

fn below(text: &mut String, value: &Value, depth: usize) {
    if matches!(value, Value::Object(map) if !map.is_empty())
        || matches!(value, Value::Array(items) if !items.is_empty())
    {
        node(text, value, depth + 1);
    } else {
        let _ = write!(text, " {value}");
    }
}

/// A key without quotes where it cannot be taken for anything else.
fn scalar(key: &str) -> String {
    let word = key.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !matches!(key, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if word { key.to_owned() } else { Value::from(key).to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_stay_texts() {
        let value = json!({
            "name": "no", "on": "5", "empty": {}, "none": [], "n": null,
            "list": ["a: b", {"x": 1, "deep": {"t": "#\"\\\n"}}, ["y"]],
        });
        insta::assert_snapshot!(write(&value), @r##"
        name: "no"
        "on": "5"
        empty: {}
        none: []
        "n": null
        list:
          - "a: b"
          - x: 1
            deep:
              t: "#\"\\\n"
          - - "y"
        "##);
    }
}
