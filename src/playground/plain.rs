//! Block Kit and mrkdwn as a person would read them aloud: for transcripts and for tests.

use serde_json::Value;

use super::people::Workspace;

/// Blocks, one or more lines each; buttons as `[Label]`, inputs as `Label: ____`.
pub(super) fn blocks(blocks: &[Value], workspace: &Workspace) -> String {
    let lines: Vec<String> = blocks.iter().map(|b| block(b, workspace)).filter(|l| !l.is_empty()).collect();
    lines.join("\n")
}

/// mrkdwn with the mentions, links and dates spelt out and the entities undone; the marks stay.
pub(super) fn mrkdwn(text: &str, workspace: &Workspace) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        out.push_str(&rest[..open]);
        let Some(close) = rest[open..].find('>') else { break };
        out.push_str(&tag(&rest[open + 1..open + close], workspace));
        rest = &rest[open + close + 1..];
    }
    out.push_str(rest);
    out.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn tag(inner: &str, workspace: &Workspace) -> String {
    let (target, label) = inner.split_once('|').map_or((inner, None), |(target, label)| (target, Some(label)));
    match target.chars().next() {
        Some('@') => format!("@{}", workspace.name_of(&target[1..])),
        Some('#') => {
            let known = workspace.channels.iter().find(|channel| channel.id == target[1..]);
            format!("#{}", known.map_or(label.unwrap_or(&target[1..]), |channel| &channel.name))
        }
        Some('!') if target.starts_with("!date") => label.unwrap_or("a date").to_owned(),
        Some('!') => format!("@{}", label.unwrap_or(&target[1..])),
        _ => label.unwrap_or(target).to_owned(),
    }
}

fn text(object: &Value, workspace: &Workspace) -> String {
    let raw = object.as_str().or_else(|| object["text"].as_str()).unwrap_or_default();
    if object["type"] == "plain_text" { raw.to_owned() } else { mrkdwn(raw, workspace) }
}

fn join<'a>(items: impl IntoIterator<Item = &'a Value>, glue: &str, workspace: &Workspace) -> String {
    let parts: Vec<String> = items.into_iter().map(|item| element(item, workspace)).filter(|t| !t.is_empty()).collect();
    parts.join(glue)
}

fn block(block: &Value, workspace: &Workspace) -> String {
    let list = |key: &str| block[key].as_array().cloned().unwrap_or_default();
    match block["type"].as_str().unwrap_or_default() {
        "header" => format!("# {}", text(&block["text"], workspace)),
        "divider" => "---".to_owned(),
        "section" => {
            let head = block.get("text").map(|t| text(t, workspace)).unwrap_or_default();
            let fields =
                list("fields").iter().map(|f| text(f, workspace).replace('\n', " ")).collect::<Vec<_>>().join(" · ");
            let accessory = block.get("accessory").map(|a| element(a, workspace)).unwrap_or_default();
            [head, fields, accessory].into_iter().filter(|t| !t.is_empty()).collect::<Vec<_>>().join("\n")
        }
        "context" => format!("({})", join(&list("elements"), " ", workspace)),
        "actions" => join(&list("elements"), " ", workspace),
        "input" => format!("{}: {}", text(&block["label"], workspace), element(&block["element"], workspace)),
        "image" => format!("[image: {}]", block["alt_text"].as_str().unwrap_or_default()),
        "markdown" => block["text"].as_str().unwrap_or_default().to_owned(),
        "rich_text" => join(&list("elements"), "\n", workspace),
        "table" => {
            let rows = list("rows");
            let row = |row: &Value| join(row.as_array().into_iter().flatten(), " | ", workspace);
            rows.iter().map(row).collect::<Vec<_>>().join("\n")
        }
        other => format!("[{other}]"),
    }
}

fn element(element: &Value, workspace: &Workspace) -> String {
    let kind = element["type"].as_str().unwrap_or_default();
    match kind {
        "mrkdwn" | "plain_text" | "raw_text" | "text" => text(element, workspace),
        "button" => format!("[{}]", text(&element["text"], workspace)),
        "image" => format!("[image: {}]", element["alt_text"].as_str().unwrap_or_default()),
        "overflow" | "checkboxes" | "radio_buttons" | "static_select" | "multi_static_select" => {
            let options = element["options"].as_array().into_iter().flatten();
            let names: Vec<String> = options.map(|o| text(&o["text"], workspace)).collect();
            format!("{{{}}}", names.join(" / "))
        }
        "user" => format!("@{}", workspace.name_of(element["user_id"].as_str().unwrap_or_default())),
        "link" => element["text"].as_str().or(element["url"].as_str()).unwrap_or_default().to_owned(),
        "emoji" => format!(":{}:", element["name"].as_str().unwrap_or_default()),
        kind if kind.starts_with("rich_text") => {
            let glue = if kind == "rich_text_list" { "\n" } else { "" };
            let dash = if kind == "rich_text_list" { "- " } else { "" };
            let parts = element["elements"].as_array().into_iter().flatten();
            let parts: Vec<String> = parts.map(|part| format!("{dash}{}", self::element(part, workspace))).collect();
            parts.join(glue)
        }
        kind if kind.ends_with("_input") || kind.ends_with("picker") || kind.ends_with("_select") => {
            element["initial_value"].as_str().unwrap_or("____").to_owned()
        }
        other => format!("[{other}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_message_reads_as_text() {
        let all = json!([
            { "type": "header", "text": { "type": "plain_text", "text": "sales" } },
            { "type": "section", "text": { "type": "mrkdwn", "text": "*12 %* for <@U0OPERATOR> in <#C0BATCH> &amp; <https://x.test|here>, <!date^1^{time}|noon>" } },
            { "type": "context", "elements": [{ "type": "mrkdwn", "text": "r-7k3f" }] },
            { "type": "actions", "elements": [{ "type": "button", "text": { "type": "plain_text", "text": "Cancel" } }] },
            { "type": "table", "rows": [[{ "type": "raw_text", "text": "a" }, { "type": "raw_text", "text": "b" }]] },
            { "type": "carousel" },
        ]);
        let read = blocks(all.as_array().unwrap(), &Workspace::default());
        assert_eq!(read, "# sales\n*12 %* for @Operator in #batch & here, noon\n(r-7k3f)\n[Cancel]\na | b\n[carousel]");
    }
}
