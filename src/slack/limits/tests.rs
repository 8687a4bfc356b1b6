//! Good payloads pass, bad ones are named by pointer, nothing panics.

use super::*;
use proptest::prelude::*;
use serde_json::json;

fn plain_text(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn mrkdwn_text(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

fn button(id: &str) -> Value {
    json!({"type": "button", "action_id": id, "text": plain_text("Go")})
}

fn option(value: &str) -> Value {
    json!({"text": plain_text(value), "value": value})
}

fn input(element: &Value) -> Value {
    json!({"type": "input", "block_id": "b", "label": plain_text("Job"), "element": element})
}

fn message(blocks: &Value) -> Value {
    json!({"text": "A run finished", "blocks": blocks})
}

fn modal(blocks: &Value) -> Value {
    json!({"type": "modal", "title": plain_text("Start"), "submit": plain_text("Start"), "blocks": blocks})
}

fn many(count: usize, item: impl Fn(usize) -> Value) -> Value {
    Value::Array((0..count).map(item).collect())
}

/// One block in a message with a fallback text.
fn one(block: &Value) -> (Surface, Value) {
    (Surface::Message, message(&json!([block])))
}

/// One element in an actions block.
fn acting(element: &Value) -> (Surface, Value) {
    one(&json!({"type": "actions", "elements": [element]}))
}

/// One element in an input block of a modal.
fn asking(element: &Value) -> (Surface, Value) {
    (Surface::Modal, modal(&json!([input(element)])))
}

#[test]
fn good_payloads_pass() {
    let every_input = json!([
        input(&json!({"type": "plain_text_input", "action_id": "a", "min_length": 1, "max_length": 3000, "multiline": true})),
        {"type": "input", "label": plain_text("Files"), "optional": true, "element":
            {"type": "multi_static_select", "action_id": "a", "options": [option("a"), option("b")], "initial_options": [option("b")]}},
        {"type": "input", "label": plain_text("When"), "element": {"type": "datepicker", "initial_date": "2024-02-29"}},
        {"type": "input", "label": plain_text("At"), "element": {"type": "timepicker", "initial_time": "23:59"}},
        {"type": "input", "label": plain_text("How many"), "element":
            {"type": "number_input", "is_decimal_allowed": false, "min_value": "1", "max_value": "10"}},
        {"type": "alert", "text": plain_text("Mind the gap"), "level": "warning"},
    ]);
    let good = [
        (Surface::Message, json!({"text": "hello"})),
        (Surface::Message, json!({"text": "hello", "blocks": null, "channel": "C1", "thread_ts": "1.2"})),
        (
            Surface::Message,
            message(&json!([
                {"type": "header", "text": plain_text(&"h".repeat(150))},
                {"type": "section", "text": mrkdwn_text(&"é".repeat(3000)), "accessory": button("a")},
                {"type": "section", "fields": many(10, |_| mrkdwn_text("x")), "expand": true},
                {"type": "divider"},
                {"type": "context", "elements": [mrkdwn_text("by <@U1>"), {"type": "image", "image_url": "https://e.org/x.png", "alt_text": "x"}]},
                {"type": "actions", "block_id": "x", "elements": many(25, |i| button(&format!("a{i}")))},
                {"type": "actions", "block_id": "y", "elements": [button("a0"), {"type": "overflow", "options": [option("a")]}]},
                {"type": "markdown", "text": "**x**"},
                {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "x"}]},
                    {"type": "rich_text_list", "style": "bullet", "elements": [{"type": "rich_text_section", "elements": []}]}]},
                {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}, {"type": "raw_number", "value": 1, "text": "1"}]]},
            ])),
        ),
        (Surface::Message, message(&many(50, |_| json!({"type": "divider"})))),
        (Surface::Modal, modal(&every_input)),
        (
            Surface::Modal,
            json!({"type": "modal", "title": plain_text(&"t".repeat(24)), "blocks": [], "private_metadata": "m".repeat(3000)}),
        ),
        (Surface::Home, json!({"type": "home", "blocks": many(100, |_| json!({"type": "divider"}))})),
    ];
    for (surface, payload) in good {
        assert_eq!(check(surface, &payload), [], "{payload}");
    }
}

/// What to send, where it breaks, and a word of the rule.
type Bad = ((Surface, Value), &'static str, &'static str);

fn bad_messages() -> Vec<Bad> {
    let say = |payload: Value| (Surface::Message, payload);
    vec![
        (say(json!([])), "", "must be an object"),
        (say(json!({})), "", "needs `text` or `blocks`"),
        (say(json!({"text": ""})), "", "needs `text` or `blocks`"),
        (say(json!({"text": 5})), "/text", "must be a string"),
        (say(json!({"text": "x".repeat(40_001)})), "/text", "cuts text"),
        (say(json!({"blocks": [{"type": "divider"}]})), "", "need a `text`"),
        (say(json!({"text": " ", "blocks": [{"type": "divider"}]})), "", "need a `text`"),
        (say(message(&json!({}))), "/blocks", "must be an array"),
        (say(message(&many(51, |_| json!({"type": "divider"})))), "/blocks", "at most 50"),
        (say(message(&json!(["divider"]))), "/blocks/0", "must be an object"),
        (one(&json!({})), "/blocks/0", "needs the field `type`"),
        (one(&json!({"type": "sektion"})), "/blocks/0", "not a type of block"),
        (one(&json!({"type": "alert", "text": plain_text("x")})), "/blocks/0", "not allowed here"),
        (one(&json!({"type": "divider", "text": "x"})), "/blocks/0", "has no field `text`"),
        (one(&json!({"type": "divider", "block_id": "b".repeat(256)})), "/blocks/0/block_id", "1 to 255"),
        (
            say(message(&json!([{"type": "divider", "block_id": "b"}, {"type": "divider", "block_id": "b"}]))),
            "/blocks/1/block_id",
            "unique",
        ),
        (
            say(message(&many(2, |_| json!({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}]]})))),
            "/blocks",
            "one `table`",
        ),
        (
            one(&json!({"type": "table", "rows": many(101, |_| json!([{"type": "raw_text", "text": "x"}]))})),
            "/blocks/0/rows",
            "1 to 100",
        ),
        (
            one(&json!({"type": "table", "rows": [many(21, |_| json!({"type": "raw_text", "text": "x"}))]})),
            "/blocks/0/rows/0",
            "1 to 20",
        ),
        (say(message(&many(2, |_| json!({"type": "markdown", "text": "m".repeat(7000)})))), "/blocks", "all markdown"),
    ]
}

fn bad_blocks() -> Vec<Bad> {
    let long = |count: usize| "x".repeat(count);
    vec![
        (one(&json!({"type": "section"})), "/blocks/0", "`text` or `fields`"),
        (one(&json!({"type": "section", "text": "x"})), "/blocks/0/text", "must be a text object"),
        (one(&json!({"type": "section", "text": mrkdwn_text("")})), "/blocks/0/text/text", "1 to 3000"),
        (one(&json!({"type": "section", "text": mrkdwn_text(&long(3001))})), "/blocks/0/text/text", "has 3001"),
        (
            one(&json!({"type": "section", "text": {"type": "markdown", "text": "x"}})),
            "/blocks/0/text",
            "plain_text or mrkdwn",
        ),
        (
            one(&json!({"type": "section", "text": {"type": "mrkdwn", "text": "x", "emoji": true}})),
            "/blocks/0/text",
            "no field `emoji`",
        ),
        (one(&json!({"type": "section", "fields": []})), "/blocks/0/fields", "1 to 10"),
        (one(&json!({"type": "section", "fields": many(11, |_| plain_text("x"))})), "/blocks/0/fields", "has 11"),
        (one(&json!({"type": "section", "fields": [plain_text(&long(2001))]})), "/blocks/0/fields/0/text", "1 to 2000"),
        (
            one(&json!({"type": "section", "text": plain_text("x"), "accessory": {"type": "plain_text_input"}})),
            "/blocks/0/accessory",
            "not allowed here",
        ),
        (one(&json!({"type": "header", "text": mrkdwn_text("x")})), "/blocks/0/text", "must be a plain_text"),
        (one(&json!({"type": "header", "text": plain_text(&long(151))})), "/blocks/0/text/text", "1 to 150"),
        (one(&json!({"type": "context", "elements": many(11, |_| plain_text("x"))})), "/blocks/0/elements", "1 to 10"),
        (one(&json!({"type": "context", "elements": [button("a")]})), "/blocks/0/elements/0", "not allowed here"),
        (one(&json!({"type": "image", "image_url": "https://e.org/x.png"})), "/blocks/0", "`alt_text`"),
        (one(&json!({"type": "image", "alt_text": "x"})), "/blocks/0", "`image_url` or `slack_file`"),
        (one(&json!({"type": "actions", "elements": []})), "/blocks/0/elements", "1 to 25"),
        (
            one(&json!({"type": "actions", "elements": many(26, |i| button(&i.to_string()))})),
            "/blocks/0/elements",
            "has 26",
        ),
        (
            one(&json!({"type": "actions", "elements": [button("a"), button("a")]})),
            "/blocks/0/elements/1/action_id",
            "unique",
        ),
        (one(&json!({"type": "markdown", "text": long(12_001)})), "/blocks", "at most 12000"),
        (
            one(&json!({"type": "carousel", "elements": [{"type": "divider"}]})),
            "/blocks/0/elements/0",
            "not allowed here",
        ),
        (one(&json!({"type": "card", "body": mrkdwn_text(&long(201))})), "/blocks/0/body/text", "1 to 200"),
        (one(&json!({"type": "rich_text", "elements": [{"type": "nonsense"}]})), "/blocks/0/elements/0", "rich text"),
    ]
}

fn bad_elements() -> Vec<Bad> {
    let long = |count: usize| "x".repeat(count);
    vec![
        (acting(&json!({"type": "plain_text_input"})), "/blocks/0/elements/0", "not allowed here"),
        (
            acting(&json!({"type": "image", "image_url": "https://e.org/x", "alt_text": "x"})),
            "/blocks/0/elements/0",
            "not allowed",
        ),
        (acting(&json!({"type": "button"})), "/blocks/0/elements/0", "`text`"),
        (acting(&json!({"type": "button", "text": mrkdwn_text("x")})), "/blocks/0/elements/0/text", "plain_text"),
        (
            acting(&json!({"type": "button", "text": plain_text(&long(76))})),
            "/blocks/0/elements/0/text/text",
            "1 to 75",
        ),
        (
            acting(&json!({"type": "button", "text": plain_text("x"), "value": long(2001)})),
            "/blocks/0/elements/0/value",
            "2000",
        ),
        (
            acting(&json!({"type": "button", "text": plain_text("x"), "url": long(3001)})),
            "/blocks/0/elements/0/url",
            "3000",
        ),
        (
            acting(&json!({"type": "button", "text": plain_text("x"), "style": "green"})),
            "/blocks/0/elements/0/style",
            "primary",
        ),
        (acting(&button(&long(256))), "/blocks/0/elements/0/action_id", "1 to 255"),
        (
            acting(&json!({"type": "button", "text": plain_text("x"), "confirm": {"text": plain_text(&long(301))}})),
            "/blocks/0/elements/0/confirm/text/text",
            "1 to 300",
        ),
    ]
}

fn bad_choices() -> Vec<Bad> {
    let long = |count: usize| "x".repeat(count);
    let select = |options: Value| json!({"type": "static_select", "options": options});
    let radio = |options: Value| json!({"type": "radio_buttons", "options": options});
    vec![
        (acting(&select(many(101, |i| option(&i.to_string())))), "/blocks/0/elements/0/options", "1 to 100"),
        (acting(&json!({"type": "static_select"})), "/blocks/0/elements/0", "either `options` or"),
        (
            acting(&select(json!([{"text": mrkdwn_text("x"), "value": "x"}]))),
            "/blocks/0/elements/0/options/0/text",
            "plain_text",
        ),
        (
            acting(&select(json!([{"text": plain_text(&long(76)), "value": "x"}]))),
            "/blocks/0/elements/0/options/0/text/text",
            "75",
        ),
        (
            acting(&select(json!([{"text": plain_text("x"), "value": long(151)}]))),
            "/blocks/0/elements/0/options/0/value",
            "150",
        ),
        (
            acting(&json!({"type": "static_select", "options": [option("a")], "initial_option": option("b")})),
            "/blocks/0/elements/0/initial_option",
            "one of the options",
        ),
        (acting(&radio(many(11, |i| option(&i.to_string())))), "/blocks/0/elements/0/options", "1 to 10"),
        (
            acting(&json!({"type": "overflow", "options": many(6, |i| option(&i.to_string()))})),
            "/blocks/0/elements/0/options",
            "1 to 5",
        ),
        (
            acting(&json!({"type": "datepicker", "initial_date": "2023-02-29"})),
            "/blocks/0/elements/0/initial_date",
            "YYYY-MM-DD",
        ),
        (acting(&json!({"type": "timepicker", "initial_time": "24:00"})), "/blocks/0/elements/0/initial_time", "HH:mm"),
    ]
}

fn bad_inputs() -> Vec<Bad> {
    let long = |count: usize| "x".repeat(count);
    vec![
        (asking(&button("a")), "/blocks/0/element", "not allowed here"),
        (asking(&json!({"type": "plain_text_input", "max_length": 3001})), "/blocks/0/element/max_length", "1 to 3000"),
        (asking(&json!({"type": "plain_text_input", "min_length": 9, "max_length": 3})), "/blocks/0/element", "above"),
        (
            asking(&json!({"type": "plain_text_input", "placeholder": plain_text(&long(151))})),
            "/blocks/0/element/placeholder/text",
            "150",
        ),
        (
            asking(&json!({"type": "plain_text_input", "max_length": 3, "initial_value": "four"})),
            "/blocks/0/element/initial_value",
            "3",
        ),
        (asking(&json!({"type": "number_input"})), "/blocks/0/element", "`is_decimal_allowed`"),
        (
            asking(&json!({"type": "number_input", "is_decimal_allowed": true, "min_value": 1})),
            "/blocks/0/element/min_value",
            "string",
        ),
    ]
}

fn bad_views() -> Vec<Bad> {
    let view = |change: &dyn Fn(&mut Value)| {
        let mut view = modal(&json!([]));
        change(&mut view);
        (Surface::Modal, view)
    };
    let long = "x".repeat(25);
    vec![
        (view(&|view| view["type"] = json!("home")), "/type", "must be `modal`"),
        (view(&|view| view["title"] = plain_text(&long)), "/title/text", "1 to 24"),
        (view(&|view| view["title"] = mrkdwn_text("x")), "/title", "plain_text"),
        (view(&|view| view["submit"] = plain_text(&long)), "/submit/text", "1 to 24"),
        (view(&|view| view["close"] = plain_text(&long)), "/close/text", "1 to 24"),
        (view(&|view| view["private_metadata"] = json!("x".repeat(3001))), "/private_metadata", "3000"),
        (view(&|view| view["callback_id"] = json!("x".repeat(256))), "/callback_id", "255"),
        (view(&|view| view["blocks"] = many(101, |_| json!({"type": "divider"}))), "/blocks", "at most 100"),
        (view(&|view| view["blocks"] = json!([{"type": "table", "rows": []}])), "/blocks/0", "not allowed here"),
        (
            view(&|view| {
                view["blocks"] = many(99, |_| json!({"type": "section", "text": mrkdwn_text(&"x".repeat(3000))}));
            }),
            "",
            "at most 250000 bytes",
        ),
        (
            (
                Surface::Modal,
                json!({"type": "modal", "title": plain_text("x"), "blocks": [input(&json!({"type": "plain_text_input"}))]}),
            ),
            "",
            "needs `submit`",
        ),
        (
            (
                Surface::Modal,
                modal(&many(
                    2,
                    |_| json!({"type": "input", "label": plain_text("x"), "element": {"type": "plain_text_input", "focus_on_load": true}}),
                )),
            ),
            "/blocks/1/element/focus_on_load",
            "focus",
        ),
        ((Surface::Modal, json!({"type": "modal", "blocks": []})), "", "`title`"),
        ((Surface::Home, json!({"type": "home", "blocks": [], "submit": plain_text("x")})), "", "no field `submit`"),
        (
            (Surface::Home, json!({"type": "home", "blocks": [{"type": "markdown", "text": "x"}]})),
            "/blocks/0",
            "not allowed here",
        ),
        ((Surface::Home, json!({"type": "home"})), "", "`blocks`"),
    ]
}

#[test]
fn bad_payloads_are_named_by_pointer_and_rule() {
    for ((surface, payload), pointer, rule) in
        [bad_messages(), bad_blocks(), bad_elements(), bad_choices(), bad_inputs(), bad_views()].into_iter().flatten()
    {
        let found = check(surface, &payload);
        assert!(
            found.iter().any(|violation| violation.pointer == pointer && violation.rule.contains(rule)),
            "wanted {pointer} … {rule}, found {found:?} in {payload}"
        );
    }
}

#[test]
fn a_bad_payload_breaks_nothing_else() {
    for ((surface, payload), pointer, _) in
        [bad_blocks(), bad_elements(), bad_choices(), bad_inputs()].into_iter().flatten()
    {
        let found = check(surface, &payload);
        assert_eq!(found.len(), 1, "{pointer}: {found:?}");
    }
}

#[test]
fn our_own_rules_are_told_from_slacks() {
    let found = check(Surface::Message, &json!({"blocks": [{"type": "divider"}]}));
    assert_eq!(found.iter().map(|violation| violation.refused).collect::<Vec<_>>(), [false]);
    let found = check(Surface::Message, &json!({"text": "x", "blocks": [{"type": "nonsense"}]}));
    assert_eq!(found[0].to_string(), "`nonsense` is not a type of block [json-pointer:/blocks/0]");
    assert!(found[0].refused);
}

#[test]
fn a_hostile_payload_gets_a_short_answer() {
    let found = check(Surface::Message, &message(&many(5000, |_| json!({"type": "\u{1F980}".repeat(500)}))));
    assert_eq!(found.len(), 100);
    assert!(found.iter().all(|violation| violation.rule.chars().count() < 200));
}

/// Arbitrary JSON that often looks like blocks, so that the walk goes deep.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop_oneof![
        Just("section".to_owned()),
        Just("rich_text".to_owned()),
        Just("rich_text_list".to_owned()),
        Just("static_select".to_owned()),
        Just("plain_text".to_owned()),
        Just("mrkdwn".to_owned()),
        Just("container".to_owned()),
        Just("plain_text_input".to_owned()),
        Just("number_input".to_owned()),
        ".{0,12}",
    ];
    let name = prop_oneof![
        Just("type".to_owned()),
        Just("text".to_owned()),
        Just("blocks".to_owned()),
        Just("elements".to_owned()),
        Just("element".to_owned()),
        Just("options".to_owned()),
        Just("min_length".to_owned()),
        Just("child_blocks".to_owned()),
        Just("initial_option".to_owned()),
        Just("rows".to_owned()),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 120, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..8).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..8)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_panics_and_every_pointer_leads_into_the_payload(payload in any_json()) {
        for surface in [Surface::Message, Surface::Modal, Surface::Home] {
            for wrapped in [payload.clone(), json!({"type": "modal", "text": "x", "blocks": [payload.clone()]})] {
                for violation in check(surface, &wrapped) {
                    let missing_type = violation.pointer == "/type";
                    prop_assert!(missing_type || wrapped.pointer(&violation.pointer).is_some(), "{violation}");
                }
            }
        }
    }

    #[test]
    fn a_section_passes_exactly_up_to_its_limit(text in "\\PC{0,40}", repeats in 1_usize..120) {
        let text = text.repeat(repeats);
        let payload = message(&json!([{"type": "section", "text": mrkdwn_text(&text)}]));
        let fits = (1..=3000).contains(&text.chars().count());
        prop_assert_eq!(check(Surface::Message, &payload).is_empty(), fits);
    }
}
